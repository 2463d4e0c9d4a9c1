// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses: kernel drivers that use the memory of an IOAS as a device would.
 *
 * An access belongs to the driver that created it, which is its long-term user.  While it is
 * attached, the access itself is a long-term user of its IOAS.  struct iommufd_access in
 * iommufd_private.h documents its locks.
 *
 * A driver that pins pages must unpin them when its unmap notification asks for it.  The
 * notification may sleep on the driver's own locks, and the driver may hold the same locks while it
 * pins.  A notification is therefore never sent with a lock held that pinning or unpinning takes.
 * A detach first marks the access unattached, so that new pins fail, and then repeats the
 * notification until the last page is unpinned.  Unpinning takes no lock of the access; @ioas_unpin
 * cannot change while a page is pinned.
 */
#include <linux/iommufd.h>
#include <linux/mm.h>

#include "memory/fault.h"
#include "iommufd_private.h"

/* Interval at which a driver that still has pages pinned is notified again. */
#define NOTIFY_INTERVAL (HZ / 100 + 1)

/* Ranges from drivers are counted in pages, so that a pin may be unpinned in parts. */
static long range_pages(unsigned long iova, unsigned long length)
{
	return ((iova & ~PAGE_MASK) + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Notifies the driver of an access in use that a range is about to be unmapped. */
static void notify_unmap(struct iommufd_access *access, unsigned long iova, unsigned long length)
{
	if (access->ops->unmap)
		access->ops->unmap(access->data, iova, length);
}

/**
 * iommufd_ioas_notify_unmap() - make all accesses unpin a range that is about to be unmapped
 * @ioas: the IOAS, none of its locks held
 * @iova: first IOVA
 * @length: bytes
 */
void iommufd_ioas_notify_unmap(struct iommufd_ioas *ioas, unsigned long iova,
			       unsigned long length)
{
	struct iommufd_access *access;
	unsigned long slot;

	xa_lock(&ioas->accesses);
	xa_for_each(&ioas->accesses, slot, access) {
		if (!iommufd_object_try_get(access->ictx, &access->obj))
			continue;
		xa_unlock(&ioas->accesses);
		notify_unmap(access, iova, length);
		iommufd_object_put(access->ictx, &access->obj);
		xa_lock(&ioas->accesses);
	}
	xa_unlock(&ioas->accesses);
}

/* It has already been detached. */
static void destroy_access(struct iommufd_object *obj, struct iommufd_op *op)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);

	WARN_ON(access->ioas);
	mutex_destroy(&access->lock);
}

static const struct iommufd_object_ops access_object_ops = {
	.type = IOMMUFD_OBJECT_ACCESS,
	.destroy = destroy_access,
};

/**
 * iommufd_access_create() - create an access, not attached to an IOAS
 * @ictx: the context
 * @ops: the driver's functions; needs_pin_pages requires unmap
 * @data: argument for them
 * @id: out: the id by which user space knows the access
 *
 * Return: the access, or an error pointer: -EINVAL, -ENOMEM.
 */
struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops, void *data,
					     u32 *id)
{
	struct iommufd_access *access = NULL;
	struct iommufd_object *obj;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_access_create);
	op.object_type = IOMMUFD_OBJECT_ACCESS;
	if (ops->needs_pin_pages && !ops->unmap) {
		obj = ERR_PTR(iommufd_op_fail(&op, -EINVAL, IOMMUFD_REASON_bad_value, 0, 0));
		goto out_end;
	}
	obj = __iommufd_object_alloc(ictx, sizeof(*access), &access_object_ops);
	if (IS_ERR(obj)) {
		iommufd_op_fail(&op, PTR_ERR(obj), IOMMUFD_REASON_no_memory, sizeof(*access), 0);
		goto out_end;
	}
	access = container_of(obj, struct iommufd_access, obj);
	access->ictx = ictx;
	access->ops = ops;
	access->data = data;
	access->needs_pin_pages = ops->needs_pin_pages;
	mutex_init(&access->lock);
	init_rwsem(&access->ioas_rwsem);
	iommufd_mutex_no_fault(&access->lock);
	iommufd_rwsem_no_fault(&access->ioas_rwsem);
	init_waitqueue_head(&access->unpinned);
	op.object_id = obj->id;
	*id = obj->id;

	iommufd_ctx_get(ictx);
	/* The driver's use, which ends with iommufd_access_destroy(). */
	refcount_inc(&obj->users);
	iommufd_object_finalize(ictx, obj);
out_end:
	iommufd_op_end(&op, PTR_ERR_OR_ZERO(obj));
	return IS_ERR(obj) ? ERR_CAST(obj) : access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

/*
 * Leaves the IOAS: refuses new pins, and waits until all pages are unpinned.  The caller ends the
 * long-term use of the IOAS.
 */
static struct iommufd_ioas *leave_ioas(struct iommufd_access *access, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas = access->ioas;

	lockdep_assert_held(&access->lock);
	if (!ioas)
		return NULL;
	op->old_ioas_id = ioas->obj.id;

	iommufd_op_phase(op, IOMMUFD_PHASE_wait);
	down_write(&access->ioas_rwsem);
	access->ioas = NULL;
	WRITE_ONCE(access->ioas_id, 0);
	up_write(&access->ioas_rwsem);

	iommufd_op_phase(op, IOMMUFD_PHASE_drop);
	/* A single notification can miss pages that the driver has pinned but not yet recorded. */
	do {
		notify_unmap(access, 0, ULONG_MAX);
	} while (!wait_event_timeout(access->unpinned, !atomic_long_read(&access->pinned),
				     NOTIFY_INTERVAL));
	WRITE_ONCE(access->ioas_unpin, NULL);
	iommufd_ioas_remove_access(ioas, access->slot, access->needs_pin_pages);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	return ioas;
}

/*
 * Attaches to another IOAS, and leaves the previous one once the new one has accepted the access.
 */
static int enter_ioas(struct iommufd_access *access, struct iommufd_op *op, u32 ioas_id)
{
	struct iommufd_ctx *ictx = access->ictx;
	struct iommufd_ioas *ioas, *old_ioas;
	u32 slot;
	int rc;

	lockdep_assert_held(&access->lock);
	ioas = iommufd_get_ioas(ictx, op, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (ioas == access->ioas) {
		rc = 0;
		goto out_put;
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_check);
	rc = iommufd_ioas_add_access(ioas, op, access, access->needs_pin_pages, &slot);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		goto out_put;

	old_ioas = leave_ioas(access, op);
	access->slot = slot;
	WRITE_ONCE(access->ioas_unpin, ioas);
	down_write(&access->ioas_rwsem);
	access->ioas = ioas;
	WRITE_ONCE(access->ioas_id, ioas->obj.id);
	up_write(&access->ioas_rwsem);
	iommufd_object_keep(ictx, &ioas->obj);
	if (old_ioas)
		iommufd_object_drop_users(ictx, op, &old_ioas->obj, 1, false);
	return 0;

out_put:
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}

/**
 * iommufd_access_attach() - attach an access to an IOAS
 * @access: the access, not attached
 * @ioas_id: id of the IOAS
 *
 * Return: 0; -EINVAL: already attached; -ENOENT: no such IOAS; -EADDRINUSE: it pins pages, and an
 * area does not consist of whole pages; -ENOMEM.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_attach);
	op.device_id = access->obj.id;
	op.ioas_id = ioas_id;
	mutex_lock(&access->lock);
	if (access->ioas)
		rc = iommufd_op_fail(&op, -EINVAL, IOMMUFD_REASON_already_attached,
				     access->obj.id, access->ioas->obj.id);
	else
		rc = enter_ioas(access, &op, ioas_id);
	mutex_unlock(&access->lock);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_replace() - move an access to another IOAS
 * @access: the access, attached
 * @ioas_id: id of the IOAS
 *
 * The driver is notified that the whole old IOAS is unmapped, and unpins its pages.  Until it has
 * done so, pins fail with -ENOENT.  If the new IOAS does not accept the access, nothing changes.
 *
 * Return: 0; -ENOENT: not attached, or no such IOAS; otherwise as iommufd_access_attach().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_replace);
	op.device_id = access->obj.id;
	op.ioas_id = ioas_id;
	mutex_lock(&access->lock);
	if (!access->ioas)
		rc = iommufd_op_fail(&op, -ENOENT, IOMMUFD_REASON_not_attached, access->obj.id, 0);
	else
		rc = enter_ioas(access, &op, ioas_id);
	mutex_unlock(&access->lock);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);

static void access_leave(struct iommufd_access *access, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas;

	mutex_lock(&access->lock);
	ioas = leave_ioas(access, op);
	mutex_unlock(&access->lock);
	if (ioas)
		iommufd_object_drop_users(access->ictx, op, &ioas->obj, 1, false);
}

/**
 * iommufd_access_detach() - detach an access from its IOAS
 * @access: the access, attached
 *
 * The driver is notified that the whole IOAS is unmapped.  All its pages are unpinned when this
 * returns.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_op op;

	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_detach);
	op.device_id = access->obj.id;
	WARN_ON(!access->ioas);
	access_leave(access, &op);
	iommufd_op_end(&op, 0);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_destroy() - undo iommufd_access_create()
 * @access: the access; detached first if it is attached, freed when this returns
 *
 * When this returns, no unmap notification is running or will run.  The driver must therefore not
 * hold a lock around this call that its notification takes.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->ictx;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_access_destroy);
	op.object_type = IOMMUFD_OBJECT_ACCESS;
	op.object_id = access->obj.id;
	/*
	 * Before the object leaves the table: notifications reach only accesses that can be looked
	 * up.
	 */
	access_leave(access, &op);
	iommufd_object_drop_users(ictx, &op, &access->obj, 1, true);
	iommufd_op_end(&op, 0);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

/**
 * iommufd_access_pin_pages() - pin memory of the IOAS
 * @access: the access, created with needs_pin_pages
 * @iova: first IOVA
 * @length: bytes; all of the range must be mapped
 * @out_pages: out: the page of each PAGE_SIZE from @iova's page on; may be NULL
 * @flags: IOMMUFD_ACCESS_RW_WRITE if the driver will write to the pages
 *
 * The pages stay pinned until iommufd_access_unpin_pages().  The driver must call that at the
 * latest when its unmap notification names the range.
 *
 * Return: 0; -ENOENT: not attached, or not all of the range is mapped; otherwise as
 * iommufd_ioas_pin_pages().
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages, unsigned int flags)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_pin);
	op.device_id = access->obj.id;
	op.iova = iova;
	op.length = length;
	op.flags = flags;
	if (!access->needs_pin_pages || (flags & ~IOMMUFD_ACCESS_RW_WRITE)) {
		rc = iommufd_op_fail(&op, -EINVAL, IOMMUFD_REASON_unknown_flags, flags,
				     IOMMUFD_ACCESS_RW_WRITE);
		goto out_end;
	}
	rc = iommufd_ioas_pin_pages(access, &op, iova, length, out_pages,
				    flags & IOMMUFD_ACCESS_RW_WRITE);
out_end:
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, IOMMUFD);

/**
 * iommufd_access_unpin_pages() - undo iommufd_access_pin_pages()
 * @access: the access
 * @iova: first IOVA, as it was pinned
 * @length: bytes, as they were pinned
 *
 * The driver must not touch the memory any more.  May be called from the unmap notification.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length)
{
	struct iommufd_ioas *ioas = READ_ONCE(access->ioas_unpin);
	struct iommufd_op op;

	if (WARN_ON(!ioas))
		return;
	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_unpin);
	op.device_id = access->obj.id;
	op.ioas_id = ioas->obj.id;
	op.iova = iova;
	op.length = length;
	iommufd_ioas_unpin_pages(ioas, &op, iova, length);
	if (atomic_long_sub_and_test(range_pages(iova, length), &access->pinned))
		wake_up_all(&access->unpinned);
	iommufd_op_end(&op, 0);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, IOMMUFD);

/**
 * iommufd_access_rw() - read or write memory of the IOAS
 * @access: the access
 * @iova: first IOVA
 * @data: kernel memory to copy to or from
 * @length: bytes; all of the range must be mapped
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Return: 0; -ENOENT: not attached, or not all of the range is mapped; otherwise as
 * iommufd_ioas_rw().
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t length, unsigned int flags)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, access->ictx, IOMMUFD_OPERATION_access_rw);
	op.device_id = access->obj.id;
	op.iova = iova;
	op.length = length;
	op.flags = flags;
	rc = iommufd_ioas_rw(access, &op, iova, data, length, flags);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, IOMMUFD);
