// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacements, and what they did to DMA.  replace.h tells the model.
 *
 * The event of the begin puts a struct running under the thread's id.  In this thread then run the IOMMU
 * core, once for each device of the group, and below it the IOMMU driver; what is seen of them goes into
 * the device's record in @live.  The event of the end completes the records.  Faults come from
 * interrupts, at any time, and find their record by the device; operations that waited find their replacement by
 * the context.
 *
 * The tool loads of the probes those whose function this kernel has.  Whatever is missing leaves its mark
 * out of the record, and a record without marks claims nothing.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* A probe names all arguments of its function up to the one that it wants. */
#pragma clang diagnostic ignored "-Wunused-parameter"

#include "filter.bpf.h"
#include "replace.h"
#include "replace_records.bpf.h"
#include "replace_waits.bpf.h"
#include "replace_windows.bpf.h"
#include "replace_faults.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/iommufd_replace_start")
int BPF_PROG(replace_start, const struct iommufd_op *op)
{
	struct running *run;

	if (!op || (filter_ctx && op->ctx_id != filter_ctx) || !scope_filter_task())
		return 0;
	run = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				   BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!run) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	run->number = __sync_fetch_and_add(&last_number, 1) + 1;
	run->start_ns = op->start_ns;
	run->nr_keys = 0;
	run->ctx = op->ctx_id;
	bpf_probe_read_kernel(run->device, sizeof(run->device), op->device);
	turn_begins(run->ctx, run->number, run->start_ns);
	return 0;
}

static __always_inline void complete(struct scope_replacement *record, const struct iommufd_op *op)
{
	__u64 id = bpf_get_current_pid_tgid();

	record->start_ns = op->start_ns;
	record->dur_ns = op->dur_ns;
	record->phase_ns[SCOPE_REPLACE_wait] = op->phase_ns[SCOPE_PHASE_wait];
	record->phase_ns[SCOPE_REPLACE_check] = op->phase_ns[SCOPE_PHASE_check];
	record->phase_ns[SCOPE_REPLACE_alloc] = op->phase_ns[SCOPE_PHASE_alloc];
	record->phase_ns[SCOPE_REPLACE_fill] = op->phase_ns[SCOPE_PHASE_fill];
	record->phase_ns[SCOPE_REPLACE_switch] = op->phase_ns[SCOPE_PHASE_switch];
	record->phase_ns[SCOPE_REPLACE_drop] = op->phase_ns[SCOPE_PHASE_drop];
	record->ret = op->ret;
	record->reason = op->reason;
	record->reason_a = op->reason_a;
	record->reason_b = op->reason_b;
	record->ctx = op->ctx_id;
	record->device_id = op->device_id;
	record->group = op->group_id;
	record->devices = op->devices;
	record->hwpt = op->hwpt_id;
	record->old_hwpt = op->old_hwpt_id;
	record->ioas = op->ioas_id;
	record->old_ioas = op->old_ioas_id;
	record->tgid = id >> 32;
	record->tid = (__u32)id;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_probe_read_kernel(record->iommu_driver, sizeof(record->iommu_driver), op->iommu_driver);
	if (record->opened_ns) {
		record->window_ns += bpf_ktime_get_ns() - record->opened_ns;
		record->flags |= SCOPE_REPLACEMENT_BLOCKED;
	}
	record->opened_ns = 0;
	record->flags |= SCOPE_REPLACEMENT_OVER;
}

/* No device was seen moving: it was refused, nothing was to be done, or the core cannot be traced. */
static __always_inline void send_unmoved(const struct iommufd_op *op, __u64 number)
{
	struct scope_replacement *record;

	if (filter_by_device && !scope_is_device(op->device))
		return;
	__sync_fetch_and_add(&begun, 1);
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__builtin_memset(record, 0, sizeof(*record));
	complete(record, op);
	record->number = number;
	record->named = 1;
	bpf_probe_read_kernel(record->device, sizeof(record->device), op->device);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void replaced(const struct iommufd_op *op)
{
	struct scope_replacement *record;
	struct running *run = running();
	__u32 i;
	__u64 key;

	if (!run) {
		/* it was refused before it had begun, or is none of those asked for */
		if ((!filter_ctx || op->ctx_id == filter_ctx) && scope_filter_task() && op->ret)
			send_unmoved(op, __sync_fetch_and_add(&last_number, 1) + 1);
		return;
	}
	for (i = 0; i < SCOPE_GROUP_DEVICES; i++) {
		if (i >= run->nr_keys)
			break;
		key = run->keys[i];
		record = bpf_map_lookup_elem(&live, &key);
		if (record && record->number == run->number)
			complete(record, op);
	}
	if (!run->nr_keys)
		send_unmoved(op, run->number);
	turn_ends(run->ctx, run->number, op->start_ns + op->dur_ns);
	run->number = 0;
}

SEC("tp_btf/iommufd_replace")
int BPF_PROG(replace_end, const struct iommufd_op *op)
{
	struct running *run = running();

	if (!op)
		return 0;
	/* what waits for one replacement may be another */
	finished(op, run ? run->number : 0);
	replaced(op);
	return 0;
}
