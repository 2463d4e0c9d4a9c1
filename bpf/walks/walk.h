/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transfer of state to user space on kernels without our iterators.
 *
 * A program visits the open files of the host (iter/task_file), finds those with state behind them,
 * and copies this state field by field into the same records that our module's iterators yield
 * (iommufd_state.h).  Fields are found by name in the BTF of the kernel and its modules.  The
 * records go into slots of an array that user space has mapped, each with its kind.  They come in
 * no particular order, and a context comes only once, however many files lead to it.  User space
 * describes its request in a struct scope_walk, runs the iterator and reads the slots; if there
 * were too few slots, it runs the iterator again and makes the program skip that many records.
 *
 * Nothing is locked, so the state may change while it is copied.  A read of freed memory fails or
 * returns its current contents, and does no other harm.  A walk therefore checks what it can
 * (addresses ascend, and the number of areas matches the kernel's count), retries, and marks values
 * that are only approximate.
 */
#ifndef IOMMUSCOPE_BPF_WALKS_WALK_H
#define IOMMUSCOPE_BPF_WALKS_WALK_H

#include "bpf/types.h"

#define SCOPE_WALK_SLOTS 4096
#define SCOPE_WALK_RECORD 200
#define SCOPE_WALK_SYMBOL 48

/* Contexts that a run distinguishes; beyond that, a context that is seen again is copied again. */
#define SCOPE_WALK_CONTEXTS 16384

/* Target of a walk. */
enum scope_walk_mode {
	SCOPE_WALK_OBJECTS, /* all but areas */
	SCOPE_WALK_AREAS, /* areas of an address space, starting at an IOVA */
};

/**
 * struct scope_walk_slot - a record
 * @kind: enum scope_state_kind
 * @padding: 0
 * @record: the record, whose first member is its size
 * @symbol: of a device or HWPT, a function of the driver of its IOMMU, as printed by "%ps"
 */
struct scope_walk_slot {
	__u32 kind;
	__u32 padding;
	char record[SCOPE_WALK_RECORD];
	char symbol[SCOPE_WALK_SYMBOL];
};

/**
 * struct scope_walk - the request to a walk, and its result
 * @mode: enum scope_walk_mode
 * @run: differs between runs, to recognise contexts that this run has already seen
 * @skip: records to skip
 * @ctx: SCOPE_WALK_AREAS: number of the context
 * @object: SCOPE_WALK_AREAS: id of the address space
 * @group_major: major device number of the group nodes, 0 if there are none
 * @iommu_dev: device number of /dev/iommu, in the kernel's encoding
 * @area_limit: areas that a container may have, as the module says now
 * @iova: SCOPE_WALK_AREAS: where to start
 * @nr: out: number of slots filled
 * @full: out: there was no slot for a record
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
