// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of iommufd's state.  state_walk.h describes the model; the iterators belong to the module.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/state_walk.h"

char LICENSE[] SEC("license") = "GPL";

/* State that the module's iterators keep on the stack. */
struct iterator {
	__u64 opaque[1];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SCOPE_STATE_SLOTS);
	__type(key, __u32);
	__type(value, char[SCOPE_STATE_SLOT]);
} ios_slots SEC(".maps");

/* Copies a record, whose first member is its size.  Returns whether there was a slot for it. */
static __always_inline bool copy(struct scope_state_walk *walk, const void *record)
{
	__u32 index = walk->nr, size;
	void *slot = bpf_map_lookup_elem(&ios_slots, &index);

	if (!slot) {
		walk->full = 1;
		return false;
	}
	if (bpf_probe_read_kernel(&size, sizeof(size), record))
		return false;
	if (size > SCOPE_STATE_SLOT)
		size = SCOPE_STATE_SLOT;
	if (bpf_probe_read_kernel(slot, size, record))
		return false;
	walk->nr = index + 1;
	return true;
}

/* The functions of an iterator; those that take fewer arguments ignore the rest. */
#define KFUNC(name) ((void *)(SCOPE_KFUNC_BASE + SCOPE_KFUNC_##name))

#define WALK(name)                                                                          \
	static int (*const name##_new)(struct iterator *it, __u32 ctx, __u32 object,        \
				       __u64 iova) = KFUNC(name##_new);                     \
	static const void *(*const name##_next)(struct iterator *it) = KFUNC(name##_next);  \
	static void (*const name##_destroy)(struct iterator *it) = KFUNC(name##_destroy);   \
                                                                                            \
	static __always_inline int walk_##name(struct scope_state_walk *walk)               \
	{                                                                                   \
		struct iterator it;                                                         \
		const void *record;                                                         \
		int err;                                                                    \
                                                                                            \
		err = name##_new(&it, walk->ctx, walk->object, walk->iova);                 \
		while ((record = name##_next(&it)))                                         \
			if (!copy(walk, record))                                            \
				break;                                                      \
		name##_destroy(&it);                                                        \
		return err;                                                                 \
	}
SCOPE_STATE_ITERATORS(WALK)

SEC(SCOPE_STATE_SECTION)
int ios_state(struct scope_state_walk *walk)
{
	/* one program for all kinds, so that only one must be loaded */
	switch (walk->kind) {
#define CASE(name)               \
	case SCOPE_STATE_##name: \
		return walk_##name(walk);
		SCOPE_STATE_ITERATORS(CASE)
#undef CASE
	}
	return 0;
}
