/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fills in a struct scope_op from the record of a finished operation.
 *
 * Each function sets the members that all records of its class have, including the phases; it does
 * not touch the members after them.
 */
#ifndef IOMMUSCOPE_BPF_OP_BPF_H
#define IOMMUSCOPE_BPF_OP_BPF_H

#include "bpf/operations.h"
#include "bpf/kernel/pids.bpf.h"
#include "bpf/record.bpf.h"

static __always_inline void fill_task(struct scope_op *to, __u32 operation)
{
	__u64 id = scope_pid_tgid();

	to->cgroup = bpf_get_current_cgroup_id();
	to->tgid = id >> 32;
	to->tid = (__u32)id;
	to->uid = (__u32)bpf_get_current_uid_gid();
	to->operation = operation;
	bpf_get_current_comm(to->comm, sizeof(to->comm));
}

/* Members that all operations of a subsystem share, under the same names. */
#define FILL_OUTCOME(record, op)                                                                   \
	do {                                                                                       \
		(record)->start_ns = (op)->clock.start_ns;                                         \
		(record)->dur_ns = (op)->clock.dur_ns;                                             \
		(record)->value = (op)->value;                                                     \
		(record)->reason_a = (op)->clock.reason_a;                                         \
		(record)->reason_b = (op)->clock.reason_b;                                         \
		(record)->source = OP_SOURCE(op);                                                  \
		(record)->padding = 0;                                                             \
		(record)->ret = (op)->clock.ret;                                                   \
		(record)->reason = (op)->clock.reason;                                             \
		(record)->flags = (op)->flags;                                                     \
		(record)->device_id = (op)->device_id;                                             \
		(record)->length = (op)->length;                                                   \
	} while (0)

static __always_inline void fill_common(struct scope_op *to, const OP *op,
					__u32 operation)
{
	fill_task(to, operation);
	FILL_OUTCOME(to, op);
	to->ctx = op->ctx_id;
	to->object_type = op->object_type;
	to->object_id = op->object_id;
	to->ioas = op->ioas_id;
	to->src_ioas = op->src_ioas_id;
	to->index = 0;
	to->iova = op->iova;
	to->user_va = op->user_va;
	to->pages = op->pages;
	to->extents = op->extents;
}

static __always_inline void fill_object(struct scope_op *to, const OP *op,
					__u32 operation)
{
	fill_common(to, op, operation);
	to->phase_ns[SCOPE_PHASE_wait] = op->phase_ns[SCOPE_PHASE_wait];
}

static __always_inline void fill_memory(struct scope_op *to, const OP *op,
					__u32 operation)
{
	int i;

	fill_common(to, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		to->phase_ns[i] = op->phase_ns[i];
}

static __always_inline void fill_translation(struct scope_op *to,
					     const OP *op, __u32 operation)
{
	int i;

	fill_common(to, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_FIRST_VFIO_PHASE; i++)
		to->phase_ns[i] = op->phase_ns[i];
#pragma unroll
	for (; i < SCOPE_NR_PHASES; i++)
		to->phase_ns[i] = 0;
	to->hwpt = op->hwpt_id;
	to->old_hwpt = op->old_hwpt_id;
	to->old_ioas = op->old_ioas_id;
	to->group = op->group_id;
	to->devices = op->devices;
	to->start = 0;
	bpf_probe_read_kernel(to->device, sizeof(to->device), op->device);
	bpf_probe_read_kernel(to->driver, sizeof(to->driver), op->iommu_driver);
}

static __always_inline void fill_vfio(struct scope_op *to, const VFIO_OP *op,
				      __u32 operation)
{
	int i;

	__builtin_memset(to, 0, sizeof(*to));
	fill_task(to, operation);
	FILL_OUTCOME(to, op);
	to->index = op->index;
	to->iova = op->offset;
#pragma unroll
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++)
		to->phase_ns[SCOPE_FIRST_VFIO_PHASE + i] = op->phase_ns[i];
	to->hwpt = op->pt_id;
	to->group = op->group_id;
	to->devices = op->count;
	to->start = op->start;
	bpf_probe_read_kernel(to->device, sizeof(to->device), op->device);
	bpf_probe_read_kernel(to->driver, sizeof(to->driver), op->node);
}

#endif
