// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VGA region: the legacy ranges that a VGA device decodes in addition to its BARs.
 *
 * The machine has one set of these addresses, so the VGA arbiter assigns them to one device for the
 * duration of an access.
 */
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>
#include <linux/vgaarb.h>

#include "core_private.h"

/* The legacy ranges, with the arbiter's names for them. */
static const struct vga_range {
	u32 start;
	u32 end;
	unsigned int resource;
	bool io;
} vga_ranges[] = {
	{ 0xa0000, 0xc0000, VGA_RSRC_LEGACY_MEM, false },
	{ 0x3b0, 0x3bc, VGA_RSRC_LEGACY_IO, true },
	{ 0x3c0, 0x3e0, VGA_RSRC_LEGACY_IO, true },
};

static const struct vga_range *vga_find_range(loff_t pos)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vga_ranges); i++) {
		if (pos >= vga_ranges[i].start && pos < vga_ranges[i].end)
			return &vga_ranges[i];
	}
	return NULL;
}

/**
 * vfio_pci_vga_rw() - read or write the VGA region
 * @vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset in the device's file
 * @iswrite: write
 *
 * Return: bytes copied, or a negative errno.
 */
ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite)
{
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	const struct vga_range *range = vga_find_range(pos);
	void __iomem *io;
	size_t len;
	ssize_t done;
	int ret;

	if (!vdev->has_vga || !range)
		return -EINVAL;
	len = range->end - range->start;
	count = min_t(size_t, count, range->end - pos);

	io = range->io ? ioport_map(range->start, len) : ioremap(range->start, len);
	if (!io)
		return -ENOMEM;

	ret = vga_get_interruptible(vdev->pdev, range->resource);
	if (ret) {
		done = ret;
		goto out;
	}
	/*
	 * The arbiter has routed the addresses to the device; the device itself may still not
	 * decode them.
	 */
	done = vfio_pci_do_io_rw(vdev, range->io ? VFIO_PCI_SPACE_IO : VFIO_PCI_SPACE_MEMORY, io,
				 buf, pos - range->start, count, 0, 0, iswrite,
				 VFIO_PCI_IO_WIDTH_4);
	vga_put(vdev->pdev, range->resource);
	if (done > 0)
		*ppos += done;
out:
	if (range->io)
		ioport_unmap(io);
	else
		iounmap(io);
	return done;
}

/* A device can give up legacy decoding unless it is the only path to a screen. */
static unsigned int vga_set_decode(struct pci_dev *pdev, bool single)
{
	const unsigned int normal = VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM;
	const unsigned int legacy = VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM;
	struct pci_dev *other = NULL;
	unsigned int decodes = normal | legacy;

	/*
	 * Another VGA device on a bus of its own is reachable without this device giving up its
	 * ranges.
	 */
	if (single || vfio_pci_disable_vga || pci_is_root_bus(pdev->bus))
		return decodes;
	while ((other = pci_get_class(PCI_CLASS_DISPLAY_VGA << 8, other))) {
		if (other == pdev || pci_domain_nr(other->bus) != pci_domain_nr(pdev->bus) ||
		    pci_is_root_bus(other->bus))
			continue;
		if (other->bus->number >= pdev->bus->number &&
		    other->bus->number <= pci_bus_max_busnr(pdev->bus)) {
			pci_dev_put(other);
			return normal;
		}
	}
	return decodes;
}

/**
 * vfio_pci_vga_register() - register the device with the VGA arbiter
 * @vdev: the device, being registered
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pci_is_vga(pdev))
		return 0;
	ret = vga_client_register(pdev, vga_set_decode);
	if (ret)
		return ret;
	vga_set_legacy_decoding(pdev, vga_set_decode(pdev, false));
	return 0;
}

/**
 * vfio_pci_vga_unregister() - undo vfio_pci_vga_register()
 * @vdev: the device
 */
void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev)
{
	if (!pci_is_vga(vdev->pdev))
		return;
	vga_client_unregister(vdev->pdev);
	vga_set_legacy_decoding(vdev->pdev, VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM |
					    VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM);
}
