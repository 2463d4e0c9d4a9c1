// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPTs: page tables in an IOMMU driver that mirror an IOAS.
 *
 * An HWPT is created for a device, whose IOMMU driver allocates the domain.  IOMMU_HWPT_ALLOC
 * creates it, or an attach to an IOAS does (automatic HWPT).  Other devices may be attached to it
 * if their IOMMU driver agrees.  It is a long-term user of its IOAS.  An automatic HWPT is
 * destroyed when its last device leaves.  attach_lock of the IOAS guards the members that change
 * after creation.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "memory/area.h"
#include "call.h"
#include "device.h"
#include "iommu_internal.h"
#include "iommufd_private.h"

/* The other flags need features that are not implemented: dirty tracking, I/O page faults. */
#define HWPT_ALLOC_FLAGS IOMMU_HWPT_ALLOC_NEST_PARENT

static struct iommu_domain *domain_alloc(struct device *dev, u32 flags)
{
	const struct iommu_ops *ops = iommu_driver_ops(dev);
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user)
		return flags ? ERR_PTR(-EOPNOTSUPP) : iommu_paging_domain_alloc(dev);
	domain = ops->domain_alloc_user(dev, flags, NULL, NULL);
	/*
	 * The core refuses to attach a domain to a device of another driver; it reads the driver
	 * from here.
	 */
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/**
 * iommufd_hwpt_enforce_cache_coherency() - make no-snoop DMA coherent
 * @hwpt: the HWPT
 *
 * Return: true if it is, false if the IOMMU cannot do it for this HWPT.
 */
bool iommufd_hwpt_enforce_cache_coherency(struct iommufd_hwpt *hwpt)
{
	struct iommu_domain *domain = hwpt->domain;

	lockdep_assert_held(&hwpt->ioas->attach_lock);
	if (!hwpt->enforce_cache_coherency && domain->ops->enforce_cache_coherency)
		hwpt->enforce_cache_coherency = domain->ops->enforce_cache_coherency(domain);
	return hwpt->enforce_cache_coherency;
}

/**
 * iommufd_hwpt_set_msi_cookie() - give the domain its window for software-managed MSIs
 * @hwpt: the HWPT
 * @start: start of the window, PHYS_ADDR_MAX for no window
 *
 * Return: 0 or a negative errno.
 */
int iommufd_hwpt_set_msi_cookie(struct iommufd_hwpt *hwpt, phys_addr_t start)
{
	int rc;

	lockdep_assert_held(&hwpt->ioas->attach_lock);
	if (start == PHYS_ADDR_MAX || hwpt->msi_cookie)
		return 0;
	rc = iommu_get_msi_cookie(hwpt->domain, start);
	if (!rc)
		hwpt->msi_cookie = true;
	return rc;
}

/*
 * Returns whether the HWPT was a pinner of its IOAS, which it is while in the IOAS's list.  If so,
 * the caller ends that.
 */
static bool hwpt_release(struct iommufd_hwpt *hwpt, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	bool pinner = !list_empty(&hwpt->ioas_item);

	lockdep_assert_held(&ioas->attach_lock);
	WARN_ON(atomic_read(&hwpt->nr_devices));
	iommufd_op_phase(op, IOMMUFD_PHASE_drop);
	if (pinner)
		iommufd_ioas_remove_hwpt(ioas, hwpt);
	iommu_domain_free(hwpt->domain);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	return pinner;
}

/* Frees the domain and releases the IOAS, and charges the time to the phase drop. */
static void destroy_hwpt(struct iommufd_object *obj, struct iommufd_op *op)
{
	struct iommufd_hwpt *hwpt = container_of(obj, struct iommufd_hwpt, obj);
	struct iommufd_ioas *ioas = hwpt->ioas;
	bool pinner;

	mutex_lock(&ioas->attach_lock);
	pinner = hwpt_release(hwpt, op);
	mutex_unlock(&ioas->attach_lock);
	if (pinner)
		iommufd_ioas_release_pinned(ioas, op);
	iommufd_object_drop_users(ioas->ictx, op, &ioas->obj, 1, false);
}

static const struct iommufd_object_ops hwpt_object_ops = {
	.type = IOMMUFD_OBJECT_HWPT,
	.destroy = destroy_hwpt,
};

/**
 * iommufd_hwpt_alloc() - create an HWPT, not yet filled
 * @ioas: the IOAS that it will translate; attach_lock held
 * @op: the operation; gets the reason domain_alloc_failed or not_cache_coherent
 * @idev: the device that it is created for
 * @flags: IOMMU_HWPT_ALLOC_*
 * @auto_domain: it is destroyed with its last device
 *
 * Return: the HWPT, which cannot be looked up yet, for iommufd_ioas_add_hwpt() and then
 * iommufd_object_finalize(), or iommufd_hwpt_abort(); or an error pointer: -EOPNOTSUPP: the IOMMU
 * driver does not support @flags; -EINVAL: the device needs cache coherency enforced and the IOMMU
 * cannot do it; -ENOMEM; or the error of the IOMMU driver.
 */
struct iommufd_hwpt *iommufd_hwpt_alloc(struct iommufd_ioas *ioas, struct iommufd_op *op,
					struct iommufd_device *idev, u32 flags, bool auto_domain)
{
	struct iommufd_object *obj;
	struct iommufd_hwpt *hwpt;
	int rc;

	lockdep_assert_held(&ioas->attach_lock);
	obj = __iommufd_object_alloc(idev->ictx, sizeof(*hwpt), &hwpt_object_ops);
	if (IS_ERR(obj))
		return ERR_PTR(iommufd_op_fail(op, PTR_ERR(obj), IOMMUFD_REASON_no_memory,
					       sizeof(*hwpt), 0));
	hwpt = container_of(obj, struct iommufd_hwpt, obj);
	INIT_LIST_HEAD(&hwpt->ioas_item);
	hwpt->ioas = ioas;
	hwpt->auto_domain = auto_domain;
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	strscpy(hwpt->iommu_driver, idev->igroup->iommu_driver, sizeof(hwpt->iommu_driver));

	iommufd_op_phase(op, IOMMUFD_PHASE_alloc);
	hwpt->domain = domain_alloc(idev->dev, flags);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (IS_ERR(hwpt->domain)) {
		rc = iommufd_op_fail(op, PTR_ERR(hwpt->domain), IOMMUFD_REASON_domain_alloc_failed,
				     idev->obj.id, -PTR_ERR(hwpt->domain));
		goto out_abort;
	}
	/* Before the first map: some IOMMUs have a bit for it in each entry of the page table. */
	if (idev->enforce_cache_coherency && !iommufd_hwpt_enforce_cache_coherency(hwpt)) {
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_not_cache_coherent,
				     idev->igroup->id, 0);
		goto out_free;
	}
	refcount_inc(&ioas->obj.users);
	return hwpt;

out_free:
	iommu_domain_free(hwpt->domain);
out_abort:
	iommufd_object_abort(idev->ictx, obj);
	return ERR_PTR(rc);
}

/**
 * iommufd_hwpt_abort() - destroy an HWPT that was not finalized
 * @hwpt: the HWPT, with no device attached, filled or not; attach_lock of its IOAS is held, and the
 *	caller is a pinner of the IOAS, so nothing is unpinned here
 * @op: the operation
 */
void iommufd_hwpt_abort(struct iommufd_hwpt *hwpt, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas = hwpt->ioas;

	if (hwpt_release(hwpt, op))
		iommufd_ioas_release_pinned(ioas, op);
	/* Never the last use: the caller itself uses the IOAS, or its attach_lock's holder does. */
	refcount_dec(&ioas->obj.users);
	iommufd_object_abort(ioas->ictx, &hwpt->obj);
}

static int check_alloc(struct iommufd_op *op, const struct iommu_hwpt_alloc *cmd)
{
	bool has_data = cmd->data_len || cmd->data_uptr;

	if (cmd->flags & ~HWPT_ALLOC_FLAGS)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_unknown_flags, cmd->flags,
				       HWPT_ALLOC_FLAGS);
	if (cmd->__reserved || cmd->__reserved2)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved ?: cmd->__reserved2, 0);
	if ((cmd->data_type == IOMMU_HWPT_DATA_NONE) == has_data)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, cmd->data_len, 0);
	return 0;
}

/* Creates an HWPT for a device and fills it from @ioas, whose memory is pinned. */
static struct iommufd_hwpt *make_hwpt(struct iommufd_call *call, struct iommufd_ioas *ioas,
				      const struct iommu_hwpt_alloc *cmd)
{
	struct iommufd_op *op = call->op;
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;
	int rc;

	/*
	 * The device is held for this function only, because its driver waits for us before it can
	 * unbind it.
	 */
	idev = iommufd_get_device(call->ictx, op, cmd->dev_id);
	if (IS_ERR(idev))
		return ERR_CAST(idev);
	rc = iommufd_op_lock(op, &ioas->attach_lock);
	if (rc) {
		hwpt = ERR_PTR(rc);
		goto out_put;
	}
	hwpt = iommufd_hwpt_alloc(ioas, op, idev, cmd->flags, false);
	if (IS_ERR(hwpt))
		goto out_unlock;
	op->hwpt_id = hwpt->obj.id;
	iommufd_op_phase(op, IOMMUFD_PHASE_fill);
	rc = iommufd_ioas_add_hwpt(ioas, op, hwpt);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc) {
		iommufd_hwpt_abort(hwpt, op);
		hwpt = ERR_PTR(rc);
	}
out_unlock:
	mutex_unlock(&ioas->attach_lock);
out_put:
	iommufd_object_put(call->ictx, &idev->obj);
	return hwpt;
}

static int hwpt_alloc_on_ioas(struct iommufd_call *call, struct iommufd_ioas *ioas,
			      struct iommu_hwpt_alloc *cmd)
{
	struct iommufd_op *op = call->op;
	struct iommufd_hwpt *hwpt;
	int rc;

	op->ioas_id = ioas->obj.id;
	if (cmd->data_type != IOMMU_HWPT_DATA_NONE)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported,
				       cmd->data_type, 0);
	iommufd_op_start(op, hwpt_alloc);
	iommufd_op_phase(op, IOMMUFD_PHASE_fill);
	rc = iommufd_ioas_hold_pinned(ioas, op);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	if (rc)
		return rc;
	hwpt = make_hwpt(call, ioas, cmd);
	if (IS_ERR(hwpt)) {
		rc = PTR_ERR(hwpt);
		goto out_release;
	}
	cmd->out_hwpt_id = hwpt->obj.id;
	rc = iommufd_call_respond(call);
	if (!rc) {
		iommufd_object_finalize(call->ictx, &hwpt->obj);
	} else {
		mutex_lock(&ioas->attach_lock);
		iommufd_hwpt_abort(hwpt, op);
		mutex_unlock(&ioas->attach_lock);
	}
out_release:
	iommufd_ioas_release_pinned(ioas, op);
	return rc;
}

/**
 * iommufd_hwpt_alloc_ioctl() - IOMMU_HWPT_ALLOC
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_hwpt_alloc_ioctl(struct iommufd_call *call)
{
	struct iommu_hwpt_alloc *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_device *idev;
	struct iommufd_object *obj;
	int rc;

	op->flags = cmd->flags;
	op->device_id = cmd->dev_id;
	rc = check_alloc(op, cmd);
	if (rc)
		return rc;
	idev = iommufd_get_device(call->ictx, op, cmd->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	iommufd_op_device(op, idev->dev);
	/*
	 * Pinning the memory comes next and may take arbitrarily long, so the device is released
	 * here and looked up again afterwards.
	 */
	iommufd_object_put(call->ictx, &idev->obj);
	obj = iommufd_object_get(call->ictx, op, cmd->pt_id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	switch (obj->type) {
	case IOMMUFD_OBJECT_IOAS:
		rc = hwpt_alloc_on_ioas(call, container_of(obj, struct iommufd_ioas, obj), cmd);
		break;
	case IOMMUFD_OBJECT_HWPT:
		/* A nested HWPT: page tables of user space on top of this HWPT. */
		rc = iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported, cmd->data_type,
				     0);
		break;
	default:
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_wrong_object_type, cmd->pt_id,
				     obj->type);
		break;
	}
	iommufd_object_put(call->ictx, obj);
	return rc;
}
