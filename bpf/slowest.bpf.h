/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the slowest operations with their stacks.  slowest.h describes the model.
 *
 * An operation ends in the thread that called it, so the stacks are those of the call.
 */
#ifndef IOMMUSCOPE_BPF_SLOWEST_BPF_H
#define IOMMUSCOPE_BPF_SLOWEST_BPF_H

#include "bpf/op.bpf.h"
#include "bpf/slowest.h"

/* Number of operations to keep of each kind. */
const volatile __u32 slowest_kept = 0;

/* The tool increments it. */
__u32 slowest_round = 0;
/* Operations that should have been kept but did not fit in the ring buffer. */
__u64 slowest_lost = 0;

/* The tool sizes both maps if any operations are kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scope_sent);
} ios_slowest_sent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ios_slowest_stacks SEC(".maps");

/* Stores a time in a free slot, or in place of the shortest time. */
static __always_inline void remember_sent(struct scope_sent *sent, __u64 dur_ns)
{
	__u32 place = sent->least, i;

	if (sent->nr < slowest_kept)
		place = sent->nr++;
	if (place >= SCOPE_SLOWEST_MAX)
		return;
	sent->dur_ns[place] = dur_ns;
	sent->least_ns = dur_ns;
	sent->least = place;
	for (i = 0; i < SCOPE_SLOWEST_MAX && i < sent->nr; i++) {
		if (sent->dur_ns[i] < sent->least_ns) {
			sent->least_ns = sent->dur_ns[i];
			sent->least = i;
		}
	}
}

/* Reserves space for an operation to keep, or returns NULL; the caller fills it in. */
static __always_inline struct scope_slow *begin_slow(__u32 operation, __u64 dur_ns)
{
	struct scope_slow *slow;
	struct scope_sent *sent;

	sent = bpf_map_lookup_elem(&ios_slowest_sent, &operation);
	if (!sent)
		return NULL;
	if (sent->round != slowest_round) {
		sent->round = slowest_round;
		sent->nr = 0;
	}
	if (sent->nr >= slowest_kept && dur_ns <= sent->least_ns)
		return NULL;
	slow = bpf_ringbuf_reserve(&ios_slowest_stacks, sizeof(*slow), 0);
	if (!slow) {
		__sync_fetch_and_add(&slowest_lost, 1);
		return NULL;
	}
	remember_sent(sent, dur_ns);
	slow->round = sent->round;
	return slow;
}

static __always_inline void end_slow(struct scope_slow *slow)
{
	struct task_struct *task = bpf_get_current_task_btf();

	slow->process_start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	slow->kernel_bytes = bpf_get_task_stack(task, slow->kernel, sizeof(slow->kernel), 0);
	slow->user_bytes = bpf_get_task_stack(task, slow->user, sizeof(slow->user),
					      BPF_F_USER_STACK);
	slow->padding = 0;
	bpf_ringbuf_submit(slow, 0);
}

#define KEEP_SLOW(class, op, operation)                                                            \
	do {                                                                                       \
		struct scope_slow *slow = begin_slow(operation, (op)->clock.dur_ns);               \
                                                                                                   \
		if (slow) {                                                                        \
			fill_##class(&slow->finished, op, operation);                          \
			end_slow(slow);                                                            \
		}                                                                                  \
	} while (0)

#endif
