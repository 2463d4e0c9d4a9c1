/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of finished operations that a consumer gets: an OP or a VFIO_OP.
 *
 * A consumer (latency.bpf.c, operations.bpf.c) knows no source.  It defines, as static
 * __always_inline functions,
 *
 *	int finished_memory(const OP *op, __u32 operation)
 *	int finished_translation(const OP *op, __u32 operation)
 *	int finished_object(const OP *op, __u32 operation)
 *	int finished_vfio(const VFIO_OP *op, __u32 operation)
 *
 * With NEEDS_SPACE, NEEDS_REASON and NEEDS_BEGIN it declares whether it needs the address space of
 * an operation, the reason of a failure, and the objects of an operation already at its start.  For
 * probed sources it also defines
 *
 *	void began(const struct op_slot *slot)
 *	void vfio_began(const struct vfio_call *call)
 *
 * It is compiled twice.  For our modules (sources/own.bpf.h) a record is the kernel's own, read in
 * place with CO-RE.  For probed sources (SCOPE_PROBED, sources/probed.bpf.h) the record is
 * assembled in BPF memory and has the same member names, so it needs no type that only our modules
 * have.
 *
 * Both objects have the same maps and the same variables in .bss: the tool loads the second object
 * with the maps of the first, and reads one set.  Variables of a single source are in sections of
 * their own.
 */
#ifndef IOMMUSCOPE_BPF_RECORD_BPF_H
#define IOMMUSCOPE_BPF_RECORD_BPF_H

#include "bpf/slots.h"

#ifdef SCOPE_PROBED

#define OP struct probed_op
#define VFIO_OP struct probed_vfio_op
#define OP_SOURCE(op) ((op)->source)

#else

#define OP struct iommufd_op
#define VFIO_OP struct vfio_op
#define OP_SOURCE(op) SCOPE_SOURCE_OWN

#endif

/* Classifies operations by what they do, independent of the source. */
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
