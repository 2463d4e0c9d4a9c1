/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that waited for a replacement of the same context, detected by their own phase "wait".
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_WAITS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_WAITS_BPF_H

#include "bpf/record.bpf.h"
#include "bpf/replace.h"

static __always_inline struct turns *turns_of(__u32 ctx_id)
{
	return &following.contexts[ctx_id & (CONTEXTS - 1)];
}

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct scope_waits);
} ios_waits SEC(".maps");

/* A replacement starts: from now on operations may wait for it. */
static __always_inline void turn_begins(__u32 ctx_id, __u64 number, __u64 start_ns)
{
	struct turns *turns = turns_of(ctx_id);

	if (turns->ctx == ctx_id)
		turns->before = turns->last;
	else
		turns->before.number = 0;
	turns->ctx = ctx_id;
	turns->last.number = number;
	turns->last.start_ns = start_ns;
	turns->last.end_ns = 0;
}

static __always_inline void turn_ends(__u32 ctx_id, __u64 number, __u64 end_ns)
{
	struct turns *turns = turns_of(ctx_id);

	if (turns->last.number == number)
		turns->last.end_ns = end_ns;
}

/* The wait of an operation is assumed to be at its start, where the locks are taken. */
static __always_inline __u64 overlap(const struct turn *turn, __u64 own, __u64 start_ns,
				     __u64 wait_ns)
{
	__u64 end_ns = start_ns + wait_ns;

	if (!turn->number || turn->number == own)
		return 0;
	if (turn->end_ns && turn->end_ns < end_ns)
		end_ns = turn->end_ns;
	if (start_ns < turn->start_ns)
		start_ns = turn->start_ns;
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

/*
 * @own: number of the replacement if @op itself is one, as it does not wait for itself; or 0
 */
static __always_inline void note_wait(const OP *op, __u32 operation, const struct turns *turns,
				      __u64 own)
{
	__u64 start_ns = op->clock.start_ns, wait_ns = op->phase_ns[SCOPE_PHASE_wait], waited, number;
	struct scope_waits fresh = {}, *entry;
	struct scope_wait_mark *mark;
	__u32 slot;

	if (wait_ns < SCOPE_WAITED_NS)
		return;
	number = turns->last.number;
	waited = overlap(&turns->last, own, start_ns, wait_ns);
	if (overlap(&turns->before, own, start_ns, wait_ns) > waited) {
		number = turns->before.number;
		waited = overlap(&turns->before, own, start_ns, wait_ns);
	}
	if (waited < SCOPE_WAITED_NS)
		return;
	entry = bpf_map_lookup_elem(&ios_waits, &number);
	if (!entry) {
		bpf_map_update_elem(&ios_waits, &number, &fresh, BPF_NOEXIST);
		entry = bpf_map_lookup_elem(&ios_waits, &number);
		if (!entry)
			return;
	}
	__sync_fetch_and_add(&entry->count, 1);
	__sync_fetch_and_add(&entry->total_ns, waited);
	if (waited > entry->longest_ns)
		entry->longest_ns = waited;
	if (entry->nr_marks >= SCOPE_WAIT_MARKS)
		return;
	slot = __sync_fetch_and_add(&entry->nr_marks, 1);
	if (slot >= SCOPE_WAIT_MARKS)
		return;
	mark = &entry->marks[slot];
	mark->start_ns = start_ns;
	mark->wait_ns = wait_ns;
	mark->operation = operation;
	mark->tgid = scope_pid_tgid() >> 32;
	bpf_get_current_comm(mark->comm, sizeof(mark->comm));
}

static __always_inline void waited(const OP *op, __u32 operation, __u64 own)
{
	struct turns *turns;

	/* most operations do not wait */
	if (op->phase_ns[SCOPE_PHASE_wait] < SCOPE_WAITED_NS)
		return;
	turns = turns_of(op->ctx_id);
	if (turns->ctx == op->ctx_id)
		note_wait(op, operation, turns, own);
}

#endif
