// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency of operations and of their phases, counted in the kernel.  latency.h tells the model.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "latency.h"
#include "filter.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 by = SCOPE_BY_NONE;
/* A bit for each enum scope_operation that is wanted. */
const volatile __u64 wanted = ~0ULL;

/* Operations that went to an overflow entry, and those that not even found one. */
__u64 overflowed = 0;
__u64 lost = 0;

/* The tool sets the numbers of entries; they are allocated one by one, as they are needed. */
#define LATENCY_MAP(class)                                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(max_entries, 1);                                                            \
		__type(key, struct scope_latency_key);                                             \
		__type(value, struct scope_##class##_latency);                                     \
	} class##_latency SEC(".maps");                                                            \
	/* what a new entry begins as; too large for the stack */                                  \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, struct scope_##class##_latency);                                     \
	} class##_zero SEC(".maps")

LATENCY_MAP(memory);
LATENCY_MAP(translation);
LATENCY_MAP(object);
LATENCY_MAP(vfio);

/* Numbers for names of devices, from 1; only with SCOPE_BY_DEVICE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, char[SCOPE_DEVICE_LEN]);
	__type(value, __u64);
} devices SEC(".maps");

__u64 nr_devices = 0;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct scope_attachment);
	__type(value, __u64);
} attachments SEC(".maps");

static __always_inline __u64 device_number(const char *device)
{
	char name[SCOPE_DEVICE_LEN];
	__u64 *known, number;

	bpf_probe_read_kernel(name, sizeof(name), device);
	known = bpf_map_lookup_elem(&devices, name);
	if (known)
		return *known;
	number = __sync_fetch_and_add(&nr_devices, 1) + 1;
	if (!bpf_map_update_elem(&devices, name, &number, BPF_NOEXIST))
		return number;
	known = bpf_map_lookup_elem(&devices, name);
	return known ? *known : 0;
}

static __always_inline void remember_attachment(const struct iommufd_op *op, __u32 operation)
{
	struct scope_attachment attachment = {};
	__u64 now = op->start_ns;

	if (op->ret || (operation != SCOPE_OPERATION_iommufd_attach &&
			operation != SCOPE_OPERATION_iommufd_replace))
		return;
	attachment.ioas = scope_ioas_key(op->ctx_id, op->ioas_id);
	bpf_probe_read_kernel(attachment.device, sizeof(attachment.device), op->device);
	bpf_map_update_elem(&attachments, &attachment, &now, BPF_ANY);
}

/* @device and @ioas: what to tell operations apart by, either may be nothing. */
static __always_inline __u64 dimension(const char *device, __u64 ioas)
{
	switch (by) {
	case SCOPE_BY_DEVICE:
		return device ? SCOPE_DIMENSION_DEVICE | device_number(device) : ioas;
	case SCOPE_BY_IOAS:
		return ioas;
	case SCOPE_BY_PROCESS:
		return bpf_get_current_pid_tgid() >> 32;
	case SCOPE_BY_CGROUP:
		return bpf_get_current_cgroup_id();
	}
	return 0;
}

/* Count in an entry of this CPU, or in one that all share. */
static __always_inline void count(struct scope_histogram *histogram, __u64 ns, bool shared)
{
	__u32 bucket = scope_bucket(ns);

	/* the verifier does not follow the arithmetic */
	if (bucket >= SCOPE_NR_BUCKETS)
		return;
	if (ns > histogram->max)
		histogram->max = ns;
	if (shared) {
		__sync_fetch_and_add(&histogram->sum, ns);
		__sync_fetch_and_add(&histogram->buckets[bucket], 1);
	} else {
		histogram->sum += ns;
		histogram->buckets[bucket]++;
	}
}

static __always_inline void count_phase(struct scope_histogram *histogram, __u64 ns, bool shared)
{
	if (ns)
		count(histogram, ns, shared);
}

static __always_inline void count_operation(struct scope_counters *counters, __s32 ret,
					    __u64 bytes, __u64 pages, bool shared)
{
	if (shared) {
		__sync_fetch_and_add(&counters->count, 1);
		__sync_fetch_and_add(&counters->errors, ret < 0);
		__sync_fetch_and_add(&counters->bytes, bytes);
		__sync_fetch_and_add(&counters->pages, pages);
		return;
	}
	counters->count++;
	counters->errors += ret < 0;
	counters->bytes += bytes;
	counters->pages += pages;
}

/*
 * entry_of_CLASS(): the entry for an operation; *@shared tells whether it is an overflow entry.
 */
#define ENTRY_OF(class)                                                                            \
	static __always_inline struct scope_##class##_latency *entry_of_##class(                   \
		__u32 operation, __u64 dimension, bool *shared)                                    \
	{                                                                                          \
		struct scope_latency_key key = {                                                   \
			.dimension = dimension,                                                    \
			.cpu = bpf_get_smp_processor_id(),                                         \
			.operation = operation,                                                    \
		};                                                                                 \
		struct scope_##class##_latency *entry;                                             \
		__u32 zero = 0;                                                                    \
		void *empty;                                                                       \
                                                                                                   \
		*shared = false;                                                                   \
		entry = bpf_map_lookup_elem(&class##_latency, &key);                               \
		if (entry)                                                                         \
			return entry;                                                              \
		empty = bpf_map_lookup_elem(&class##_zero, &zero);                                 \
		if (empty)                                                                         \
			bpf_map_update_elem(&class##_latency, &key, empty, BPF_NOEXIST);           \
		entry = bpf_map_lookup_elem(&class##_latency, &key);                               \
		if (entry)                                                                         \
			return entry;                                                              \
		*shared = true;                                                                    \
		key.dimension = 0;                                                                 \
		key.cpu = SCOPE_CPU_OVERFLOW;                                                      \
		entry = bpf_map_lookup_elem(&class##_latency, &key);                               \
		__sync_fetch_and_add(entry ? &overflowed : &lost, 1);                              \
		return entry;                                                                      \
	}

ENTRY_OF(memory)
ENTRY_OF(translation)
ENTRY_OF(object)
ENTRY_OF(vfio)

static __always_inline int finished_memory(const struct iommufd_op *op, __u32 operation)
{
	struct scope_memory_latency *entry;
	bool shared;
	int i;

	if (!(wanted & 1ULL << operation) || !scope_filter_memory(op))
		return 0;
	entry = entry_of_memory(operation,
				dimension(NULL, scope_ioas_key(op->ctx_id, op->ioas_id)), &shared);
	if (!entry)
		return 0;
	count_operation(&entry->counters, op->ret, op->ret < 0 ? 0 : op->length, op->pages,
			shared);
	count(&entry->total, op->dur_ns, shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_MEMORY_PHASES; i++)
		count_phase(&entry->phases[i], op->phase_ns[i], shared);
	return 0;
}

static __always_inline int finished_translation(const struct iommufd_op *op, __u32 operation)
{
	struct scope_translation_latency *entry;
	bool shared;
	int i;

	if (by == SCOPE_BY_DEVICE)
		remember_attachment(op, operation);
	if (!scope_filter_translation(op, operation) || !(wanted & 1ULL << operation))
		return 0;
	entry = entry_of_translation(operation,
				     dimension(op->device, scope_ioas_key(op->ctx_id, op->ioas_id)),
				     &shared);
	if (!entry)
		return 0;
	count_operation(&entry->counters, op->ret, 0, op->pages, shared);
	count(&entry->total, op->dur_ns, shared);
	count_phase(&entry->phases[0], op->phase_ns[SCOPE_PHASE_wait], shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_TRANSLATION_PHASES; i++)
		count_phase(&entry->phases[1 + i], op->phase_ns[SCOPE_FIRST_TRANSLATION_PHASE + i],
			    shared);
	return 0;
}

static __always_inline int finished_object(const struct iommufd_op *op, __u32 operation)
{
	struct scope_object_latency *entry;
	bool shared;

	if (!(wanted & 1ULL << operation) || !scope_filter_object(op))
		return 0;
	entry = entry_of_object(operation, dimension(NULL, 0), &shared);
	if (!entry)
		return 0;
	count_operation(&entry->counters, op->ret, 0, 0, shared);
	count(&entry->total, op->dur_ns, shared);
	count_phase(&entry->phases[0], op->phase_ns[SCOPE_PHASE_wait], shared);
	return 0;
}

static __always_inline int finished_vfio(const struct vfio_op *op, __u32 operation)
{
	struct scope_vfio_latency *entry;
	bool shared;
	int i;

	if (!(wanted & 1ULL << operation) || !scope_filter_vfio(op))
		return 0;
	entry = entry_of_vfio(operation, dimension(op->device, 0), &shared);
	if (!entry)
		return 0;
	count_operation(&entry->counters, op->ret, 0, 0, shared);
	count(&entry->total, op->dur_ns, shared);
#pragma unroll
	for (i = 0; i < SCOPE_NR_VFIO_PHASES; i++)
		count_phase(&entry->phases[i], op->phase_ns[i], shared);
	return 0;
}

#include "programs.bpf.h"
