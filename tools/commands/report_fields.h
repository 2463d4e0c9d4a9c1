/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields of trace events as 'iommuscope report' writes them in JSON and CSV.
 */
#ifndef IOMMUSCOPE_COMMANDS_REPORT_FIELDS_H
#define IOMMUSCOPE_COMMANDS_REPORT_FIELDS_H

#include <stdint.h>

#include "bpf/operations.h"
#include "observe/replacement.h"
#include "text/fields.h"

/* The kind of an event. */
enum moment {
	MOMENT_END,
	MOMENT_BEGIN,
	MOMENT_UNFINISHED,
	MOMENT_REPLACEMENT,
	MOMENT_LOST,
};

/**
 * struct report_event - an event as it is written
 * @moment: its kind
 * @op: the operation; a replacement has one too
 * @replacement: the replacement, or NULL
 * @at_ns: CLOCK_MONOTONIC when the loss was noticed
 * @lost: number of lost events
 */
struct report_event {
	enum moment moment;
	const struct scope_op *op;
	const struct replacement *replacement;
	uint64_t at_ns;
	uint64_t lost;
};

/* Tables of struct report_event: a row of CSV; in JSON, the start of an operation, and a loss. */
extern const struct field_table report_row_fields;
extern const struct field_table report_begin_fields;
extern const struct field_table report_gap_fields;

#endif
