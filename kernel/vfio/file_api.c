// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that other parts of the kernel, above all KVM, call with an open VFIO file, on a device
 * or on a group.
 */
#include <linux/iommu.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_file_is_valid() - check that a file is an open VFIO group or device
 * @file: the file
 *
 * Return: true if it is.
 */
bool vfio_file_is_valid(struct file *file)
{
	return vfio_file_from(file) || vfio_group_from_file(file);
}
EXPORT_SYMBOL_GPL(vfio_file_is_valid);

#if IS_ENABLED(CONFIG_VFIO_GROUP)
/**
 * vfio_file_is_group() - check that a file is an open VFIO group
 * @file: the file
 *
 * Return: true if it is.
 */
bool vfio_file_is_group(struct file *file)
{
	return vfio_group_from_file(file);
}
EXPORT_SYMBOL_GPL(vfio_file_is_group);

/**
 * vfio_file_has_dev() - check that a device is in the VFIO group that is open in a file
 * @file: the file
 * @device: the device
 *
 * Return: true if @file is a group and contains @device.
 */
bool vfio_file_has_dev(struct file *file, struct vfio_device *device)
{
	struct vfio_group *group = vfio_group_from_file(file);

	return group && vfio_group_has_device(group, device);
}
EXPORT_SYMBOL_GPL(vfio_file_has_dev);
#endif

/**
 * vfio_file_iommu_group() - get the IOMMU group behind a VFIO file
 * @file: the file
 *
 * Return: the group with a reference, for iommu_group_put(), or NULL.
 */
struct iommu_group *vfio_file_iommu_group(struct file *file)
{
	struct vfio_group *group = vfio_group_from_file(file);
	struct vfio_file *vf = vfio_file_from(file);

	if (group)
		return vfio_group_iommu_group(group);
	return vf ? iommu_group_get(vf->device->dev) : NULL;
}
EXPORT_SYMBOL_GPL(vfio_file_iommu_group);

/**
 * vfio_file_enforced_coherent() - check that all DMA behind a file is coherent with the CPU caches
 * @file: the file
 *
 * Return: false if a device could do DMA that the IOMMU does not force to be coherent, so that a
 * virtual machine must be allowed to maintain caches.  true also for other files.
 */
bool vfio_file_enforced_coherent(struct file *file)
{
	struct vfio_group *group = vfio_group_from_file(file);
	struct vfio_file *vf = vfio_file_from(file);

	if (group)
		return vfio_group_enforced_coherent(group);
	if (vf)
		return device_iommu_capable(vf->device->dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	return true;
}
EXPORT_SYMBOL_GPL(vfio_file_enforced_coherent);

/**
 * vfio_file_set_kvm() - set the virtual machine of the devices behind a file
 * @file: the file
 * @kvm: the virtual machine, or NULL when it is destroyed
 *
 * Drivers see it at the next open of a device.
 */
void vfio_file_set_kvm(struct file *file, struct kvm *kvm)
{
	struct vfio_group *group = vfio_group_from_file(file);
	struct vfio_file *vf = vfio_file_from(file);

	if (group) {
		vfio_group_set_kvm(group, kvm);
	} else if (vf) {
		spin_lock(&vf->kvm_lock);
		vf->kvm = kvm;
		spin_unlock(&vf->kvm_lock);
	}
}
EXPORT_SYMBOL_GPL(vfio_file_set_kvm);
