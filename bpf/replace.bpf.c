// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements, and their effect on DMA.  replace.h describes the model.
 *
 * The start event marks the calling thread.  In this thread the IOMMU core then runs once for each
 * device of the group, and below it the IOMMU driver; the programs record these calls.  The event
 * of the finished replacement reports each device.  For the kernel's own iommufd, probes on its
 * functions replace the events (sources/replace_probed.bpf.c); everything else is the same.  Faults
 * come from interrupts, at any time, and are reported on their own.  Operations that waited are
 * assigned to their replacement by the context.
 *
 * The tool loads only the probes whose function this kernel has.  A missing probe leaves its marks
 * out of the record, and a record without marks claims nothing.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* A program of a tracepoint declares all arguments up to the one it needs. */
#pragma clang diagnostic ignored "-Wunused-parameter"

/* here, so that both objects have its variables at the same offsets */
#include "bpf/slots.bpf.h"
#include "bpf/record.bpf.h"
#include "bpf/filter.bpf.h"
#include "bpf/kernel/pids.bpf.h"
#include "bpf/replace.h"
#include "bpf/replace_slots.bpf.h"
#include "bpf/replace_waits.bpf.h"
/* the IOMMU probes are in only one of the two objects that are built from this file */
#ifndef SCOPE_PROBED
#include "bpf/replace_windows.bpf.h"
#include "bpf/replace_faults.bpf.h"
#endif

char LICENSE[] SEC("license") = "GPL";

static __always_inline void replace_begins(__u32 ctx_id, __u64 start_ns)
{
	struct running *run;

	if ((filter.ctx && ctx_id != filter.ctx) || !scope_filter_task())
		return;
	run = run_begins();
	if (run)
		turn_begins(ctx_id, run->number, start_ns);
}

/*
 * Copies a text of the same size in 8-byte loads; a helper call would take a hundred instructions.
 */
#define COPY_TEXT(to, from)                                                                        \
	do {                                                                                       \
		_Static_assert(sizeof(to) == sizeof(from) && sizeof(to) % 8 == 0, "texts");       \
		_Pragma("unroll")                                                                  \
		for (__u32 word = 0; word < sizeof(to) / 8; word++)                                \
			((__u64 *)(to))[word] = ((const __u64 *)(from))[word];                     \
	} while (0)

/* Fills in what belongs to the whole replacement, and defaults for a device that was not seen. */
static __always_inline void fill(struct scope_replacement *facts, const OP *op)
{
	__u64 id = scope_pid_tgid();

	facts->start_ns = op->clock.start_ns;
	facts->dur_ns = op->clock.dur_ns;
	facts->phase_ns[SCOPE_REPLACE_wait] = op->phase_ns[SCOPE_PHASE_wait];
	facts->phase_ns[SCOPE_REPLACE_check] = op->phase_ns[SCOPE_PHASE_check];
	facts->phase_ns[SCOPE_REPLACE_alloc] = op->phase_ns[SCOPE_PHASE_alloc];
	facts->phase_ns[SCOPE_REPLACE_fill] = op->phase_ns[SCOPE_PHASE_fill];
	facts->phase_ns[SCOPE_REPLACE_switch] = op->phase_ns[SCOPE_PHASE_switch];
	facts->phase_ns[SCOPE_REPLACE_drop] = op->phase_ns[SCOPE_PHASE_drop];
	facts->window_start_ns = 0;
	facts->window_ns = 0;
	facts->first_end_ns = 0;
	facts->last_start_ns = 0;
	facts->last_end_ns = 0;
	facts->reason_a = op->clock.reason_a;
	facts->reason_b = op->clock.reason_b;
	facts->windows = 0;
	facts->faults_in_window = 0;
	facts->faults_after = 0;
	facts->moves = 0;
	facts->move_ret = 0;
	facts->driver = 0;
	facts->flags = 0;
	facts->tgid = id >> 32;
	facts->tid = (__u32)id;
	facts->ret = op->clock.ret;
	facts->reason = op->clock.reason;
	facts->ctx = op->ctx_id;
	facts->device_id = op->device_id;
	facts->group = op->group_id;
	facts->devices = op->devices;
	facts->hwpt = op->hwpt_id;
	facts->old_hwpt = op->old_hwpt_id;
	facts->ioas = op->ioas_id;
	facts->old_ioas = op->old_ioas_id;
	facts->nr_faults = 0;
	facts->named = 1;
	COPY_TEXT(facts->comm, bpf_get_current_task_btf()->comm);
	COPY_TEXT(facts->device, op->device);
	COPY_TEXT(facts->iommu_driver, op->iommu_driver);
}

static __always_inline bool same_name(const char *a, const char *b)
{
	int i;

	for (i = 0; i < SCOPE_DEVICE_LEN; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			break;
	}
	return true;
}

static __always_inline void fill_move(struct scope_replacement *facts, const struct move *move)
{
	facts->window_start_ns = move->window_start_ns;
	facts->window_ns = move->window_ns;
	facts->first_end_ns = move->first_end_ns;
	facts->last_start_ns = move->last_start_ns;
	facts->last_end_ns = move->last_end_ns;
	facts->windows = move->windows;
	facts->moves = move->moves;
	facts->move_ret = move->ret;
	if (move->moves)
		facts->flags |= SCOPE_REPLACEMENT_MOVED;
	if (move->open) {
		facts->last_end_ns = facts->start_ns + facts->dur_ns;
		facts->window_ns += facts->last_end_ns - facts->last_start_ns;
		facts->flags |= SCOPE_REPLACEMENT_BLOCKED;
	}
}

/*
 * @move: NULL if no device was seen moving; @only: it is the only device of its group
 */
static __always_inline void report(const OP *op, const struct move *move,
				   __u64 number, bool only)
{
	struct scope_replacement *facts;
	char name[SCOPE_DEVICE_LEN];

	facts = bpf_ringbuf_reserve(&ios_sent, SCOPE_FAULTLESS_RECORD, 0);
	if (!facts) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	fill(facts, op);
	facts->number = number;
	if (move)
		fill_move(facts, move);
	if (move && !only) {
		__builtin_memset(name, 0, sizeof(name));
		device_name((const struct device *)move->device, name);
		facts->named = same_name(name, facts->device);
		__builtin_memcpy(facts->device, name, sizeof(name));
	}
	if (filter.by_device && !scope_is_device(facts->device))
		bpf_ringbuf_discard(facts, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(facts, BPF_RB_NO_WAKEUP);
}

static __always_inline void replaced(const OP *op, struct running *run)
{
	__u32 i;

	if (!run) {
		/* it failed before its start, or the filters exclude it */
		if ((!filter.ctx || op->ctx_id == filter.ctx) && scope_filter_task() && op->clock.ret)
			report(op, NULL, __sync_fetch_and_add(&following.last_number, 1) + 1, true);
		return;
	}
	/* a failed replacement may not have reached all devices */
	if (!run->nr)
		report(op, NULL, run->number, true);
	for (i = 0; i < SCOPE_GROUP_DEVICES && i < run->nr; i++)
		report(op, &run->moves[i], run->number, run->nr == 1 && !op->clock.ret);
	turn_ends(op->ctx_id, run->number, op->clock.start_ns + op->clock.dur_ns);
	run->task = 0;
}

static __always_inline void replace_ends(const OP *op)
{
	struct running *run = running();

	/* a replacement may itself have waited for another one */
	waited(op, SCOPE_OPERATION_iommufd_replace, run ? run->number : 0);
	replaced(op, run);
}

#ifdef SCOPE_PROBED

#define REPLACE_BEGINS(ctx_id, start_ns) replace_begins((ctx_id), (start_ns))
#define NEEDS_SPACE true
#define NEEDS_REASON true
#define NEEDS_BEGIN false
/* REPLACE_BEGINS() handles starts */
#define began(slot) ((void)(slot))

static __always_inline int finished_memory(const OP *op, __u32 operation)
{
	waited(op, operation, 0);
	return 0;
}

static __always_inline int finished_translation(const OP *op, __u32 operation)
{
	if (operation == SCOPE_OPERATION_iommufd_replace)
		replace_ends(op);
	else
		waited(op, operation, 0);
	return 0;
}

static __always_inline int finished_object(const OP *op, __u32 operation)
{
	(void)op;
	(void)operation;
	return 0;
}

#include "bpf/sources/type1.bpf.h"
#include "bpf/sources/upstream.bpf.h"

#else

SEC("tp_btf/iommufd_replace_start")
int BPF_PROG(ios_replace_start, const OP *op)
{
	if (op)
		replace_begins(op->ctx_id, op->clock.start_ns);
	return 0;
}

SEC("tp_btf/iommufd_replace")
int BPF_PROG(ios_replace_end, const OP *op)
{
	if (op)
		replace_ends(op);
	return 0;
}

/*
 * Operations that can wait for a replacement: those on memory, and on translations of other
 * devices.
 */
#define WAITING_PROGRAM(name, ...)                                                \
	SEC("tp_btf/iommufd_" #name)                                              \
	int BPF_PROG(ios_waited_##name, const OP *op)                             \
	{                                                                         \
		if (op)                                                           \
			waited(op, SCOPE_OPERATION_iommufd_##name, 0);            \
		return 0;                                                         \
	}
IOMMUFD_MEMORY_OPERATIONS(WAITING_PROGRAM)
WAITING_PROGRAM(attach)
WAITING_PROGRAM(detach)
WAITING_PROGRAM(hwpt_alloc)

#endif
