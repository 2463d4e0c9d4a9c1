/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptions of all records: what JSON, CSV, columns and the page's document are made of.
 *
 * Each table is beside what it describes: operation_fields.c, replacement_fields.c, latency_fields.c,
 * state_fields.c and capacity_fields.c.  docs/use/json.md is written from them.
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

/* What time and time_ns mean wherever they are. */
#define OPERATION_TIME_DOC \
	"time of the event: the end of an operation or replacement, its start in a start event, or the making of a report"
#define SOURCE_DOC \
	"where it was observed: `own` by events of our modules, `upstream` or `type1` by probes on the kernel's own"

/* struct scope_op; the parts, for those that have only some of them */
extern const struct field_table operation_fields;
extern const struct field_table operation_moment_fields;
extern const struct field_table operation_name_fields;
extern const struct field_table operation_common_fields;
extern const struct field_table operation_detail_fields;

/* struct scope_op, of an operation that begins; dur_ns is 0 */
extern const struct field_table begin_fields;

/* uint64_t: what a stream ends with */
extern const struct field_table lost_fields;

/* struct inflight_op */
extern const struct field_table inflight_fields;

/* struct failure */
extern const struct field_table failure_fields;

/* struct told_replacement; struct replacement for what is not in its operation */
extern const struct field_table replacement_fields;
extern const struct field_table replacement_own_fields;

/* struct replacements: all totals, and those by device alone */
extern const struct field_table replacement_totals_fields;
extern const struct field_table device_totals_fields;

/* The percentiles that are shown. */
#define TIME_PERCENTS 50, 90, 99, 99.9

/* struct histogram: count, sum and maximum; these and percentiles; the buckets */
extern const struct field_table histogram_sum_fields;
extern const struct field_table times_fields;
extern const struct field_table histogram_bucket_fields;

/* struct lat_report, struct lat_row */
extern const struct field_table lat_report_fields;
extern const struct field_table lat_row_fields;

/* struct lat_row, of a whole operation: what the page takes differences of */
extern const struct field_table counts_fields;

/* struct iommufd_state_* */
extern const struct field_table ctx_fields;
extern const struct field_table device_fields;
extern const struct field_table ioas_fields;
extern const struct field_table area_fields;

/* struct state: the five lists, and when they were taken */
extern const struct field_table state_fields;
extern const struct field_table taken_fields;

/* struct capacity_process */
extern const struct field_table capacity_process_fields;

/* struct ctx_memlock */
extern const struct field_table memlock_fields;

/**
 * struct inflight_op - an operation under way
 * @op: the operation; @record.dur_ns is how long it takes so far
 * @dur_at_least: it takes longer: nobody saw it begin
 * @phase: enum scope_phase, SCOPE_NR_PHASES for none, SCOPE_PHASE_UNKNOWN
 * @phase_dur_ns: for how long it is in that phase
 */
struct inflight_op {
	struct scope_op op;
	bool dur_at_least;
	unsigned int phase;
	uint64_t phase_dur_ns;
};

/**
 * inflight_describe() - fill in what an operation that began says
 * @record: the record; its caller is left as it is
 * @begun: the operation
 * @now_ns: CLOCK_MONOTONIC now
 */
void inflight_describe(struct inflight_op *record, const struct scope_begun *begun,
		       uint64_t now_ns);

/**
 * struct told_replacement - a replacement, and the operation that it is
 * @replacement: the replacement
 * @operation: the same as an operation, made by replacement_operation()
 */
struct told_replacement {
	const struct replacement *replacement;
	struct scope_op operation;
};

/**
 * replacement_tell() - fill in both
 * @told: filled in
 * @replacement: the replacement, which has to stay
 */
void replacement_tell(struct told_replacement *told, const struct replacement *replacement);

/**
 * struct ctx_memlock - locked memory of a context
 * @ctx: number of the context
 * @memlock: what counts, and the limit
 */
struct ctx_memlock {
	uint32_t ctx;
	struct memlock memlock;
};

#endif
