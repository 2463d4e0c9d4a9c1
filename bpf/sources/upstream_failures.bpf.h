/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an operation of the kernel's own iommufd failed: the kernel returns an errno, and this file
 * looks up the rest.
 *
 * As for type1, the state is read just after the failure, without its locks.  A reason is reported
 * only if the state explains the errno; otherwise it is unknown.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_UPSTREAM_FAILURES_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_UPSTREAM_FAILURES_BPF_H

#include "bpf/sources/upstream_types.bpf.h"

/* IOMMU_IOAS_MAP_FIXED_IOVA, _WRITEABLE, _READABLE */
#define UPSTREAM_MAP_FIXED 1
#define UPSTREAM_MAP_FLAGS 7

/* Accounting mode: enum of the kernel's uAPI option, by user or by process. */
#define UPSTREAM_COUNT_BY_USER 1

/* The accounting of pinned memory was the step that failed. */
#define SLOT_OVER_LIMIT 1

/* errno values */
#define UPSTREAM_ENOENT 2
#define UPSTREAM_EINTR 4
#define UPSTREAM_ENOMEM 12
#define UPSTREAM_EBUSY 16
#define UPSTREAM_EEXIST 17
#define UPSTREAM_EINVAL 22
#define UPSTREAM_ENOSPC 28
#define UPSTREAM_EOVERFLOW 75
#define UPSTREAM_EOPNOTSUPP 95

/*
 * Where the kernel accounts, the numbers are known: the amount in use, and the limit of the user
 * that is charged.
 */
static __noinline int upstream_over_limit(struct op_slot *slot, __u64 address)
{
	const struct iopt_pages___upstream *pages = (void *)address;
	__u64 used, limit;

	if (!slot || !pages)
		return 0;
	limit = BPF_CORE_READ(pages, source_task, signal, rlim[8].rlim_cur);
	if (BPF_CORE_READ(pages, account_mode) == UPSTREAM_COUNT_BY_USER)
		used = BPF_CORE_READ(pages, source_user, locked_vm.counter);
	else
		used = BPF_CORE_READ(pages, source_mm, pinned_vm.counter);
	slot->limits[0] = used << TYPE1_PAGE_SHIFT;
	slot->limits[1] = limit;
	slot->step_ret = SLOT_OVER_LIMIT;
	return 0;
}

/*
 * Finds a node that overlaps a range.  The trees are those of the kernel's generic interval tree.
 */
static __noinline bool upstream_range_at(__u64 root, __u64 first, __u64 last,
					 struct type1_found *found)
{
	const struct rb_root_cached *tree = (void *)root;
	const struct interval_tree_node *at;
	struct rb_node *node, *left;
	int i;

	if (!found)
		return false;
	node = BPF_CORE_READ(tree, rb_root.rb_node);
	for (i = 0; i < TYPE1_TREE_DEPTH && node; i++) {
		at = (void *)node - bpf_core_field_offset(struct interval_tree_node, rb);
		if (BPF_CORE_READ(at, start) <= last && BPF_CORE_READ(at, last) >= first) {
			found->first = BPF_CORE_READ(at, start);
			found->last = BPF_CORE_READ(at, last);
			return true;
		}
		left = BPF_CORE_READ(node, rb_left);
		at = (void *)left - bpf_core_field_offset(struct interval_tree_node, rb);
		/*
		 * no range on the left reaches that far, so the match is on the right, or nowhere
		 */
		if (left && BPF_CORE_READ(at, __subtree_last) >= first)
			node = left;
		else
			node = BPF_CORE_READ(node, rb_right);
	}
	return false;
}

static __always_inline void upstream_tell_range_reason(struct op_slot *slot, __u64 object)
{
	const struct iommufd_ioas___upstream *ioas = (void *)object;
	__u64 first = slot->op.iova, last = first + slot->op.length - 1;
	__u64 alignment = BPF_CORE_READ(ioas, iopt.iova_alignment);
	struct type1_found found = {};
	bool map = slot->operation == SCOPE_OPERATION_iommufd_map ||
		   slot->operation == SCOPE_OPERATION_iommufd_copy;

	if (map && alignment && (slot->op.length & (alignment - 1)))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_misaligned, slot->op.length, alignment);
	else if (map && alignment && (first & (alignment - 1)))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_misaligned, first, alignment);
	else if (map && upstream_range_at((__u64)&ioas->iopt.reserved_itree, first, last, &found))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_reserved, found.first, found.last);
}

static __always_inline void upstream_tell_memory_reason(struct op_slot *slot, __u64 object)
{
	const struct iommufd_ioas___upstream *ioas = (void *)object;
	__u64 first = slot->op.iova, last = first + slot->op.length - 1;
	struct type1_found found = {};
	bool there;

	switch (-slot->op.clock.ret) {
	case UPSTREAM_EEXIST:
		if (upstream_range_at((__u64)&ioas->iopt.area_itree, first, last, &found))
			slot_fails(slot, SCOPE_REASON_iommufd_iova_overlap, found.first, found.last);
		return;
	case UPSTREAM_ENOENT:
		/* the IOAS exists */
		there = upstream_range_at((__u64)&ioas->iopt.area_itree, first, last, &found);
		if (slot->operation == SCOPE_OPERATION_iommufd_unmap && there &&
		    (found.first < first || found.last > last))
			slot_fails(slot, SCOPE_REASON_iommufd_unmap_splits_area, found.first,
				   found.last);
		else if (slot->operation != SCOPE_OPERATION_iommufd_map && !there)
			slot_fails(slot, SCOPE_REASON_iommufd_iova_not_mapped, first, last);
		return;
	case UPSTREAM_EINVAL:
		upstream_tell_range_reason(slot, object);
	}
}

static __noinline int upstream_tell_reason(struct op_slot *slot)
{
	__u64 object;
	__s32 ret;

	if (!slot)
		return 0;
	ret = slot->op.clock.ret;
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	object = upstream_object(slot->space, slot->op.ioas_id);
	if (slot->step_ret == SLOT_OVER_LIMIT && ret == -UPSTREAM_ENOMEM)
		slot_fails(slot, SCOPE_REASON_iommufd_memlock_limit, slot->limits[0],
			   slot->limits[1]);
	else if (slot->step_ret < 0 && slot->step_ret == ret)
		slot_fails(slot, SCOPE_REASON_iommufd_gup_fault,
			   slot->op.user_va + (slot->op.pages << TYPE1_PAGE_SHIFT), -ret);
	else if (ret == -UPSTREAM_EINTR)
		slot_fails(slot, SCOPE_REASON_iommufd_interrupted, 0, 0);
	else if (ret == -UPSTREAM_EOPNOTSUPP && slot->operation == SCOPE_OPERATION_iommufd_map &&
		 slot->op.flags & ~UPSTREAM_MAP_FLAGS)
		slot_fails(slot, SCOPE_REASON_iommufd_unknown_flags, slot->op.flags,
			   UPSTREAM_MAP_FLAGS);
	else if (ret == -UPSTREAM_EINVAL && !slot->op.length)
		slot_fails(slot, SCOPE_REASON_iommufd_zero_length, 0, 0);
	else if (ret == -UPSTREAM_EOVERFLOW)
		slot_fails(slot, SCOPE_REASON_iommufd_overflow, slot->op.iova, slot->op.length);
	else if (ret == -UPSTREAM_ENOENT && !object)
		slot_fails(slot, SCOPE_REASON_iommufd_bad_object_id, slot->op.ioas_id, 0);
	else if (upstream_is_ioas(object))
		upstream_tell_memory_reason(slot, object);
	return 0;
}

/* For operations on an object by its id. */
static __noinline int upstream_tell_object_reason(struct op_slot *slot, __u32 id)
{
	if (!slot)
		return 0;
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	if (slot->op.clock.ret == -UPSTREAM_ENOENT && !upstream_object(slot->space, id))
		slot_fails(slot, SCOPE_REASON_iommufd_bad_object_id, id, 0);
	else if (slot->op.clock.ret == -UPSTREAM_EBUSY &&
		 slot->operation == SCOPE_OPERATION_iommufd_destroy)
		slot_fails(slot, SCOPE_REASON_iommufd_object_busy, id, 0);
	return 0;
}

static __noinline int upstream_tell_device_reason(struct op_slot *slot)
{
	if (!slot)
		return 0;
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	if (slot->step_ret < 0 && slot->step_ret == slot->op.clock.ret)
		slot_fails(slot, SCOPE_REASON_iommufd_domain_incompatible, slot->op.hwpt_id,
			   -slot->step_ret);
	else if (slot->op.clock.ret == -UPSTREAM_ENOENT &&
		 !upstream_object(slot->space, slot->op.hwpt_id))
		slot_fails(slot, SCOPE_REASON_iommufd_bad_object_id, slot->op.hwpt_id, 0);
	return 0;
}

static __noinline int upstream_tell_bind_reason(struct op_slot *slot)
{
	if (!slot)
		return 0;
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	return 0;
}

/* The device of an id, for operations that know no more about it. */
static __noinline int upstream_name_by_id(struct op_slot *slot, __u32 id)
{
	const struct iommufd_device___upstream *idev;

	if (!slot)
		return 0;
	idev = (void *)upstream_object(slot->space, id);
	if (idev)
		upstream_name_device(&slot->op, BPF_CORE_READ(idev, dev));
	return 0;
}

#endif
