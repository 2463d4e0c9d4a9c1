/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own iommufd, as a module or built in: its operations, by probes on its functions.
 *
 * Each ioctl has a function of its own, which gets a copy of the user's structure
 * (iommufd_ucmd.cmd) and writes the result back to it.  VFIO works on devices and accesses through
 * exported functions.  These functions are the operations.  The phases of operations on memory are
 * functions that process a batch of up to some thousand pages, never one that runs once for each
 * page or that is on the path of the host's own DMA:
 *
 *	map, copy	[wait] account pin map ...	other: free ranges, lists of pages
 *	unmap		[wait] unmap unpin ...		reading physical addresses back is unmap
 *	attach, ...	[wait] check alloc fill switch drop
 *
 * A fill itself works on memory; within an operation on translations, all of that is fill.  iommufd
 * takes several locks in sequence: every wait outside the other phases is wait.
 *
 * probe/hooks_table.c covers differences between compilers and versions.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_UPSTREAM_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_UPSTREAM_BPF_H

#include "bpf/sources/probed.bpf.h"
#include "bpf/sources/upstream_types.bpf.h"
#include "bpf/sources/upstream_failures.bpf.h"

#define UPSTREAM_BEGIN(name, phases) \
	slot_begin(SCOPE_OPERATION_iommufd_##name, SCOPE_SOURCE_UPSTREAM, (phases))

static __always_inline struct op_slot *upstream_under_way(void)
{
	struct op_slot *slot = slot_under_way();

	return slot && slot->op.source == SCOPE_SOURCE_UPSTREAM ? slot : NULL;
}

/* Members that all records have in common; @slot may be NULL. */
static __always_inline void upstream_works_on(struct op_slot *slot, const void *ictx, __u64 argument)
{
	if (!slot)
		return;
	slot->space = (__u64)ictx;
	slot->argument = argument;
	slot->lock = SLOT_ANY_LOCK;
	slot_clear_range(slot);
	if (NEEDS_SPACE)
		slot_clear_objects(slot);
}

static __always_inline void upstream_ended(struct op_slot *slot, __s32 ret)
{
	slot_end(slot, ret);
	if (NEEDS_SPACE)
		slot->op.ctx_id = space_number(slot->space);
}

/* Calls of /dev/iommu */

/* The kernel's copy of the user's structure, as the operation has left it. */
static __always_inline const void *upstream_given(struct op_slot *slot, __u32 size)
{
	if (bpf_probe_read_kernel(slot->given, size, (void *)slot->argument))
		__builtin_memset(slot->given, 0, sizeof(slot->given));
	return slot->given;
}

/* upstream_NAME_ends() completes the record from the user's structure, a struct upstream_NAME. */
#define UPSTREAM_UCMD(function, name, phases)                                                   \
	ARGUMENT(function, ucmd);                                                               \
	SEC("fentry/" #function)                                                                \
	int ios_upstream_##function##_begins(void *ctx)                                         \
	{                                                                                       \
		const struct iommufd_ucmd___upstream *ucmd =                                    \
			ARGUMENT_POINTER(ctx, function, ucmd);                                  \
                                                                                                \
		upstream_works_on(UPSTREAM_BEGIN(name, phases), ucmd->ictx, (__u64)ucmd->cmd);  \
		return 0;                                                                       \
	}                                                                                       \
	SEC("fexit/" #function)                                                                 \
	int ios_upstream_##function##_ends(void *ctx)                                           \
	{                                                                                       \
		struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_##name);              \
                                                                                                \
		if (!slot)                                                                      \
			return 0;                                                               \
		upstream_ended(slot, returned(ctx));                                            \
		return upstream_##name##_ends(slot, upstream_given(slot,                        \
						      sizeof(struct upstream_##name)));         \
	}

static __always_inline int upstream_memory_ends(struct op_slot *slot, __u32 operation)
{
	if (NEEDS_REASON && slot->op.clock.ret < 0)
		upstream_tell_reason(slot);
	finished_memory(&slot->op, operation);
	slot_free(slot);
	return 0;
}

static __always_inline int upstream_map_ends(struct op_slot *slot,
					     const struct upstream_map *map)
{
	slot->op.flags = map->flags;
	slot->op.ioas_id = map->ioas_id;
	slot->op.user_va = map->user_va;
	slot->op.length = map->length;
	slot->op.iova = map->iova;
	return upstream_memory_ends(slot, SCOPE_OPERATION_iommufd_map);
}

static __always_inline int upstream_unmap_ends(struct op_slot *slot,
					       const struct upstream_unmap *unmap)
{
	slot->op.ioas_id = unmap->ioas_id;
	slot->op.iova = unmap->iova;
	/* the operation has written back the amount it unmapped */
	slot->op.length = unmap->length;
	return upstream_memory_ends(slot, SCOPE_OPERATION_iommufd_unmap);
}

static __always_inline int upstream_copy_ends(struct op_slot *slot,
					      const struct upstream_copy *copy)
{
	slot->op.flags = copy->flags;
	slot->op.ioas_id = copy->dst_ioas_id;
	slot->op.src_ioas_id = copy->src_ioas_id;
	slot->op.length = copy->length;
	slot->op.iova = copy->dst_iova;
	slot->op.user_va = copy->src_iova;
	return upstream_memory_ends(slot, SCOPE_OPERATION_iommufd_copy);
}

static __always_inline int upstream_hwpt_alloc_ends(struct op_slot *slot,
						    const struct upstream_hwpt_alloc *alloc)
{
	__s32 ret = slot->op.clock.ret;

	slot->op.flags = alloc->flags;
	slot->op.device_id = alloc->dev_id;
	slot->op.ioas_id = alloc->pt_id;
	slot->op.hwpt_id = ret ? 0 : alloc->out_hwpt_id;
	upstream_name_nothing(&slot->op);
	if (!ret)
		upstream_name_by_id(slot, alloc->dev_id);
	if (NEEDS_REASON && ret < 0)
		upstream_tell_object_reason(slot, alloc->dev_id);
	finished_translation(&slot->op, SCOPE_OPERATION_iommufd_hwpt_alloc);
	slot_free(slot);
	return 0;
}

static __always_inline int upstream_object_ends(struct op_slot *slot, __u32 operation)
{
	if (NEEDS_REASON && slot->op.clock.ret < 0)
		upstream_tell_object_reason(slot, slot->op.object_id);
	finished_object(&slot->op, operation);
	slot_free(slot);
	return 0;
}

static __always_inline int upstream_ioas_alloc_ends(struct op_slot *slot,
						    const struct upstream_ioas_alloc *alloc)
{
	__s32 ret = slot->op.clock.ret;

	slot->op.flags = alloc->flags;
	slot->op.ioas_id = ret ? 0 : alloc->out_ioas_id;
	slot->op.object_id = slot->op.ioas_id;
	return upstream_object_ends(slot, SCOPE_OPERATION_iommufd_ioas_alloc);
}

static __always_inline int upstream_destroy_ends(struct op_slot *slot,
						 const struct upstream_destroy *destroy)
{
	slot->op.object_id = destroy->id;
	return upstream_object_ends(slot, SCOPE_OPERATION_iommufd_destroy);
}

UPSTREAM_UCMD(iommufd_ioas_map, map, SCOPE_NR_MEMORY_PHASES)
UPSTREAM_UCMD(iommufd_ioas_map_file, map, SCOPE_NR_MEMORY_PHASES)
UPSTREAM_UCMD(iommufd_ioas_unmap, unmap, SCOPE_NR_MEMORY_PHASES)
UPSTREAM_UCMD(iommufd_ioas_copy, copy, SCOPE_NR_MEMORY_PHASES)
UPSTREAM_UCMD(iommufd_hwpt_alloc, hwpt_alloc, SCOPE_FIRST_VFIO_PHASE)
UPSTREAM_UCMD(iommufd_ioas_alloc_ioctl, ioas_alloc, SCOPE_NR_MEMORY_PHASES)
UPSTREAM_UCMD(iommufd_destroy, destroy, SCOPE_NR_MEMORY_PHASES)

/* The type1 interface that iommufd provides: map and unmap of the IOAS that is set for it. */

/* Converts VFIO_DMA_MAP_FLAG_READ and _WRITE to flags of an IOAS. */
static __always_inline __u32 upstream_map_flags(__u32 flags)
{
	return UPSTREAM_MAP_FIXED | (flags & 2) | (flags & 1 ? 4 : 0);
}

ARGUMENT(iommufd_vfio_ioctl, ictx);
ARGUMENT(iommufd_vfio_ioctl, cmd);
ARGUMENT(iommufd_vfio_ioctl, arg);

/* The operation of an ioctl, SCOPE_NR_OPERATIONS if it is none. */
static __always_inline __u32 upstream_type1_operation(__u32 command)
{
	return command == TYPE1_MAP   ? SCOPE_OPERATION_iommufd_map :
	       command == TYPE1_UNMAP ? SCOPE_OPERATION_iommufd_unmap :
					SCOPE_NR_OPERATIONS;
}

SEC("fentry/iommufd_vfio_ioctl")
int ios_upstream_type1_begins(void *ctx)
{
	__u32 operation = upstream_type1_operation(ARGUMENT_OF(ctx, iommufd_vfio_ioctl, cmd));

	if (operation == SCOPE_NR_OPERATIONS)
		return 0;
	upstream_works_on(slot_begin(operation, SCOPE_SOURCE_UPSTREAM, SCOPE_NR_MEMORY_PHASES),
			  (void *)ARGUMENT_OF(ctx, iommufd_vfio_ioctl, ictx),
			  ARGUMENT_OF(ctx, iommufd_vfio_ioctl, arg));
	return 0;
}

SEC("fexit/iommufd_vfio_ioctl")
int ios_upstream_type1_ends(void *ctx)
{
	__u32 operation = upstream_type1_operation(ARGUMENT_OF(ctx, iommufd_vfio_ioctl, cmd));
	struct op_slot *slot = slot_doing(operation);

	if (!slot)
		return 0;
	upstream_ended(slot, returned(ctx));
	/* the user's structure is that of a container */
	type1_read_arguments(slot, operation == SCOPE_OPERATION_iommufd_map);
	if (operation == SCOPE_OPERATION_iommufd_map)
		slot->op.flags = upstream_map_flags(slot->op.flags);
	if (NEEDS_SPACE)
		slot->op.ioas_id = upstream_vfio_ioas(slot->space);
	return upstream_memory_ends(slot, operation);
}

/* Devices */

ARGUMENT(iommufd_device_bind, ictx);
ARGUMENT(iommufd_device_bind, dev);

SEC("fentry/iommufd_device_bind")
int ios_upstream_bind_begins(void *ctx)
{
	struct op_slot *slot = UPSTREAM_BEGIN(bind, SCOPE_FIRST_VFIO_PHASE);

	upstream_works_on(slot, (void *)ARGUMENT_OF(ctx, iommufd_device_bind, ictx), 0);
	if (slot)
		upstream_name_device(&slot->op,
				     (void *)ARGUMENT_OF(ctx, iommufd_device_bind, dev));
	return 0;
}

SEC("fexit/iommufd_device_bind")
int ios_upstream_bind_ends(void *ctx)
{
	struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_bind);
	__u64 idev = returned(ctx);

	if (!slot)
		return 0;
	/* a pointer, or an error in its place */
	upstream_ended(slot, idev >= -4095ULL ? (__s32)idev : 0);
	if (!slot->op.clock.ret)
		slot->op.device_id = upstream_id((void *)idev);
	else
		upstream_tell_bind_reason(slot);
	finished_translation(&slot->op, SCOPE_OPERATION_iommufd_bind);
	slot_free(slot);
	return 0;
}

/* Fills in the members of a device at the start, when the device is certain to exist. */
static __always_inline void upstream_device_begins(struct op_slot *slot,
						   const struct iommufd_device___upstream *idev)
{
	upstream_works_on(slot, BPF_CORE_READ(idev, ictx), (__u64)idev);
	if (!slot)
		return;
	slot->op.device_id = upstream_id(idev);
	upstream_name_device(&slot->op, BPF_CORE_READ(idev, dev));
	upstream_tell_hwpt(upstream_hwpt_of(idev), &slot->op.old_hwpt_id, &slot->op.old_ioas_id);
#ifdef REPLACE_BEGINS
	if (slot->operation == SCOPE_OPERATION_iommufd_replace)
		REPLACE_BEGINS(space_number(slot->space), slot->op.clock.start_ns);
#endif
}

static __always_inline int upstream_device_ends(struct op_slot *slot, __s32 ret, __u64 pt_id,
						__u32 operation)
{
	const struct iommufd_device___upstream *idev = (void *)slot->argument;

	upstream_ended(slot, ret);
	/* of the requested table, or of the one in use by now */
	if (pt_id)
		bpf_probe_read_kernel(&slot->op.hwpt_id, sizeof(slot->op.hwpt_id), (void *)pt_id);
	if (pt_id && !ret)
		upstream_tell_hwpt(upstream_hwpt_of(idev), &slot->op.hwpt_id, &slot->op.ioas_id);
	if (NEEDS_REASON && ret < 0)
		upstream_tell_device_reason(slot);
	finished_translation(&slot->op, operation);
	slot_free(slot);
	return 0;
}

#define UPSTREAM_DEVICE(name)                                                                  \
	ARGUMENT(iommufd_device_##name, idev);                                                 \
	SEC("fentry/iommufd_device_" #name)                                                    \
	int ios_upstream_##name##_begins(void *ctx)                                            \
	{                                                                                      \
		upstream_device_begins(UPSTREAM_BEGIN(name, SCOPE_FIRST_VFIO_PHASE),           \
				       (void *)ARGUMENT_OF(ctx, iommufd_device_##name, idev)); \
		return 0;                                                                      \
	}

/* An argument points to the id of the requested table. */
#define UPSTREAM_TRANSLATION(name)                                                                  \
	UPSTREAM_DEVICE(name)                                                                       \
	ARGUMENT(iommufd_device_##name, pt_id);                                                     \
	SEC("fexit/iommufd_device_" #name)                                                          \
	int ios_upstream_##name##_ends(void *ctx)                                                   \
	{                                                                                           \
		struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_##name);                  \
                                                                                                    \
		return slot ? upstream_device_ends(slot, returned(ctx),                             \
						   ARGUMENT_OF(ctx, iommufd_device_##name, pt_id),  \
						   SCOPE_OPERATION_iommufd_##name) : 0;             \
	}

/* For functions that return nothing. */
#define UPSTREAM_LEAVING(name)                                                                      \
	UPSTREAM_DEVICE(name)                                                                       \
	SEC("fexit/iommufd_device_" #name)                                                          \
	int ios_upstream_##name##_ends(void *ctx)                                                   \
	{                                                                                           \
		struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_##name);                  \
                                                                                                    \
		(void)ctx;                                                                          \
		return slot ? upstream_device_ends(slot, 0, 0, SCOPE_OPERATION_iommufd_##name) : 0; \
	}

UPSTREAM_TRANSLATION(attach)
UPSTREAM_TRANSLATION(replace)
UPSTREAM_LEAVING(detach)
UPSTREAM_LEAVING(unbind)

/* Accesses, of drivers in the kernel */

static __always_inline void upstream_access_begins(struct op_slot *slot,
						   const struct iommufd_access___upstream *access,
						   __u64 iova, __u64 length)
{
	upstream_works_on(slot, BPF_CORE_READ(access, ictx), (__u64)access);
	if (!slot)
		return;
	slot->op.iova = iova;
	slot->op.length = length;
	slot->op.object_id = BPF_CORE_READ(access, obj.id);
	slot->op.ioas_id = BPF_CORE_READ(access, ioas, obj.id);
}

#define UPSTREAM_ACCESS(name, function, ret_of)                                                  \
	ARGUMENT(function, access);                                                              \
	ARGUMENT(function, iova);                                                                \
	ARGUMENT(function, length);                                                              \
	SEC("fentry/" #function)                                                                 \
	int ios_upstream_##name##_begins(void *ctx)                                              \
	{                                                                                        \
		upstream_access_begins(UPSTREAM_BEGIN(name, SCOPE_NR_MEMORY_PHASES),             \
				       (void *)ARGUMENT_OF(ctx, function, access),               \
				       ARGUMENT_OF(ctx, function, iova),                         \
				       ARGUMENT_OF(ctx, function, length));                      \
		return 0;                                                                        \
	}                                                                                        \
	SEC("fexit/" #function)                                                                  \
	int ios_upstream_##name##_ends(void *ctx)                                                \
	{                                                                                        \
		struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_##name);               \
                                                                                                 \
		if (!slot)                                                                       \
			return 0;                                                                \
		upstream_ended(slot, ret_of(ctx));                                                     \
		return upstream_memory_ends(slot, SCOPE_OPERATION_iommufd_##name);               \
	}

UPSTREAM_ACCESS(access_pin, iommufd_access_pin_pages, returned)
UPSTREAM_ACCESS(access_unpin, iommufd_access_unpin_pages, RETURNS_NOTHING)
UPSTREAM_ACCESS(access_rw, iommufd_access_rw, returned)

#define UPSTREAM_ACCESS_MOVE(name, ret_of)                                                      \
	ARGUMENT(iommufd_##name, access);                                                       \
	SEC("fentry/iommufd_" #name)                                                            \
	int ios_upstream_##name##_begins(void *ctx)                                             \
	{                                                                                       \
		struct op_slot *slot = UPSTREAM_BEGIN(name, SCOPE_FIRST_VFIO_PHASE);            \
                                                                                                \
		upstream_access_begins(slot, (void *)ARGUMENT_OF(ctx, iommufd_##name, access),  \
				       0, 0);                                                   \
		if (slot)                                                                       \
			upstream_access_leaves(slot);                                           \
		return 0;                                                                       \
	}                                                                                       \
	SEC("fexit/iommufd_" #name)                                                             \
	int ios_upstream_##name##_ends(void *ctx)                                               \
	{                                                                                       \
		struct op_slot *slot = slot_doing(SCOPE_OPERATION_iommufd_##name);              \
                                                                                                \
		return slot ? upstream_access_moved(slot, ret_of(ctx),                          \
						    SCOPE_OPERATION_iommufd_##name) : 0;        \
	}

/* The access may be attached to no IOAS afterwards, so its current one is the old one. */
static __always_inline void upstream_access_leaves(struct op_slot *slot)
{
	slot->op.old_ioas_id = slot->op.ioas_id;
	slot->op.ioas_id = 0;
	upstream_name_nothing(&slot->op);
}

static __always_inline int upstream_access_moved(struct op_slot *slot, __s32 ret, __u32 operation)
{
	const struct iommufd_access___upstream *access = (void *)slot->argument;

	upstream_ended(slot, ret);
	slot->op.ioas_id = BPF_CORE_READ(access, ioas, obj.id);
	if (ret < 0)
		slot_fails(slot, SCOPE_REASON_probed_unknown, 0, 0);
	finished_translation(&slot->op, operation);
	slot_free(slot);
	return 0;
}

UPSTREAM_ACCESS_MOVE(access_attach, returned)
UPSTREAM_ACCESS_MOVE(access_replace, returned)
UPSTREAM_ACCESS_MOVE(access_detach, RETURNS_NOTHING)

#include "bpf/sources/upstream_phases.bpf.h"

#endif
