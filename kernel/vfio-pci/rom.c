// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ROM region: the contents of the device's expansion ROM, or the copy that the firmware left.
 *
 * The ROM of a device is memory like its BARs.  It shares an address decoder with them, which is
 * switched to the ROM only during a read.  The ROM is therefore read in small pieces into a kernel
 * buffer, each with memory_lock held for write: nothing else uses the decoder during that time, and
 * a piece is read while the memory is enabled, or not at all.
 *
 * Only a device without a ROM BAR shows the firmware's copy (pci_dev.rom).  That copy is memory of
 * the host, which no state of the device affects.
 */
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

#define ROM_PIECE	SZ_4K

/* In accesses of at most a dword, as ROMs are usually read. */
static void rom_copy(u8 *buf, void __iomem *io, size_t count)
{
	size_t done = 0;

	for (; done < count && !IS_ALIGNED((unsigned long)io + done, 4); done++)
		buf[done] = ioread8(io + done);
	for (; count - done >= 4; done += 4)
		put_unaligned_le32(ioread32(io + done), buf + done);
	for (; done < count; done++)
		buf[done] = ioread8(io + done);
}

/* Reads a piece of the device's ROM; bytes beyond the image are ones. */
static int rom_piece_device(struct vfio_pci_core_device *vdev, u8 *buf, loff_t off, size_t count)
{
	struct pci_dev *pdev = vdev->pdev;
	void __iomem *io;
	size_t size;
	int ret;

	ret = down_write_killable(&vdev->memory_lock);
	if (ret)
		return ret;
	ret = -EIO;
	if (!vfio_pci_space_enabled(vdev, VFIO_PCI_SPACE_MEMORY))
		goto out;
	/* pci_map_rom() reads the headers of the image to find its length. */
	io = pci_map_rom(pdev, &size);
	ret = -ENOMEM;
	if (!io)
		goto out;
	memset(buf, 0xff, count);
	if (off < size)
		rom_copy(buf, io + off, min_t(size_t, count, size - off));
	pci_unmap_rom(pdev, io);
	ret = 0;
out:
	up_write(&vdev->memory_lock);
	return ret;
}

static int rom_piece_copy(struct pci_dev *pdev, u8 *buf, loff_t off, size_t count)
{
	void *copy = memremap(pdev->rom, pdev->romlen, MEMREMAP_WB);

	if (!copy)
		return -ENOMEM;
	memset(buf, 0xff, count);
	if (off < pdev->romlen)
		memcpy(buf, copy + off, min_t(size_t, count, pdev->romlen - off));
	memunmap(copy);
	return 0;
}

/**
 * vfio_pci_rom_size() - get the size of the ROM region
 * @vdev: the device, open
 *
 * Return: bytes, 0 if the device has neither a ROM BAR nor a copy from the firmware.
 */
size_t vfio_pci_rom_size(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (vfio_pci_has_bar(vdev, PCI_ROM_RESOURCE))
		return pci_resource_len(pdev, PCI_ROM_RESOURCE);
	return pdev->rom && pdev->romlen ? roundup_pow_of_two(pdev->romlen) : 0;
}

/**
 * vfio_pci_rom_read() - read the ROM region
 * @vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset in the device's file
 *
 * Return: bytes read, or a negative errno if no byte was read: -EIO while the device's memory is
 * off.
 */
ssize_t vfio_pci_rom_read(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			  loff_t *ppos)
{
	loff_t off = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t size = vfio_pci_rom_size(vdev), done = 0, part;
	int ret = 0;
	u8 *piece;

	if (off >= size)
		return -EINVAL;
	count = min_t(size_t, count, size - off);
	piece = kmalloc(ROM_PIECE, GFP_KERNEL_ACCOUNT);
	if (!piece)
		return -ENOMEM;

	for (; done < count; done += part) {
		part = min_t(size_t, count - done, ROM_PIECE);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		else if (vfio_pci_has_bar(vdev, PCI_ROM_RESOURCE))
			ret = rom_piece_device(vdev, piece, off + done, part);
		else
			ret = rom_piece_copy(vdev->pdev, piece, off + done, part);
		if (!ret && copy_to_user(buf + done, piece, part))
			ret = -EFAULT;
		if (ret)
			break;
		cond_resched();
	}
	kfree(piece);
	*ppos += done;
	return done ? done : ret;
}
