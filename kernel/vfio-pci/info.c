// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three info ioctls, with their capability chains.
 */
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/*
 * Copies a chain behind a structure of the user.  If the chain does not fit, the structure returns
 * the required size.
 */
static int info_give_caps(struct vfio_info_cap *caps, void __user *arg, size_t infosz, u32 *argsz,
			  u32 *cap_offset)
{
	int ret = 0;

	if (!caps->size)
		return 0;
	if (*argsz < infosz + caps->size) {
		*argsz = infosz + caps->size;
		*cap_offset = 0;
	} else {
		vfio_info_cap_shift(caps, infosz);
		if (copy_to_user(arg + infosz, caps->buf, caps->size))
			ret = -EFAULT;
		*cap_offset = infosz;
	}
	kfree(caps->buf);
	return ret;
}

/*
 * Whether the device can send atomic operations at all.  A device that cannot has no writable bit
 * for it.  The bit of a virtual function is that of its PF, which this user must not change.
 */
static bool info_sends_atomics(struct pci_dev *pdev)
{
	u16 ctl = 0;

	pcie_capability_read_word(pci_physfn(pdev), PCI_EXP_DEVCTL2, &ctl);
	if (!(ctl & PCI_EXP_DEVCTL2_ATOMIC_REQ) && !pdev->is_virtfn) {
		pcie_capability_set_word(pdev, PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_ATOMIC_REQ);
		pcie_capability_read_word(pdev, PCI_EXP_DEVCTL2, &ctl);
		pcie_capability_clear_word(pdev, PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_ATOMIC_REQ);
	}
	return ctl & PCI_EXP_DEVCTL2_ATOMIC_REQ;
}

/* Adds the atomic operations to memory that the root port completes for the device. */
static int info_add_atomics(struct vfio_pci_core_device *vdev, struct vfio_info_cap *caps)
{
	static const struct {
		u32 root;
		u32 flag;
	} widths[] = {
		{ PCI_EXP_DEVCAP2_ATOMIC_COMP32, VFIO_PCI_ATOMIC_COMP32 },
		{ PCI_EXP_DEVCAP2_ATOMIC_COMP64, VFIO_PCI_ATOMIC_COMP64 },
		{ PCI_EXP_DEVCAP2_ATOMIC_COMP128, VFIO_PCI_ATOMIC_COMP128 },
	};
	struct vfio_device_info_cap_pci_atomic_comp cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
		.header.version = 1,
	};
	struct pci_dev *pdev = pci_physfn(vdev->pdev);
	int i;

	if (!pci_is_pcie(pdev) || !info_sends_atomics(vdev->pdev))
		return 0;
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		/* This also enables the requester, which has no effect without a completer. */
		if (!pci_enable_atomic_ops_to_root(pdev, widths[i].root))
			cap.flags |= widths[i].flag;
	}
	if (!cap.flags)
		return 0;
	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

/**
 * vfio_pci_get_info() - VFIO_DEVICE_GET_INFO
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.
 */
long vfio_pci_get_info(struct vfio_pci_core_device *vdev, struct vfio_device_info __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};
	struct vfio_info_cap caps = {};
	size_t room;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	/* Space that the caller provides; the argsz of the result may exceed it. */
	room = min_t(size_t, info.argsz, sizeof(info));

	info.flags = VFIO_DEVICE_FLAGS_PCI;
	if (vdev->reset_works)
		info.flags |= VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_FIRST_DEV_REGION + vdev->num_regions;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	info.cap_offset = 0;

	ret = info_add_atomics(vdev, &caps);
	if (ret)
		return ret;
	if (caps.size)
		info.flags |= VFIO_DEVICE_FLAGS_CAPS;
	ret = info_give_caps(&caps, arg, sizeof(info), &info.argsz, &info.cap_offset);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, room) ? -EFAULT : 0;
}

static int region_info_bar(struct vfio_pci_core_device *vdev, struct vfio_region_info *info,
			   struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header mappable = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};

	u32 bar = array_index_nospec(info->index, PCI_STD_NUM_BARS);

	info->size = pci_resource_len(vdev->pdev, bar);
	if (!info->size)
		return 0;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (!vdev->bar_mmap_supported[bar])
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (bar == vdev->msix_bar && vdev->msix_size)
		return vfio_info_add_capability(caps, &mappable, sizeof(mappable));
	return 0;
}

/* An empty ROM BAR is not a region. */
static int region_info_rom(struct vfio_pci_core_device *vdev, struct vfio_region_info *info)
{
	struct pci_dev *pdev = vdev->pdev;
	struct vfio_pci_forced before;
	void __iomem *io;
	size_t size;
	int ret;

	if (vfio_pci_has_bar(vdev, PCI_ROM_RESOURCE)) {
		ret = vfio_pci_memory_force_killable(vdev, &before);
		if (ret)
			return ret;
		io = pci_map_rom(pdev, &size);
		if (io)
			pci_unmap_rom(pdev, io);
		vfio_pci_memory_unforce(vdev, &before);
		if (!io)
			return 0;
	}
	info->size = vfio_pci_rom_size(vdev);
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ;
	return 0;
}

static int region_info_dev(struct vfio_pci_core_device *vdev, struct vfio_region_info *info,
			   struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
	};
	u32 index = info->index - VFIO_PCI_FIRST_DEV_REGION;
	struct vfio_pci_region *region;
	int ret;

	if (index >= vdev->num_regions)
		return -EINVAL;
	region = &vdev->region[array_index_nospec(index, vdev->num_regions)];
	info->size = region->size;
	info->flags = region->flags;
	type.type = region->type;
	type.subtype = region->subtype;

	ret = vfio_info_add_capability(caps, &type.header, sizeof(type));
	if (!ret && region->ops->add_capability)
		ret = region->ops->add_capability(vdev, region, caps);
	return ret;
}

/**
 * vfio_pci_get_region_info() - VFIO_DEVICE_GET_REGION_INFO
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.
 */
long vfio_pci_get_region_info(struct vfio_pci_core_device *vdev,
			      struct vfio_region_info __user *arg)
{
	const u32 rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = {};
	struct vfio_region_info info;
	int ret = 0;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	info.offset = VFIO_PCI_INDEX_TO_OFFSET(info.index);
	info.size = 0;
	info.flags = 0;
	info.cap_offset = 0;

	switch (info.index) {
	case VFIO_PCI_BAR0_REGION_INDEX ... VFIO_PCI_BAR5_REGION_INDEX:
		ret = region_info_bar(vdev, &info, &caps);
		break;
	case VFIO_PCI_ROM_REGION_INDEX:
		ret = region_info_rom(vdev, &info);
		break;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		info.size = vdev->pdev->cfg_size;
		info.flags = rw;
		break;
	case VFIO_PCI_VGA_REGION_INDEX:
		if (!vdev->has_vga)
			return -EINVAL;
		info.size = 0xc0000;
		info.flags = rw;
		break;
	default:
		ret = region_info_dev(vdev, &info, &caps);
		break;
	}
	if (ret) {
		kfree(caps.buf);
		return ret;
	}

	if (caps.size)
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
	ret = info_give_caps(&caps, arg, sizeof(info), &info.argsz, &info.cap_offset);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/**
 * vfio_pci_get_irq_info() - VFIO_DEVICE_GET_IRQ_INFO
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.
 */
long vfio_pci_get_irq_info(struct vfio_pci_core_device *vdev, struct vfio_irq_info __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX && !pci_is_pcie(vdev->pdev))
		return -EINVAL;

	info.count = vfio_pci_irq_count(vdev, info.index);
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else if (info.index != VFIO_PCI_MSIX_IRQ_INDEX || !vdev->has_dyn_msix)
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
