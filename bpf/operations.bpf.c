// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finished operations, one record each, into a ring buffer.
 *
 * The events of a class share one function.  The reader is woken once a good part of the buffer
 * is full and looks by itself now and then, so that a record costs no wake-up.  A record that
 * finds no room is counted in @lost.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "operations.h"
#include "filter.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Wake the reader at this many bytes. */
#define WAKE_AT (256 * 1024)

const volatile bool errors_only = false;
const volatile __u64 slower_ns = 0;
/* A bit for each enum scope_operation that is wanted. */
const volatile __u64 wanted = ~0ULL;

__u64 lost = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} records SEC(".maps");

static __always_inline bool interesting(const struct iommufd_op *op, __u32 operation)
{
	if (!(wanted & 1ULL << operation))
		return false;
	if (errors_only && op->ret >= 0)
		return false;
	return op->dur_ns >= slower_ns;
}

static __always_inline void fill_common(struct scope_record *record, const struct iommufd_op *op,
					__u32 operation)
{
	__u64 id = bpf_get_current_pid_tgid();

	record->start_ns = op->start_ns;
	record->dur_ns = op->dur_ns;
	record->cgroup = bpf_get_current_cgroup_id();
	record->value = op->value;
	record->reason_a = op->reason_a;
	record->reason_b = op->reason_b;
	record->tgid = id >> 32;
	record->tid = (__u32)id;
	record->uid = (__u32)bpf_get_current_uid_gid();
	record->operation = operation;
	record->ret = op->ret;
	record->reason = op->reason;
	record->flags = op->flags;
	record->ctx = op->ctx_id;
	record->object_type = op->object_type;
	record->object_id = op->object_id;
	record->ioas = op->ioas_id;
	record->src_ioas = op->src_ioas_id;
	record->device_id = op->device_id;
	record->pad = 0;
	record->iova = op->iova;
	record->length = op->length;
	record->user_va = op->user_va;
	record->pages = op->pages;
	record->extents = op->extents;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
}

static __always_inline void submit(struct scope_record *record)
{
	__u64 waiting = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA);

	bpf_ringbuf_submit(record, waiting >= WAKE_AT ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline int finished_object(const struct iommufd_op *op, __u32 operation)
{
	struct scope_record *record;

	if (!scope_filter_object(op) || !interesting(op, operation))
		return 0;
	record = bpf_ringbuf_reserve(&records, SCOPE_OBJECT_RECORD, 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	fill_common(record, op, operation);
	record->phase_ns[SCOPE_PHASE_wait] = op->phase_ns[SCOPE_PHASE_wait];
	submit(record);
	return 0;
}

static __always_inline int finished_memory(const struct iommufd_op *op, __u32 operation)
{
	struct scope_record *record;
	int i;

	if (!scope_filter_memory(op) || !interesting(op, operation))
		return 0;
	record = bpf_ringbuf_reserve(&records, SCOPE_MEMORY_RECORD, 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	fill_common(record, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		record->phase_ns[i] = op->phase_ns[i];
	submit(record);
	return 0;
}

static __always_inline int finished_translation(const struct iommufd_op *op, __u32 operation)
{
	struct scope_record *record;
	int i;

	if (!scope_filter_translation(op, operation) || !interesting(op, operation))
		return 0;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	fill_common(record, op, operation);
#pragma unroll
	for (i = 0; i < SCOPE_NR_PHASES; i++)
		record->phase_ns[i] = op->phase_ns[i];
	record->hwpt = op->hwpt_id;
	record->old_hwpt = op->old_hwpt_id;
	record->old_ioas = op->old_ioas_id;
	record->group = op->group_id;
	record->devices = op->devices;
	record->pad2 = 0;
	bpf_probe_read_kernel(record->device, sizeof(record->device), op->device);
	bpf_probe_read_kernel(record->driver, sizeof(record->driver), op->iommu_driver);
	submit(record);
	return 0;
}

#define PROGRAM(class, name)                                                                       \
	SEC("tp_btf/iommufd_" #name)                                                               \
	int BPF_PROG(iommufd_##name, const struct iommufd_op *op)                                  \
	{                                                                                          \
		(void)ctx;                                                                         \
		/* the verifier thinks that any argument of a tracepoint may be NULL */            \
		return op ? finished_##class(op, SCOPE_OPERATION_iommufd_##name) : 0;              \
	}
#define MEMORY_PROGRAM(name) PROGRAM(memory, name)
#define TRANSLATION_PROGRAM(name) PROGRAM(translation, name)
#define OBJECT_PROGRAM(name) PROGRAM(object, name)

IOMMUFD_MEMORY_OPERATIONS(MEMORY_PROGRAM)
IOMMUFD_TRANSLATION_OPERATIONS(TRANSLATION_PROGRAM)
IOMMUFD_OBJECT_OPERATIONS(OBJECT_PROGRAM)
