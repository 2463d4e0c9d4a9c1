/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the module of the mock IOMMU plugs into iommufd, in test builds only (CONFIG_IOMMUFD_TEST).
 *
 * There is at most one hook.  iommufd takes a reference on its module around every test ioctl
 * and for the life of every object of type IOMMUFD_OBJECT_TEST, so the hook may be unregistered
 * from module exit without waiting for anybody.  All symbols are in namespace IOMMUFD_TEST.
 *
 * The functions that take an operation name reasons in it; a test ioctl has no event of its own,
 * so the operation handed to the hook is never armed.
 */
#ifndef IOMMUSCOPE_IOMMUFD_TEST_HOOK_H
#define IOMMUSCOPE_IOMMUFD_TEST_HOOK_H

#include "iommufd_private.h"

#ifdef CONFIG_IOMMUFD_TEST

/* Places where a test can have the core pause, to widen a window. */
enum iommufd_test_pause {
	IOMMUFD_TEST_PAUSE_READY,
	IOMMUFD_TEST_NR_PAUSES,
};

/* Number of the one ioctl of tests. */
#define IOMMUFD_TEST_CMD_NR (IOMMUFD_CMD_BASE + 32)

/**
 * struct iommufd_test_hook - what a test module gives to iommufd
 * @owner: THIS_MODULE
 * @ioctl: serves the ioctl IOMMUFD_TEST_CMD_NR; @arg points to the structure, whose first u32
 *	is its size, nothing of it checked
 * @destroy: an object of type IOMMUFD_OBJECT_TEST goes, because of IOMMU_DESTROY or because the
 *	file was closed; its id is gone already.  May sleep and call iommufd_device_detach() and
 *	so on.  The memory of the object is freed by the caller, afterwards.
 * @is_mock: @dev is one of the hook's own devices.  Such a device needs no isolated MSI, and while
 *	it is bound it does not keep the context open: the TEST object that owns it does not
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

/* pin.c: bytes that one step of the pin/map core may allocate for itself */
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

/* no function: the type of its argument would be in the types of a module without test support */
#define iommufd_test_pause(where) do { } while (0)

#endif
#endif
