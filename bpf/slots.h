/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of probed sources while they are under way.
 *
 * An operation under way has a slot: an element of an array.  A thread keeps the slot that it once got, idle
 * between its operations, and a processor remembers the slot that was used on it last; so, as long as a thread has
 * not moved and no other one has been here, a probe finds it by two look-ups in arrays.  Otherwise a hash says which
 * slot is whose.  Threads that come new take what is idle.
 *
 * Whose a slot is stands in its first word, the address of the thread, with SCOPE_SLOT_BUSY while an operation is under
 * way.  Its thread alone sets and clears that bit, and only an idle slot changes hands, both by compare-and-swap; so
 * what is behind the first word needs no lock.  A reader (stuck) may see it change.
 */
#ifndef IOMMUSCOPE_BPF_SLOTS_H
#define IOMMUSCOPE_BPF_SLOTS_H

#include "bpf/lists.h"

#define SCOPE_SLOTS 1024
#define SCOPE_SLOT_BUSY 1ULL
/* In place of a lock's address: whichever this thread waits for, while it is in no phase. */
#define SLOT_ANY_LOCK ~0ULL
/* Processors beyond share an entry of @ios_slot_here with another one. */
#define SCOPE_SLOT_CPUS 1024

struct probed_clock {
	__u64 start_ns;
	__u64 dur_ns;
	__u64 reason_a;
	__u64 reason_b;
	__s32 ret;
	__u32 reason;
};

/* A power of two, for the verifier; behind the phases, what is in none. */
#define PROBED_PHASES 16
#define PROBED_NO_PHASE (PROBED_PHASES - 1)
_Static_assert(SCOPE_FIRST_VFIO_PHASE < PROBED_NO_PHASE, "there is room for all phases");

struct probed_op {
	struct probed_clock clock;
	__u64 phase_ns[PROBED_PHASES];
	__u64 iova;
	__u64 length;
	__u64 user_va;
	__u64 pages;
	__u64 extents;
	__u64 value;
	__u32 flags;
	__u32 ctx_id;
	__u32 ioas_id;
	__u32 old_ioas_id;
	__u32 src_ioas_id;
	__u32 hwpt_id;
	__u32 old_hwpt_id;
	__u32 device_id;
	__u32 group_id;
	__u32 devices;
	__u32 object_type;
	__u32 object_id;
	__u32 source;
	__u32 padding;
	char device[SCOPE_DEVICE_LEN];
	char iommu_driver[SCOPE_DRIVER_LEN];
};

struct probed_vfio_op {
	struct probed_clock clock;
	__u64 phase_ns[SCOPE_NR_VFIO_PHASES + 1];
	__u64 value;
	__u64 offset;
	__u64 length;
	__u32 flags;
	__u32 index;
	__u32 start;
	__u32 count;
	__u32 device_id;
	__u32 pt_id;
	__u32 group_id;
	__u32 source;
	char device[SCOPE_DEVICE_LEN];
	char node[SCOPE_DRIVER_LEN];
};

/*
 * @owner: see above
 * @phase_start_ns: when the phase under way began
 * @phase: that phase, PROBED_NO_PHASE for none
 * @before: the phase that a nested one goes back to
 * @operation: enum scope_operation
 * @tid: the thread
 * @space: address of what the operation works on: the container, or the context of the iommufd
 * @lock: address of the lock that is the wait of this operation, or SLOT_ANY_LOCK
 * @waited_for: with the latter, the one that it waits for
 * @argument: of the ioctl
 * @given: what the user gave, for the source
 * @limits: what was in use and what was allowed as the step failed, for the source
 * @step_ret: how the step of the operation ended that failed
 * @op: what is known so far
 */
struct op_slot {
	__u64 owner;
	__u64 phase_start_ns;
	__u32 phase;
	__u32 before;
	__u32 operation;
	__u32 tid;
	__u64 space;
	__u64 lock;
	__u64 waited_for;
	__u64 argument;
	__u64 given[6];
	__u64 limits[2];
	__s64 step_ret;
	struct probed_op op;
};

/* By processor: the slot that was used on it last, and nothing else in that line of the cache. */
struct slot_here {
	__u32 slot;
} __attribute__((aligned(64)));

#endif
