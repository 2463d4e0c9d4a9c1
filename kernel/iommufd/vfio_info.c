// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_IOMMU_GET_INFO: page sizes, usable IOVAs and limits of a container, as a structure with a
 * chain of capabilities after it.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "call.h"
#include "iommufd_private.h"
#include "vfio_compat.h"

/* Page sizes that every HWPT can map.  Users of VFIO map in whole CPU pages. */
static u64 common_page_sizes(struct iommufd_ioas *ioas)
{
	u64 sizes = PAGE_MASK;
	struct iommufd_hwpt *hwpt;

	down_read(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item) {
		u64 own = hwpt->domain->pgsize_bitmap;

		/* An IOMMU with smaller pages maps one CPU page with several of its own. */
		if (own & ~PAGE_MASK)
			own = (own & PAGE_MASK) | PAGE_SIZE;
		sizes &= own;
	}
	if (!ioas->huge_pages)
		sizes &= PAGE_SIZE;
	up_read(&ioas->hwpt_lock);
	return sizes;
}

/*
 * Allocates the capabilities of an IOAS.  Returns them and their size; their offsets count from the
 * start of the structure.
 */
static void *make_caps(struct iommufd_ioas *ioas, struct iommufd_op *op, size_t *size)
{
	struct vfio_iommu_type1_info_cap_iova_range *iovas;
	struct vfio_iommu_type1_info_dma_avail *avail;
	unsigned long alignment;
	size_t iovas_size;
	u32 nr = 0, total;

	/*
	 * Both have the same layout and meaning, so the ranges are read directly into the
	 * capability.
	 */
	static_assert(sizeof(struct vfio_iova_range) == sizeof(struct iommu_iova_range));

	for (;;) {
		iovas_size = struct_size(iovas, iova_ranges, nr);
		*size = iovas_size + sizeof(*avail);
		iovas = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
		if (!iovas)
			return ERR_PTR(iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory,
						       *size, 0));
		total = iommufd_ioas_usable(ioas, (void *)iovas->iova_ranges, nr, &alignment);
		if (total <= nr)
			break;
		kvfree(iovas);
		nr = total;
	}
	if (total < nr) {
		iovas_size = struct_size(iovas, iova_ranges, total);
		*size = iovas_size + sizeof(*avail);
	}

	iovas->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	iovas->header.version = 1;
	iovas->header.next = sizeof(struct vfio_iommu_type1_info) + iovas_size;
	iovas->nr_iovas = total;

	avail = (void *)iovas + iovas_size;
	avail->header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	avail->header.version = 1;
	avail->header.next = 0;
	/* Memory is the only limit, but the number falls with each mapping, as that of type1. */
	avail->avail = U32_MAX - min_t(unsigned long, READ_ONCE(ioas->nr_areas), U32_MAX);
	return iovas;
}

/**
 * iommufd_vfio_get_info() - VFIO_IOMMU_GET_INFO
 * @ictx: the context
 * @op: the operation
 * @arg: the structure in user space
 *
 * Return: 0 or a negative errno.
 */
int iommufd_vfio_get_info(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg)
{
	const size_t min_size = offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	struct vfio_iommu_type1_info info = {};
	struct iommufd_ioas *ioas;
	size_t caps_size;
	void *caps;
	u32 argsz;
	int rc = 0;

	if (copy_from_user(&info, arg, min_size))
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)arg, min_size);
	argsz = info.argsz;
	if (argsz < min_size)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_size, argsz, min_size);
	ioas = iommufd_vfio_ioas_get(ictx, op);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	op->object_id = ioas->obj.id;
	caps = make_caps(ioas, op, &caps_size);
	if (IS_ERR(caps)) {
		rc = PTR_ERR(caps);
		goto out_put;
	}

	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = common_page_sizes(ioas);
	info.argsz = sizeof(info) + caps_size;
	info.cap_offset = 0;
	/* Copy the whole chain, or none of it and report its size in argsz. */
	if (argsz >= info.argsz) {
		info.cap_offset = sizeof(info);
		if (copy_to_user(arg + sizeof(info), caps, caps_size))
			goto fault;
	}
	if (copy_to_user(arg, &info, min_t(size_t, argsz, sizeof(info))))
		goto fault;
	goto out_free;
fault:
	rc = iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer, (uintptr_t)arg, argsz);
out_free:
	kvfree(caps);
out_put:
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}
