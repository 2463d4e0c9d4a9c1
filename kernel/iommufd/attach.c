// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach and replace: the choice of the HWPT for a device, and the switch to it.
 *
 * Both first pin the memory of the IOAS without any lock, because pages may have to be faulted in.
 * Then they take the group's lock and attach_lock of the new IOAS, check and reserve what the
 * devices need, create and fill a new HWPT if no existing one fits, and only then switch.  A
 * failure at any step undoes the previous steps, so the devices stay as they were.  The HWPT that a
 * replace leaves is dropped last, and memory is unpinned last; both happen without locks, because
 * they wait for others.
 */
#include <linux/iommu.h>
#include <linux/timekeeping.h>

#include "memory/area.h"
#include "device.h"
#include "iommufd_private.h"

static int switch_to(struct iommufd_device *idev, struct iommufd_op *op,
		     struct iommufd_hwpt *hwpt, bool replace)
{
	if (replace)
		return iommufd_group_replace(idev, op, hwpt);
	return iommufd_group_attach(idev, op, hwpt);
}

/* Sets the reason why the switch to an HWPT failed, unless a more precise reason is already set. */
static int switch_failed(struct iommufd_op *op, struct iommufd_hwpt *hwpt, int rc)
{
	if (rc == -EINVAL)
		return iommufd_op_fail(op, rc, IOMMUFD_REASON_domain_incompatible, hwpt->obj.id,
				       -rc);
	return iommufd_op_fail(op, rc, IOMMUFD_REASON_domain_switch_failed, hwpt->obj.id, -rc);
}

static int attached_elsewhere(struct iommufd_op *op, struct iommufd_group *igroup)
{
	return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_group_attached_elsewhere, igroup->id,
			       igroup->hwpt->obj.id);
}

/* Switches to the HWPT that user space named. */
static int change_to_hwpt(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt, bool replace)
{
	struct iommufd_group *igroup = idev->igroup;
	int rc;

	if (igroup->hwpt && igroup->hwpt != hwpt && !replace)
		return attached_elsewhere(op, igroup);
	if (replace && igroup->hwpt == hwpt)
		return 0;
	rc = switch_to(idev, op, hwpt, replace);
	return rc ? switch_failed(op, hwpt, rc) : 0;
}

/*
 * Creates an HWPT, fills it and switches to it.  Some IOMMU drivers report the abilities of a
 * domain only after a device is attached.  For those the attach comes first, and the device sees an
 * empty address space for a moment.  A replace never does that, because it would interrupt the
 * existing translation.
 */
static struct iommufd_hwpt *change_to_new(struct iommufd_device *idev, struct iommufd_op *op,
					  struct iommufd_ioas *ioas, bool replace)
{
	struct iommufd_hwpt *hwpt;
	bool attach_first;
	int rc;

	hwpt = iommufd_hwpt_alloc(ioas, op, idev, 0, true);
	if (IS_ERR(hwpt))
		return hwpt;
	op->hwpt_id = hwpt->obj.id;

	attach_first = !iommufd_domain_ready(hwpt->domain) && !replace;
	if (attach_first) {
		rc = iommufd_group_attach(idev, op, hwpt);
		if (rc) {
			switch_failed(op, hwpt, rc);
			goto out_abort;
		}
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_fill);
	rc = iommufd_ioas_add_hwpt(ioas, op, hwpt);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		goto out_detach;
	if (!attach_first) {
		rc = switch_to(idev, op, hwpt, replace);
		if (rc) {
			switch_failed(op, hwpt, rc);
			goto out_abort;
		}
	}
	iommufd_object_finalize(idev->ictx, &hwpt->obj);
	return hwpt;

out_detach:
	if (attach_first) {
		iommufd_group_detach(idev, op);
		refcount_dec(&hwpt->obj.users);
	}
out_abort:
	iommufd_hwpt_abort(hwpt, op);
	return ERR_PTR(rc);
}

/* Switches to an automatic HWPT of an IOAS that an earlier attach created, or to a new one. */
static struct iommufd_hwpt *change_to_ioas(struct iommufd_device *idev, struct iommufd_op *op,
					   struct iommufd_ioas *ioas, bool replace)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt;
	int rc;

	lockdep_assert_held(&ioas->attach_lock);
	if (igroup->hwpt && igroup->hwpt->ioas == ioas && igroup->hwpt->auto_domain) {
		rc = change_to_hwpt(idev, op, igroup->hwpt, replace);
		return rc ? ERR_PTR(rc) : igroup->hwpt;
	}
	if (igroup->hwpt && !replace)
		return ERR_PTR(attached_elsewhere(op, igroup));

	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item) {
		/*
		 * An HWPT that is being destroyed cannot be used any more, but is still in the
		 * list.
		 */
		if (!hwpt->auto_domain || !iommufd_object_try_get(idev->ictx, &hwpt->obj))
			continue;
		rc = switch_to(idev, op, hwpt, replace);
		if (rc && rc != -EINVAL)
			switch_failed(op, hwpt, rc);
		iommufd_object_put(idev->ictx, &hwpt->obj);
		if (!rc)
			return hwpt;
		if (rc != -EINVAL)
			return ERR_PTR(rc);
	}
	return change_to_new(idev, op, ioas, replace);
}

/* With all locks held: reserves, switches, and unreserves what the result does not need. */
static int change_locked(struct iommufd_device *idev, struct iommufd_op *op,
			 struct iommufd_ioas *ioas, struct iommufd_hwpt **hwpt, bool replace)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_ioas *old_ioas = replace ? igroup->hwpt->ioas : NULL;
	int rc = 0;

	iommufd_op_phase(op, IOMMUFD_PHASE_check);
	if (!replace)
		rc = iommufd_group_reserve(idev, op, ioas);
	else if (old_ioas != ioas)
		rc = iommufd_group_reserve_all(igroup, op, ioas);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		return rc;

	if (*hwpt) {
		rc = change_to_hwpt(idev, op, *hwpt, replace);
	} else {
		*hwpt = change_to_ioas(idev, op, ioas, replace);
		rc = PTR_ERR_OR_ZERO(*hwpt);
	}

	if (!replace && rc)
		iommufd_ioas_unreserve(ioas, idev);
	else if (replace && old_ioas != ioas)
		iommufd_group_unreserve_all(igroup, rc ? ioas : old_ioas);
	return rc;
}

/* Ends the uses of an HWPT by the devices of a group, without any lock. */
static void drop_hwpt(struct iommufd_ctx *ictx, struct iommufd_op *op, struct iommufd_hwpt *hwpt,
		      unsigned int nr_devices)
{
	bool auto_domain = hwpt->auto_domain;

	iommufd_op_phase(op, IOMMUFD_PHASE_drop);
	iommufd_object_drop_users(ictx, op, &hwpt->obj, nr_devices, auto_domain);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
}

/* An attach needs a device that is not attached; a replacement needs one that is. */
static int check_attached(struct iommufd_device *idev, struct iommufd_op *op, bool replace)
{
	struct iommufd_group *igroup = idev->igroup;

	lockdep_assert_held(&igroup->lock);
	if (iommufd_device_attached(idev) == replace)
		return 0;
	if (replace)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_not_attached, idev->obj.id, 0);
	return iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_already_attached, idev->obj.id,
			       igroup->hwpt->obj.id);
}

static int change_group(struct iommufd_device *idev, struct iommufd_op *op,
			struct iommufd_ioas *ioas, struct iommufd_hwpt *hwpt, u32 *pt_id,
			bool replace)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *old_hwpt = NULL;
	unsigned int nr_devices = 0;
	u64 start_ns = replace ? ktime_get_ns() : 0;
	int rc;

	rc = iommufd_op_lock(op, &igroup->lock);
	if (rc)
		return rc;
	rc = iommufd_op_lock(op, &ioas->attach_lock);
	if (rc)
		goto out_unlock_group;
	rc = check_attached(idev, op, replace);
	if (rc)
		goto out_unlock;
	if (replace) {
		old_hwpt = igroup->hwpt;
		nr_devices = igroup->nr_devices;
		op->old_hwpt_id = old_hwpt->obj.id;
		op->old_ioas_id = old_hwpt->ioas->obj.id;
	}
	rc = change_locked(idev, op, ioas, &hwpt, replace);
	if (!rc) {
		op->hwpt_id = hwpt->obj.id;
		*pt_id = hwpt->obj.id;
		if (replace)
			iommufd_group_note_replace(igroup, start_ns);
	}
out_unlock:
	mutex_unlock(&ioas->attach_lock);
out_unlock_group:
	mutex_unlock(&igroup->lock);
	if (!rc && replace && old_hwpt != hwpt)
		drop_hwpt(idev->ictx, op, old_hwpt, nr_devices);
	return rc;
}

/* Attaches to an IOAS with all its memory pinned, so that nothing is faulted in under the locks. */
static int change_group_to_ioas(struct iommufd_device *idev, struct iommufd_op *op,
				struct iommufd_ioas *ioas, u32 *pt_id, bool replace)
{
	int rc;

	/*
	 * An early check, to avoid pinning gigabytes in vain; the check that counts follows under
	 * the locks.
	 */
	rc = iommufd_op_lock(op, &idev->igroup->lock);
	if (rc)
		return rc;
	rc = check_attached(idev, op, replace);
	mutex_unlock(&idev->igroup->lock);
	if (rc)
		return rc;

	iommufd_op_phase(op, IOMMUFD_PHASE_fill);
	rc = iommufd_ioas_hold_pinned(ioas, op);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		return rc;
	rc = change_group(idev, op, ioas, NULL, pt_id, replace);
	iommufd_ioas_release_pinned(ioas, op);
	return rc;
}

/**
 * iommufd_device_change_pt() - attach a device, or replace the translation of its group
 * @idev: the device
 * @op: the operation, started
 * @pt_id: id of an IOAS or HWPT; out: id of the HWPT that now translates the device
 * @replace: the device is attached; all attached devices of its group move
 *
 * Return: 0; -ENOENT: no such object; -EINVAL: an object of another type, or an incompatible one;
 * -EBUSY: already attached; -EADDRINUSE, -EFAULT, -ENOMEM: the IOAS and the device are not
 * compatible or the HWPT could not be filled; -EINTR; or the error of the IOMMU driver.  On failure
 * nothing has changed.
 */
int iommufd_device_change_pt(struct iommufd_device *idev, struct iommufd_op *op, u32 *pt_id,
			     bool replace)
{
	struct iommufd_ctx *ictx = idev->ictx;
	struct iommufd_hwpt *hwpt = NULL;
	struct iommufd_ioas *ioas;
	struct iommufd_object *obj;
	int rc;

	obj = iommufd_object_get(ictx, op, *pt_id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	switch (obj->type) {
	case IOMMUFD_OBJECT_HWPT:
		hwpt = container_of(obj, struct iommufd_hwpt, obj);
		ioas = hwpt->ioas;
		op->hwpt_id = obj->id;
		break;
	case IOMMUFD_OBJECT_IOAS:
		ioas = container_of(obj, struct iommufd_ioas, obj);
		break;
	default:
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_wrong_object_type, *pt_id,
				     obj->type);
		goto out_put;
	}
	op->ioas_id = ioas->obj.id;
	if (replace)
		iommufd_op_start(op, replace);
	else
		iommufd_op_start(op, attach);
	if (hwpt)
		rc = change_group(idev, op, ioas, hwpt, pt_id, replace);
	else
		rc = change_group_to_ioas(idev, op, ioas, pt_id, replace);
out_put:
	iommufd_object_put(ictx, obj);
	return rc;
}

/**
 * iommufd_device_detach() - end the translation of a device
 * @idev: the device, attached
 *
 * Its DMA is blocked when this returns, unless other devices of its group are attached.
 */
void iommufd_device_detach(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt;
	struct iommufd_op op;

	iommufd_op_begin(&op, idev->ictx, IOMMUFD_OPERATION_detach);
	iommufd_op_device(&op, idev->dev);
	op.device_id = idev->obj.id;
	iommufd_op_phase(&op, IOMMUFD_PHASE_wait);
	mutex_lock(&igroup->lock);
	iommufd_op_phase(&op, IOMMUFD_PHASE_other);
	if (WARN_ON(!iommufd_device_attached(idev))) {
		mutex_unlock(&igroup->lock);
		return;
	}
	op.old_hwpt_id = igroup->hwpt->obj.id;
	op.old_ioas_id = igroup->hwpt->ioas->obj.id;
	iommufd_op_start(&op, detach);
	hwpt = iommufd_group_detach(idev, &op);
	iommufd_ioas_unreserve(hwpt->ioas, idev);
	mutex_unlock(&igroup->lock);

	drop_hwpt(idev->ictx, &op, hwpt, 1);
	iommufd_op_end(&op, 0);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, IOMMUFD);
