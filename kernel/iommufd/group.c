// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: operations on all devices of an IOMMU group at once.  device.h describes the model.
 *
 * The functions that change the group's HWPT are called with iommufd_group.lock and with
 * attach_lock of the IOAS that the group is or will be attached to.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "memory/fault.h"
#include "iommu_internal.h"
#include "iommufd_private.h"

static struct iommufd_group *group_find(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup;

	lockdep_assert_held(&ictx->groups.xa_lock);
	/* The group object references the IOMMU group, so its number is not reused. */
	igroup = xa_load(&ictx->groups, iommu_group_id(group));
	return igroup && !WARN_ON(igroup->group != group) ? igroup : NULL;
}

static struct iommufd_group *group_alloc(struct iommufd_ctx *ictx, struct iommu_group *group,
					 struct device *dev)
{
	struct iommufd_group *igroup;

	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (!igroup)
		return NULL;
	refcount_set(&igroup->users, 1);
	igroup->ictx = ictx;
	igroup->group = iommu_group_ref_get(group);
	igroup->id = iommu_group_id(group);
	mutex_init(&igroup->lock);
	iommufd_mutex_no_fault(&igroup->lock);
	INIT_LIST_HEAD(&igroup->devices);
	igroup->sw_msi_start = PHYS_ADDR_MAX;
	iommufd_iommu_driver_name(dev, igroup->iommu_driver, sizeof(igroup->iommu_driver));
	spin_lock_init(&igroup->published_lock);
	return igroup;
}

static void group_free(struct iommufd_group *igroup)
{
	WARN_ON(igroup->hwpt || !list_empty(&igroup->devices));
	iommu_group_put(igroup->group);
	mutex_destroy(&igroup->lock);
	kfree(igroup);
}

/**
 * iommufd_group_get() - get the group object of an IOMMU group, creating it if necessary
 * @ictx: the context
 * @group: the IOMMU group
 * @dev: a device of it
 *
 * Return: the group object, which the caller releases with iommufd_group_put(); or an error
 * pointer: -ENOMEM.
 */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx, struct iommu_group *group,
					struct device *dev)
{
	struct iommufd_group *igroup, *new;
	int rc;

	xa_lock(&ictx->groups);
	igroup = group_find(ictx, group);
	if (igroup)
		refcount_inc(&igroup->users);
	xa_unlock(&ictx->groups);
	if (igroup)
		return igroup;

	new = group_alloc(ictx, group, dev);
	if (!new)
		return ERR_PTR(-ENOMEM);
	rc = xa_reserve(&ictx->groups, new->id, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto out_free;
	xa_lock(&ictx->groups);
	igroup = group_find(ictx, group);
	if (igroup)
		refcount_inc(&igroup->users);
	else
		/*
		 * The slot was reserved, but the removal of another group object may have released
		 * it.
		 */
		rc = xa_err(__xa_store(&ictx->groups, new->id, new, GFP_ATOMIC));
	xa_unlock(&ictx->groups);
	if (!igroup && !rc)
		return new;
out_free:
	group_free(new);
	return rc ? ERR_PTR(rc) : igroup;
}

/**
 * iommufd_group_put() - release a group object
 * @igroup: the group object
 */
void iommufd_group_put(struct iommufd_group *igroup)
{
	struct iommufd_ctx *ictx = igroup->ictx;

	if (!refcount_dec_and_lock(&igroup->users, &ictx->groups.xa_lock))
		return;
	__xa_erase(&ictx->groups, igroup->id);
	xa_unlock(&ictx->groups);
	group_free(igroup);
}

/**
 * iommufd_ctx_has_group() - check whether devices of an IOMMU group are bound to a context
 * @ictx: the context
 * @group: the IOMMU group
 *
 * Return: true if at least one is.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	bool found;

	if (!ictx || !group)
		return false;
	xa_lock(&ictx->groups);
	found = group_find(ictx, group);
	xa_unlock(&ictx->groups);
	return found;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, IOMMUFD);

static int reserve_region(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_ioas *ioas, const struct iommu_resv_region *region)
{
	if (!region->length)
		return 0;
	return iommufd_ioas_reserve(ioas, op, region->start, region->start + region->length - 1,
				    idev);
}

/**
 * iommufd_group_reserve() - reserve in an IOAS the ranges that the group of a device cannot use
 * @idev: the device, owner of the ranges
 * @op: the operation; gets the reason reserved_region_in_use
 * @ioas: the IOAS
 *
 * Return: 0; -EADDRINUSE: an area or allowed range overlaps; -ENOMEM.  On failure nothing is
 * reserved.
 */
int iommufd_group_reserve(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_ioas *ioas)
{
	struct iommufd_group *igroup = idev->igroup;
	phys_addr_t sw_msi_start = PHYS_ADDR_MAX;
	struct iommu_resv_region *region, *next;
	bool hw_msi = false;
	LIST_HEAD(regions);
	int rc;

	lockdep_assert_held(&igroup->lock);
	rc = iommu_get_group_resv_regions(igroup->group, &regions);
	if (rc) {
		iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0);
		goto out_free;
	}
	list_for_each_entry(region, &regions, list) {
		/* Firmware uses these regions only until a driver takes over the device. */
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		if (region->type == IOMMU_RESV_MSI)
			hw_msi = true;
		else if (region->type == IOMMU_RESV_SW_MSI)
			sw_msi_start = region->start;
		rc = reserve_region(idev, op, ioas, region);
		if (rc) {
			iommufd_ioas_unreserve(ioas, idev);
			goto out_free;
		}
	}
	igroup->sw_msi_start = hw_msi ? PHYS_ADDR_MAX : sw_msi_start;
out_free:
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return rc;
}

/**
 * iommufd_group_reserve_all() - iommufd_group_reserve() for every attached device
 * @igroup: the group
 * @op: the operation
 * @ioas: an IOAS that the group is not attached to
 *
 * Return: as iommufd_group_reserve().
 */
int iommufd_group_reserve_all(struct iommufd_group *igroup, struct iommufd_op *op,
			      struct iommufd_ioas *ioas)
{
	struct iommufd_device *idev;
	int rc;

	lockdep_assert_held(&igroup->lock);
	list_for_each_entry(idev, &igroup->devices, group_item) {
		rc = iommufd_group_reserve(idev, op, ioas);
		if (rc) {
			iommufd_group_unreserve_all(igroup, ioas);
			return rc;
		}
	}
	return 0;
}

/**
 * iommufd_group_unreserve_all() - release the ranges reserved for the attached devices
 * @igroup: the group
 * @ioas: the IOAS
 */
void iommufd_group_unreserve_all(struct iommufd_group *igroup, struct iommufd_ioas *ioas)
{
	struct iommufd_device *idev;

	lockdep_assert_held(&igroup->lock);
	list_for_each_entry(idev, &igroup->devices, group_item)
		iommufd_ioas_unreserve(ioas, idev);
}

/* Gives an HWPT the properties it needs before it translates a device of the group. */
static int prepare_hwpt(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&idev->igroup->lock);
	lockdep_assert_held(&hwpt->ioas->attach_lock);
	/* the core checks this on attach, but not on replace */
	if (hwpt->domain->owner != iommu_driver_ops(idev->dev))
		return -EINVAL;
	if (idev->enforce_cache_coherency && !iommufd_hwpt_enforce_cache_coherency(hwpt))
		return -EINVAL;
	return iommufd_hwpt_set_msi_cookie(hwpt, idev->igroup->sw_msi_start);
}

/* Attached devices of user space. */
static unsigned int nr_attached(const struct iommufd_group *igroup)
{
	return igroup->nr_devices - igroup->nr_holders;
}

/* Publishes to observers the state of the group, and of a device that was attached or detached. */
static void publish(struct iommufd_group *igroup, struct iommufd_device *idev)
{
	lockdep_assert_held(&igroup->lock);
	spin_lock(&igroup->published_lock);
	igroup->published.hwpt_id = igroup->hwpt ? igroup->hwpt->obj.id : 0;
	igroup->published.ioas_id = igroup->hwpt ? igroup->hwpt->ioas->obj.id : 0;
	igroup->published.nr_devices = nr_attached(igroup);
	if (idev)
		idev->attached = iommufd_device_attached(idev);
	spin_unlock(&igroup->published_lock);
}

/**
 * iommufd_group_note_replace() - record a successful replacement
 * @igroup: the group, locked
 * @start_ns: CLOCK_MONOTONIC at its start
 */
void iommufd_group_note_replace(struct iommufd_group *igroup, u64 start_ns)
{
	u64 now = ktime_get_ns();

	lockdep_assert_held(&igroup->lock);
	spin_lock(&igroup->published_lock);
	igroup->published.replacements++;
	igroup->published.last_ns = now;
	igroup->published.last_dur_ns = now - start_ns;
	spin_unlock(&igroup->published_lock);
}

/**
 * iommufd_group_attach() - attach a device, and its group if it is the first
 * @idev: the device, not attached; its ranges are reserved in the IOAS of @hwpt
 * @op: the operation
 * @hwpt: the HWPT; if devices of the group are attached, it must be theirs
 *
 * Return: 0; -EINVAL: the device and the HWPT are not compatible; or the error of the IOMMU driver.
 * The caller sets the reason, because it may try another HWPT.
 */
int iommufd_group_attach(struct iommufd_device *idev, struct iommufd_op *op,
			 struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	int rc;

	WARN_ON(igroup->hwpt && igroup->hwpt != hwpt);
	rc = prepare_hwpt(idev, hwpt);
	if (rc)
		return rc;
	if (!igroup->hwpt) {
		iommufd_op_phase(op, IOMMUFD_PHASE_switch);
		rc = iommu_attach_group(hwpt->domain, igroup->group);
		iommufd_op_phase(op, IOMMUFD_PHASE_other);
		if (rc)
			return rc;
		igroup->hwpt = hwpt;
	}
	list_add_tail(&idev->group_item, &igroup->devices);
	igroup->nr_devices++;
	refcount_inc(&hwpt->obj.users);
	if (idev->holder)
		igroup->nr_holders++;
	else
		atomic_inc(&hwpt->nr_devices);
	publish(igroup, idev);
	op->devices = 1;
	return 0;
}

/**
 * iommufd_group_detach() - detach a device, and its group if it is the last
 * @idev: the device, attached
 * @op: the operation
 *
 * Return: the HWPT.  The caller ends the device's long-term use of it.
 */
struct iommufd_hwpt *iommufd_group_detach(struct iommufd_device *idev, struct iommufd_op *op)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt = igroup->hwpt;

	lockdep_assert_held(&igroup->lock);
	list_del_init(&idev->group_item);
	if (idev->holder)
		igroup->nr_holders--;
	else
		atomic_dec(&hwpt->nr_devices);
	if (!--igroup->nr_devices) {
		iommufd_op_phase(op, IOMMUFD_PHASE_switch);
		iommu_detach_group(hwpt->domain, igroup->group);
		iommufd_op_phase(op, IOMMUFD_PHASE_other);
		igroup->hwpt = NULL;
	}
	publish(igroup, idev);
	op->devices = 1;
	return hwpt;
}

/**
 * iommufd_group_replace() - move all attached devices of a group to another HWPT
 * @idev: one of them
 * @op: the operation
 * @hwpt: the HWPT, filled; the devices' ranges are reserved in its IOAS
 *
 * The long-term uses of the old HWPT stay; the caller ends them.
 *
 * Return: 0; -EINVAL: a device and the HWPT are not compatible; or the error of the IOMMU driver.
 * On failure the devices stay on the old HWPT.
 */
int iommufd_group_replace(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_device *cur;
	int rc;

	lockdep_assert_held(&igroup->lock);
	list_for_each_entry(cur, &igroup->devices, group_item) {
		rc = prepare_hwpt(cur, hwpt);
		if (rc)
			return rc;
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_switch);
	rc = iommu_group_replace_domain(igroup->group, hwpt->domain);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		return rc;
	atomic_sub(nr_attached(igroup), &igroup->hwpt->nr_devices);
	atomic_add(nr_attached(igroup), &hwpt->nr_devices);
	refcount_add(igroup->nr_devices, &hwpt->obj.users);
	igroup->hwpt = hwpt;
	publish(igroup, NULL);
	op->devices = nr_attached(igroup);
	return 0;
}
