/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transfer of iommufd's state to user space.
 *
 * User space runs a program with a struct scope_state_walk.  The program copies records of one
 * kind, from a given position on, into the slots of an array that user space has mapped.  The
 * records are byte copies of the kernel's (iommufd_state.h); each contains its size.  When the
 * slots are full, user space reads them and runs the program again, starting after the last record.
 */
#ifndef IOMMUSCOPE_BPF_STATE_WALK_H
#define IOMMUSCOPE_BPF_STATE_WALK_H

#include "bpf/types.h"

/*
 * The programs call the module's iterators: bpf_iter_iommufd_NAME_new(), _next() and _destroy().  A
 * program calls the number SCOPE_KFUNC_BASE + enum scope_kfunc as if it were a helper, and the tool
 * inserts the function when it loads the program.  libbpf would search and index the BTF of the
 * whole kernel for these functions, which takes several times as long as copying the state.
 */
#define SCOPE_STATE_ITERATORS(ITERATOR) \
	ITERATOR(ctx)                   \
	ITERATOR(device)                \
	ITERATOR(hwpt)                  \
	ITERATOR(ioas)                  \
	ITERATOR(access)                \
	ITERATOR(area)

enum scope_state_kind {
#define SCOPE_STATE_ENUM(name) SCOPE_STATE_##name,
	SCOPE_STATE_ITERATORS(SCOPE_STATE_ENUM)
#undef SCOPE_STATE_ENUM
};

#define SCOPE_KFUNC_BASE 0x10000

enum scope_kfunc {
#define SCOPE_KFUNC_ENUM(name) \
	SCOPE_KFUNC_##name##_new, SCOPE_KFUNC_##name##_next, SCOPE_KFUNC_##name##_destroy,
	SCOPE_STATE_ITERATORS(SCOPE_KFUNC_ENUM)
#undef SCOPE_KFUNC_ENUM
		SCOPE_NR_KFUNCS,
};

/* The section of programs that call them; apart from that they are like those of SEC("syscall"). */
#define SCOPE_STATE_SECTION "iommufd_state"

/* Space for any record, IOMMUFD_STATE_MAX_SIZE. */
#define SCOPE_STATE_SLOT 256
#define SCOPE_STATE_SLOTS 4096

/**
 * struct scope_state_walk - the request to a program, and its result
 * @kind: enum scope_state_kind
 * @ctx: number of the context to start with
 * @object: id of the object, or of the IOAS
 * @iova: IOVA of the area
 * @nr: out: number of slots filled
 * @full: out: there was no slot for the next record
 * @padding: 0
 */
struct scope_state_walk {
	__u32 kind;
	__u32 ctx;
	__u32 object;
	__u32 nr;
	__u64 iova;
	__u32 full;
	__u32 padding;
};

#endif
