// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one record for each finished operation to a ring buffer.
 *
 * The events of a class share one function.  The reader is woken when a large part of the buffer is
 * full, and otherwise polls from time to time, so that a single record costs no wake-up.  A record
 * that does not fit is counted in @lost.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/operations.h"
#include "bpf/filter.bpf.h"
#include "bpf/op.bpf.h"
#include "bpf/slots.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Wake the reader at this many bytes. */
#define WAKE_AT (256 * 1024)

const volatile bool errors_only = false;
const volatile __u64 slower_ns = 0;
/* Send starts as well. */
const volatile bool begins = false;
/* One bit for each enum scope_operation to send. */
const volatile __u64 wanted = ~0ULL;
/*
 * One bit for each operation that is sent even if it neither failed nor was slow, as long as half
 * of the buffer stays free for those that were.
 */
const volatile __u64 always = 0;

__u64 lost = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} ios_sent SEC(".maps");

static __always_inline bool interesting(__u32 operation, __s32 ret, __u64 dur_ns)
{
	if (!(wanted & 1ULL << operation))
		return false;
	if ((!errors_only || ret < 0) && dur_ns >= slower_ns)
		return true;
	if (!(always & 1ULL << operation))
		return false;
	if (bpf_ringbuf_query(&ios_sent, BPF_RB_AVAIL_DATA) <
	    bpf_ringbuf_query(&ios_sent, BPF_RB_RING_SIZE) / 2)
		return true;
	__sync_fetch_and_add(&lost, 1);
	return false;
}

static __always_inline struct scope_op *reserve(__u64 size)
{
	struct scope_op *to = bpf_ringbuf_reserve(&ios_sent, size, 0);

	if (!to)
		__sync_fetch_and_add(&lost, 1);
	return to;
}

static __always_inline void submit(struct scope_op *to)
{
	__u64 waiting = bpf_ringbuf_query(&ios_sent, BPF_RB_AVAIL_DATA);

	bpf_ringbuf_submit(to, waiting >= WAKE_AT ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline int finished_object(const OP *op, __u32 operation)
{
	struct scope_op *to;

	if (!scope_filter_object(op) || !interesting(operation, op->clock.ret, op->clock.dur_ns))
		return 0;
	to = reserve(SCOPE_OBJECT_RECORD);
	if (!to)
		return 0;
	fill_object(to, op, operation);
	submit(to);
	return 0;
}

static __always_inline int finished_memory(const OP *op, __u32 operation)
{
	struct scope_op *to;

	if (!scope_filter_memory(op) || !interesting(operation, op->clock.ret, op->clock.dur_ns))
		return 0;
	to = reserve(SCOPE_MEMORY_RECORD);
	if (!to)
		return 0;
	fill_memory(to, op, operation);
	submit(to);
	return 0;
}

static __always_inline int finished_translation(const OP *op, __u32 operation)
{
	struct scope_op *to;

	if (!scope_filter_translation(op, operation) ||
	    !interesting(operation, op->clock.ret, op->clock.dur_ns))
		return 0;
	to = reserve(sizeof(*to));
	if (!to)
		return 0;
	fill_translation(to, op, operation);
	submit(to);
	return 0;
}

static __always_inline int finished_vfio(const VFIO_OP *op, __u32 operation)
{
	struct scope_op *to;

	if (!scope_filter_vfio(op) || !interesting(operation, op->clock.ret, op->clock.dur_ns))
		return 0;
	to = reserve(sizeof(*to));
	if (!to)
		return 0;
	fill_vfio(to, op, operation);
	submit(to);
	return 0;
}

static __always_inline int started_vfio(const VFIO_OP *op, __u32 operation)
{
	struct scope_op *to;

	if (operation >= SCOPE_NR_OPERATIONS || !scope_filter_vfio(op))
		return 0;
	to = reserve(sizeof(*to));
	if (!to)
		return 0;
	__builtin_memset(to, 0, sizeof(*to));
	fill_task(to, operation | SCOPE_BEGINS);
	to->source = OP_SOURCE(op);
	to->start_ns = op->clock.start_ns;
	to->device_id = op->device_id;
	to->hwpt = op->pt_id;
	bpf_probe_read_kernel(to->device, sizeof(to->device), op->device);
	bpf_probe_read_kernel(to->driver, sizeof(to->driver), op->node);
	submit(to);
	return 0;
}

#define NEEDS_SPACE true
#define NEEDS_REASON true
#define NEEDS_BEGIN begins

#ifdef SCOPE_PROBED
#include "bpf/slots.h"

/* A start at a probed source, of an operation that may take long. */
static __always_inline void began(const struct op_slot *slot)
{
	struct scope_op *to;

	if (scope_operation_class(slot->operation) == SCOPE_CLASS_MEMORY ?
		    !scope_filter_memory(&slot->op) :
		    (filter.by_device && !scope_is_device(slot->op.device)) ||
			    !scope_filter_ctx(&slot->op))
		return;
	to = reserve(sizeof(*to));
	if (!to)
		return;
	__builtin_memset(to, 0, sizeof(*to));
	fill_task(to, slot->operation | SCOPE_BEGINS);
	to->source = slot->op.source;
	to->start_ns = slot->op.clock.start_ns;
	to->ctx = slot->op.ctx_id;
	to->ioas = slot->op.ioas_id;
	to->iova = slot->op.iova;
	to->length = slot->op.length;
	if (scope_operation_class(slot->operation) == SCOPE_CLASS_TRANSLATION)
		bpf_probe_read_kernel(to->device, sizeof(to->device), slot->op.device);
	submit(to);
}

/* What has a start event of its own where the modules are ours. */
#define SCOPE_START_BIT(name) | 1ULL << SCOPE_OPERATION_vfio_##name
#define SCOPE_VFIO_STARTS (0ULL VFIO_START_EVENTS(SCOPE_START_BIT))

static __always_inline void vfio_began(const struct vfio_call *call)
{
	if (SCOPE_VFIO_STARTS >> call->operation & 1)
		started_vfio(&call->op, call->operation);
}

#include "bpf/sources/type1.bpf.h"
#include "bpf/sources/upstream.bpf.h"
#include "bpf/sources/vfio.bpf.h"
#else
#include "bpf/sources/own.bpf.h"

/*
 * Starts, for the command that requests these programs.  Here a filter by device compares names,
 * because only the end of an operation knows where a device is attached.
 */
SEC("?raw_tp")
int ios_iommufd_started(struct bpf_raw_tracepoint_args *args)
{
	struct iommufd_op *op = SCOPE_COPY_OP(struct iommufd_op, args->args[0]);
	struct scope_op *to;
	__u32 operation;
	bool memory;

	if (!op)
		return 0;
	operation = scope_iommufd_operation(op->clock.opcode);
	if (operation >= SCOPE_NR_OPERATIONS)
		return 0;
	memory = scope_operation_class(operation) == SCOPE_CLASS_MEMORY;
	if (memory ? !scope_filter_memory(op) :
		     (filter.by_device && !scope_is_device(op->device)) || !scope_filter_ctx(op))
		return 0;
	if (memory) {
		to = reserve(SCOPE_MEMORY_BEGIN);
		if (!to)
			return 0;
		__builtin_memset(to, 0, SCOPE_MEMORY_BEGIN);
	} else {
		to = reserve(sizeof(*to));
		if (!to)
			return 0;
		__builtin_memset(to, 0, sizeof(*to));
		to->hwpt = op->hwpt_id;
		bpf_probe_read_kernel(to->device, sizeof(to->device), op->device);
	}
	fill_task(to, operation | SCOPE_BEGINS);
	to->source = SCOPE_SOURCE_OWN;
	to->start_ns = op->clock.start_ns;
	to->ctx = op->ctx_id;
	to->ioas = op->ioas_id;
	to->device_id = op->device_id;
	to->iova = op->iova;
	to->length = op->length;
	submit(to);
	return 0;
}

SEC("?raw_tp")
int ios_vfio_started(struct bpf_raw_tracepoint_args *args)
{
	struct vfio_op *op = SCOPE_COPY_OP(struct vfio_op, args->args[0]);

	return op ? started_vfio(op, scope_vfio_operation(op->clock.opcode)) : 0;
}
#endif
