/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling in a struct scope_record from what the kernel tells of a finished operation.
 *
 * Each function sets all that records of its class have, the phases included; what lies behind
 * that is not touched.
 */
#ifndef IOMMUSCOPE_BPF_RECORD_BPF_H
#define IOMMUSCOPE_BPF_RECORD_BPF_H

#include "bpf/operations.h"

static __always_inline void fill_task(struct scope_record *record, __u32 operation)
{
	__u64 id = bpf_get_current_pid_tgid();

	record->cgroup = bpf_get_current_cgroup_id();
	record->tgid = id >> 32;
	record->tid = (__u32)id;
	record->uid = (__u32)bpf_get_current_uid_gid();
	record->operation = operation;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* What all operations of a subsystem have in common, by the same names. */
#define FILL_OUTCOME(record, op)                                                                   \
	do {                                                                                       \
		(record)->start_ns = (op)->clock.start_ns;                                         \
		(record)->dur_ns = (op)->clock.dur_ns;                                             \
		(record)->value = (op)->value;                                                     \
		(record)->reason_a = (op)->clock.reason_a;                                         \
		(record)->reason_b = (op)->clock.reason_b;                                         \
		(record)->ret = (op)->clock.ret;                                                   \
		(record)->reason = (op)->clock.reason;                                             \
		(record)->flags = (op)->flags;                                                     \
		(record)->device_id = (op)->device_id;                                             \
		(record)->length = (op)->length;                                                   \
	} while (0)

static __always_inline void fill_common(struct scope_record *record, const struct iommufd_op *op,
					__u32 operation)
{
	fill_task(record, operation);
	FILL_OUTCOME(record, op);
	record->ctx = op->ctx_id;
	record->object_type = op->object_type;
	record->object_id = op->object_id;
	record->ioas = op->ioas_id;
	record->src_ioas = op->src_ioas_id;
	record->index = 0;
	record->iova = op->iova;
	record->user_va = op->user_va;
	record->pages = op->pages;
	record->extents = op->extents;
}

static __always_inline void fill_object(struct scope_record *record, const struct iommufd_op *op,
					__u32 operation)
{
	fill_common(record, op, operation);
	record->phase_ns[SCOPE_PHASE_wait] = op->phase_ns[SCOPE_PHASE_wait];
}

static __always_inline void fill_memory(struct scope_record *record, const struct iommufd_op *op,
					__u32 operation)
{
	int i;

	fill_common(record, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		record->phase_ns[i] = op->phase_ns[i];
}

static __always_inline void fill_translation(struct scope_record *record,
					     const struct iommufd_op *op, __u32 operation)
{
	int i;

	fill_common(record, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_FIRST_VFIO_PHASE; i++)
		record->phase_ns[i] = op->phase_ns[i];
#pragma unroll
	for (; i < SCOPE_NR_PHASES; i++)
		record->phase_ns[i] = 0;
	record->hwpt = op->hwpt_id;
	record->old_hwpt = op->old_hwpt_id;
	record->old_ioas = op->old_ioas_id;
	record->group = op->group_id;
	record->devices = op->devices;
	record->start = 0;
	bpf_probe_read_kernel(record->device, sizeof(record->device), op->device);
	bpf_probe_read_kernel(record->driver, sizeof(record->driver), op->iommu_driver);
}

static __always_inline void fill_vfio(struct scope_record *record, const struct vfio_op *op,
				      __u32 operation)
{
	int i;

	__builtin_memset(record, 0, sizeof(*record));
	fill_task(record, operation);
	FILL_OUTCOME(record, op);
	record->index = op->index;
	record->iova = op->offset;
#pragma unroll
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++)
		record->phase_ns[SCOPE_FIRST_VFIO_PHASE + i] = op->phase_ns[i];
	record->hwpt = op->pt_id;
	record->group = op->group_id;
	record->devices = op->count;
	record->start = op->start;
	bpf_probe_read_kernel(record->device, sizeof(record->device), op->device);
	bpf_probe_read_kernel(record->driver, sizeof(record->driver), op->node);
}

#endif
