// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency of operations and of their phases, counted in the kernel.  latency.h describes the model.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/latency.h"
#include "bpf/filter.bpf.h"
#include "bpf/op.bpf.h"
#include "bpf/slots.bpf.h"
#include "bpf/slowest.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 by = SCOPE_BY_NONE;
/* One bit for each enum scope_operation to count. */
const volatile __u64 wanted = ~0ULL;

/* SCOPE_KEEP_*: a single knob, so that an operation pays for only one test if nothing is kept. */
const volatile __u32 keep = 0;

/*
 * All maps and unmaps are counted, without filters, and only in the preallocated entries.  This
 * follows from the other knobs, but each test of a knob costs an instruction or two even if the
 * verifier knows its result.
 */
const volatile bool plain = false;

/* The bucket of each small number of nanoseconds; the tool fills in the table. */
const volatile __u8 small_buckets[SCOPE_SMALL_NS] = {};

/* Operations counted in an overflow entry. */
__u64 overflowed = 0;
/* Values of the dimension that have got entries, those included that the tool has removed since. */
__u64 labels_added = 0;
/* Failures that did not fit in @failures. */
__u64 failures_lost = 0;

/* The tool sets the number of entries; they are allocated on demand. */
#define LATENCY_MAP(class)                                        \
	struct {                                                  \
		__uint(type, BPF_MAP_TYPE_HASH);                  \
		__uint(map_flags, BPF_F_NO_PREALLOC);             \
		__uint(max_entries, 1);                           \
		__type(key, struct scope_latency_key);            \
		__type(value, struct scope_##class##_latency);    \
	} ios_##class##_latency SEC(".maps");                     \
	/* initial value of an entry; too large for the stack */  \
	struct {                                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY);                 \
		__uint(max_entries, 1);                           \
		__type(key, __u32);                               \
		__type(value, struct scope_##class##_latency);    \
	} ios_##class##_zero SEC(".maps")

LATENCY_MAP(memory);
LATENCY_MAP(translation);
LATENCY_MAP(object);
LATENCY_MAP(vfio);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCOPE_NR_FREQUENT);
	__type(key, __u32);
	__type(value, struct scope_memory_latency);
} ios_frequent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCOPE_NR_OPERATIONS);
	__type(key, __u32);
	__type(value, struct scope_overflow);
} ios_overflow SEC(".maps");

/* The values of the dimension that have entries; the tool sets the number of them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} ios_labels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct scope_failure_key);
	__type(value, struct scope_failure);
} ios_failures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scope_failure);
} ios_failure_zero SEC(".maps");

/* Numbers of device names, from 1; only with SCOPE_BY_DEVICE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, char[SCOPE_DEVICE_LEN]);
	__type(value, __u64);
} ios_devices SEC(".maps");

__u64 nr_devices = 0;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct scope_attachment);
	__type(value, __u64);
} ios_attachments SEC(".maps");

/*
 * Names of processes, which may have exited when the tool reads them; only with SCOPE_BY_PROCESS.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, char[SCOPE_COMM_LEN]);
} ios_processes SEC(".maps");

static __always_inline void remember_process(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid = scope_pid_tgid() >> 32;
	char comm[SCOPE_COMM_LEN];

	BPF_CORE_READ_INTO(&comm, task, group_leader, comm);
	bpf_map_update_elem(&ios_processes, &tgid, comm, BPF_ANY);
}

static __always_inline __u64 device_number(const char *device)
{
	char name[SCOPE_DEVICE_LEN];
	__u64 *known, number;

	bpf_probe_read_kernel(name, sizeof(name), device);
	known = bpf_map_lookup_elem(&ios_devices, name);
	if (known)
		return *known;
	number = __sync_fetch_and_add(&nr_devices, 1) + 1;
	if (!bpf_map_update_elem(&ios_devices, name, &number, BPF_NOEXIST))
		return number;
	known = bpf_map_lookup_elem(&ios_devices, name);
	return known ? *known : 0;
}

static __always_inline void remember_attachment(const OP *op, __u32 operation)
{
	struct scope_attachment attachment = {};
	__u64 now = op->clock.start_ns;

	if (op->clock.ret ||
	    (!scope_is_attach(operation) && operation != SCOPE_OPERATION_iommufd_replace))
		return;
	attachment.ioas = scope_ioas_key(op->ctx_id, op->ioas_id);
	bpf_probe_read_kernel(attachment.device, sizeof(attachment.device), op->device);
	bpf_map_update_elem(&ios_attachments, &attachment, &now, BPF_ANY);
}

/*
 * The IOAS of an operation.  If no object has the id that the caller named, it is that of no IOAS:
 * a caller must not make up values of a dimension.
 */
static __always_inline __u64 space_of(const OP *op)
{
	bool bad = op->clock.ret < 0 &&
		   (op->clock.reason == SCOPE_REASON_iommufd_bad_object_id ||
		    op->clock.reason == SCOPE_REASON_iommufd_wrong_object_type);

	return scope_ioas_key(op->ctx_id, bad ? 0 : op->ioas_id);
}

/*
 * The dimension by which operations are distinguished; either of @device and @ioas may be absent.
 */
static __always_inline __u64 dimension(const char *device, __u64 ioas)
{
	switch (by) {
	case SCOPE_BY_DEVICE:
		return device ? SCOPE_DIMENSION_DEVICE | device_number(device) : ioas;
	case SCOPE_BY_IOAS:
		return ioas;
	case SCOPE_BY_PROCESS:
		return scope_pid_tgid() >> 32;
	case SCOPE_BY_CGROUP:
		return bpf_get_current_cgroup_id();
	}
	return 0;
}

/*
 * The bucket of a time that is not in the table.  A global function: the verifier checks it once.
 */
__noinline int scope_large_bucket(__u64 ns)
{
	return scope_bucket(ns);
}

/*
 * Adds to a counter of an entry.  @shared is a constant where this is inlined: a test of @by for
 * each counter would cost as much as counting.
 */
#define ADD(counter, n, shared)                              \
	do {                                                 \
		if (shared)                                  \
			__sync_fetch_and_add((counter), n);  \
		else                                         \
			*(counter) += (n);                   \
	} while (0)

/* Raises a maximum.  A shared one misses it only if four other CPUs raise it at that moment. */
static __always_inline void raise(__u64 *max, __u64 ns, bool shared)
{
	__u64 seen = *max, now;
	int i;

	if (ns <= seen)
		return;
	if (!shared) {
		*max = ns;
		return;
	}
#pragma unroll
	for (i = 0; i < 4; i++) {
		now = __sync_val_compare_and_swap(max, seen, ns);
		if (now == seen || ns <= now)
			return;
		seen = now;
	}
}

static __always_inline void count_time(struct scope_histogram *histogram, __u64 ns, bool shared)
{
	__u32 bucket;

	raise(&histogram->max, ns, shared);
	ADD(&histogram->sum, ns, shared);
	if (ns < SCOPE_SMALL_NS) {
		ADD(&histogram->buckets[small_buckets[ns]], 1, shared);
		return;
	}
	bucket = scope_large_bucket(ns);
	/* always true, but the verifier does not know the function's result */
	if (bucket < SCOPE_NR_BUCKETS)
		ADD(&histogram->buckets[bucket], 1, shared);
}

/* Counts a phase, unless it took no time, which means that it was not entered. */
static __always_inline void count_phase(struct scope_histogram *histogram, __u64 ns, bool shared)
{
	if (ns)
		count_time(histogram, ns, shared);
}

static __always_inline void count_operation(struct scope_counters *counters, __s32 ret,
					    __u64 bytes, __u64 pages, bool shared)
{
	if (ret < 0)
		ADD(&counters->errors, 1, shared);
	else
		ADD(&counters->successes, 1, shared);
	ADD(&counters->bytes, bytes, shared);
	ADD(&counters->pages, pages, shared);
}

/* Counts an operation in the overflow entry, which other CPUs may write at the same time. */
static __always_inline int count_overflow(__u32 operation, __s32 ret, __u64 bytes, __u64 pages,
					  __u64 ns)
{
	struct scope_overflow *entry = bpf_map_lookup_elem(&ios_overflow, &operation);
	__u32 bucket = scope_bucket(ns);

	__sync_fetch_and_add(&overflowed, 1);
	if (!entry || bucket >= SCOPE_NR_BUCKETS)
		return 0;
	__sync_fetch_and_add(ret < 0 ? &entry->counters.errors : &entry->counters.successes, 1);
	__sync_fetch_and_add(&entry->counters.bytes, bytes);
	__sync_fetch_and_add(&entry->counters.pages, pages);
	__sync_fetch_and_add(&entry->total.sum, ns);
	__sync_fetch_and_add(&entry->total.buckets[bucket], 1);
	/* two CPUs may race here, and the smaller value may win */
	if (ns > entry->total.max)
		entry->total.max = ns;
	return 0;
}

/* May this value of the dimension have entries? */
static __always_inline bool has_label(__u64 dimension)
{
	__u8 yes = 1;

	if (by == SCOPE_BY_NONE || bpf_map_lookup_elem(&ios_labels, &dimension))
		return true;
	if (!bpf_map_update_elem(&ios_labels, &dimension, &yes, BPF_NOEXIST)) {
		__sync_fetch_and_add(&labels_added, 1);
		return true;
	}
	/* full, or another CPU was faster */
	return bpf_map_lookup_elem(&ios_labels, &dimension);
}

/* entry_of_CLASS(): the entry for an operation, or NULL if there is no room for one. */
#define ENTRY_OF(class)                                                                          \
	static __always_inline struct scope_##class##_latency *entry_of_##class(__u32 operation, \
										__u64 dimension) \
	{                                                                                        \
		struct scope_latency_key key = {                                                 \
			.dimension = dimension,                                                  \
			.cpu = bpf_get_smp_processor_id(),                                       \
			.operation = operation,                                                  \
		};                                                                               \
		struct scope_##class##_latency *entry;                                           \
		__u32 zero = 0;                                                                  \
		void *empty;                                                                     \
                                                                                                 \
		if (by != SCOPE_BY_NONE)                                                         \
			key.cpu %= SCOPE_STRIPES;                                                \
		entry = bpf_map_lookup_elem(&ios_##class##_latency, &key);                       \
		if (entry)                                                                       \
			return entry;                                                            \
		if (!has_label(dimension))                                                       \
			return NULL;                                                             \
		if (by == SCOPE_BY_PROCESS)                                                      \
			remember_process();                                                      \
		empty = bpf_map_lookup_elem(&ios_##class##_zero, &zero);                         \
		if (empty)                                                                       \
			bpf_map_update_elem(&ios_##class##_latency, &key, empty, BPF_NOEXIST);   \
		return bpf_map_lookup_elem(&ios_##class##_latency, &key);                        \
	}

ENTRY_OF(memory)
ENTRY_OF(translation)
ENTRY_OF(object)
ENTRY_OF(vfio)

/* Counts a failure and returns its entry, or NULL; the caller fills in the details. */
static __always_inline struct scope_failure *begin_failure(__u32 operation, __s32 ret, __u32 reason)
{
	struct scope_failure_key key = {
		.operation = operation,
		.reason = reason,
	};
	struct scope_failure *failure;
	__u32 zero = 0;
	void *empty;

	if (!(keep & SCOPE_KEEP_FAILURES) || ret >= 0)
		return NULL;
	key.cpu = bpf_get_smp_processor_id();
	failure = bpf_map_lookup_elem(&ios_failures, &key);
	if (!failure) {
		empty = bpf_map_lookup_elem(&ios_failure_zero, &zero);
		if (empty)
			bpf_map_update_elem(&ios_failures, &key, empty, BPF_NOEXIST);
		failure = bpf_map_lookup_elem(&ios_failures, &key);
	}
	if (failure)
		failure->count++;
	else
		__sync_fetch_and_add(&failures_lost, 1);
	return failure;
}

static __always_inline void end_failure(struct scope_failure *failure)
{
	barrier();
	failure->last_count = failure->count;
}

#define KEEP_FAILURE(class, op, operation)                                                         \
	do {                                                                                       \
		struct scope_failure *failure =                                                    \
			begin_failure(operation, (op)->clock.ret, (op)->clock.reason);             \
                                                                                                   \
		if (failure) {                                                                     \
			fill_##class(&failure->last, op, operation);                               \
			end_failure(failure);                                                      \
		}                                                                                  \
	} while (0)

#define KEEP(class, op, operation)                                                                 \
	do {                                                                                       \
		if (keep) {                                                                        \
			KEEP_FAILURE(class, op, operation);                                        \
			if (keep & SCOPE_KEEP_SLOWEST)                                             \
				KEEP_SLOW(class, op, operation);                                   \
		}                                                                                  \
	} while (0)

/* Index of the preallocated entry of an operation, SCOPE_NR_FREQUENT if it has none. */
static __always_inline __u32 frequent_index(__u32 operation)
{
	switch (operation) {
	case SCOPE_OPERATION_iommufd_map:
		return SCOPE_FREQUENT_MAP;
	case SCOPE_OPERATION_iommufd_unmap:
		return SCOPE_FREQUENT_UNMAP;
	case SCOPE_OPERATION_type1_map:
		return SCOPE_FREQUENT_TYPE1_MAP;
	case SCOPE_OPERATION_type1_unmap:
		return SCOPE_FREQUENT_TYPE1_UNMAP;
	}
	return SCOPE_NR_FREQUENT;
}

static __always_inline struct scope_memory_latency *memory_entry(const OP *op, __u32 operation)
{
	__u32 index = frequent_index(operation);

	if (by == SCOPE_BY_NONE && index < SCOPE_NR_FREQUENT)
		return bpf_map_lookup_elem(&ios_frequent, &index);
	return entry_of_memory(operation, dimension(NULL, space_of(op)));
}

#define PHASE_BIT(name) (1U << SCOPE_PHASE_##name)

/*
 * Phases of a successful operation.  A failed one may have undone its work, and so may have others.
 */
static __always_inline __u32 frequent_phases(__u32 operation)
{
	if (scope_is_map(operation))
		return PHASE_BIT(wait) | PHASE_BIT(account) | PHASE_BIT(pin) | PHASE_BIT(map);
	return PHASE_BIT(wait) | PHASE_BIT(unmap) | PHASE_BIT(sync) | PHASE_BIT(unpin);
}

/* Counts maps and unmaps if @plain; returns false for any other operation. */
static __always_inline bool counted_plainly(const OP *op, __u32 operation)
{
	__u32 index = frequent_index(operation);
	struct scope_memory_latency *entry;
	const __u64 *phase_ns;
	int i;

	if (index >= SCOPE_NR_FREQUENT || !plain || op->clock.ret < 0)
		return false;
	entry = bpf_map_lookup_elem(&ios_frequent, &index);
	if (!entry)
		return false;
	entry->counters.successes++;
	entry->counters.bytes += op->length;
	entry->counters.pages += op->pages;
	count_time(&entry->total, op->clock.dur_ns, false);
	/* once, otherwise the compiler adds the offset of the array to that of each element */
	phase_ns = op->phase_ns;
	barrier_var(phase_ns);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		if (frequent_phases(operation) & 1U << i)
			count_phase(&entry->phases[i], phase_ns[i], false);
	return true;
}

static __always_inline void count_memory(struct scope_memory_latency *entry, const OP *op,
					 __u64 bytes, bool shared)
{
	int i;

	count_operation(&entry->counters, op->clock.ret, bytes, op->pages, shared);
	count_time(&entry->total, op->clock.dur_ns, shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		count_phase(&entry->phases[i], op->phase_ns[i], shared);
}

static __always_inline int finished_memory(const OP *op, __u32 operation)
{
	struct scope_memory_latency *entry;
	__u64 bytes;

	if (counted_plainly(op, operation))
		return 0;
	if (!(wanted & 1ULL << operation) || !scope_filter_memory(op))
		return 0;
	KEEP(memory, op, operation);
	bytes = op->clock.ret < 0 ? 0 : op->length;
	entry = memory_entry(op, operation);
	if (!entry)
		return count_overflow(operation, op->clock.ret, bytes, op->pages, op->clock.dur_ns);
	if (by == SCOPE_BY_NONE)
		count_memory(entry, op, bytes, false);
	else
		count_memory(entry, op, bytes, true);
	return 0;
}

static __always_inline void count_translation(struct scope_translation_latency *entry,
					      const OP *op, bool shared)
{
	const __u64 *phase_ns = &op->phase_ns[SCOPE_FIRST_TRANSLATION_PHASE];
	int i;

	count_operation(&entry->counters, op->clock.ret, 0, op->pages, shared);
	count_time(&entry->total, op->clock.dur_ns, shared);
	count_phase(&entry->phases[0], op->phase_ns[SCOPE_PHASE_wait], shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_TRANSLATION_PHASES; i++)
		count_phase(&entry->phases[1 + i], phase_ns[i], shared);
}

static __always_inline int finished_translation(const OP *op, __u32 operation)
{
	struct scope_translation_latency *entry;

	if (by == SCOPE_BY_DEVICE)
		remember_attachment(op, operation);
	if (!scope_filter_translation(op, operation) || !(wanted & 1ULL << operation))
		return 0;
	KEEP(translation, op, operation);
	entry = entry_of_translation(operation, dimension(op->device, space_of(op)));
	if (!entry)
		return count_overflow(operation, op->clock.ret, 0, op->pages, op->clock.dur_ns);
	if (by == SCOPE_BY_NONE)
		count_translation(entry, op, false);
	else
		count_translation(entry, op, true);
	return 0;
}

static __always_inline void count_object(struct scope_object_latency *entry, const OP *op,
					 bool shared)
{
	count_operation(&entry->counters, op->clock.ret, 0, 0, shared);
	count_time(&entry->total, op->clock.dur_ns, shared);
	count_phase(&entry->phases[0], op->phase_ns[SCOPE_PHASE_wait], shared);
}

static __always_inline int finished_object(const OP *op, __u32 operation)
{
	struct scope_object_latency *entry;

	if (!(wanted & 1ULL << operation) || !scope_filter_object(op))
		return 0;
	KEEP(object, op, operation);
	entry = entry_of_object(operation, dimension(NULL, 0));
	if (!entry)
		return count_overflow(operation, op->clock.ret, 0, 0, op->clock.dur_ns);
	if (by == SCOPE_BY_NONE)
		count_object(entry, op, false);
	else
		count_object(entry, op, true);
	return 0;
}

static __always_inline void count_vfio(struct scope_vfio_latency *entry, const VFIO_OP *op,
				       bool shared)
{
	int i;

	count_operation(&entry->counters, op->clock.ret, 0, 0, shared);
	count_time(&entry->total, op->clock.dur_ns, shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++)
		count_phase(&entry->phases[i], op->phase_ns[i], shared);
}

static __always_inline int finished_vfio(const VFIO_OP *op, __u32 operation)
{
	struct scope_vfio_latency *entry;

	if (!(wanted & 1ULL << operation) || !scope_filter_vfio(op))
		return 0;
	KEEP(vfio, op, operation);
	entry = entry_of_vfio(operation, dimension(op->device, 0));
	if (!entry)
		return count_overflow(operation, op->clock.ret, 0, 0, op->clock.dur_ns);
	if (by == SCOPE_BY_NONE)
		count_vfio(entry, op, false);
	else
		count_vfio(entry, op, true);
	return 0;
}

#define NEEDS_SPACE                                                                        \
	(by != SCOPE_BY_NONE || keep || filter.ctx || filter.by_device)
/* space_of() looks at it */
#define NEEDS_REASON (keep || by == SCOPE_BY_DEVICE || by == SCOPE_BY_IOAS)
#define NEEDS_BEGIN false

#ifdef SCOPE_PROBED
#define began(slot) ((void)(slot))
#define vfio_began(call) ((void)(call))
#include "bpf/sources/type1.bpf.h"
#include "bpf/sources/upstream.bpf.h"
#include "bpf/sources/vfio.bpf.h"
#else
#include "bpf/sources/own.bpf.h"
#endif
