/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Storage of the slots of slots.h.
 */
#ifndef IOMMUSCOPE_BPF_SLOTS_BPF_H
#define IOMMUSCOPE_BPF_SLOTS_BPF_H

#include "bpf/slots.h"

/*
 * Plain memory, so that an access needs no call.  A consumer includes this file for every source,
 * because its objects share their variables.
 */
struct op_slot ios_slots[SCOPE_SLOTS] = {};

struct slot_here ios_slot_here[SCOPE_SLOT_CPUS] = {};

/* Where to look for an idle slot. */
__u32 next_slot = 0;
/* Operations that found no slot, or whose end was not seen; they are not reported. */
__u64 slots_lost = 0;

static __always_inline struct op_slot *slot_at(__u32 number)
{
	return &ios_slots[number & (SCOPE_SLOTS - 1)];
}

/* The slot of a thread; another thread may own it by now. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4 * SCOPE_SLOTS);
	__type(key, __u64);
	__type(value, __u32);
} ios_slot_of SEC(".maps");

/*
 * Calls of vfio in flight, by the address of the thread.  A call within another one, which a page
 * fault and the end of a session are, has VFIO_INNER added.  LRU: the end of a call may be unseen.
 */
#define VFIO_INNER 1ULL
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4 * SCOPE_SLOTS);
	__type(key, __u64);
	__type(value, struct vfio_call);
} ios_vfio_calls SEC(".maps");

#endif
