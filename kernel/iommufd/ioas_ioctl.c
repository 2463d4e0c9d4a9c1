// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls on address spaces.  This file checks the arguments; ioas.c, map.c and iova.c do the
 * work.  An IOAS is looked up for the duration of the call and needs no lock here.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "call.h"
#include "iommufd_private.h"

/*
 * No user needs many allowed ranges.  The bound keeps their checks short, which compare all ranges.
 */
#define MAX_ALLOWED_RANGES 4096U

#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/**
 * iommufd_ioas_alloc_ioctl() - IOMMU_IOAS_ALLOC
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_ioas_alloc_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_alloc *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *ioas;
	int rc;

	op->flags = cmd->flags;
	op->object_type = IOMMUFD_OBJECT_IOAS;
	if (cmd->flags)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_unknown_flags, cmd->flags,
				       0);
	ioas = iommufd_ioas_alloc(call->ictx, op);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	op->object_id = ioas->obj.id;
	cmd->out_ioas_id = ioas->obj.id;
	rc = iommufd_call_respond(call);
	if (rc) {
		iommufd_ioas_fini(ioas);
		iommufd_object_abort(call->ictx, &ioas->obj);
		return rc;
	}
	iommufd_object_finalize(call->ictx, &ioas->obj);
	return 0;
}

/**
 * iommufd_ioas_allow_iovas_ioctl() - IOMMU_IOAS_ALLOW_IOVAS
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_ioas_allow_iovas_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_allow_iovas *cmd = call->arg;
	struct iommu_iova_range *ranges = NULL;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *ioas;
	size_t size;
	int rc;

	op->object_type = IOMMUFD_OBJECT_IOAS;
	op->object_id = cmd->ioas_id;
	op->value = cmd->num_iovas;
	if (cmd->__reserved)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved, 0);
	ioas = iommufd_get_ioas(call->ictx, op, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (cmd->num_iovas > MAX_ALLOWED_RANGES) {
		rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, cmd->num_iovas,
				     MAX_ALLOWED_RANGES);
		goto out_put;
	}
	size = array_size(cmd->num_iovas, sizeof(*ranges));
	if (size) {
		ranges = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!ranges) {
			rc = iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory, size, 0);
			goto out_put;
		}
		if (copy_from_user(ranges, u64_to_user_ptr(cmd->allowed_iovas), size)) {
			rc = iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
					     cmd->allowed_iovas, size);
			goto out_free;
		}
	}
	rc = iommufd_ioas_set_allowed(ioas, op, ranges, cmd->num_iovas);
out_free:
	kvfree(ranges);
out_put:
	iommufd_object_put(call->ictx, &ioas->obj);
	return rc;
}

/*
 * Reads the usable ranges, as many as user space has room for; *total returns how many there are.
 */
static struct iommu_iova_range *read_usable(struct iommufd_ioas *ioas, struct iommufd_op *op,
					    u32 room, u32 *total, unsigned long *alignment)
{
	struct iommu_iova_range *ranges = NULL;
	u32 have = 0;

	/* Devices may be attached between the two reads, but each reserves only a few ranges. */
	for (;;) {
		u32 want;

		*total = iommufd_ioas_usable(ioas, ranges, have, alignment);
		want = min(room, *total);
		if (want <= have)
			return ranges;
		kvfree(ranges);
		ranges = kvmalloc_array(want, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return ERR_PTR(iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory,
						       array_size(want, sizeof(*ranges)), 0));
		have = want;
	}
}

/**
 * iommufd_ioas_iova_ranges_ioctl() - IOMMU_IOAS_IOVA_RANGES
 * @call: the call
 *
 * Return: 0 or a negative errno; with -EMSGSIZE the structure and the ranges that fit are written
 * nevertheless.
 */
int iommufd_ioas_iova_ranges_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_iova_ranges *cmd = call->arg;
	struct iommu_iova_range *ranges;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *ioas;
	unsigned long alignment;
	u32 room, total;
	int rc;

	op->object_type = IOMMUFD_OBJECT_IOAS;
	op->object_id = cmd->ioas_id;
	op->value = cmd->num_iovas;
	if (cmd->__reserved)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved, 0);
	ioas = iommufd_get_ioas(call->ictx, op, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	room = cmd->num_iovas;
	ranges = read_usable(ioas, op, room, &total, &alignment);
	if (IS_ERR(ranges)) {
		rc = PTR_ERR(ranges);
		goto out_put;
	}
	if (ranges && copy_to_user(u64_to_user_ptr(cmd->allowed_iovas), ranges,
				   array_size(min(room, total), sizeof(*ranges)))) {
		rc = iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				     cmd->allowed_iovas, array_size(total, sizeof(*ranges)));
		goto out_free;
	}
	cmd->num_iovas = total;
	cmd->out_iova_alignment = alignment;
	rc = iommufd_call_respond(call);
	if (!rc && total > room)
		rc = iommufd_op_fail(op, -EMSGSIZE, IOMMUFD_REASON_range_table_too_small, room,
				     total);
out_free:
	kvfree(ranges);
out_put:
	iommufd_object_put(call->ictx, &ioas->obj);
	return rc;
}

static inline int check_map_flags(struct iommufd_op *op, u32 flags)
{
	if (flags & ~MAP_FLAGS)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_unknown_flags, flags,
				       MAP_FLAGS);
	if (!(flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, flags, 0);
	return 0;
}

/*
 * The topmost address cannot be a start, and the whole space cannot be a length: the end would
 * overflow.
 */
static int check_overflow(struct iommufd_op *op, u64 start, u64 length)
{
	if (start >= ULONG_MAX || length >= ULONG_MAX)
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, start, length);
	return 0;
}

static int flags_to_prot(u32 flags)
{
	int prot = 0;

	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	return prot;
}

/* User space did not receive the IOVA of the mapping, so the mapping must not stay. */
static void unmap_unanswered(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
			     unsigned long length)
{
	unsigned long unmapped;

	iommufd_ioas_unmap(ioas, op, iova, length, &unmapped);
}

/**
 * iommufd_ioas_map_ioctl() - IOMMU_IOAS_MAP
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_ioas_map_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_map *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *ioas;
	unsigned long iova;
	int rc;

	op->ioas_id = cmd->ioas_id;
	op->iova = cmd->iova;
	op->length = cmd->length;
	op->user_va = cmd->user_va;
	op->flags = cmd->flags;
	if (cmd->__reserved)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved, 0);
	rc = check_map_flags(op, cmd->flags);
	if (rc)
		return rc;
	rc = check_overflow(op, cmd->iova, cmd->length);
	if (rc)
		return rc;
	ioas = iommufd_get_ioas(call->ictx, op, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	iommufd_op_start(op, map);
	iova = cmd->iova;
	rc = iommufd_ioas_map(ioas, op, cmd->user_va, cmd->length, &iova,
			      flags_to_prot(cmd->flags), cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA);
	if (rc)
		goto out_put;
	op->iova = iova;
	cmd->iova = iova;
	rc = iommufd_call_respond(call);
	if (rc)
		unmap_unanswered(ioas, op, iova, cmd->length);
out_put:
	iommufd_object_put(call->ictx, &ioas->obj);
	return rc;
}

/**
 * iommufd_ioas_copy_ioctl() - IOMMU_IOAS_COPY
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_ioas_copy_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_copy *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *src, *dst;
	unsigned long iova;
	int rc;

	op->ioas_id = cmd->dst_ioas_id;
	op->src_ioas_id = cmd->src_ioas_id;
	op->iova = cmd->dst_iova;
	op->length = cmd->length;
	op->flags = cmd->flags;
	rc = check_map_flags(op, cmd->flags);
	if (rc)
		return rc;
	rc = check_overflow(op, cmd->src_iova, cmd->length);
	if (!rc)
		rc = check_overflow(op, cmd->dst_iova, cmd->length);
	if (rc)
		return rc;
	src = iommufd_get_ioas(call->ictx, op, cmd->src_ioas_id);
	if (IS_ERR(src))
		return PTR_ERR(src);
	dst = iommufd_get_ioas(call->ictx, op, cmd->dst_ioas_id);
	if (IS_ERR(dst)) {
		rc = PTR_ERR(dst);
		goto out_put_src;
	}

	iommufd_op_start(op, copy);
	iova = cmd->dst_iova;
	rc = iommufd_ioas_copy(dst, op, src, cmd->src_iova, cmd->length, &iova,
			       flags_to_prot(cmd->flags), cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA);
	if (rc)
		goto out_put_dst;
	op->iova = iova;
	cmd->dst_iova = iova;
	rc = iommufd_call_respond(call);
	if (rc)
		unmap_unanswered(dst, op, iova, cmd->length);
out_put_dst:
	iommufd_object_put(call->ictx, &dst->obj);
out_put_src:
	iommufd_object_put(call->ictx, &src->obj);
	return rc;
}

/**
 * iommufd_ioas_unmap_ioctl() - IOMMU_IOAS_UNMAP
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_ioas_unmap_ioctl(struct iommufd_call *call)
{
	struct iommu_ioas_unmap *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	bool all;
	int rc;

	op->ioas_id = cmd->ioas_id;
	op->iova = cmd->iova;
	op->length = cmd->length;
	all = !cmd->iova && cmd->length == U64_MAX;
	if (!all) {
		rc = check_overflow(op, cmd->iova, cmd->length);
		if (rc)
			return rc;
	}
	ioas = iommufd_get_ioas(call->ictx, op, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	iommufd_op_start(op, unmap);
	if (all)
		rc = iommufd_ioas_unmap_all(ioas, op, true, &unmapped);
	else
		rc = iommufd_ioas_unmap(ioas, op, cmd->iova, cmd->length, &unmapped);
	if (!rc) {
		cmd->length = unmapped;
		rc = iommufd_call_respond(call);
	}
	iommufd_object_put(call->ictx, &ioas->obj);
	return rc;
}
