// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's side of test_hook.h.
 *
 * hook_lock guards the pointer to the hook.  A thread that reads the pointer takes a reference on
 * the hook's module before it drops the lock.  The hook is constant, so it is used without the
 * lock.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "iommufd_private.h"
#include "test_hook.h"

static const struct iommufd_test_hook *hook;
static DEFINE_SPINLOCK(hook_lock);

/* Returns the hook with a reference on its module, or NULL. */
static const struct iommufd_test_hook *hook_get(void)
{
	const struct iommufd_test_hook *found;

	spin_lock(&hook_lock);
	found = hook && try_module_get(hook->owner) ? hook : NULL;
	spin_unlock(&hook_lock);
	return found;
}

/**
 * iommufd_test_register() - register a hook
 * @new: the hook, constant until it is unregistered
 *
 * Return: 0 or -EBUSY if there is one.
 */
int iommufd_test_register(const struct iommufd_test_hook *new)
{
	int rc = 0;

	spin_lock(&hook_lock);
	if (hook)
		rc = -EBUSY;
	else
		hook = new;
	spin_unlock(&hook_lock);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_register, IOMMUFD_TEST);

/**
 * iommufd_test_unregister() - unregister a hook, from exit or failed init of its module
 * @old: the hook
 */
void iommufd_test_unregister(const struct iommufd_test_hook *old)
{
	spin_lock(&hook_lock);
	if (!WARN_ON(hook != old))
		hook = NULL;
	spin_unlock(&hook_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_unregister, IOMMUFD_TEST);

/**
 * iommufd_test_ioctl() - serve the ioctl of tests
 * @ictx: the context
 * @arg: the structure in user space
 *
 * Return: what the hook returns, -ENOTTY if there is none.
 */
long iommufd_test_ioctl(struct iommufd_ctx *ictx, void __user *arg)
{
	const struct iommufd_test_hook *found = hook_get();
	struct iommufd_op op = {};
	long rc;

	if (!found)
		return -ENOTTY;
	rc = found->ioctl(ictx, &op, arg);
	module_put(found->owner);
	return rc;
}

/**
 * iommufd_test_is_mock() - check whether a device belongs to the hook
 * @dev: the device
 *
 * Return: whether it does.
 */
bool iommufd_test_is_mock(struct device *dev)
{
	const struct iommufd_test_hook *found = hook_get();
	bool mock;

	if (!found)
		return false;
	mock = found->is_mock && found->is_mock(dev);
	module_put(found->owner);
	return mock;
}

/* Destroys an object of the hook, on IOMMU_DESTROY or close. */
static void destroy_test_object(struct iommufd_object *obj, struct iommufd_op *op)
{
	/* The object's reference on the module keeps the hook registered. */
	const struct iommufd_test_hook *owner = hook;

	owner->destroy(obj);
	module_put(owner->owner);
}

static const struct iommufd_object_ops test_object_ops = {
	.type = IOMMUFD_OBJECT_TEST,
	.destroy = destroy_test_object,
};

/**
 * iommufd_test_object_alloc() - allocate an object of type IOMMUFD_OBJECT_TEST
 * @ictx: the context
 * @size: size of the structure whose first member is the object
 *
 * Return: the object, zeroed, which cannot be looked up yet; or an error pointer.
 */
struct iommufd_object *iommufd_test_object_alloc(struct iommufd_ctx *ictx, size_t size)
{
	const struct iommufd_test_hook *found = hook_get();
	struct iommufd_object *obj;

	if (!found)
		return ERR_PTR(-ENODEV);
	obj = __iommufd_object_alloc(ictx, size, &test_object_ops);
	/* The object holds the reference on the module until it is destroyed. */
	if (IS_ERR(obj))
		module_put(found->owner);
	return obj;
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_object_alloc, IOMMUFD_TEST);

/**
 * iommufd_test_object_finalize() - make an object visible to lookups
 * @ictx: the context
 * @obj: the object
 */
void iommufd_test_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	iommufd_object_finalize(ictx, obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_object_finalize, IOMMUFD_TEST);

/**
 * iommufd_test_object_abort() - free an object that was not finalized
 * @ictx: the context
 * @obj: the object
 */
void iommufd_test_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	/* The caller runs in the module, within an ioctl that holds a reference of its own. */
	iommufd_object_abort(ictx, obj);
	module_put(hook->owner);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_object_abort, IOMMUFD_TEST);

/**
 * iommufd_test_object_get() - look up an object of type IOMMUFD_OBJECT_TEST
 * @ictx: the context
 * @op: the operation
 * @id: its id
 *
 * Return: the object or ERR_PTR(-ENOENT).
 */
struct iommufd_object *iommufd_test_object_get(struct iommufd_ctx *ictx, struct iommufd_op *op,
					       u32 id)
{
	return iommufd_object_get(ictx, op, id, IOMMUFD_OBJECT_TEST);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_object_get, IOMMUFD_TEST);

/**
 * iommufd_test_object_put() - release an object that a function of this file looked up
 * @ictx: the context
 * @obj: the object
 */
void iommufd_test_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	iommufd_object_put(ictx, obj);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_object_put, IOMMUFD_TEST);

/**
 * iommufd_test_ioas_reserve() - reserve a range of an IOAS permanently
 * @ictx: the context
 * @op: the operation
 * @ioas_id: the IOAS
 * @start: first IOVA
 * @length: bytes
 *
 * Return: 0, -ENOENT, -EOVERFLOW, -EADDRINUSE or -ENOMEM.
 */
int iommufd_test_ioas_reserve(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 ioas_id,
			      unsigned long start, unsigned long length)
{
	struct iommufd_ioas *ioas;
	unsigned long last;
	int rc;

	if (!length || check_add_overflow(start, length - 1, &last))
		return -EOVERFLOW;
	ioas = iommufd_get_ioas(ictx, op, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = iommufd_ioas_reserve(ioas, op, start, last, NULL);
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_ioas_reserve, IOMMUFD_TEST);

/**
 * iommufd_test_domain_get() - look up the domain of an HWPT
 * @ictx: the context
 * @op: the operation
 * @hwpt_id: the HWPT
 * @hwpt: out: its object, for iommufd_test_object_put()
 *
 * Return: the domain or ERR_PTR(-ENOENT).
 */
struct iommu_domain *iommufd_test_domain_get(struct iommufd_ctx *ictx, struct iommufd_op *op,
					     u32 hwpt_id, struct iommufd_object **hwpt)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, op, hwpt_id, IOMMUFD_OBJECT_HWPT);

	if (IS_ERR(obj))
		return ERR_CAST(obj);
	*hwpt = obj;
	return container_of(obj, struct iommufd_hwpt, obj)->domain;
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_domain_get, IOMMUFD_TEST);

/**
 * iommufd_test_set_memory_limit() - make the pin/map core work in small steps
 * @bytes: bytes that one step may allocate
 */
void iommufd_test_set_memory_limit(unsigned int bytes)
{
	WRITE_ONCE(iommufd_test_memory_limit, bytes);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_set_memory_limit, IOMMUFD_TEST);

static unsigned int pauses[IOMMUFD_TEST_NR_PAUSES];

/**
 * iommufd_test_set_pause() - widen a race window
 * @where: the point
 * @us: length of the pause at each pass; 0, the default, means no pause
 */
void iommufd_test_set_pause(enum iommufd_test_pause where, unsigned int us)
{
	WRITE_ONCE(pauses[where], us);
}
EXPORT_SYMBOL_NS_GPL(iommufd_test_set_pause, IOMMUFD_TEST);

/**
 * iommufd_test_pause() - pause at a point of the core, if a test asked for it
 * @where: the point
 */
void iommufd_test_pause(enum iommufd_test_pause where)
{
	unsigned int us = READ_ONCE(pauses[where]);

	if (unlikely(us))
		usleep_range(us, us + us / 4 + 1);
}
