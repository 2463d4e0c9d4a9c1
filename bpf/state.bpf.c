// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of iommufd's state.  state_walk.h tells the model; the iterators are the module's.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "state_walk.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SCOPE_STATE_SLOTS);
	__type(key, __u32);
	__type(value, char[SCOPE_STATE_SLOT]);
} slots SEC(".maps");

/* Copy a record, which begins with its size.  Return whether there was a slot for it. */
static __always_inline bool copy(struct scope_state_walk *walk, const void *record)
{
	__u32 index = walk->nr, size;
	void *slot = bpf_map_lookup_elem(&slots, &index);

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

/* The program NAMEs that copies struct iommufd_state_NAME, from where the arguments tell. */
#define PROGRAM(name, ...)                                                                         \
	extern int bpf_iter_iommufd_##name##_new(struct bpf_iter_iommufd_##name *it,               \
						 PARAMETERS_##name) __ksym;                        \
	extern struct iommufd_state_##name *                                                       \
	bpf_iter_iommufd_##name##_next(struct bpf_iter_iommufd_##name *it) __ksym;                 \
	extern void bpf_iter_iommufd_##name##_destroy(struct bpf_iter_iommufd_##name *it) __ksym;  \
                                                                                                   \
	SEC("syscall")                                                                             \
	int state_##name(struct scope_state_walk *walk)                                            \
	{                                                                                          \
		struct bpf_iter_iommufd_##name it;                                                 \
		const void *record;                                                                \
		int err;                                                                           \
                                                                                                   \
		err = bpf_iter_iommufd_##name##_new(&it, __VA_ARGS__);                             \
		while ((record = bpf_iter_iommufd_##name##_next(&it)))                             \
			if (!copy(walk, record))                                                   \
				break;                                                             \
		bpf_iter_iommufd_##name##_destroy(&it);                                            \
		return err;                                                                        \
	}

#define PARAMETERS_ctx __u32 ctx_id
#define PARAMETERS_device __u32 ctx_id, __u32 object_id
#define PARAMETERS_hwpt __u32 ctx_id, __u32 object_id
#define PARAMETERS_ioas __u32 ctx_id, __u32 object_id
#define PARAMETERS_access __u32 ctx_id, __u32 object_id
#define PARAMETERS_area __u32 ctx_id, __u32 ioas_id, __u64 iova

PROGRAM(ctx, walk->ctx)
PROGRAM(device, walk->ctx, walk->object)
PROGRAM(hwpt, walk->ctx, walk->object)
PROGRAM(ioas, walk->ctx, walk->object)
PROGRAM(access, walk->ctx, walk->object)
PROGRAM(area, walk->ctx, walk->object, walk->iova)
