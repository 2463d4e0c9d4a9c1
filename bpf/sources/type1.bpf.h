/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own VFIO type1 container: its operations, by probes on vfio_iommu_type1.
 *
 * The probed functions are called once for an operation or once for a batch of 512 pages, never
 * once for each run of contiguous memory, and never on the path of the host's own DMA (iommu_map()
 * and iommu_unmap() are).  The gaps between the probes therefore distinguish the phases: a pin is
 * followed by the map of the pinned memory, and an invalidation of the IOTLB is followed by the
 * unpin.
 *
 *	map	[wait] pin map pin map ...
 *	unmap	[wait] unmap [sync unpin] ... of each area; the last one lasts until the end
 *	attach	[wait] switch fill ... of each area
 *	detach	[wait] drop of each area
 *
 * type1 holds a single lock, that of the container, over the whole operation; the wait is for that
 * lock.  Whether the invalidation is visible depends on the IOMMU; where it is not, invalidation
 * and unpin are part of unmap.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_TYPE1_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_TYPE1_BPF_H

#include "bpf/sources/probed.bpf.h"

/* Maximum number of areas of a container, which the tool reads from the module. */
const volatile __u32 type1_entry_limit = 0;

#include "bpf/sources/type1_failures.bpf.h"

#define TYPE1_BEGIN(name, phases) \
	slot_begin(SCOPE_OPERATION_type1_##name, SCOPE_SOURCE_TYPE1, (phases))

/* A container has one address space. */
#define TYPE1_IOAS 1

ARGUMENT(vfio_iommu_type1_ioctl, iommu_data);
ARGUMENT(vfio_iommu_type1_ioctl, cmd);
ARGUMENT(vfio_iommu_type1_ioctl, arg);

static __always_inline void type1_works_on(struct op_slot *slot, __u64 container)
{
	slot->space = container;
	slot->lock = container + bpf_core_field_offset(struct vfio_iommu___type1, lock);
}

/* Members that all records of the container have in common, as far as they are needed. */
static __always_inline void type1_tell_space(struct op_slot *slot)
{
	if (!NEEDS_SPACE)
		return;
	slot_clear_objects(slot);
	slot->op.ctx_id = space_number(slot->space);
	slot->op.ioas_id = TYPE1_IOAS;
}

/*
 * Arguments from the user.  They are read at the end: the kernel has read them by then, so the
 * memory is present.
 */
static __always_inline void type1_read_arguments(struct op_slot *slot, bool is_map)
{
	OP *op = &slot->op;

	if (is_map) {
		struct type1_map *map = (void *)slot->given;

		if (bpf_probe_read_user(map, sizeof(*map), (void *)slot->argument))
			__builtin_memset(map, 0, sizeof(*map));
		op->flags = map->flags;
		op->user_va = map->vaddr;
		op->iova = map->iova;
		op->length = map->size;
	} else {
		/* an unmap has written back the amount it unmapped */
		struct type1_range *range = (void *)slot->given;

		if (bpf_probe_read_user(range, sizeof(*range), (void *)slot->argument))
			__builtin_memset(range, 0, sizeof(*range));
		op->flags = range->flags;
		op->user_va = 0;
		op->iova = range->iova;
		op->length = range->size;
	}
}

/* The operation of an ioctl, SCOPE_NR_OPERATIONS if it is none. */
static __always_inline __u32 type1_operation(__u32 command)
{
	switch (command) {
	case TYPE1_MAP:
		return SCOPE_OPERATION_type1_map;
	case TYPE1_UNMAP:
		return SCOPE_OPERATION_type1_unmap;
	case TYPE1_DIRTY:
		return SCOPE_OPERATION_type1_dirty_log;
	}
	return SCOPE_NR_OPERATIONS;
}

SEC("fentry/vfio_iommu_type1_ioctl")
int ios_type1_ioctl_begins(void *ctx)
{
	__u32 operation = type1_operation(ARGUMENT_OF(ctx, vfio_iommu_type1_ioctl, cmd));
	struct op_slot *slot;

	if (operation == SCOPE_NR_OPERATIONS)
		return 0;
	slot = slot_begin(operation, SCOPE_SOURCE_TYPE1, SCOPE_NR_MEMORY_PHASES);
	if (!slot)
		return 0;
	slot->argument = ARGUMENT_OF(ctx, vfio_iommu_type1_ioctl, arg);
	type1_works_on(slot, ARGUMENT_OF(ctx, vfio_iommu_type1_ioctl, iommu_data));
	if (NEEDS_BEGIN) {
		type1_read_arguments(slot, operation == SCOPE_OPERATION_type1_map);
		type1_tell_space(slot);
		began(slot);
	}
	return 0;
}

SEC("fexit/vfio_iommu_type1_ioctl")
int ios_type1_ioctl_ends(void *ctx)
{
	__u32 operation = type1_operation(ARGUMENT_OF(ctx, vfio_iommu_type1_ioctl, cmd));
	struct op_slot *slot = slot_doing(operation);

	if (!slot)
		return 0;
	slot_end(slot, returned(ctx));
	type1_read_arguments(slot, operation == SCOPE_OPERATION_type1_map);
	if (operation == SCOPE_OPERATION_type1_dirty_log && !(slot->op.flags & TYPE1_DIRTY_GET))
		slot->op.iova = slot->op.length = 0;
	type1_tell_space(slot);
	if (NEEDS_REASON && slot->op.clock.ret < 0)
		type1_tell_reason(slot);
	finished_memory(&slot->op, operation);
	slot_free(slot);
	return 0;
}

/* Phases */

SEC("fentry/vaddr_get_pfns")
int ios_type1_pin_begins(void *ctx)
{
	struct op_slot *slot = slot_under_way();

	(void)ctx;
	if (slot)
		slot_enter(slot, slot->operation == SCOPE_OPERATION_type1_attach ? SCOPE_PHASE_fill :
										   SCOPE_PHASE_pin);
	return 0;
}

SEC("fexit/vaddr_get_pfns")
int ios_type1_pin_ends(void *ctx)
{
	struct op_slot *slot = slot_under_way();
	__s32 pinned;

	if (!slot)
		return 0;
	pinned = returned(ctx);
	if (pinned > 0)
		slot->op.pages += pinned;
	else
		slot->step_ret = pinned;
	if (slot->operation != SCOPE_OPERATION_type1_attach)
		slot_enter(slot, SCOPE_PHASE_map);
	return 0;
}

ARGUMENT(vfio_unmap_unpin, dma);

SEC("fentry/vfio_unmap_unpin")
int ios_type1_unmap_begins(void *ctx)
{
	const struct vfio_dma___type1 *dma = ARGUMENT_POINTER(ctx, vfio_unmap_unpin, dma);
	struct op_slot *slot = slot_under_way();

	if (!slot)
		return 0;
	/* a failed map undoes its work; that is not part of an unmap */
	if (slot->operation != SCOPE_OPERATION_type1_map) {
		slot->op.extents++;
		if (dma->iommu_mapped)
			slot->op.pages += dma->size >> TYPE1_PAGE_SHIFT;
	}
	slot_enter(slot, slot->operation == SCOPE_OPERATION_type1_detach ? SCOPE_PHASE_drop :
									   SCOPE_PHASE_unmap);
	return 0;
}

/*
 * The invalidation of the IOMMU driver; one of these functions exists.  The host's own DMA may call
 * it as well, so only the slot of the CPU is checked.
 */
#define SYNC_PROBES(function)                                                      \
	SEC("fentry/" #function)                                                   \
	int ios_type1_##function##_begins(void *ctx)                               \
	{                                                                          \
		struct op_slot *slot = slot_here();                                   \
                                                                                   \
		(void)ctx;                                                         \
		if (slot && slot->phase == SCOPE_PHASE_unmap)                      \
			slot_enter(slot, SCOPE_PHASE_sync);                        \
		return 0;                                                          \
	}                                                                          \
	SEC("fexit/" #function)                                                    \
	int ios_type1_##function##_ends(void *ctx)                                 \
	{                                                                          \
		struct op_slot *slot = slot_here();                                   \
                                                                                   \
		(void)ctx;                                                         \
		if (slot && slot->phase == SCOPE_PHASE_sync)                       \
			slot_enter(slot, SCOPE_PHASE_unpin);                       \
		return 0;                                                          \
	}

SYNC_PROBES(intel_iommu_tlb_sync)
SYNC_PROBES(amd_iommu_iotlb_sync)

/* Groups that join and leave a container */

ARGUMENT(vfio_iommu_type1_attach_group, iommu_data);
ARGUMENT(vfio_iommu_type1_attach_group, iommu_group);
ARGUMENT(vfio_iommu_type1_detach_group, iommu_data);
ARGUMENT(vfio_iommu_type1_detach_group, iommu_group);

static __always_inline void type1_group_begins(struct op_slot *slot, __u64 container, __u64 group)
{
	if (!slot)
		return;
	type1_works_on(slot, container);
	slot->argument = group;
	slot_clear_range(slot);
	/* while the group is certain to exist */
	type1_name_group(&slot->op, (void *)group);
	if (NEEDS_BEGIN) {
		type1_tell_space(slot);
		began(slot);
	}
}

SEC("fentry/vfio_iommu_type1_attach_group")
int ios_type1_attach_begins(void *ctx)
{
	type1_group_begins(TYPE1_BEGIN(attach, SCOPE_FIRST_VFIO_PHASE),
			   ARGUMENT_OF(ctx, vfio_iommu_type1_attach_group, iommu_data),
			   ARGUMENT_OF(ctx, vfio_iommu_type1_attach_group, iommu_group));
	return 0;
}

SEC("fentry/vfio_iommu_type1_detach_group")
int ios_type1_detach_begins(void *ctx)
{
	type1_group_begins(TYPE1_BEGIN(detach, SCOPE_FIRST_VFIO_PHASE),
			   ARGUMENT_OF(ctx, vfio_iommu_type1_detach_group, iommu_data),
			   ARGUMENT_OF(ctx, vfio_iommu_type1_detach_group, iommu_group));
	return 0;
}

static __always_inline int type1_group_ends(__s32 ret, __u32 operation)
{
	struct op_slot *slot = slot_doing(operation);

	if (!slot)
		return 0;
	slot_end(slot, ret);
	type1_tell_space(slot);
	if (NEEDS_REASON && ret < 0)
		type1_tell_attach_reason(slot);
	finished_translation(&slot->op, operation);
	slot_free(slot);
	return 0;
}

SEC("fexit/vfio_iommu_type1_attach_group")
int ios_type1_attach_ends(void *ctx)
{
	return type1_group_ends(returned(ctx), SCOPE_OPERATION_type1_attach);
}

SEC("fexit/vfio_iommu_type1_detach_group")
int ios_type1_detach_ends(void *ctx)
{
	(void)ctx;
	return type1_group_ends(0, SCOPE_OPERATION_type1_detach);
}

SEC("fentry/iommu_attach_group")
int ios_type1_switch_begins(void *ctx)
{
	struct op_slot *slot = slot_here();

	(void)ctx;
	if (slot && slot->operation == SCOPE_OPERATION_type1_attach)
		slot_enter_within(slot, SCOPE_PHASE_switch);
	return 0;
}

SEC("fexit/iommu_attach_group")
int ios_type1_switch_ends(void *ctx)
{
	struct op_slot *slot = slot_under_way();

	if (!slot || slot->operation != SCOPE_OPERATION_type1_attach)
		return 0;
	slot->step_ret = (__s32)returned(ctx);
	slot_leave_within(slot);
	return 0;
}

/* Containers: creation and release */

ARGUMENT(vfio_iommu_type1_release, iommu_data);

SEC("fentry/vfio_iommu_type1_open")
int ios_type1_open_begins(void *ctx)
{
	(void)ctx;
	TYPE1_BEGIN(open, 1);
	return 0;
}

static __always_inline int type1_object_ends(struct op_slot *slot, __s32 ret, __u32 operation)
{
	slot_end(slot, ret);
	slot_clear_range(slot);
	type1_tell_space(slot);
	if (ret < 0)
		slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	finished_object(&slot->op, operation);
	slot_free(slot);
	return 0;
}

SEC("fexit/vfio_iommu_type1_open")
int ios_type1_open_ends(void *ctx)
{
	struct op_slot *slot = slot_doing(SCOPE_OPERATION_type1_open);
	__u64 container = returned(ctx);

	if (!slot)
		return 0;
	slot->space = container;
	/* a pointer, or an error in its place */
	return type1_object_ends(slot, container >= -4095ULL ? (__s32)container : 0,
				 SCOPE_OPERATION_type1_open);
}

SEC("fentry/vfio_iommu_type1_release")
int ios_type1_close_begins(void *ctx)
{
	struct op_slot *slot = TYPE1_BEGIN(close, SCOPE_NR_MEMORY_PHASES);

	if (slot)
		type1_works_on(slot, ARGUMENT_OF(ctx, vfio_iommu_type1_release, iommu_data));
	return 0;
}

SEC("fexit/vfio_iommu_type1_release")
int ios_type1_close_ends(void *ctx)
{
	struct op_slot *slot = slot_doing(SCOPE_OPERATION_type1_close);

	(void)ctx;
	return slot ? type1_object_ends(slot, 0, SCOPE_OPERATION_type1_close) : 0;
}

/* Accesses by drivers of mediated devices */

#define ACCESS_PROBES(name, function, iova_argument, length_of, ret_of)                     \
	ARGUMENT(function, iommu_data);                                                     \
	ARGUMENT(function, iova_argument);                                                  \
	ARGUMENT(function, length_of);                                                      \
	SEC("fentry/" #function)                                                            \
	int ios_type1_##name##_begins(void *ctx)                                            \
	{                                                                                   \
		struct op_slot *slot = TYPE1_BEGIN(name, SCOPE_NR_MEMORY_PHASES);              \
                                                                                            \
		if (!slot)                                                                  \
			return 0;                                                           \
		type1_works_on(slot, ARGUMENT_OF(ctx, function, iommu_data));               \
		slot->op.iova = ARGUMENT_OF(ctx, function, iova_argument);                  \
		slot->op.length = ARGUMENT_OF(ctx, function, length_of);                    \
		return 0;                                                                   \
	}                                                                                   \
	SEC("fexit/" #function)                                                             \
	int ios_type1_##name##_ends(void *ctx)                                              \
	{                                                                                   \
		return type1_access_ends(ret_of(ctx), SCOPE_OPERATION_type1_##name);        \
	}

/* For a function that returns nothing. */
#define RETURNS_NOTHING(ctx) ((void)(ctx), 0)

static __always_inline int type1_access_ends(__s32 ret, __u32 operation)
{
	struct op_slot *slot = slot_doing(operation);

	if (!slot)
		return 0;
	slot_end(slot, ret);
	if (operation != SCOPE_OPERATION_type1_access_rw) {
		/* counted in pages */
		slot->op.pages = ret < 0 ? 0 : slot->op.length;
		slot->op.length <<= TYPE1_PAGE_SHIFT;
	}
	slot->op.flags = 0;
	slot->op.user_va = 0;
	type1_tell_space(slot);
	if (ret < 0)
		slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	finished_memory(&slot->op, operation);
	slot_free(slot);
	return 0;
}

ACCESS_PROBES(access_pin, vfio_iommu_type1_pin_pages, user_iova, npage, returned)
ACCESS_PROBES(access_unpin, vfio_iommu_type1_unpin_pages, user_iova, npage, RETURNS_NOTHING)
ACCESS_PROBES(access_rw, vfio_iommu_type1_dma_rw, user_iova, count, returned)

#endif
