// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices on an iommufd: the callbacks that drivers put into their vfio_device_ops.
 *
 * A device whose DMA passes through an IOMMU is an iommufd_device; one whose driver does the DMA
 * itself (access.c) is an iommufd_access.  The first session binds either, and the user attaches
 * it; vfio_device.iommufd_attached records the attachment.  vfio_sessions.lock guards all of this,
 * so that pinning memory delays only the users of the same device.  Resets examine the other
 * devices of their set, so vfio_device.iommufd_device changes under the set's lock as well.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_device_is_attached() - check that the device is attached to an address space
 * @device: the device; without its vfio_sessions.lock the result is a snapshot
 *
 * Return: true if it is.
 */
bool vfio_device_is_attached(struct vfio_device *device)
{
	return device->iommufd_attached;
}

/**
 * vfio_iommufd_device_ictx() - get the iommufd that a device is bound to
 * @vdev: the device, its set locked
 *
 * Return: the context without a reference, or NULL if the device is not bound or does no DMA
 * itself.
 */
struct iommufd_ctx *vfio_iommufd_device_ictx(struct vfio_device *vdev)
{
	return vdev->iommufd_device ? iommufd_device_to_ictx(vdev->iommufd_device) : NULL;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_device_ictx);

/**
 * vfio_iommufd_get_dev_id() - find out whether the owner of an iommufd owns a device
 * @vdev: the device, its set locked
 * @ictx: the iommufd
 *
 * Return: its id if it is bound to @ictx; VFIO_PCI_DEVID_OWNED if it is not bound, but shares its
 * IOMMU group with a bound device, so that no other context can own it; -ENOENT otherwise.
 */
int vfio_iommufd_get_dev_id(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	struct iommu_group *group;
	int id = -ENOENT;

	if (vfio_iommufd_device_ictx(vdev) == ictx)
		return iommufd_device_to_id(vdev->iommufd_device);

	group = iommu_group_get(vdev->dev);
	if (!group)
		return -ENOENT;
	if (iommufd_ctx_has_group(ictx, group))
		id = VFIO_PCI_DEVID_OWNED;
	iommu_group_put(group);
	return id;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_get_dev_id);

/**
 * vfio_iommufd_physical_bind() - bind_iommufd() of a device behind an IOMMU
 * @vdev: the device
 * @ictx: the iommufd
 * @out_device_id: its id in the iommufd
 *
 * Return: 0 or a negative errno.
 */
int vfio_iommufd_physical_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			       u32 *out_device_id)
{
	struct iommufd_device *idev;
	int ret;

	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	idev = iommufd_device_bind(ictx, vdev->dev, out_device_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	ret = mutex_lock_killable(&vdev->dev_set->lock);
	if (ret) {
		iommufd_device_unbind(idev);
		return ret;
	}
	vdev->iommufd_device = idev;
	mutex_unlock(&vdev->dev_set->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_bind);

/**
 * vfio_iommufd_physical_unbind() - unbind_iommufd() of a device behind an IOMMU
 * @vdev: the device; detached first if it is attached
 */
void vfio_iommufd_physical_unbind(struct vfio_device *vdev)
{
	struct iommufd_device *idev = vdev->iommufd_device;

	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	vfio_iommufd_physical_detach_ioas(vdev);
	mutex_lock(&vdev->dev_set->lock);
	vdev->iommufd_device = NULL;
	mutex_unlock(&vdev->dev_set->lock);
	iommufd_device_unbind(idev);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_unbind);

/**
 * vfio_iommufd_physical_attach_ioas() - attach_ioas() of a device behind an IOMMU
 * @vdev: the device, bound
 * @pt_id: id of an IOAS or HWPT; out: id of the attached HWPT
 *
 * If the device is already attached, this replaces its translation without a gap.
 *
 * Return: 0, or a negative errno.  On failure the previous translation stays.
 */
int vfio_iommufd_physical_attach_ioas(struct vfio_device *vdev, u32 *pt_id)
{
	int ret;

	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	if (WARN_ON(!vdev->iommufd_device))
		return -EINVAL;

	if (vdev->iommufd_attached)
		return iommufd_device_replace(vdev->iommufd_device, pt_id);

	ret = iommufd_device_attach(vdev->iommufd_device, pt_id);
	if (!ret)
		vdev->iommufd_attached = true;
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_attach_ioas);

/**
 * vfio_iommufd_physical_detach_ioas() - detach_ioas() of a device behind an IOMMU
 * @vdev: the device; no effect if it is not attached
 */
void vfio_iommufd_physical_detach_ioas(struct vfio_device *vdev)
{
	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	if (WARN_ON(!vdev->iommufd_device) || !vdev->iommufd_attached)
		return;
	iommufd_device_detach(vdev->iommufd_device);
	vdev->iommufd_attached = false;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_detach_ioas);
