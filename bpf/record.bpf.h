/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a consumer is given of a finished operation: an OP, or a VFIO_OP.
 *
 * A consumer (latency.bpf.c, operations.bpf.c) knows no source.  It defines, as static __always_inline
 * functions,
 *
 *	int finished_memory(const OP *op, __u32 operation)
 *	int finished_translation(const OP *op, __u32 operation)
 *	int finished_object(const OP *op, __u32 operation)
 *	int finished_vfio(const VFIO_OP *op, __u32 operation)
 *
 * and is compiled twice.  For our modules (sources/own.bpf.h) a record is the kernel's own, which it reads in place
 * and by CO-RE.  For sources that are probed (SCOPE_PROBED, sources/probed.bpf.h) it is put together here, in BPF's
 * memory, and has the same names; so it needs no type that only our modules have.
 *
 * Both objects have the same maps and the same variables in .bss: the tool loads the second one with those of the
 * first, and reads one set.  What a source has of its own is in sections of its own.
 */
#ifndef IOMMUSCOPE_BPF_RECORD_BPF_H
#define IOMMUSCOPE_BPF_RECORD_BPF_H

#include "bpf/lists.h"

#ifdef SCOPE_PROBED

struct probed_clock {
	__u64 start_ns;
	__u64 dur_ns;
	__u64 reason_a;
	__u64 reason_b;
	__s32 ret;
	__u32 reason;
};

/* A power of two, for the verifier; behind the phases, what is in none. */
#define PROBED_PHASES 16
#define PROBED_NO_PHASE (PROBED_PHASES - 1)
_Static_assert(SCOPE_FIRST_VFIO_PHASE < PROBED_NO_PHASE, "there is room for all phases");

struct probed_op {
	struct probed_clock clock;
	__u64 phase_ns[PROBED_PHASES];
	__u64 iova;
	__u64 length;
	__u64 user_va;
	__u64 pages;
	__u64 extents;
	__u64 value;
	__u32 flags;
	__u32 ctx_id;
	__u32 ioas_id;
	__u32 old_ioas_id;
	__u32 src_ioas_id;
	__u32 hwpt_id;
	__u32 old_hwpt_id;
	__u32 device_id;
	__u32 group_id;
	__u32 devices;
	__u32 object_type;
	__u32 object_id;
	__u32 source;
	__u32 padding;
	char device[SCOPE_DEVICE_LEN];
	char iommu_driver[SCOPE_DRIVER_LEN];
};

struct probed_vfio_op {
	struct probed_clock clock;
	__u64 phase_ns[SCOPE_NR_VFIO_PHASES + 1];
	__u64 value;
	__u64 offset;
	__u64 length;
	__u32 flags;
	__u32 index;
	__u32 start;
	__u32 count;
	__u32 device_id;
	__u32 pt_id;
	__u32 group_id;
	__u32 source;
	char device[SCOPE_DEVICE_LEN];
	char node[SCOPE_DRIVER_LEN];
};

#define OP struct probed_op
#define VFIO_OP struct probed_vfio_op
#define OP_SOURCE(op) ((op)->source)

#else

#define OP struct iommufd_op
#define VFIO_OP struct vfio_op
#define OP_SOURCE(op) SCOPE_SOURCE_OWN

#endif

/* Operations by what they are, whoever serves them. */
static __always_inline bool scope_is_map(__u32 operation)
{
	return operation == SCOPE_OPERATION_iommufd_map || operation == SCOPE_OPERATION_type1_map;
}

static __always_inline bool scope_is_unmap(__u32 operation)
{
	return operation == SCOPE_OPERATION_iommufd_unmap ||
	       operation == SCOPE_OPERATION_type1_unmap;
}

static __always_inline bool scope_is_attach(__u32 operation)
{
	return operation == SCOPE_OPERATION_iommufd_attach ||
	       operation == SCOPE_OPERATION_type1_attach;
}

static __always_inline bool scope_is_detach(__u32 operation)
{
	return operation == SCOPE_OPERATION_iommufd_detach ||
	       operation == SCOPE_OPERATION_type1_detach;
}

#endif
