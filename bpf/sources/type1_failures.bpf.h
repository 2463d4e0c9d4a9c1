/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an operation of a type1 container failed: the kernel returns an errno, and this file looks up
 * the rest.
 *
 * The state of the container is read just after the failure, without its lock, and another thread
 * may have changed it in between.  A reason is therefore reported only if the state explains the
 * errno; otherwise it is unknown.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_TYPE1_FAILURES_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_TYPE1_FAILURES_BPF_H

#include "bpf/sources/probed.bpf.h"
#include "bpf/kernel/type1_types.bpf.h"

#define TYPE1_PAGE_SHIFT 12
#define TYPE1_PAGE (1ULL << TYPE1_PAGE_SHIFT)

/*
 * VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_DIRTY_PAGES of linux/vfio.h, and their flags
 */
#define TYPE1_MAP 0x3b71
#define TYPE1_UNMAP 0x3b72
#define TYPE1_DIRTY 0x3b75
#define TYPE1_DIRTY_GET (1 << 2)
#define TYPE1_UNMAP_ALL (1 << 1)
#define TYPE1_MAP_FLAGS 7
#define TYPE1_MAP_VADDR 4
#define TYPE1_UNMAP_FLAGS 7

/* Their arguments from the user. */
struct type1_map {
	__u32 argsz;
	__u32 flags;
	__u64 vaddr;
	__u64 iova;
	__u64 size;
};

struct type1_range {
	__u32 argsz;
	__u32 flags;
	__u64 iova;
	__u64 size;
};

/* Maximum depth of the tree of 65,535 areas, and maximum number of ranges that devices reserve. */
#define TYPE1_TREE_DEPTH 40
#define TYPE1_RANGES 64

/* errno values */
#define TYPE1_EPERM 1
#define TYPE1_EINTR 4
#define TYPE1_ENOMEM 12
#define TYPE1_EFAULT 14
#define TYPE1_EEXIST 17
#define TYPE1_EINVAL 22
#define TYPE1_ENOSPC 28
#define TYPE1_EOVERFLOW 75

struct type1_found {
	__u64 first;
	__u64 last;
};

/* Whether an area overlaps a range.  A range of length zero counts as one byte. */
static __noinline bool type1_area_at(__u64 container, __u64 first, __u64 last,
				     struct type1_found *found)
{
	struct vfio_iommu___type1 *iommu = (void *)container;
	struct rb_node *node = BPF_CORE_READ(iommu, dma_list.rb_node);
	struct vfio_dma___type1 *dma;
	__u64 start, size;
	int i;

	for (i = 0; i < TYPE1_TREE_DEPTH && node; i++) {
		dma = (void *)node - bpf_core_field_offset(struct vfio_dma___type1, node);
		start = BPF_CORE_READ(dma, iova);
		size = BPF_CORE_READ(dma, size);
		if (last < start) {
			node = BPF_CORE_READ(node, rb_left);
		} else if (size && first > start + size - 1) {
			node = BPF_CORE_READ(node, rb_right);
		} else {
			found->first = start;
			found->last = start + size - 1;
			return true;
		}
	}
	return false;
}

/*
 * Whether a range exceeds what the devices of the container can use.  If so, @found is the unusable
 * gap that it touches.
 */
static __noinline bool type1_reserved_at(__u64 container, __u64 first, __u64 last,
					 struct type1_found *found)
{
	struct vfio_iommu___type1 *iommu = (void *)container;
	__u64 head, at, start, end, after = 0;
	struct vfio_iova___type1 *range;
	int i;

	head = container + bpf_core_field_offset(struct vfio_iommu___type1, iova_list);
	at = (__u64)BPF_CORE_READ(iommu, iova_list.next);
	/* none: nothing is known about devices yet */
	if (!at || at == head)
		return false;
	for (i = 0; i < TYPE1_RANGES && at && at != head; i++) {
		range = (void *)at - bpf_core_field_offset(struct vfio_iova___type1, list);
		start = BPF_CORE_READ(range, start);
		end = BPF_CORE_READ(range, end);
		if (first >= start && last <= end)
			return false;
		if (first < start) {
			found->first = after;
			found->last = start - 1;
			return true;
		}
		after = end + 1;
		at = (__u64)BPF_CORE_READ(range, list.next);
	}
	found->first = after;
	found->last = ~0ULL;
	return at == head;
}

/* Whether this thread may lock an unlimited amount of memory. */
static __always_inline bool type1_may_lock(const struct task_struct *task)
{
	__u64 capabilities = 0;

	/* a 64-bit word in all kernels, whatever its type */
	bpf_probe_read_kernel(&capabilities, sizeof(capabilities),
			      &BPF_CORE_READ(task, cred)->cap_effective);
	return capabilities >> 14 & 1;
}

/*
 * type1 charges pinned memory to the process that maps.  By now a failed map has returned its
 * charge.  If the memory locked before plus the size of the map exceeds the limit, the limit is the
 * reason; otherwise it is not.
 */
static __always_inline bool type1_over_limit(struct op_slot *slot)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 limit, locked;

	if (type1_may_lock(task))
		return false;
	limit = BPF_CORE_READ(task, signal, rlim[8].rlim_cur);
	locked = BPF_CORE_READ(task, mm, locked_vm) << TYPE1_PAGE_SHIFT;
	if (locked + (slot->op.pages << TYPE1_PAGE_SHIFT) <= limit)
		return false;
	slot_fails(slot, SCOPE_REASON_iommufd_memlock_limit, locked, limit);
	return true;
}

/* Errors in a range itself.  Returns whether there is one. */
static __always_inline bool type1_range_fails(struct op_slot *slot, __u64 page)
{
	__u64 first = slot->op.iova, length = slot->op.length;

	if (!length)
		slot_fails(slot, SCOPE_REASON_iommufd_zero_length, 0, 0);
	else if (first + length - 1 < first)
		slot_fails(slot, SCOPE_REASON_iommufd_overflow, first, length);
	else if (length & (page - 1))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_misaligned, length, page);
	else if (first & (page - 1))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_misaligned, first, page);
	else
		return false;
	return true;
}

static __always_inline void type1_tell_map_reason(struct op_slot *slot, __u64 page)
{
	__u64 first = slot->op.iova, last = first + slot->op.length - 1;
	const struct vfio_iommu___type1 *iommu = (void *)slot->space;
	struct type1_found found = {};

	switch (-slot->op.clock.ret) {
	case TYPE1_ENOMEM:
		if (!slot->step_ret)
			type1_over_limit(slot);
		return;
	case TYPE1_EEXIST:
		if (type1_area_at(slot->space, first, last, &found))
			slot_fails(slot, SCOPE_REASON_iommufd_iova_overlap, found.first, found.last);
		return;
	case TYPE1_ENOSPC:
		if (!BPF_CORE_READ(iommu, dma_avail))
			slot_fails(slot, SCOPE_REASON_probed_dma_entry_limit, type1_entry_limit, 0);
		return;
	case TYPE1_EINTR:
		slot_fails(slot, SCOPE_REASON_iommufd_interrupted, 0, 0);
		return;
	case TYPE1_EINVAL:
	case TYPE1_EOVERFLOW:
		break;
	default:
		return;
	}
	if (slot->op.flags & ~TYPE1_MAP_FLAGS)
		slot_fails(slot, SCOPE_REASON_iommufd_unknown_flags, slot->op.flags,
			   TYPE1_MAP_FLAGS);
	else if (!slot->op.flags || (slot->op.flags & TYPE1_MAP_VADDR &&
				     slot->op.flags != TYPE1_MAP_VADDR))
		/*
		 * neither for reading nor for writing, or one of them together with a new address
		 */
		slot_fails(slot, SCOPE_REASON_iommufd_bad_value, slot->op.flags, 0);
	else if (type1_range_fails(slot, page))
		return;
	else if (slot->op.user_va & (page - 1))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_misaligned, slot->op.user_va, page);
	else if (slot->op.user_va + slot->op.length - 1 < slot->op.user_va)
		slot_fails(slot, SCOPE_REASON_iommufd_overflow, slot->op.user_va, slot->op.length);
	else if (!(slot->op.flags & TYPE1_MAP_VADDR) &&
		 type1_reserved_at(slot->space, first, last, &found))
		slot_fails(slot, SCOPE_REASON_iommufd_iova_reserved, found.first, found.last);
}

static __always_inline void type1_tell_unmap_reason(struct op_slot *slot, __u64 page)
{
	__u64 first = slot->op.iova, last = first + slot->op.length - 1;
	struct type1_found found = {};

	if ((slot->op.clock.ret != -TYPE1_EINVAL && slot->op.clock.ret != -TYPE1_EOVERFLOW) ||
	    slot->op.flags & TYPE1_UNMAP_ALL)
		return;
	if (slot->op.flags & ~TYPE1_UNMAP_FLAGS)
		slot_fails(slot, SCOPE_REASON_iommufd_unknown_flags, slot->op.flags,
			   TYPE1_UNMAP_FLAGS);
	else if (type1_range_fails(slot, page))
		return;
	else if ((type1_area_at(slot->space, first, first, &found) && found.first != first) ||
		 (type1_area_at(slot->space, last, last, &found) && found.last != last))
		slot_fails(slot, SCOPE_REASON_iommufd_unmap_splits_area, found.first, found.last);
}

static __noinline int type1_tell_reason(struct op_slot *slot)
{
	const struct vfio_iommu___type1 *iommu = (void *)slot->space;
	__u64 page = BPF_CORE_READ(iommu, pgsize_bitmap);

	page &= -page;
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	if (slot->op.clock.ret == -TYPE1_EFAULT && !slot->step_ret)
		slot_fails(slot, SCOPE_REASON_iommufd_bad_user_pointer, slot->argument,
			   sizeof(struct type1_range));
	else if (slot->step_ret < 0 && slot->step_ret == slot->op.clock.ret)
		slot_fails(slot, SCOPE_REASON_iommufd_gup_fault,
			   slot->op.user_va + (slot->op.pages << TYPE1_PAGE_SHIFT),
			   -slot->step_ret);
	else if (slot->operation == SCOPE_OPERATION_type1_map)
		type1_tell_map_reason(slot, page);
	else if (slot->operation == SCOPE_OPERATION_type1_unmap)
		type1_tell_unmap_reason(slot, page);
	return 0;
}

static __noinline int type1_tell_attach_reason(struct op_slot *slot)
{
	slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	if (slot->step_ret < 0 && slot->step_ret == slot->op.clock.ret)
		slot_fails(slot, SCOPE_REASON_iommufd_domain_incompatible, 0, -slot->step_ret);
	else if (slot->op.clock.ret == -TYPE1_EPERM)
		slot_fails(slot, SCOPE_REASON_iommufd_msi_not_isolated, slot->op.group_id, 0);
	return 0;
}

/* The name of a group's first device, and the number of its devices. */
static __noinline int type1_name_group(struct probed_op *op, const struct iommu_group *group)
{
	__u64 head = (__u64)group + bpf_core_field_offset(struct iommu_group, devices), at;
	const struct group_device *member;
	const struct device *dev = NULL;
	int i;

	op->group_id = BPF_CORE_READ(group, id);
	op->devices = 0;
	op->device[0] = '\0';
	op->iommu_driver[0] = '\0';
	at = (__u64)BPF_CORE_READ(group, devices.next);
	for (i = 0; i < TYPE1_RANGES && at && at != head; i++) {
		member = (void *)at - bpf_core_field_offset(struct group_device, list);
		if (!dev)
			dev = BPF_CORE_READ(member, dev);
		op->devices++;
		at = (__u64)BPF_CORE_READ(member, list.next);
	}
	if (!dev)
		return 0;
	op_name_device(op, dev);
	return 0;
}

#endif
