/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The phases of the operations of the kernel's own iommufd; upstream.bpf.h describes the model.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_UPSTREAM_PHASES_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_UPSTREAM_PHASES_BPF_H

#include "bpf/sources/upstream_types.bpf.h"

/* The operation of this thread, if it is one on memory. */
static __always_inline struct op_slot *upstream_on_memory(void)
{
	struct op_slot *slot = upstream_under_way();

	return slot && slot->operation < SCOPE_NR_IOMMUFD_OPERATIONS &&
	       SCOPE_SET(IOMMUFD_MEMORY_OPERATIONS) >> slot->operation & 1 ? slot : NULL;
}

#define UPSTREAM_STEP_BEGINS(function, step)                     \
	SEC("fentry/" #function)                                 \
	int ios_upstream_##function##_begins(void *ctx)          \
	{                                                        \
		struct op_slot *slot = upstream_on_memory();     \
                                                                 \
		(void)ctx;                                       \
		if (slot)                                        \
			slot_enter(slot, SCOPE_PHASE_##step);    \
		return 0;                                        \
	}

#define UPSTREAM_STEP(function, step)                            \
	UPSTREAM_STEP_BEGINS(function, step)                     \
	SEC("fexit/" #function)                                  \
	int ios_upstream_##function##_ends(void *ctx)            \
	{                                                        \
		struct op_slot *slot = upstream_on_memory();     \
                                                                 \
		(void)ctx;                                       \
		if (slot)                                        \
			slot_enter(slot, PROBED_NO_PHASE);       \
		return 0;                                        \
	}

UPSTREAM_STEP(batch_to_domain, map)
/* no probe at its end: the unmap that follows or the next step ends the phase, saving one probe */
UPSTREAM_STEP_BEGINS(batch_from_domain, unmap)
UPSTREAM_STEP(iopt_area_unmap_domain_range, unmap)
UPSTREAM_STEP(batch_unpin, unpin)
UPSTREAM_STEP_BEGINS(pfn_reader_user_pin, pin)

SEC("fexit/pfn_reader_user_pin")
int ios_upstream_pin_ends(void *ctx)
{
	struct op_slot *slot = upstream_on_memory();
	__s32 ret;

	if (!slot)
		return 0;
	slot_enter(slot, PROBED_NO_PHASE);
	ret = returned(ctx);
	if (ret < 0)
		slot->step_ret = ret;
	return 0;
}

/* The accounting function is called with newly pinned pages and with unpinned ones. */
UPSTREAM_STEP_BEGINS(iopt_pages_update_pinned, account)

ARGUMENT(iopt_pages_update_pinned, pages);
ARGUMENT(iopt_pages_update_pinned, npages);

SEC("fexit/iopt_pages_update_pinned")
int ios_upstream_account_ends(void *ctx)
{
	struct op_slot *slot = upstream_on_memory();

	if (!slot)
		return 0;
	slot_enter(slot, PROBED_NO_PHASE);
	if ((__s32)returned(ctx) < 0)
		upstream_over_limit(slot, ARGUMENT_OF(ctx, iopt_pages_update_pinned, pages));
	else
		slot->op.pages += ARGUMENT_OF(ctx, iopt_pages_update_pinned, npages);
	return 0;
}

/* The operation of this thread, if it is one on translations, in none of these phases. */
static __always_inline struct op_slot *upstream_on_translation(__u32 phase)
{
	struct op_slot *slot = upstream_under_way();

	return slot && slot->phase == phase && slot->operation < SCOPE_NR_IOMMUFD_OPERATIONS &&
	       SCOPE_SET(IOMMUFD_TRANSLATION_OPERATIONS) >> slot->operation & 1 ? slot : NULL;
}

#define UPSTREAM_TURN_BEGINS(function, turn)                                                 \
	SEC("fentry/" #function)                                                             \
	int ios_upstream_##function##_begins(void *ctx)                                      \
	{                                                                                    \
		struct op_slot *slot = upstream_on_translation(PROBED_NO_PHASE);             \
                                                                                             \
		(void)ctx;                                                                   \
		if (slot)                                                                    \
			slot_enter(slot, SCOPE_PHASE_##turn);                                \
		return 0;                                                                    \
	}

#define UPSTREAM_TURN(function, turn)                                                        \
	UPSTREAM_TURN_BEGINS(function, turn)                                                 \
	SEC("fexit/" #function)                                                              \
	int ios_upstream_##function##_ends(void *ctx)                                        \
	{                                                                                    \
		struct op_slot *slot = upstream_on_translation(SCOPE_PHASE_##turn);          \
                                                                                             \
		(void)ctx;                                                                   \
		if (slot)                                                                    \
			slot_enter(slot, PROBED_NO_PHASE);                                   \
		return 0;                                                                    \
	}

UPSTREAM_TURN(iopt_table_enforce_dev_resv_regions, check)
UPSTREAM_TURN(intel_iommu_domain_alloc_paging_flags, alloc)
UPSTREAM_TURN(amd_iommu_domain_alloc_paging_flags, alloc)
UPSTREAM_TURN(iommu_paging_domain_alloc_flags, alloc)
UPSTREAM_TURN(iopt_table_add_domain, fill)
UPSTREAM_TURN(iommufd_hwpt_paging_destroy, drop)

/* The error that the IOMMU driver returned for a switch is the cause of the failure. */
#define UPSTREAM_SWITCH(function)                                                            \
	UPSTREAM_TURN_BEGINS(function, switch)                                               \
	SEC("fexit/" #function)                                                              \
	int ios_upstream_##function##_ends(void *ctx)                                        \
	{                                                                                    \
		struct op_slot *slot = upstream_on_translation(SCOPE_PHASE_switch);          \
                                                                                             \
		if (!slot)                                                                   \
			return 0;                                                            \
		slot->step_ret = (__s32)returned(ctx);                                       \
		slot_enter(slot, PROBED_NO_PHASE);                                           \
		return 0;                                                                    \
	}

UPSTREAM_SWITCH(iommu_replace_group_handle)
UPSTREAM_SWITCH(iommu_group_replace_domain)
UPSTREAM_SWITCH(iommu_attach_group_handle)
UPSTREAM_SWITCH(iommu_attach_group)
UPSTREAM_TURN(iommu_detach_group_handle, switch)
UPSTREAM_TURN(iommu_detach_group, switch)

#endif
