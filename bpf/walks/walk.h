/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How state comes to user space where the kernel has no iterators of ours.
 *
 * A program goes through the open files of the host (iter/task_file), finds those behind which state
 * is, and copies it field by field, found by name in the BTF of the kernel and its modules, into the same
 * records that our module's iterators yield (iommufd_state.h).  They go into slots of an array that
 * user space has mapped, each with its kind; they come in no order, and a context comes once however
 * many files lead to it.  User space says in a struct scope_walk what it wants, runs the iterator, and
 * takes the slots; when they were too few it runs it again and has the program pass over as many.
 *
 * Nothing is locked: what is copied may change meanwhile.  Reads of memory that has gone fail or yield
 * what is there now, and never more; so a walk checks what it can (that addresses ascend, that the number
 * of areas is the one that the kernel keeps), tries again, and marks what is only about right.
 */
#ifndef IOMMUSCOPE_BPF_WALKS_WALK_H
#define IOMMUSCOPE_BPF_WALKS_WALK_H

#include "bpf/types.h"

#define SCOPE_WALK_SLOTS 4096
#define SCOPE_WALK_RECORD 200
#define SCOPE_WALK_SYMBOL 48

/* Contexts that are distinguished in a run: one that is seen again later is copied again. */
#define SCOPE_WALK_CONTEXTS 16384

/* What a walk is to find. */
enum scope_walk_mode {
	SCOPE_WALK_OBJECTS, /* all but areas */
	SCOPE_WALK_AREAS, /* areas of an address space, from an IOVA on */
};

/**
 * struct scope_walk_slot - a record
 * @kind: enum scope_state_kind
 * @padding: 0
 * @record: the record, which begins with its size
 * @symbol: of a device or HWPT, a function of the driver of its IOMMU, as "%ps" writes it
 */
struct scope_walk_slot {
	__u32 kind;
	__u32 padding;
	char record[SCOPE_WALK_RECORD];
	char symbol[SCOPE_WALK_SYMBOL];
};

/**
 * struct scope_walk - what a walk is to do, and what it did
 * @mode: enum scope_walk_mode
 * @run: differs from run to run, so that a context is known that was seen before
 * @skip: records to pass over
 * @ctx: SCOPE_WALK_AREAS: number of the context
 * @object: the same: id of the address space
 * @group_major: device number of the nodes of groups, 0 if there are none
 * @iommu_dev: device number of /dev/iommu, as the kernel has it
 * @area_limit: areas that a container may have, as the module says now
 * @iova: SCOPE_WALK_AREAS: where to begin
 * @nr: set to how many slots were filled
 * @full: set if there was no slot for a record
 */
struct scope_walk {
	__u32 mode;
	__u32 run;
	__u32 skip;
	__u32 ctx;
	__u32 object;
	__u32 group_major;
	__u32 iommu_dev;
	__u32 area_limit;
	__u64 iova;
	__u32 nr;
	__u32 full;
};

#endif
