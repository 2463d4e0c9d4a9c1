// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a VFIO container, served from the compatibility IOAS of a context.
 *
 * Two versions of the interface differ in the unmap: type1v2 unmaps whole mappings only, like
 * IOMMU_IOAS_UNMAP; the original type1 also cuts mappings.  SET_IOMMU for type1 permits this in the
 * IOAS, and the unmap derives the version from that setting.  Structures follow VFIO's rules: argsz
 * may be larger than known, and errors are -EINVAL.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <linux/vfio.h>

#include "memory/area.h"
#include "call.h"
#include "iommufd_private.h"
#include "vfio_compat.h"

static int copy_arg(struct iommufd_op *op, void *copy, const void __user *arg, size_t size)
{
	u32 argsz;

	if (get_user(argsz, (const u32 __user *)arg))
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)arg, sizeof(argsz));
	if (argsz < size)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_size, argsz, size);
	if (copy_from_user(copy, arg, size))
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)arg, size);
	return 0;
}

/* Checks that a range is not empty and that its end does not wrap. */
static int check_range(struct iommufd_op *op, u64 iova, u64 size)
{
	u64 last;

	if (!size)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	if (check_add_overflow(iova, size - 1, &last) || last > ULONG_MAX)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_overflow, iova, size);
	return 0;
}

static int vfio_map_dma(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg)
{
	const u32 known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_ioas *ioas;
	unsigned long iova;
	int prot = 0;
	int rc;

	rc = copy_arg(op, &map, arg, offsetofend(struct vfio_iommu_type1_dma_map, size));
	if (rc)
		return rc;
	op->iova = map.iova;
	op->length = map.size;
	op->user_va = map.vaddr;
	op->flags = map.flags;
	if ((map.flags & ~known) || !(map.flags & known))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_unknown_flags, map.flags,
				       known);
	rc = check_range(op, map.iova, map.size);
	if (rc)
		return rc;
	ioas = iommufd_vfio_ioas_get(ictx, op);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	op->ioas_id = ioas->obj.id;
	iommufd_op_start(op, map);
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	iova = map.iova;
	rc = iommufd_ioas_map(ioas, op, map.vaddr, map.size, &iova, prot, true);
	/* An address of memory that wraps is an invalid argument, as an IOVA that wraps. */
	if (rc == -EOVERFLOW)
		rc = -EINVAL;
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}

static bool anything_mapped(struct iommufd_ioas *ioas, unsigned long iova, unsigned long last)
{
	struct iommufd_area *area;
	bool found;

	down_read(&ioas->iova_lock);
	area = iommufd_area_from(ioas, iova);
	found = area && area->iova <= last;
	up_read(&ioas->iova_lock);
	return found;
}

static int unmap_dma_range(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
			   unsigned long size, unsigned long *unmapped)
{
	unsigned long last = iova + (size - 1);
	int rc;

	*unmapped = 0;
	if (READ_ONCE(ioas->cuts) || !READ_ONCE(ioas->huge_pages)) {
		unsigned long cuts[] = { iova, last + 1 };

		/* Nothing is mapped beyond the last IOVA, so there is nothing to split. */
		rc = iommufd_ioas_split(ioas, op, cuts, last == ULONG_MAX ? 1 : 2);
		if (rc)
			return rc;
	}
	/* In VFIO, an unmap that finds nothing succeeds. */
	if (!anything_mapped(ioas, iova, last))
		return 0;
	return iommufd_ioas_unmap(ioas, op, iova, size, unmapped);
}

static int vfio_unmap_dma(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg)
{
	const size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	const u32 known = VFIO_DMA_UNMAP_FLAG_ALL;
	struct vfio_iommu_type1_dma_unmap unmap;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	int rc;

	rc = copy_arg(op, &unmap, arg, size);
	if (rc)
		return rc;
	op->iova = unmap.iova;
	op->length = unmap.size;
	op->flags = unmap.flags;
	if (unmap.flags & ~known)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_unknown_flags, unmap.flags,
				       known);
	if (!(unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL))
		rc = check_range(op, unmap.iova, unmap.size);
	else if (unmap.iova || unmap.size)
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value,
				     unmap.iova ?: unmap.size, 0);
	if (rc)
		return rc;
	ioas = iommufd_vfio_ioas_get(ictx, op);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	op->ioas_id = ioas->obj.id;
	iommufd_op_start(op, unmap);
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL)
		rc = iommufd_ioas_unmap_all(ioas, op, true, &unmapped);
	else
		rc = unmap_dma_range(ioas, op, unmap.iova, unmap.size, &unmapped);
	/* An unmap that cuts a mapping: iommufd and type1 document different errors. */
	if (rc == -ENOENT && ictx->container)
		rc = -EINVAL;
	iommufd_object_put(ictx, &ioas->obj);
	if (rc)
		return rc;
	unmap.size = unmapped;
	if (copy_to_user(arg, &unmap, size))
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)arg, size);
	return 0;
}

/* Returns whether every HWPT enforces cache coherency, so that no device can bypass the caches. */
static int all_cache_coherent(struct iommufd_ctx *ictx, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas = iommufd_vfio_ioas_get(ictx, op);
	struct iommufd_hwpt *hwpt;
	int all = 1;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ioas->attach_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item)
		all = all && hwpt->enforce_cache_coherency;
	mutex_unlock(&ioas->attach_lock);
	iommufd_object_put(ictx, &ioas->obj);
	return all;
}

static int vfio_check_extension(struct iommufd_ctx *ictx, struct iommufd_op *op,
				unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ictx->no_iommu_mode);
	case VFIO_DMA_CC_IOMMU:
		if (ictx->container && !READ_ONCE(ictx->vfio_iommu))
			return 0;
		return all_cache_coherent(ictx, op);
	case VFIO_NOIOMMU_IOMMU:
		return READ_ONCE(ictx->no_iommu_mode);
	default:
		return 0;
	}
}

static int vfio_set_iommu(struct iommufd_ctx *ictx, struct iommufd_op *op, unsigned long type)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (READ_ONCE(ictx->no_iommu_mode)) {
		if (type != VFIO_NOIOMMU_IOMMU)
			return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, type, 0);
		if (!capable(CAP_SYS_RAWIO))
			return iommufd_op_fail(op, -EPERM, IOMMUFD_REASON_not_permitted, 0, 0);
		return 0;
	}
	if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, type, 0);
	ioas = iommufd_vfio_ioas_get(ictx, op);
	/* A container gets its IOAS with its first group. */
	if (IS_ERR(ioas))
		return ictx->container ? -EINVAL : PTR_ERR(ioas);
	op->object_id = ioas->obj.id;
	if (type == VFIO_TYPE1_IOMMU)
		rc = iommufd_ioas_allow_cuts(ioas, op);
	if (!rc)
		rc = iommufd_vfio_groups_attach(ictx, op, ioas);
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}

static int serve_other(struct iommufd_ctx *ictx, struct iommufd_op *op, unsigned int cmd,
		       unsigned long arg)
{
	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return vfio_check_extension(ictx, op, arg);
	case VFIO_SET_IOMMU:
		return vfio_set_iommu(ictx, op, arg);
	case VFIO_IOMMU_GET_INFO:
		return iommufd_vfio_get_info(ictx, op, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* Before SET_IOMMU, a container knows only what it could do. */
static bool iommu_known(struct iommufd_ctx *ictx, unsigned int cmd)
{
	switch (cmd) {
	case VFIO_GET_API_VERSION:
	case VFIO_CHECK_EXTENSION:
	case VFIO_SET_IOMMU:
		return true;
	default:
		return !ictx->container || READ_ONCE(ictx->vfio_iommu);
	}
}

/**
 * iommufd_vfio_ioctl() - serve an ioctl of a VFIO container
 * @ictx: the context
 * @cmd: number of the ioctl
 * @arg: its argument
 *
 * Return: 0, a positive result, or a negative errno; -ENOTTY if containers have no such ioctl.
 */
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd, unsigned long arg)
{
	enum iommufd_opcode opcode;
	struct iommufd_op op;
	int rc;

	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		opcode = IOMMUFD_OPERATION_map;
		break;
	case VFIO_IOMMU_UNMAP_DMA:
		opcode = IOMMUFD_OPERATION_unmap;
		break;
	case VFIO_GET_API_VERSION:
	case VFIO_CHECK_EXTENSION:
	case VFIO_SET_IOMMU:
	case VFIO_IOMMU_GET_INFO:
		opcode = IOMMUFD_OPERATION_vfio_ioas;
		break;
	default:
		return -ENOTTY;
	}

	iommufd_op_begin(&op, ictx, opcode);
	if (!iommu_known(ictx, cmd)) {
		rc = iommufd_op_fail(&op, -EINVAL, IOMMUFD_REASON_no_compat_ioas, 0, 0);
	} else if (cmd == VFIO_IOMMU_MAP_DMA) {
		rc = vfio_map_dma(ictx, &op, (void __user *)arg);
	} else if (cmd == VFIO_IOMMU_UNMAP_DMA) {
		rc = vfio_unmap_dma(ictx, &op, (void __user *)arg);
	} else {
		op.value = cmd;
		op.object_type = IOMMUFD_OBJECT_IOAS;
		rc = serve_other(ictx, &op, cmd, arg);
	}
	iommufd_op_end(&op, rc);
	return rc;
}
