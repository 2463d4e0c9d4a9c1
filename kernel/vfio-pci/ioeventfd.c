// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_IOEVENTFD: an eventfd that writes a fixed value to an address in a BAR.
 *
 * A struct vfio_pci_ioeventfd is on ioeventfds_list from the call that creates it to the call that
 * removes it, or to the close.  ioeventfds_lock guards the list and its length.  The write is first
 * tried in the context that signals the eventfd; if memory_lock is not free there, a worker does
 * it.
 */
#include <linux/eventfd.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

#define MAX_IOEVENTFDS	1000

/**
 * struct vfio_pci_ioeventfd - an eventfd with its write
 * @item: in vfio_pci_core_device.ioeventfds_list
 * @vdev: the device
 * @virqfd: calls the functions of this file
 * @io: address to write to
 * @data: value to write
 * @pos: offset in the device's file; with @count and @data it identifies this ioeventfd
 * @bar: number of the BAR
 * @count: width in bytes
 * @space: space of the BAR
 */
struct vfio_pci_ioeventfd {
	struct list_head item;
	struct vfio_pci_core_device *vdev;
	struct virqfd *virqfd;
	void __iomem *io;
	u64 data;
	loff_t pos;
	int bar;
	int count;
	enum vfio_pci_space space;
};

/* The caller has checked the space and holds the lock. */
static void ioeventfd_write(struct vfio_pci_ioeventfd *ioeventfd)
{
	struct vfio_pci_core_device *vdev = ioeventfd->vdev;

	switch (ioeventfd->count) {
	case 1:
		vfio_pci_core_iowrite8(vdev, false, ioeventfd->data, ioeventfd->io);
		break;
	case 2:
		vfio_pci_core_iowrite16(vdev, false, ioeventfd->data, ioeventfd->io);
		break;
	case 4:
		vfio_pci_core_iowrite32(vdev, false, ioeventfd->data, ioeventfd->io);
		break;
#ifdef iowrite64
	case 8:
		vfio_pci_core_iowrite64(vdev, false, ioeventfd->data, ioeventfd->io);
		break;
#endif
	}
}

static void ioeventfd_write_if_on(struct vfio_pci_ioeventfd *ioeventfd)
{
	if (vfio_pci_space_enabled(ioeventfd->vdev, ioeventfd->space))
		ioeventfd_write(ioeventfd);
}

/* Runs in atomic context. */
static int ioeventfd_handler(void *opaque, void *unused)
{
	struct vfio_pci_ioeventfd *ioeventfd = opaque;
	struct vfio_pci_core_device *vdev = ioeventfd->vdev;

	if (!down_read_trylock(&vdev->memory_lock))
		return 1;
	ioeventfd_write_if_on(ioeventfd);
	up_read(&vdev->memory_lock);
	return 0;
}

static void ioeventfd_thread(void *opaque, void *unused)
{
	struct vfio_pci_ioeventfd *ioeventfd = opaque;
	struct vfio_pci_core_device *vdev = ioeventfd->vdev;

	down_read(&vdev->memory_lock);
	ioeventfd_write_if_on(ioeventfd);
	up_read(&vdev->memory_lock);
}

static void ioeventfd_free(struct vfio_pci_ioeventfd *ioeventfd)
{
	struct vfio_pci_core_device *vdev = ioeventfd->vdev;

	lockdep_assert_held(&vdev->ioeventfds_lock);

	vfio_virqfd_disable(&ioeventfd->virqfd);
	list_del(&ioeventfd->item);
	vdev->ioeventfds_nr--;
	kfree(ioeventfd);
}

static int ioeventfd_add(struct vfio_pci_core_device *vdev, loff_t pos, u64 data, int count, int fd)
{
	int bar = array_index_nospec(VFIO_PCI_OFFSET_TO_INDEX(pos), PCI_STD_NUM_BARS);
	struct vfio_pci_ioeventfd *ioeventfd;
	int ret;

	lockdep_assert_held(&vdev->ioeventfds_lock);

	if (vdev->ioeventfds_nr >= MAX_IOEVENTFDS)
		return -ENOSPC;

	ioeventfd = kzalloc(sizeof(*ioeventfd), GFP_KERNEL_ACCOUNT);
	if (!ioeventfd)
		return -ENOMEM;
	ioeventfd->vdev = vdev;
	ioeventfd->io = vdev->barmap[bar] + (pos & VFIO_PCI_OFFSET_MASK);
	ioeventfd->data = data;
	ioeventfd->pos = pos;
	ioeventfd->bar = bar;
	ioeventfd->count = count;
	ioeventfd->space = vfio_pci_bar_space(vdev, bar);

	ret = vfio_virqfd_enable(ioeventfd, ioeventfd_handler, ioeventfd_thread, NULL,
				 &ioeventfd->virqfd, fd);
	if (ret) {
		kfree(ioeventfd);
		return ret;
	}
	list_add(&ioeventfd->item, &vdev->ioeventfds_list);
	vdev->ioeventfds_nr++;
	return 0;
}

static int ioeventfd_set(struct vfio_pci_core_device *vdev, loff_t pos, u64 data, int count, int fd)
{
	struct vfio_pci_ioeventfd *ioeventfd;

	lockdep_assert_held(&vdev->ioeventfds_lock);

	list_for_each_entry(ioeventfd, &vdev->ioeventfds_list, item) {
		if (ioeventfd->pos != pos || ioeventfd->data != data || ioeventfd->count != count)
			continue;
		if (fd >= 0)
			return -EEXIST;
		ioeventfd_free(ioeventfd);
		return 0;
	}
	return fd < 0 ? -ENODEV : ioeventfd_add(vdev, pos, data, count, fd);
}

/**
 * vfio_pci_ioeventfd() - VFIO_DEVICE_IOEVENTFD
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.
 */
long vfio_pci_ioeventfd(struct vfio_pci_core_device *vdev, struct vfio_device_ioeventfd __user *arg)
{
	const u32 minsz = offsetofend(struct vfio_device_ioeventfd, fd);
	struct vfio_device_ioeventfd ioeventfd;
	int bar, count, ret;
	u64 off;

	if (copy_from_user(&ioeventfd, arg, minsz))
		return -EFAULT;
	if (ioeventfd.argsz < minsz || ioeventfd.flags & ~VFIO_DEVICE_IOEVENTFD_SIZE_MASK)
		return -EINVAL;
	count = ioeventfd.flags & VFIO_DEVICE_IOEVENTFD_SIZE_MASK;
	if (hweight8(count) != 1 || ioeventfd.fd < -1)
		return -EINVAL;
#ifndef iowrite64
	if (count == 8)
		return -EINVAL;
#endif

	bar = VFIO_PCI_OFFSET_TO_INDEX(ioeventfd.offset);
	off = ioeventfd.offset & VFIO_PCI_OFFSET_MASK;
	if (bar > VFIO_PCI_BAR5_REGION_INDEX)
		return -EINVAL;
	bar = array_index_nospec(bar, PCI_STD_NUM_BARS);
	if (off & (count - 1) || off + count > pci_resource_len(vdev->pdev, bar))
		return -EINVAL;
	if (bar == vdev->msix_bar && off < vdev->msix_offset + vdev->msix_size &&
	    off + count > vdev->msix_offset)
		return -EINVAL;

	ret = vfio_pci_core_setup_barmap(vdev, bar);
	if (ret)
		return ret;
	ret = mutex_lock_killable(&vdev->ioeventfds_lock);
	if (ret)
		return ret;
	ret = ioeventfd_set(vdev, ioeventfd.offset, ioeventfd.data, count, ioeventfd.fd);
	mutex_unlock(&vdev->ioeventfds_lock);
	return ret;
}

/**
 * vfio_pci_ioeventfds_close() - remove all ioeventfds of a device
 * @vdev: the device, being closed
 */
void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_ioeventfd *ioeventfd, *tmp;

	mutex_lock(&vdev->ioeventfds_lock);
	list_for_each_entry_safe(ioeventfd, tmp, &vdev->ioeventfds_list, item)
		ioeventfd_free(ioeventfd);
	mutex_unlock(&vdev->ioeventfds_lock);
}
