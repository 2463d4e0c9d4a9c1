/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations seen from outside, by probes on the functions that perform them.
 *
 * A source has a probe at the start and at the end of an operation, and at each change of phase:
 *
 *	slot_begin(operation)		at the start
 *	slot_enter(slot, phase)		in between: slot_under_way() is the operation of this thread
 *	slot_end(slot, ret)		at the end; then the source fills in the rest,
 *					passes the record to the consumer, and
 *	slot_free(slot)			releases the slot
 *
 * slots.h describes the slots.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_PROBED_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_PROBED_BPF_H

#include "bpf/arguments.bpf.h"
#include "bpf/record.bpf.h"
#include "bpf/slots.bpf.h"
#include "bpf/space.bpf.h"

/* Number of slots that are tried in search of an idle one. */
#define SLOT_TRIES 16

/*
 * An argument by its name, as a pointer whose type the verifier knows, so that a read through it
 * costs one instruction.  The verifier removes the branches that are not taken.
 */
#define ARGUMENT_POINTER(ctx, function, parameter) \
	argument_pointer((ctx), function##__argument__##parameter)

#define LOAD_ARGUMENT(number) \
	asm volatile("%0 = *(u64 *)(%1 + 8 * " #number ")" : "=r"(value) : "r"(ctx))

static __always_inline void *argument_pointer(void *ctx, __u32 number)
{
	__u64 value = 0;

	if (number == 0)
		LOAD_ARGUMENT(0);
	else if (number == 1)
		LOAD_ARGUMENT(1);
	else if (number == 2)
		LOAD_ARGUMENT(2);
	else if (number == 3)
		LOAD_ARGUMENT(3);
	return (void *)value;
}

static __always_inline __u32 *slot_number_here(void)
{
	return &ios_slot_here[bpf_get_smp_processor_id() & (SCOPE_SLOT_CPUS - 1)].slot;
}

/* The operation of this thread, if its slot is the one that the CPU remembers. */
static __always_inline struct op_slot *slot_here(void)
{
	struct op_slot *slot = slot_at(*slot_number_here());

	if (slot->owner != (bpf_get_current_task() | SCOPE_SLOT_BUSY))
		slot = NULL;
	/*
	 * otherwise a later test of @slot becomes one of the owner, which the verifier does not
	 * understand
	 */
	barrier_var(slot);
	return slot;
}

/* The operation of a thread that has moved, or whose CPU has served another thread since. */
static __always_inline struct op_slot *slot_elsewhere(__u64 task, __u32 *here)
{
	__u32 *known = bpf_map_lookup_elem(&ios_slot_of, &task);
	struct op_slot *slot;

	if (!known)
		return NULL;
	slot = slot_at(*known);
	if (slot->owner != (task | SCOPE_SLOT_BUSY))
		return NULL;
	*here = *known;
	return slot;
}

/* The operation of this thread, or NULL. */
static __always_inline struct op_slot *slot_under_way(void)
{
	__u32 *here = slot_number_here();
	__u64 task = bpf_get_current_task();
	struct op_slot *slot = slot_at(*here);

	if (slot->owner != (task | SCOPE_SLOT_BUSY))
		slot = slot_elsewhere(task, here);
	barrier_var(slot);
	return slot;
}

/*
 * The operation of this thread, if it is @operation.  For probes at the end: if the end of the
 * previous operation was not seen, its slot is still busy, and the one that ends now is another
 * operation, or one without a slot.
 */
static __always_inline struct op_slot *slot_doing(__u32 operation)
{
	struct op_slot *slot = slot_under_way();

	return slot && slot->operation == operation ? slot : NULL;
}

/* A slot for a thread that the CPU does not remember: its own slot, or an idle one. */
static __always_inline struct op_slot *slot_claim(__u64 task, __u32 *here)
{
	__u32 *known = bpf_map_lookup_elem(&ios_slot_of, &task), number;
	struct op_slot *slot;
	__u64 owner;
	int i;

	if (known) {
		slot = slot_at(*known);
		if ((slot->owner | SCOPE_SLOT_BUSY) == (task | SCOPE_SLOT_BUSY)) {
			*here = *known;
			return slot;
		}
	}
	for (i = 0; i < SLOT_TRIES; i++) {
		number = __sync_fetch_and_add(&next_slot, 1) & (SCOPE_SLOTS - 1);
		slot = slot_at(number);
		owner = slot->owner;
		if (owner & SCOPE_SLOT_BUSY ||
		    __sync_val_compare_and_swap(&slot->owner, owner, task) != owner)
			continue;
		bpf_map_update_elem(&ios_slot_of, &task, &number, BPF_ANY);
		*here = number;
		return slot;
	}
	return NULL;
}

/*
 * Starts an operation of this thread.  Returns NULL if there is no slot for it.  @phases: the
 * operation uses only so many of the first phases.
 */
static __always_inline struct op_slot *slot_begin(__u32 operation, __u32 source, __u32 phases)
{
	__u32 *here = slot_number_here(), i;
	__u64 task = bpf_get_current_task();
	struct op_slot *slot = slot_at(*here);

	if ((slot->owner | SCOPE_SLOT_BUSY) != (task | SCOPE_SLOT_BUSY))
		slot = slot_claim(task, here);
	if (!slot ||
	    __sync_val_compare_and_swap(&slot->owner, task, task | SCOPE_SLOT_BUSY) != task) {
		__sync_fetch_and_add(&slots_lost, 1);
		/* busy with an operation whose end was not seen: the new one replaces it */
		if (!slot || slot->owner != (task | SCOPE_SLOT_BUSY))
			return NULL;
	}
#pragma unroll
	for (i = 0; i < SCOPE_FIRST_VFIO_PHASE; i++)
		if (i < phases)
			slot->op.phase_ns[i] = 0;
	slot->operation = operation;
	if (NEEDS_BEGIN)
		slot->tid = (__u32)bpf_get_current_pid_tgid();
	slot->phase = PROBED_NO_PHASE;
	slot->lock = 0;
	slot->step_ret = 0;
	slot->op.pages = 0;
	slot->op.extents = 0;
	slot->op.source = source;
	slot->op.clock.start_ns = bpf_ktime_get_ns();
	slot->phase_start_ns = slot->op.clock.start_ns;
	return slot;
}

/* Charges the time from now on to another phase. */
static __always_inline void slot_enter(struct op_slot *slot, __u32 phase)
{
	__u64 now = bpf_ktime_get_ns();

	slot->op.phase_ns[slot->phase & (PROBED_PHASES - 1)] += now - slot->phase_start_ns;
	slot->phase_start_ns = now;
	slot->phase = phase;
}

/* A phase within another one, and back. */
static __always_inline void slot_enter_within(struct op_slot *slot, __u32 phase)
{
	slot->before = slot->phase;
	slot_enter(slot, phase);
}

static __always_inline void slot_leave_within(struct op_slot *slot)
{
	slot_enter(slot, slot->before);
}

/* Ends the operation; @op then lacks only what the source adds. */
static __always_inline void slot_end(struct op_slot *slot, __s32 ret)
{
	slot_enter(slot, PROBED_NO_PHASE);
	slot->op.clock.dur_ns = slot->phase_start_ns - slot->op.clock.start_ns;
	slot->op.clock.ret = ret;
	slot->op.clock.reason = SCOPE_REASON_iommufd_none;
	slot->op.clock.reason_a = 0;
	slot->op.clock.reason_b = 0;
}

static __always_inline void slot_free(struct op_slot *slot)
{
	slot->owner &= ~SCOPE_SLOT_BUSY;
}

static __always_inline void name_of_device(char *to, __u32 size, const struct device *dev)
{
	const char *name = BPF_CORE_READ(dev, init_name);

	if (!name)
		name = BPF_CORE_READ(dev, kobj.name);
	bpf_probe_read_kernel_str(to, size, name);
}

static __always_inline void op_name_device(OP *op, const struct device *dev)
{
	name_of_device(op->device, sizeof(op->device), dev);
}

/* No memory range, until the source sets one. */
static __always_inline void slot_clear_range(struct op_slot *slot)
{
	slot->op.iova = 0;
	slot->op.length = 0;
	slot->op.user_va = 0;
	slot->op.flags = 0;
}

/* No objects, until the source sets some. */
static __always_inline void slot_clear_objects(struct op_slot *slot)
{
	slot->op.ioas_id = 0;
	slot->op.old_ioas_id = 0;
	slot->op.src_ioas_id = 0;
	slot->op.hwpt_id = 0;
	slot->op.old_hwpt_id = 0;
	slot->op.device_id = 0;
	slot->op.object_id = 0;
	slot->op.object_type = 0;
	slot->op.value = 0;
}

static __always_inline void slot_fails(struct op_slot *slot, __u32 reason, __u64 a, __u64 b)
{
	slot->op.clock.reason = reason;
	slot->op.clock.reason_a = a;
	slot->op.clock.reason_b = b;
}

/*
 * Waits for the lock of the container, seen through the kernel's own events, which fire only for a
 * lock that is already taken.  They fire for all locks of the host; the second one may find its
 * thread on another CPU.
 */
SEC("tp_btf/contention_begin")
int ios_contended(__u64 *ctx)
{
	struct op_slot *slot = slot_here();

	if (!slot || !slot->lock)
		return 0;
	if (slot->lock == SLOT_ANY_LOCK && slot->phase == PROBED_NO_PHASE)
		slot->waited_for = ctx[0];
	else if (slot->lock != ctx[0])
		return 0;
	slot_enter_within(slot, SCOPE_PHASE_wait);
	return 0;
}

SEC("tp_btf/contention_end")
int ios_acquired(__u64 *ctx)
{
	struct op_slot *slot = slot_under_way();

	if (slot && slot->phase == SCOPE_PHASE_wait &&
	    (slot->lock == SLOT_ANY_LOCK ? slot->waited_for : slot->lock) == ctx[0])
		slot_leave_within(slot);
	return 0;
}

#endif
