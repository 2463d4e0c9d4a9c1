// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose driver does the DMA: the CPU pins, reads and writes memory at an IOVA.
 *
 * vfio_device.iommufd_access represents such a device in iommufd.  Bind creates it and unbind
 * destroys it, so it exists whenever the device is open.  When a range is unmapped, iommufd calls
 * back, and the driver unpins its pages of that range in dma_unmap().
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "vfio_private.h"

static void vfio_access_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct vfio_device *vdev = data;

	if (vdev->ops->dma_unmap)
		vdev->ops->dma_unmap(vdev, iova, length);
}

static const struct iommufd_access_ops vfio_access_ops = {
	.needs_pin_pages = 1,
	.unmap = vfio_access_unmap,
};

/**
 * vfio_iommufd_emulated_bind() - bind_iommufd() of a device whose driver does the DMA
 * @vdev: the device
 * @ictx: the iommufd
 * @out_device_id: its id in the iommufd
 *
 * Return: 0 or a negative errno.
 */
int vfio_iommufd_emulated_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			       u32 *out_device_id)
{
	struct iommufd_access *access;

	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	access = iommufd_access_create(ictx, &vfio_access_ops, vdev, out_device_id);
	if (IS_ERR(access))
		return PTR_ERR(access);
	vdev->iommufd_access = access;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_bind);

/**
 * vfio_iommufd_emulated_unbind() - unbind_iommufd() of a device whose driver does the DMA
 * @vdev: the device; detached first if it is attached
 */
void vfio_iommufd_emulated_unbind(struct vfio_device *vdev)
{
	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	if (!vdev->iommufd_access)
		return;
	iommufd_access_destroy(vdev->iommufd_access);
	vdev->iommufd_attached = false;
	vdev->iommufd_access = NULL;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_unbind);

/**
 * vfio_iommufd_emulated_attach_ioas() - attach_ioas() of a device whose driver does the DMA
 * @vdev: the device, bound
 * @pt_id: id of an IOAS
 *
 * Return: 0 or a negative errno.
 */
int vfio_iommufd_emulated_attach_ioas(struct vfio_device *vdev, u32 *pt_id)
{
	int ret;

	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	if (vdev->iommufd_attached)
		return iommufd_access_replace(vdev->iommufd_access, *pt_id);

	ret = iommufd_access_attach(vdev->iommufd_access, *pt_id);
	if (!ret)
		vdev->iommufd_attached = true;
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_attach_ioas);

/**
 * vfio_iommufd_emulated_detach_ioas() - detach_ioas() of a device whose driver does the DMA
 * @vdev: the device; no effect if it is not attached
 */
void vfio_iommufd_emulated_detach_ioas(struct vfio_device *vdev)
{
	lockdep_assert_held(&vfio_sessions(vdev)->lock);

	if (WARN_ON(!vdev->iommufd_access) || !vdev->iommufd_attached)
		return;
	iommufd_access_detach(vdev->iommufd_access);
	vdev->iommufd_attached = false;
}
EXPORT_SYMBOL_GPL(vfio_iommufd_emulated_detach_ioas);

static bool vfio_device_can_access(struct vfio_device *device)
{
	return !WARN_ON(!READ_ONCE(device->open_count)) && device->iommufd_access;
}

/**
 * vfio_pin_pages() - pin the user memory behind an IOVA range
 * @device: the device, open
 * @iova: first IOVA
 * @npage: number of pages, at most VFIO_PIN_PAGES_MAX_ENTRIES
 * @prot: IOMMU_READ and IOMMU_WRITE
 * @pages: out: the pinned pages
 *
 * Return: @npage, or a negative errno.  On failure nothing is pinned.
 */
int vfio_pin_pages(struct vfio_device *device, dma_addr_t iova, int npage, int prot,
		   struct page **pages)
{
	unsigned int flags = prot & IOMMU_WRITE ? IOMMUFD_ACCESS_RW_WRITE : 0;
	int ret;

	if (!pages || npage <= 0 || !vfio_device_can_access(device) ||
	    !device->ops->dma_unmap)
		return -EINVAL;
	if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
		return -E2BIG;
	/* IOVAs of iommufd are unsigned long. */
	if (iova > ULONG_MAX)
		return -EINVAL;

	ret = iommufd_access_pin_pages(device->iommufd_access, ALIGN_DOWN(iova, PAGE_SIZE),
				       (unsigned long)npage * PAGE_SIZE, pages, flags);
	return ret ? ret : npage;
}
EXPORT_SYMBOL_GPL(vfio_pin_pages);

/**
 * vfio_unpin_pages() - undo vfio_pin_pages()
 * @device: the device, open
 * @iova: first IOVA
 * @npage: number of pages
 */
void vfio_unpin_pages(struct vfio_device *device, dma_addr_t iova, int npage)
{
	if (WARN_ON(npage <= 0 || npage > VFIO_PIN_PAGES_MAX_ENTRIES || iova > ULONG_MAX) ||
	    !vfio_device_can_access(device))
		return;
	iommufd_access_unpin_pages(device->iommufd_access, ALIGN_DOWN(iova, PAGE_SIZE),
				   (unsigned long)npage * PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(vfio_unpin_pages);

/**
 * vfio_dma_rw() - read or write user memory at an IOVA
 * @device: the device, open
 * @iova: first IOVA
 * @data: kernel memory
 * @len: bytes
 * @write: true to write @data, false to read into it
 *
 * Return: 0 or a negative errno.
 */
int vfio_dma_rw(struct vfio_device *device, dma_addr_t iova, void *data, size_t len, bool write)
{
	unsigned int flags = write ? IOMMUFD_ACCESS_RW_WRITE : IOMMUFD_ACCESS_RW_READ;

	if (!data || !len || !vfio_device_can_access(device) || iova > ULONG_MAX)
		return -EINVAL;
	/* A kernel thread has no user memory of its own: iommufd uses that of the owner. */
	if (!current->mm)
		flags |= IOMMUFD_ACCESS_RW_KTHREAD;
	return iommufd_access_rw(device->iommufd_access, iova, data, len, flags);
}
EXPORT_SYMBOL_GPL(vfio_dma_rw);
