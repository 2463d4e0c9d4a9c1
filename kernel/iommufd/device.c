// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: binding by a driver, lookup by id, attach and replace on the driver's behalf.  device.h
 * describes the model; attach.c contains the attach itself.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "ctx.h"
#include "device.h"
#include "iommufd_private.h"
#include "test_hook.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices whose interrupts are not isolated by remapping: their user can send any interrupt to the host");

/**
 * iommufd_device_check_msi() - check that a device can send only its own interrupts
 * @idev: the device
 * @op: the operation; gets the reason msi_not_isolated
 *
 * Return: 0; -EPERM: its interrupts are not isolated, and no option permits that.
 */
int iommufd_device_check_msi(struct iommufd_device *idev, struct iommufd_op *op)
{
	if (iommu_group_has_isolated_msi(idev->igroup->group))
		return 0;
	if (!READ_ONCE(allow_unsafe_interrupts))
		return iommufd_op_fail(op, -EPERM, IOMMUFD_REASON_msi_not_isolated,
				       idev->igroup->id, 0);
	dev_warn_once(idev->dev, "bound with allow_unsafe_interrupts: the device's user can send any interrupt to the host\n");
	return 0;
}

/*
 * A driver that uses the kernel's DMA API for a device keeps user space away from the whole group.
 */
static int uses_kernel_dma(struct device *dev, void *unused)
{
	const struct device_driver *driver = READ_ONCE(dev->driver);

	if (!driver)
		return 0;
	if (dev_is_pci(dev))
		return !to_pci_driver(driver)->driver_managed_dma;
	if (dev_is_platform(dev))
		return !to_platform_driver(driver)->driver_managed_dma;
	return 0;
}

static int claim_dma(struct iommufd_device *idev, struct iommufd_op *op)
{
	int rc = iommu_device_claim_dma_owner(idev->dev, idev->ictx);

	/* The IOMMU core returns the same error for a driver in the way and for another context. */
	if (rc == -EPERM &&
	    !iommu_group_for_each_dev(idev->igroup->group, NULL, uses_kernel_dma))
		iommufd_op_fail(op, rc, IOMMUFD_REASON_group_owned_by_other_ctx, idev->igroup->id,
				0);
	else if (rc)
		iommufd_op_fail(op, rc, IOMMUFD_REASON_group_not_viable, idev->igroup->id, 0);
	return rc;
}

/* The device is no longer bound: the kernel owns its DMA again. */
static void destroy_device(struct iommufd_object *obj, struct iommufd_op *op)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);

	WARN_ON(!list_empty(&idev->group_item));
	iommu_device_release_dma_owner(idev->dev);
	iommufd_group_put(idev->igroup);
}

static const struct iommufd_object_ops device_object_ops = {
	.type = IOMMUFD_OBJECT_DEVICE,
	.destroy = destroy_device,
};

static struct iommufd_device *device_alloc(struct iommufd_ctx *ictx, struct iommufd_op *op,
					   struct device *dev, struct iommu_group *group)
{
	struct iommufd_device *idev;
	struct iommufd_object *obj;
	int rc;

	obj = __iommufd_object_alloc(ictx, sizeof(*idev), &device_object_ops);
	if (IS_ERR(obj))
		return ERR_PTR(iommufd_op_fail(op, PTR_ERR(obj), IOMMUFD_REASON_no_memory,
					       sizeof(*idev), 0));
	idev = container_of(obj, struct iommufd_device, obj);
	idev->ictx = ictx;
	idev->dev = dev;
	INIT_LIST_HEAD(&idev->group_item);
	idev->enforce_cache_coherency =
		device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	idev->mock = iommufd_test_is_mock(dev);
	idev->igroup = iommufd_group_get(ictx, group, dev);
	if (IS_ERR(idev->igroup)) {
		rc = iommufd_op_fail(op, PTR_ERR(idev->igroup), IOMMUFD_REASON_no_memory,
				     sizeof(*idev->igroup), 0);
		iommufd_object_abort(ictx, obj);
		return ERR_PTR(rc);
	}
	return idev;
}

/**
 * iommufd_device_own() - own the DMA of a device and of its IOMMU group
 * @ictx: the context
 * @op: the operation; gets the reason of a failure
 * @dev: the device
 * @holder: see iommufd_device.holder
 *
 * Return: the device, not in the table of objects, for iommufd_device_disown(); or an error pointer
 * as iommufd_device_bind().
 */
struct iommufd_device *iommufd_device_own(struct iommufd_ctx *ictx, struct iommufd_op *op,
					  struct device *dev, bool holder)
{
	struct iommufd_device *idev;
	struct iommu_group *group;
	int rc;

	group = iommu_group_get(dev);
	if (!group)
		return ERR_PTR(iommufd_op_fail(op, -ENODEV, IOMMUFD_REASON_no_iommu_group, 0, 0));
	/* User space cannot flush caches, so a device that does not snoop them is of no use. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY)) {
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_not_cache_coherent,
				     iommu_group_id(group), 0);
		goto out_put_group;
	}
	idev = device_alloc(ictx, op, dev, group);
	if (IS_ERR(idev)) {
		rc = PTR_ERR(idev);
		goto out_put_group;
	}
	idev->holder = holder;
	/* VFIO's type1 checks interrupts when it attaches a group, not when the group joins. */
	rc = holder ? 0 : iommufd_device_check_msi(idev, op);
	if (!rc)
		rc = claim_dma(idev, op);
	if (rc) {
		iommufd_group_put(idev->igroup);
		iommufd_object_abort(ictx, &idev->obj);
	}
out_put_group:
	iommu_group_put(group);
	return rc ? ERR_PTR(rc) : idev;
}

/**
 * iommufd_device_disown() - undo iommufd_device_own()
 * @idev: the device, not attached and not in the table of objects
 */
void iommufd_device_disown(struct iommufd_device *idev)
{
	iommu_device_release_dma_owner(idev->dev);
	iommufd_group_put(idev->igroup);
	iommufd_object_abort(idev->ictx, &idev->obj);
}

static struct iommufd_device *device_bind(struct iommufd_ctx *ictx, struct iommufd_op *op,
					  struct device *dev)
{
	struct iommufd_device *idev = iommufd_device_own(ictx, op, dev, false);

	if (IS_ERR(idev))
		return idev;
	iommufd_ctx_note_user(ictx);
	if (!idev->mock)
		iommufd_ctx_get(ictx);
	/* The driver's use, which ends with iommufd_device_unbind(). */
	refcount_inc(&idev->obj.users);
	iommufd_object_finalize(ictx, &idev->obj);
	return idev;
}

/**
 * iommufd_device_bind() - bind a device to a context and own its DMA
 * @ictx: the context
 * @dev: the device, whose driver manages DMA itself (driver_managed_dma)
 * @id: out: the id by which user space knows the device
 *
 * From now on no kernel driver can use a device of the same IOMMU group.  The DMA of the group is
 * blocked, except to what is attached.
 *
 * Return: the device; or an error pointer: -ENODEV: there is no IOMMU; -EINVAL: its IOMMU is not
 * cache coherent, or the group cannot be owned; -EPERM: interrupts are not isolated, or another
 * context owns the group; -EBUSY: another driver uses a device of the group; -ENOMEM.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev, u32 *id)
{
	struct iommufd_device *idev;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_bind);
	iommufd_op_device(&op, dev);
	idev = device_bind(ictx, &op, dev);
	if (!IS_ERR(idev)) {
		op.device_id = idev->obj.id;
		*id = idev->obj.id;
	}
	iommufd_op_end(&op, PTR_ERR_OR_ZERO(idev));
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, IOMMUFD);

/**
 * iommufd_device_unbind() - undo iommufd_device_bind()
 * @idev: the device, not attached; freed when this returns
 *
 * Waits for ioctls that use the device.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->ictx;
	bool mock = idev->mock;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_unbind);
	iommufd_op_device(&op, idev->dev);
	op.device_id = idev->obj.id;
	iommufd_object_drop_users(ictx, &op, &idev->obj, 1, true);
	iommufd_op_end(&op, 0);
	if (!mock)
		iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, IOMMUFD);

/**
 * iommufd_device_attach() - make an IOAS or HWPT translate a device
 * @idev: the device, not attached
 * @pt_id: id of an IOAS or HWPT; out: id of the HWPT that translates the device
 *
 * For an IOAS, a compatible HWPT is reused or a new one created; it is destroyed with its last
 * device.
 *
 * Return: 0 or as iommufd_device_change_pt().
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, idev->ictx, IOMMUFD_OPERATION_attach);
	iommufd_op_device(&op, idev->dev);
	op.device_id = idev->obj.id;
	rc = iommufd_device_change_pt(idev, &op, pt_id, false);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, IOMMUFD);

/**
 * iommufd_device_replace() - replace the translation of a device and its group
 * @idev: the device, attached
 * @pt_id: id of an IOAS or HWPT; out: id of the HWPT that translates the devices
 *
 * The new HWPT is filled before the switch.  The switch is one call to the IOMMU driver for the
 * whole group.  The old HWPT is dropped after the switch.  On failure the old translation stays in
 * effect without interruption.
 *
 * Return: 0 or as iommufd_device_change_pt().
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id)
{
	struct iommufd_op op;
	int rc;

	iommufd_op_begin(&op, idev->ictx, IOMMUFD_OPERATION_replace);
	iommufd_op_device(&op, idev->dev);
	op.device_id = idev->obj.id;
	rc = iommufd_device_change_pt(idev, &op, pt_id, true);
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, IOMMUFD);

/**
 * iommufd_device_to_ictx() - the context that a device is bound to
 * @idev: the device
 *
 * Return: the context, without a reference of its own.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, IOMMUFD);

/**
 * iommufd_device_to_id() - the id by which user space knows a device
 * @idev: the device
 *
 * Return: the id.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, IOMMUFD);
