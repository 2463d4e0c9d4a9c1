/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps of latency.bpf.c.
 *
 * A map entry counts the operations of one kind, in one dimension: of one device, IOAS, process or
 * cgroup, or of all.  Without a dimension, each CPU has its own entry, which only that CPU writes,
 * so nothing is atomic and no cache line is shared.  With a dimension, SCOPE_STRIPES entries exist
 * for each value of it, and CPUs add to them atomically: otherwise the memory for a guest would
 * grow with the number of CPUs of its host.  The tool adds the entries up.
 *
 * ios_labels has the values of the dimension that have entries; its size is the limit.  The
 * operations of other values are counted in the overflow entry of their kind, which has no phases.
 * The tool removes a value and its entries once its process, cgroup, IOAS or device is gone.
 *
 * Each class of operations has its own map, because the number of histograms in an entry depends on
 * the number of phases.  Buckets are 32 bits wide; the tool reads them often enough to notice a
 * wrap.
 *
 * Maps and unmaps come in hundreds of thousands, and the lookup of their entry would cost as much
 * as everything else.  Where no dimension distinguishes them, they use preallocated entries.
 */
#ifndef IOMMUSCOPE_BPF_LATENCY_H
#define IOMMUSCOPE_BPF_LATENCY_H

#include "bpf/histogram.h"
#include "bpf/lists.h"
#include "bpf/operations.h"

enum scope_dimension {
	SCOPE_BY_NONE,
	SCOPE_BY_DEVICE,
	SCOPE_BY_IOAS,
	SCOPE_BY_PROCESS,
	SCOPE_BY_CGROUP,
};

/* Operations with a preallocated entry under SCOPE_BY_NONE. */
enum scope_frequent {
	SCOPE_FREQUENT_MAP,
	SCOPE_FREQUENT_UNMAP,
	SCOPE_FREQUENT_TYPE1_MAP,
	SCOPE_FREQUENT_TYPE1_UNMAP,
	SCOPE_NR_FREQUENT,
};

/* Details of single operations that are kept. */
enum {
	/* count failures by reason, and keep the last of each: struct scope_failure */
	SCOPE_KEEP_FAILURES = 1 << 0,
	/* send the slowest with their stacks: slowest.h */
	SCOPE_KEEP_SLOWEST = 1 << 1,
};

/* Entries of one kind of operation for one value of a dimension; a CPU uses one of them. */
#define SCOPE_STRIPES 4

/* Times below this find their bucket in a table. */
#define SCOPE_SMALL_NS 16384

/*
 * With SCOPE_BY_DEVICE: this bit and a number from @devices, otherwise an IOAS as in filter.bpf.h.
 */
#define SCOPE_DIMENSION_DEVICE (1ULL << 63)

/* @cpu: the CPU, or with a dimension the CPU modulo SCOPE_STRIPES */
struct scope_latency_key {
	__u64 dimension;
	__u32 cpu;
	__u32 operation;
};

/* A histogram of nanoseconds, with the values that its buckets do not contain. */
struct scope_histogram {
	__u64 sum;
	__u64 max;
	__u32 buckets[SCOPE_NR_BUCKETS];
};

/*
 * First member of every entry.  Each operation adds to one of the first two, so each of them only
 * grows, whenever the entry is read; the difference of a total and the errors would not.
 */
struct scope_counters {
	__u64 successes;
	__u64 errors;
	__u64 bytes;
	__u64 pages;
};

/* The whole operation first, then its phases in the order of enum scope_phase. */
struct scope_memory_latency {
	struct scope_counters counters;
	struct scope_histogram total;
	struct scope_histogram phases[SCOPE_NR_MEMORY_PHASES];
};

/* phases[0] is the wait, which all classes have; the others start at SCOPE_PHASE_check. */
struct scope_translation_latency {
	struct scope_counters counters;
	struct scope_histogram total;
	struct scope_histogram phases[1 + SCOPE_NR_TRANSLATION_PHASES];
};

struct scope_object_latency {
	struct scope_counters counters;
	struct scope_histogram total;
	struct scope_histogram phases[1];
};

struct scope_vfio_latency {
	struct scope_counters counters;
	struct scope_histogram total;
	struct scope_histogram phases[SCOPE_NR_VFIO_PHASES];
};

/* The overflow entry of an operation, at its index. */
struct scope_overflow {
	struct scope_counters counters;
	struct scope_histogram total;
};

/* Key of the failures of one kind, for one reason, on one CPU; only that CPU writes the entry. */
struct scope_failure_key {
	__u32 operation;
	__u32 reason;
	__u32 cpu;
};

/**
 * struct scope_failure - failures of one kind
 * @count: number of failures
 * @last_count: the value of @count that belongs to @last; differs while @last is being written
 * @last: the last failure
 */
struct scope_failure {
	__u64 count;
	__u64 last_count;
	struct scope_op last;
};

/* Device that is, or was, attached to an IOAS. */
struct scope_attachment {
	__u64 ioas;
	char device[SCOPE_DEVICE_LEN];
};

#endif
