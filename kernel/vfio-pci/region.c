// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: dispatch of reads and writes, and the regions that drivers add.
 *
 * A driver's regions are in vfio_pci_core_device.region, an array that grows in the driver's
 * open_device(), before the user can make calls, and is freed at the close.
 */
#include <linux/export.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/**
 * vfio_pci_core_register_dev_region() - add a region to a device
 * @vdev: the device, being opened
 * @type: type of the region, for VFIO_REGION_INFO_CAP_TYPE
 * @subtype: subtype within @type
 * @ops: functions of the region
 * @size: bytes
 * @flags: VFIO_REGION_INFO_FLAG_*
 * @data: private data of the driver
 *
 * Return: 0 or -ENOMEM.
 */
int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev, unsigned int type,
				      unsigned int subtype, const struct vfio_pci_regops *ops,
				      size_t size, u32 flags, void *data)
{
	struct vfio_pci_region *regions;

	regions = krealloc_array(vdev->region, vdev->num_regions + 1, sizeof(*regions),
				 GFP_KERNEL_ACCOUNT);
	if (!regions)
		return -ENOMEM;
	vdev->region = regions;
	regions[vdev->num_regions++] = (struct vfio_pci_region){
		.type = type,
		.subtype = subtype,
		.ops = ops,
		.size = size,
		.flags = flags,
		.data = data,
	};
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_dev_region);

/**
 * vfio_pci_regions_close() - free the regions that the driver added
 * @vdev: the device, being closed
 */
void vfio_pci_regions_close(struct vfio_pci_core_device *vdev)
{
	int i;

	for (i = 0; i < vdev->num_regions; i++) {
		if (vdev->region[i].ops->release)
			vdev->region[i].ops->release(vdev, &vdev->region[i]);
	}
	kfree(vdev->region);
	vdev->region = NULL;
	vdev->num_regions = 0;
}

static ssize_t region_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			 loff_t *ppos, bool iswrite)
{
	unsigned int index = VFIO_PCI_OFFSET_TO_INDEX(*ppos);

	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX ... VFIO_PCI_BAR5_REGION_INDEX:
		return vfio_pci_bar_rw(vdev, buf, count, ppos, iswrite);
	case VFIO_PCI_ROM_REGION_INDEX:
		return iswrite ? -EINVAL : vfio_pci_rom_read(vdev, buf, count, ppos);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return vfio_pci_config_rw(vdev, buf, count, ppos, iswrite);
	case VFIO_PCI_VGA_REGION_INDEX:
		return vfio_pci_vga_rw(vdev, buf, count, ppos, iswrite);
	default:
		index = array_index_nospec(index - VFIO_PCI_FIRST_DEV_REGION, vdev->num_regions);
		return vdev->region[index].ops->rw(vdev, buf, count, ppos, iswrite);
	}
}

static ssize_t core_rw(struct vfio_device *core_vdev, char __user *buf, size_t count, loff_t *ppos,
		       bool iswrite)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);
	struct device *dev = &vdev->pdev->dev;
	ssize_t done;

	if (VFIO_PCI_OFFSET_TO_INDEX(*ppos) >= VFIO_PCI_FIRST_DEV_REGION + vdev->num_regions)
		return -EINVAL;
	if (!count)
		return 0;

	if (pm_runtime_resume_and_get(dev) < 0)
		return -EIO;
	done = region_rw(vdev, buf, count, ppos, iswrite);
	pm_runtime_put(dev);
	return done;
}

/**
 * vfio_pci_core_read() - the read() callback of drivers
 * @core_vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset; its upper bits are the region's index
 *
 * Return: bytes read, or a negative errno.
 */
ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf, size_t count,
			   loff_t *ppos)
{
	return core_rw(core_vdev, buf, count, ppos, false);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_read);

/**
 * vfio_pci_core_write() - the write() callback of drivers
 * @core_vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset; its upper bits are the region's index
 *
 * Return: bytes written, or a negative errno.
 */
ssize_t vfio_pci_core_write(struct vfio_device *core_vdev, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	return core_rw(core_vdev, (char __user *)buf, count, ppos, true);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_write);

/**
 * vfio_pci_core_range_intersect_range() - compute the intersection of an access and a register
 * @buf_start: first byte of the access
 * @buf_cnt: bytes of the access
 * @reg_start: first byte of the register
 * @reg_cnt: bytes of the register
 * @buf_offset: out: offset of the intersection in the access
 * @intersect_count: out: bytes of the intersection
 * @register_offset: out: offset of the intersection in the register
 *
 * Return: false if there is no intersection.
 */
bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt, loff_t reg_start,
					 size_t reg_cnt, loff_t *buf_offset,
					 size_t *intersect_count, size_t *register_offset)
{
	loff_t first = max(buf_start, reg_start);
	loff_t end = min_t(loff_t, buf_start + buf_cnt, reg_start + reg_cnt);

	if (first >= end)
		return false;
	*buf_offset = first - buf_start;
	*register_offset = first - reg_start;
	*intersect_count = end - first;
	return true;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_range_intersect_range);
