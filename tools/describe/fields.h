/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptions of all records: JSON, CSV, columns and the page's document are made from them.
 *
 * Each table is in the file of what it describes: operation_fields.c, replacement_fields.c,
 * latency_fields.c, state_fields.c and capacity_fields.c.  docs/use/json.md is generated from them.
 */
#ifndef IOMMUSCOPE_DESCRIBE_FIELDS_H
#define IOMMUSCOPE_DESCRIBE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/operations.h"
#include "bpf/stuck.h"
#include "machine/memlock.h"
#include "observe/failures.h"
#include "observe/replacement.h"
#include "text/fields.h"

/* The meaning of time and time_ns, the same in all records. */
#define OPERATION_TIME_DOC \
	"time of the event: the end of an operation or replacement, its start in a start event, or the making of a report"
#define SOURCE_DOC \
	"where it was observed: `own` by events of our modules, " \
	"`upstream`, `type1` or `vfio` by probes on the kernel's own"

/* Members "pid" and "tid": see pids.h of bpf/. */
#define PID_UNKNOWN "the process is outside of the tool's PID namespace"

/* struct scope_op, and its parts for records that have only some of them */
extern const struct field_table operation_fields;
extern const struct field_table operation_moment_fields;
extern const struct field_table operation_name_fields;
extern const struct field_table operation_common_fields;
extern const struct field_table operation_detail_fields;

/* struct scope_op of an operation that starts; dur_ns is 0 */
extern const struct field_table begin_fields;

/* uint64_t: the last record of a stream */
extern const struct field_table lost_fields;

/* struct inflight_op */
extern const struct field_table inflight_fields;

/* struct failure */
extern const struct field_table failure_fields;

/* struct described_replacement; struct replacement for the keys that its operation does not have */
extern const struct field_table replacement_fields;
extern const struct field_table replacement_own_fields;

/* struct replacements: all totals, and only those by device */
extern const struct field_table replacement_totals_fields;
extern const struct field_table device_totals_fields;

/* The percentiles shown. */
#define TIME_PERCENTS 50, 90, 99, 99.9

/* struct histogram: count, sum and maximum; the same with percentiles; the buckets */
extern const struct field_table histogram_sum_fields;
extern const struct field_table times_fields;
extern const struct field_table histogram_bucket_fields;

/* struct lat_report, struct lat_row */
extern const struct field_table lat_report_fields;
extern const struct field_table lat_row_fields;

/* struct lat_row of a whole operation: the page computes differences of these counters */
extern const struct field_table counts_fields;

/* struct iommufd_state_* */
extern const struct field_table ctx_fields;
extern const struct field_table device_fields;
extern const struct field_table ioas_fields;
extern const struct field_table area_fields;

/* struct state: the five lists, and the time at which they were read */
extern const struct field_table state_fields;
extern const struct field_table taken_fields;

/* struct capacity_process */
extern const struct field_table capacity_process_fields;

/* struct ctx_memlock */
extern const struct field_table memlock_fields;

/**
 * struct inflight_op - an operation in flight
 * @op: the operation; @record.dur_ns is how long it has taken so far
 * @dur_at_least: it has taken longer: its start was not observed
 * @phase: enum scope_phase, SCOPE_NR_PHASES for none, SCOPE_PHASE_UNKNOWN
 * @phase_dur_ns: how long it has been in that phase
 */
struct inflight_op {
	struct scope_op op;
	bool dur_at_least;
	unsigned int phase;
	uint64_t phase_dur_ns;
};

/**
 * inflight_describe() - fill in a record from an operation that started
 * @record: the record; its caller is not changed
 * @begun: the operation
 * @now_ns: CLOCK_MONOTONIC now
 */
void inflight_describe(struct inflight_op *record, const struct scope_begun *begun,
		       uint64_t now_ns);

/**
 * struct described_replacement - a replacement, and the same as an operation
 * @replacement: the replacement
 * @operation: the replacement as an operation, made by replacement_operation()
 */
struct described_replacement {
	const struct replacement *replacement;
	struct scope_op operation;
};

/**
 * replacement_describe() - fill in a struct described_replacement
 * @described: filled in
 * @replacement: the replacement; it must outlive @described
 */
void replacement_describe(struct described_replacement *described,
			  const struct replacement *replacement);

/**
 * struct ctx_memlock - locked memory of a context
 * @ctx: number of the context
 * @memlock: the counted memory, and the limit
 */
struct ctx_memlock {
	uint32_t ctx;
	struct memlock memlock;
};

#endif
