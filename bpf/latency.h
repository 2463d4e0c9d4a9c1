/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What latency.bpf.c counts.
 *
 * An entry of a map counts the operations of one kind, of one dimension (device, IOAS, process,
 * cgroup, or all of them), on one CPU.  Only that CPU writes it, so nothing is atomic and nothing
 * is shared; the tool adds the CPUs up.  Where no entry is to be had any more, the operation goes
 * to the overflow entry of its kind, which all CPUs share and which does not know the phases.
 *
 * Each class of operations has its own map, since its entries hold as many histograms as it has
 * phases.  Buckets are 32 bits wide; the tool reads them often enough to notice that one wraps.
 *
 * Maps and unmaps come by the hundred thousand, and looking their entry up would take as long as
 * all the rest: where operations are not told apart they have entries that are always there.
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

/* The operations that have an entry of their own with SCOPE_BY_NONE. */
enum scope_frequent {
	SCOPE_FREQUENT_MAP,
	SCOPE_FREQUENT_UNMAP,
	SCOPE_FREQUENT_TYPE1_MAP,
	SCOPE_FREQUENT_TYPE1_UNMAP,
	SCOPE_NR_FREQUENT,
};

/* What is kept of single operations. */
enum {
	/* count failures by their reason, and keep the last of each: struct scope_failure */
	SCOPE_KEEP_FAILURES = 1 << 0,
	/* send the slowest with their stacks: slowest.h */
	SCOPE_KEEP_SLOWEST = 1 << 1,
};

/* Nanoseconds up to here find their bucket in a table. */
#define SCOPE_SMALL_NS 16384

/* With SCOPE_BY_DEVICE: this bit and a number of @devices, or else an IOAS as in filter.bpf.h. */
#define SCOPE_DIMENSION_DEVICE (1ULL << 63)

struct scope_latency_key {
	__u64 dimension;
	__u32 cpu;
	__u32 operation;
};

/* A histogram of nanoseconds, with what it cannot tell itself. */
struct scope_histogram {
	__u64 sum;
	__u64 max;
	__u32 buckets[SCOPE_NR_BUCKETS];
};

/* What every entry begins with. */
struct scope_counters {
	__u64 count;
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

/* phases[0] is the wait, which all classes have; the others follow from SCOPE_PHASE_check. */
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

/* Failures of one kind for one reason, on one CPU, which alone writes the entry. */
struct scope_failure_key {
	__u32 operation;
	__u32 reason;
	__u32 cpu;
};

/**
 * struct scope_failure - failures of one kind
 * @count: how many
 * @told: the value of @count of which @last tells; another one while it is being written
 * @last: the last one
 */
struct scope_failure {
	__u64 count;
	__u64 told;
	struct scope_op last;
};

/* Which devices are, or were, behind an IOAS. */
struct scope_attachment {
	__u64 ioas;
	char device[SCOPE_DEVICE_LEN];
};

#endif
