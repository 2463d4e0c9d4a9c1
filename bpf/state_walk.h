/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the state of iommufd comes to user space.
 *
 * User space runs a program with a struct scope_state_walk: it copies records of one kind, from a
 * place on, into the slots of an array that user space has mapped.  The records are the kernel's,
 * bytes as they are (iommufd_state.h); each tells its size.  When the slots are full user space
 * takes them and runs the program again, behind the last record.
 */
#ifndef IOMMUSCOPE_BPF_STATE_WALK_H
#define IOMMUSCOPE_BPF_STATE_WALK_H

#include "types.h"

/* Room for any record, IOMMUFD_STATE_MAX_SIZE. */
#define SCOPE_STATE_SLOT 256
#define SCOPE_STATE_SLOTS 4096

/**
 * struct scope_state_walk - what a program is to copy, and what it did
 * @ctx: number of the context to begin with
 * @object: id of the object, or of the IOAS
 * @iova: IOVA of the area
 * @nr: set to how many slots it filled
 * @full: set if there was no slot for the next record
 */
struct scope_state_walk {
	__u32 ctx;
	__u32 object;
	__u64 iova;
	__u32 nr;
	__u32 full;
};

#endif
