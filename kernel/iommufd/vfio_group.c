// SPDX-License-Identifier: GPL-2.0-only
/*
 * The groups of a VFIO container.
 *
 * A container has a member for each group, from SET_CONTAINER until the group leaves.  The member
 * owns the DMA of the group through one device of it, its *holder*.  From SET_IOMMU on the holder
 * is attached to the compatibility IOAS.  So the container knows its IOMMUs, and maps pin and fail,
 * before any device is opened.  A device that is opened later joins the HWPT.  No observer and no
 * id of user space shows a holder: it is not in the table of objects, and it does not count as an
 * attached device.
 *
 * vfio_lock guards the members.  It is held while holders are attached, but never over a fault: the
 * caller pins the memory of the IOAS before it takes the lock, so that these attaches find it
 * pinned.  Only users of the same container wait for the lock.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "device.h"
#include "iommufd_private.h"
#include "iommufd_vfio.h"
#include "memory/area.h"
#include "vfio_compat.h"

/**
 * struct member - a group of a container
 * @item: in iommufd_ctx.vfio_groups
 * @group: the IOMMU group; the VFIO group holds a reference
 * @holder: owns the DMA of the group, and is attached from SET_IOMMU on; NULL if drivers do the DMA
 *	of the group
 * @ioas_id: id of the IOAS that @holder is attached to, 0 if it is not attached
 */
struct member {
	struct list_head item;
	struct iommu_group *group;
	struct iommufd_device *holder;
	u32 ioas_id;
};

static struct member *find_member(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct member *member;

	lockdep_assert_held(&ictx->vfio_lock);
	list_for_each_entry(member, &ictx->vfio_groups, item) {
		if (member->group == group)
			return member;
	}
	return NULL;
}

static int attach_holder(struct iommufd_device *holder, u32 ioas_id)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, holder->ictx, IOMMUFD_OPERATION_attach);
	iommufd_op_device(&op, holder->dev);
	rc = iommufd_device_check_msi(holder, &op);
	if (!rc)
		rc = iommufd_device_change_pt(holder, &op, &ioas_id, false);
	iommufd_op_end(&op, rc);
	return rc;
}

static int attach_member(struct member *member, u32 ioas_id)
{
	int rc;

	if (!member->holder || member->ioas_id)
		return 0;
	rc = attach_holder(member->holder, ioas_id);
	if (!rc)
		member->ioas_id = ioas_id;
	return rc;
}

static void detach_member(struct member *member)
{
	if (member->ioas_id)
		iommufd_device_detach(member->holder);
	member->ioas_id = 0;
}

static void free_member(struct member *member)
{
	detach_member(member);
	if (member->holder)
		iommufd_device_disown(member->holder);
	kfree(member);
}

/* Attaches all groups, or none. */
static int attach_all(struct iommufd_ctx *ictx, u32 ioas_id)
{
	struct member *member;
	int rc;

	list_for_each_entry(member, &ictx->vfio_groups, item) {
		rc = attach_member(member, ioas_id);
		if (rc)
			goto out_detach;
	}
	return 0;

out_detach:
	list_for_each_entry_continue_reverse(member, &ictx->vfio_groups, item)
		detach_member(member);
	return rc;
}

/* Without groups behind an IOMMU nothing is attached, and so nothing must be pinned. */
static bool has_holder(struct iommufd_ctx *ictx)
{
	struct member *member;

	list_for_each_entry(member, &ictx->vfio_groups, item) {
		if (member->holder)
			return true;
	}
	return false;
}

static int set_iommu(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 ioas_id)
{
	int rc = 0;

	if (ictx->container && list_empty(&ictx->vfio_groups))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_no_compat_ioas, 0, 0);
	if (ictx->container && ictx->vfio_iommu)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_already_attached, 0, 0);
	if (!ictx->vfio_iommu)
		rc = attach_all(ictx, ioas_id);
	if (!rc)
		WRITE_ONCE(ictx->vfio_iommu, true);
	return rc;
}

/* Adds a member, and attaches it if SET_IOMMU has been called. */
static int add_member(struct iommufd_ctx *ictx, struct member *member, u32 ioas_id)
{
	int rc = ictx->vfio_iommu ? attach_member(member, ioas_id) : 0;

	if (!rc)
		list_add_tail(&member->item, &ictx->vfio_groups);
	return rc;
}

/*
 * Adds @new, or attaches all groups if that is NULL.  If holders are about to be attached, the
 * memory is pinned first, without the lock.
 */
static int change_groups(struct iommufd_ctx *ictx, struct iommufd_op *op,
			 struct iommufd_ioas *ioas, struct member *new)
{
	bool pinned = false, pin;
	int rc;

	do {
		rc = iommufd_op_lock(op, &ictx->vfio_lock);
		if (rc)
			break;
		pin = !pinned && (new ? new->holder && ictx->vfio_iommu : has_holder(ictx));
		if (!pin)
			rc = new ? add_member(ictx, new, ioas->obj.id) :
				   set_iommu(ictx, op, ioas->obj.id);
		mutex_unlock(&ictx->vfio_lock);
		if (pin) {
			rc = iommufd_ioas_hold_pinned(ioas, op);
			pinned = !rc;
		}
	} while (pin && !rc);
	if (pinned)
		iommufd_ioas_release_pinned(ioas, op);
	return rc;
}

/**
 * iommufd_vfio_groups_attach() - attach the groups of a container, as SET_IOMMU does
 * @ictx: the container
 * @op: the operation
 * @ioas: its compatibility IOAS
 *
 * Groups that join later are attached at once.
 *
 * Return: 0 or a negative errno.  On failure no group is attached.
 */
int iommufd_vfio_groups_attach(struct iommufd_ctx *ictx, struct iommufd_op *op,
			       struct iommufd_ioas *ioas)
{
	return change_groups(ictx, op, ioas, NULL);
}

static int join(struct iommufd_ctx *ictx, struct iommufd_op *op, struct member *member,
		struct device *dev)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (dev) {
		member->holder = iommufd_device_own(ictx, op, dev, true);
		if (IS_ERR(member->holder)) {
			rc = PTR_ERR(member->holder);
			member->holder = NULL;
			return rc;
		}
	}
	ioas = iommufd_vfio_ioas_get(ictx, op);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = change_groups(ictx, op, ioas, member);
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}

/**
 * iommufd_vfio_group_join() - add a group to a container
 * @ictx: the container, with a compatibility IOAS
 * @group: the IOMMU group, which is in no container
 * @dev: a device of it, which a VFIO driver has; NULL if drivers do the DMA of the group
 *
 * Faults memory in if SET_IOMMU has been called, so the caller must hold no lock.
 *
 * Return: 0; -EPERM: another user or driver owns the DMA of the group; or, after SET_IOMMU, an
 * error of the attach.
 */
int iommufd_vfio_group_join(struct iommufd_ctx *ictx, struct iommu_group *group,
			    struct device *dev)
{
	struct member *member = kzalloc(sizeof(*member), GFP_KERNEL_ACCOUNT);
	struct iommufd_op op;
	int rc;

	if (!member)
		return -ENOMEM;
	member->group = group;
	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_bind);
	if (dev)
		iommufd_op_device(&op, dev);
	rc = join(ictx, &op, member, dev);
	/* The event of a success would look like that of an open device. */
	if (!rc)
		op.clock.armed = 0;
	else
		free_member(member);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_group_join, IOMMUFD_VFIO);

/*
 * As with VFIO's type1, a container without groups is empty and has no IOMMU.  An IOAS that user
 * space chose itself keeps its contents.
 */
static void reset_container(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	struct iommufd_op op;

	lockdep_assert_held(&ictx->vfio_lock);
	WRITE_ONCE(ictx->vfio_iommu, false);
	if (!ictx->container)
		return;
	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_unmap);
	ioas = iommufd_vfio_ioas_get(ictx, &op);
	if (!IS_ERR(ioas)) {
		op.ioas_id = ioas->obj.id;
		iommufd_ioas_unmap_all(ioas, &op, false, &unmapped);
		iommufd_object_put(ictx, &ioas->obj);
	}
	op.clock.armed = 0;
	iommufd_op_end(&op, 0);
}

static void remove_member(struct iommufd_ctx *ictx, struct member *member)
{
	list_del(&member->item);
	free_member(member);
	if (list_empty(&ictx->vfio_groups))
		reset_container(ictx);
}

/**
 * iommufd_vfio_group_leave() - remove a group from its container
 * @ictx: the container
 * @group: the group, of which no device is bound; no effect if it is not in the container
 */
void iommufd_vfio_group_leave(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct member *member;

	mutex_lock(&ictx->vfio_lock);
	member = find_member(ictx, group);
	if (member)
		remove_member(ictx, member);
	mutex_unlock(&ictx->vfio_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_group_leave, IOMMUFD_VFIO);

/* Makes another device the holder of a group.  On failure the group loses its holder. */
static void change_holder(struct iommufd_ctx *ictx, struct member *member, struct device *dev)
{
	struct iommufd_device *old = member->holder, *new;
	u32 ioas_id = member->ioas_id;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_bind);
	iommufd_op_device(&op, dev);
	new = iommufd_device_own(ictx, &op, dev, true);
	op.clock.armed = 0;
	iommufd_op_end(&op, 0);
	if (IS_ERR(new))
		new = NULL;
	/* The old holder keeps the memory pinned. */
	if (!new || (ioas_id && attach_holder(new, ioas_id)))
		ioas_id = 0;
	detach_member(member);
	iommufd_device_disown(old);
	member->holder = new;
	member->ioas_id = ioas_id;
}

/**
 * iommufd_vfio_group_move() - let a container hold a group through another device of it
 * @ictx: the container
 * @group: the group; no effect if it is not in the container
 * @from: a device that leaves VFIO; no effect if the container does not hold the group through it
 * @to: another device of the group, or NULL: the group leaves the container
 */
void iommufd_vfio_group_move(struct iommufd_ctx *ictx, struct iommu_group *group,
			     struct device *from, struct device *to)
{
	struct member *member;

	mutex_lock(&ictx->vfio_lock);
	member = find_member(ictx, group);
	if (member && member->holder && member->holder->dev == from) {
		if (to)
			change_holder(ictx, member, to);
		else
			remove_member(ictx, member);
	}
	mutex_unlock(&ictx->vfio_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_group_move, IOMMUFD_VFIO);
