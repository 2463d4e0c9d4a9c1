// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations in flight.  stuck.h describes the model.
 *
 * Three raw tracepoint programs serve all events of our modules; an iterator over all threads does
 * the rest.  An operation in flight at a probed source has a slot (slots.h), and the iterator only
 * reads that.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/stuck.h"
#include "bpf/kernel/pids.bpf.h"
#include "bpf/record.bpf.h"
#include "bpf/slots.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SYS_IOCTL 16

/*
 * By thread and subsystem: its operation in flight.  An operation of vfio often contains one of
 * iommufd; the inner one is reported.
 */
#define BEGUN_VFIO (1ULL << 32)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct scope_begun);
} ios_begun SEC(".maps");

/* By thread: time of its last event, which proves that it is in no older operation. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} ios_active SEC(".maps");

/* Only operations with a start event are needed; the last events of threads are not recorded. */
const volatile bool announced_only = false;

/* Operations that started and did not fit in @begun. */
__u64 overflowed = 0;

#ifdef SCOPE_PROBED

#define NEEDS_SPACE true
#define NEEDS_REASON false
#define NEEDS_BEGIN true

#define began(slot) ((void)(slot))
#define vfio_began(call) ((void)(call))
#define finished_memory(op, operation) ((void)(op), (void)(operation))
#define finished_translation(op, operation) finished_memory(op, operation)
#define finished_object(op, operation) finished_memory(op, operation)
#define finished_vfio(op, operation) finished_memory(op, operation)
#include "bpf/sources/type1.bpf.h"
#include "bpf/sources/upstream.bpf.h"
#include "bpf/sources/vfio.bpf.h"

#else

static __always_inline void mark_active(__u32 tid)
{
	__u64 now;

	if (announced_only)
		return;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&ios_active, &tid, &now, BPF_ANY);
}

static __always_inline void remember(struct scope_begun *entry, __u64 subsystem)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 key = tid | subsystem;

	mark_active(tid);
	if (bpf_map_update_elem(&ios_begun, &key, entry, BPF_ANY))
		__sync_fetch_and_add(&overflowed, 1);
}

/*
 * A thread enters an operation of a probed source: for a single look at the threads.  fentry and
 * fexit on one function can wait until a map in progress gives its CPU away, which is the map that
 * the user asks about; a kprobe does not.
 */
SEC("?kprobe")
int ios_entered(struct pt_regs *ctx)
{
	(void)ctx;
	mark_active((__u32)bpf_get_current_pid_tgid());
	return 0;
}

SEC("raw_tp")
int ios_iommufd_started(struct bpf_raw_tracepoint_args *args)
{
	const struct iommufd_op *op = (const void *)args->args[0];
	struct scope_begun entry = { .address = args->args[0] };

	entry.start_ns = BPF_CORE_READ(op, clock.start_ns);
	entry.operation = scope_iommufd_operation(BPF_CORE_READ(op, clock.opcode));
	if (entry.operation >= SCOPE_NR_OPERATIONS)
		return 0;
	entry.ctx = BPF_CORE_READ(op, ctx_id);
	entry.ioas = BPF_CORE_READ(op, ioas_id);
	entry.device_id = BPF_CORE_READ(op, device_id);
	entry.hwpt = BPF_CORE_READ(op, hwpt_id);
	entry.iova = BPF_CORE_READ(op, iova);
	entry.length = BPF_CORE_READ(op, length);
	bpf_probe_read_kernel(entry.device, sizeof(entry.device), op->device);
	remember(&entry, 0);
	return 0;
}

SEC("raw_tp")
int ios_vfio_started(struct bpf_raw_tracepoint_args *args)
{
	const struct vfio_op *op = (const void *)args->args[0];
	struct scope_begun entry = { .address = args->args[0] };

	entry.start_ns = BPF_CORE_READ(op, clock.start_ns);
	entry.operation = scope_vfio_operation(BPF_CORE_READ(op, clock.opcode));
	if (entry.operation >= SCOPE_NR_OPERATIONS)
		return 0;
	entry.device_id = BPF_CORE_READ(op, device_id);
	entry.hwpt = BPF_CORE_READ(op, pt_id);
	bpf_probe_read_kernel(entry.device, sizeof(entry.device), op->device);
	remember(&entry, BEGUN_VFIO);
	return 0;
}

/*
 * The end of any operation, also of one without a start event: only an entry of the same record is
 * removed.
 */
SEC("raw_tp")
int ios_finished(struct bpf_raw_tracepoint_args *args)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct scope_begun *entry;
	__u64 key = tid;

	mark_active(tid);
	entry = bpf_map_lookup_elem(&ios_begun, &key);
	if (entry && entry->address == args->args[0])
		bpf_map_delete_elem(&ios_begun, &key);
	key |= BEGUN_VFIO;
	entry = bpf_map_lookup_elem(&ios_begun, &key);
	if (entry && entry->address == args->args[0])
		bpf_map_delete_elem(&ios_begun, &key);
	return 0;
}

/* Converts ticks to nanoseconds; a tick is @tick_ns 2^-32 ns long; see op_clock.h. */
static __always_inline __u64 ticks_ns(__u64 ticks, __u64 tick_ns)
{
	return (ticks >> 32) * tick_ns + (((ticks & 0xffffffff) >> 2) * tick_ns >> 30);
}

/* Reads the current phase from the record, if it still belongs to that operation. */
static __always_inline void read_iommufd_phase(struct scope_begun *entry)
{
	const struct iommufd_op *op = (const void *)entry->address;
	__u64 tick_ns = BPF_CORE_READ(op, clock.tick_ns), ticks;
	int i;

	if (BPF_CORE_READ(op, clock.start_ns) != entry->start_ns)
		return;
	ticks = BPF_CORE_READ(op, clock.phase_start) - BPF_CORE_READ(op, clock.start_ticks);
	entry->phase_start_ns = entry->start_ns + ticks_ns(ticks, tick_ns);
	entry->phase = BPF_CORE_READ(op, clock.phase);
	if (entry->phase >= SCOPE_FIRST_VFIO_PHASE)
		entry->phase = SCOPE_NR_PHASES;
	for (i = 0; i < SCOPE_FIRST_VFIO_PHASE; i++) {
		bpf_probe_read_kernel(&ticks, sizeof(ticks), &op->phase_ns[i]);
		entry->phase_ns[i] = ticks_ns(ticks, tick_ns);
	}
}

static __always_inline void read_vfio_phase(struct scope_begun *entry)
{
	const struct vfio_op *op = (const void *)entry->address;
	__u64 tick_ns = BPF_CORE_READ(op, clock.tick_ns), ticks;
	int i;

	if (BPF_CORE_READ(op, clock.start_ns) != entry->start_ns)
		return;
	ticks = BPF_CORE_READ(op, clock.phase_start) - BPF_CORE_READ(op, clock.start_ticks);
	entry->phase_start_ns = entry->start_ns + ticks_ns(ticks, tick_ns);
	entry->phase = SCOPE_FIRST_VFIO_PHASE + BPF_CORE_READ(op, clock.phase);
	if (entry->phase > SCOPE_NR_PHASES)
		entry->phase = SCOPE_NR_PHASES;
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++) {
		bpf_probe_read_kernel(&ticks, sizeof(ticks), &op->phase_ns[i]);
		entry->phase_ns[SCOPE_FIRST_VFIO_PHASE + i] = ticks_ns(ticks, tick_ns);
	}
}

/* Too large for the stack; an iterator runs in one thread at a time on a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scope_thread);
} ios_scratch SEC(".maps");

/*
 * The address of a thread as a number: Linux 7.3's verifier allows no comparison with the pointer.
 */
static __always_inline __u64 address_of(const struct task_struct *task)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &task);
	return address;
}

/* The slot of a thread, by its address, or NULL. */
static __always_inline struct op_slot *slot_of_thread(__u64 address)
{
	__u32 *number = bpf_map_lookup_elem(&ios_slot_of, &address);
	struct op_slot *slot = slot_at(number ? *number : 0);

	return number && (slot->owner | SCOPE_SLOT_BUSY) == (address | SCOPE_SLOT_BUSY) ? slot : NULL;
}

/* Fills in the operation of a slot as if it had fired a start event; what is not known yet is 0. */
static __always_inline void read_slot(struct scope_begun *begun, const struct op_slot *slot)
{
	int i;

	begun->start_ns = slot->op.clock.start_ns;
	begun->operation = slot->operation;
	begun->source = slot->op.source;
	begun->ctx = slot->op.ctx_id;
	begun->ioas = slot->op.ioas_id;
	begun->phase = slot->phase < SCOPE_FIRST_VFIO_PHASE ? slot->phase : SCOPE_NR_PHASES;
	begun->phase_start_ns = slot->phase_start_ns;
	begun->iova = slot->op.iova;
	begun->length = slot->op.length;
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		begun->phase_ns[i] = slot->op.phase_ns[i];
	if (scope_operation_class(slot->operation) != SCOPE_CLASS_TRANSLATION)
		return;
	for (; i < SCOPE_FIRST_VFIO_PHASE; i++)
		begun->phase_ns[i] = slot->op.phase_ns[i];
	bpf_probe_read_kernel(begun->device, sizeof(begun->device), slot->op.device);
}

/* A call of vfio in flight, in the same way. */
static __always_inline void read_call(struct scope_begun *begun, const struct vfio_call *call)
{
	int i;

	begun->start_ns = call->op.clock.start_ns;
	begun->operation = call->operation;
	begun->source = call->op.source;
	begun->device_id = call->op.device_id;
	begun->hwpt = call->op.pt_id;
	begun->phase = call->phase < SCOPE_NR_VFIO_PHASES ? SCOPE_FIRST_VFIO_PHASE + call->phase :
							    SCOPE_NR_PHASES;
	begun->phase_start_ns = call->phase_start_ns;
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++)
		begun->phase_ns[SCOPE_FIRST_VFIO_PHASE + i] = call->op.phase_ns[i];
	bpf_probe_read_kernel(begun->device, sizeof(begun->device), call->op.device);
}

SEC("iter/task")
int ios_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct scope_thread *thread;
	struct scope_begun *entry;
	struct vfio_call *call;
	struct op_slot *slot;
	__u32 tid, zero = 0;
	__u64 key, address;
	struct pt_regs *regs;
	bool in_ioctl, probed;
	__u64 *event;

	if (!task)
		return 0;
	tid = task->pid;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	in_ioctl = BPF_CORE_READ(regs, orig_ax) == SYS_IOCTL;
	key = tid;
	entry = bpf_map_lookup_elem(&ios_begun, &key);
	if (!entry) {
		key |= BEGUN_VFIO;
		entry = bpf_map_lookup_elem(&ios_begun, &key);
	}
	address = address_of(task);
	slot = slot_of_thread(address);
	probed = slot && slot->owner & SCOPE_SLOT_BUSY;
	call = bpf_map_lookup_elem(&ios_vfio_calls, &address);
	thread = bpf_map_lookup_elem(&ios_scratch, &zero);
	if (!thread || (!entry && !in_ioctl && !probed && !call))
		return 0;

	__builtin_memset(thread, 0, sizeof(*thread));
	thread->tid = scope_pid_of(task, tid);
	thread->tgid = scope_pid_of(task->group_leader, task->tgid);
	thread->uid = task->cred->uid.val;
	thread->running = !BPF_CORE_READ(task, __state);
	bpf_probe_read_kernel(thread->comm, sizeof(thread->comm), task->comm);
	if (in_ioctl) {
		thread->fd = BPF_CORE_READ(regs, di);
		thread->request = BPF_CORE_READ(regs, si);
		thread->argument = BPF_CORE_READ(regs, dx);
		thread->ip = BPF_CORE_READ(regs, ip);
		thread->sp = BPF_CORE_READ(regs, sp);
	}
	event = bpf_map_lookup_elem(&ios_active, &tid);
	if (event)
		thread->event_ns = *event;
	else if (slot)
		thread->event_ns = slot->op.clock.start_ns;
	if (!entry && probed) {
		read_slot(&thread->begun, slot);
	} else if (!entry && call) {
		read_call(&thread->begun, call);
	} else if (entry) {
		thread->begun = *entry;
		thread->begun.phase = SCOPE_PHASE_UNKNOWN;
		if (!bpf_core_type_exists(struct iommufd_op))
			;
		else if (scope_operation_class(entry->operation) != SCOPE_CLASS_VFIO)
			read_iommufd_phase(&thread->begun);
		else if (bpf_core_type_exists(struct vfio_op))
			read_vfio_phase(&thread->begun);
	}
	bpf_seq_write(ctx->meta->seq, thread, sizeof(*thread));
	return 0;
}

#endif
