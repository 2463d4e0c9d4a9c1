// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of the modules' records, for kernels where the modules have no BTF.  Nothing of this
 * is loaded; tools/observe/op_layout.c takes the types from its BTF.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

/* A map for each, because a variable would need its type in the skeleton. */
#define LAYOUT(name)                                                                               \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, struct name);                                                        \
	} name##_layout SEC(".maps")

LAYOUT(iommufd_op);
LAYOUT(vfio_op);
