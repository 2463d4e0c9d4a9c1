/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements in flight, and the ring buffer for reports.
 *
 * A replacement runs in one thread, from its start event to the event of its end.  In between, the
 * thread owns one of the @slots, in which the probes below record what they see of each device.
 * These probes delay the device's DMA.  A slot is therefore found from the address of the thread
 * with a few instructions and without a map lookup, only the device's address is read, and the
 * event of the end does everything else.
 *
 * The first word of a slot is its owner, claimed with compare-and-swap; the rest belongs to that
 * thread.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_SLOTS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_SLOTS_BPF_H

#include "bpf/replace.h"

/* Replacements that did not fit in the ring buffer or found no slot. */
__u64 lost = 0;
/* Faults that did not fit in the ring buffer. */
__u64 faults_lost = 0;
/* Faults that any AMD IOMMU has reported; an IOMMU that never reports one may not be able to. */
__u64 amd_faults_reported = 0;

/* Observations of a device that moves; the names are those of struct scope_replacement. */
struct move {
	__u64 device;
	__u64 window_start_ns;
	__u64 window_ns;
	__u64 first_end_ns;
	__u64 last_start_ns;
	__u64 last_end_ns;
	__u32 windows;
	__u32 open;
	__u32 moves;
	__s32 ret;
};

struct running {
	__u64 task;
	__u64 number;
	__u32 nr;
	/* index of the device that is moving, of @nr */
	__u32 at;
	struct move moves[SCOPE_GROUP_DEVICES];
};

#define RUN_SLOT_BITS 7
#define RUN_SLOTS (1 << RUN_SLOT_BITS)

/*
 * The last two replacements of a context: an operation that waited for the first may end after the
 * second has started.
 */
struct turn {
	__u64 number;
	__u64 start_ns;
	__u64 end_ns;
};

struct turns {
	__u64 ctx;
	struct turn last;
	struct turn before;
};

/* Contexts are numbered consecutively, so two contexts rarely share an entry here. */
#define CONTEXTS 256

/*
 * @slots: see above
 * @contexts: by the number of the context, modulo the size of the array
 * @last_number: number of the last replacement
 *
 * One variable, so that both objects that are built from replace.bpf.c have the same layout.
 */
static struct {
	struct running slots[RUN_SLOTS];
	struct turns contexts[CONTEXTS];
	__u64 last_number;
} following;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ios_sent SEC(".maps");

/* One of the two slots that a thread may use. */
static __always_inline struct running *slot_of(__u64 task, __u32 second)
{
	__u64 first = task * 0x9e3779b97f4a7c15ULL >> (64 - RUN_SLOT_BITS);

	return &following.slots[(first ^ second) & (RUN_SLOTS - 1)];
}

/* The replacement of this thread, or NULL. */
static __always_inline struct running *running(void)
{
	__u64 task = bpf_get_current_task();
	struct running *run = slot_of(task, 0);

	if (run->task == task)
		return run;
	run = slot_of(task, 1);
	return run->task == task ? run : NULL;
}

/* Claims a slot for this thread; setting @task to 0 releases it. */
static __always_inline struct running *run_begins(void)
{
	struct running *run = running();
	__u64 task = bpf_get_current_task();

	if (!run) {
		run = slot_of(task, 0);
		if (__sync_val_compare_and_swap(&run->task, 0, task)) {
			run = slot_of(task, 1);
			if (__sync_val_compare_and_swap(&run->task, 0, task)) {
				__sync_fetch_and_add(&lost, 1);
				return NULL;
			}
		}
	}
	run->number = __sync_fetch_and_add(&following.last_number, 1) + 1;
	run->nr = 0;
	run->at = 0;
	run->moves[0].device = 0;
	return run;
}

/* The record of a device in the replacement of this thread; NULL if the thread is in none. */
static __always_inline struct move *moving(__u64 dev)
{
	struct running *run = running();
	struct move *move;
	__u32 i;

	if (!run || !dev)
		return NULL;
	move = &run->moves[run->at & (SCOPE_GROUP_DEVICES - 1)];
	if (move->device == dev)
		return move;
	for (i = 0; i < SCOPE_GROUP_DEVICES && i < run->nr; i++) {
		if (run->moves[i].device == dev) {
			run->at = i;
			return &run->moves[i];
		}
	}
	if (run->nr >= SCOPE_GROUP_DEVICES) {
		__sync_fetch_and_add(&lost, 1);
		return NULL;
	}
	run->at = run->nr++;
	move = &run->moves[run->at & (SCOPE_GROUP_DEVICES - 1)];
	__builtin_memset(move, 0, sizeof(*move));
	move->device = dev;
	return move;
}

static __always_inline void device_name(const struct device *dev, char *name)
{
	const char *given = BPF_CORE_READ(dev, init_name);

	if (!given)
		given = BPF_CORE_READ(dev, kobj.name);
	bpf_probe_read_kernel_str(name, SCOPE_DEVICE_LEN, given);
}

#endif
