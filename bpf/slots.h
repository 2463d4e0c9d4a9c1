/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of probed sources in flight.
 *
 * An operation in flight has a slot: an element of an array.  A thread keeps its slot, idle between
 * its operations.  A CPU remembers the slot that was last used on it.  As long as a thread has not
 * moved and no other thread has run operations on the CPU, a probe finds the slot with two array
 * lookups.  Otherwise a hash maps threads to slots.  New threads claim idle slots.
 *
 * The first word of a slot is its owner: the address of the thread, with SCOPE_SLOT_BUSY while an
 * operation is in flight.  Only the owning thread sets and clears that bit, and only an idle slot
 * changes its owner, both by compare-and-swap.  The rest of the slot therefore needs no lock.  A
 * reader (stuck) may see it change.
 */
#ifndef IOMMUSCOPE_BPF_SLOTS_H
#define IOMMUSCOPE_BPF_SLOTS_H

#include "bpf/lists.h"
/* the type of a knob of the same programs, which the skeletons need as well */
#include "bpf/pids.h"

#define SCOPE_SLOTS 1024
#define SCOPE_SLOT_BUSY 1ULL
/* Instead of a lock's address: any lock that this thread waits for while it is in no phase. */
#define SLOT_ANY_LOCK ~0ULL
/* CPUs with a higher number share an entry of @ios_slot_here with another one. */
#define SCOPE_SLOT_CPUS 1024

struct probed_clock {
	__u64 start_ns;
	__u64 dur_ns;
	__u64 reason_a;
	__u64 reason_b;
	__s32 ret;
	__u32 reason;
};

/* A power of two, for the verifier; the entry after the phases is the time in none of them. */
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
 * @phase_start_ns: start of the current phase
 * @phase: current phase, PROBED_NO_PHASE for none
 * @before: phase to return to after a nested one
 * @operation: enum scope_operation
 * @tid: the thread
 * @space: address of the container, or of the iommufd's context, that the operation works on
 * @lock: address of the lock whose wait counts for this operation, or SLOT_ANY_LOCK
 * @waited_for: with SLOT_ANY_LOCK, the lock that it waits for
 * @argument: argument of the ioctl
 * @given: arguments from the user, for the source
 * @limits: amount in use and limit when the step failed, for the source
 * @step_ret: result of the step of the operation that failed
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

/*
 * A call of vfio in flight.  Such calls are rare and may contain an operation that has a slot, so a
 * hash by thread holds them.
 * @argument: of the ioctl
 * @phase_start_ns: when the current phase started
 * @phase: that phase, one of VFIO_PHASES, SCOPE_NR_VFIO_PHASES for none
 * @before: the phase that a nested one goes back to
 * @operation: enum scope_operation
 * @step: enum vfio_step, the first one that failed
 * @step_ret: how it ended
 * @group: address of the group that the call is for
 * @object: address of the file, or of the device that a driver registers
 * @op: what is known so far
 */
struct vfio_call {
	__u64 argument;
	__u64 phase_start_ns;
	__u32 phase;
	__u32 before;
	__u32 operation;
	__u32 step;
	__s32 step_ret;
	__u32 padding;
	__u64 group;
	__u64 object;
	struct probed_vfio_op op;
};

/* Steps of a call that are seen to fail. */
enum vfio_step {
	VFIO_STEP_NONE,
	VFIO_STEP_IOMMUFD,
	VFIO_STEP_RESET,
	VFIO_STEP_DRIVER,
	VFIO_STEP_MEMORY_DISABLED,
	VFIO_STEP_MEMORY_ENABLED,
};

/* By CPU: the slot that was last used on it, in a cache line of its own. */
struct slot_here {
	__u32 slot;
} __attribute__((aligned(64)));

#endif
