/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the mock IOMMU's module plugs into iommufd, in test builds only (CONFIG_IOMMUFD_TEST).
 *
 * There is at most one hook.  iommufd holds a reference on the hook's module during every test
 * ioctl and for the lifetime of every object of type IOMMUFD_OBJECT_TEST, so module exit may
 * unregister the hook without waiting.  All symbols are in namespace IOMMUFD_TEST.
 *
 * The functions that take an operation set reasons in it.  A test ioctl has no event of its own, so
 * the operation passed to the hook is never armed.
 */
#ifndef IOMMUSCOPE_IOMMUFD_TEST_HOOK_H
#define IOMMUSCOPE_IOMMUFD_TEST_HOOK_H

#include "iommufd_private.h"

#ifdef CONFIG_IOMMUFD_TEST

/* Points where a test can make the core pause, to widen a race window. */
enum iommufd_test_pause {
	IOMMUFD_TEST_PAUSE_READY,
	IOMMUFD_TEST_NR_PAUSES,
};

/* Number of the only test ioctl. */
#define IOMMUFD_TEST_CMD_NR (IOMMUFD_CMD_BASE + 32)

/**
 * struct iommufd_test_hook - functions of a test module
 * @owner: THIS_MODULE
 * @ioctl: serves the ioctl IOMMUFD_TEST_CMD_NR.  @arg points to the structure, whose first u32 is
 *	its size; nothing in it has been checked
 * @destroy: destroys an object of type IOMMUFD_OBJECT_TEST, on IOMMU_DESTROY or when the file is
 *	closed; its id is already gone.  May sleep, and may call iommufd_device_detach() and the
 *	like.  The caller frees the memory of the object afterwards.
 * @is_mock: whether @dev is one of the hook's own devices.  Such a device needs no isolated MSI,
 *	and does not keep the context open while it is bound: the TEST object that owns it does not
 *	outlive the file.
 */
struct iommufd_test_hook {
	struct module *owner;
	long (*ioctl)(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg);
	void (*destroy)(struct iommufd_object *obj);
	bool (*is_mock)(struct device *dev);
};

int iommufd_test_register(const struct iommufd_test_hook *hook);
void iommufd_test_unregister(const struct iommufd_test_hook *hook);

struct iommufd_object *iommufd_test_object_alloc(struct iommufd_ctx *ictx, size_t size);
void iommufd_test_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_test_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj);
struct iommufd_object *iommufd_test_object_get(struct iommufd_ctx *ictx, struct iommufd_op *op,
					       u32 id);
void iommufd_test_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj);

int iommufd_test_ioas_reserve(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 ioas_id,
			      unsigned long start, unsigned long length);
struct iommu_domain *iommufd_test_domain_get(struct iommufd_ctx *ictx, struct iommufd_op *op,
					     u32 hwpt_id, struct iommufd_object **hwpt);
void iommufd_test_set_memory_limit(unsigned int bytes);
void iommufd_test_set_pause(enum iommufd_test_pause where, unsigned int us);

/* pin.c: bytes that one step of the pin/map core may allocate for its own use */
extern unsigned int iommufd_test_memory_limit;

/* Called by the core. */
long iommufd_test_ioctl(struct iommufd_ctx *ictx, void __user *arg);
bool iommufd_test_is_mock(struct device *dev);
void iommufd_test_pause(enum iommufd_test_pause where);

#else

static inline bool iommufd_test_is_mock(struct device *dev)
{
	return false;
}

/*
 * a macro, because a function would add its argument's type to the BTF of modules without test
 * support
 */
#define iommufd_test_pause(where) do { } while (0)

#endif
#endif
