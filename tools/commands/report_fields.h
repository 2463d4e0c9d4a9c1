/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of a trace as 'iommuscope report' writes them in JSON and CSV.
 */
#ifndef IOMMUSCOPE_COMMANDS_REPORT_FIELDS_H
#define IOMMUSCOPE_COMMANDS_REPORT_FIELDS_H

#include <stdint.h>

#include "bpf/operations.h"
#include "observe/replacement.h"
#include "text/fields.h"

/* What an event tells of. */
enum moment {
	MOMENT_END,
	MOMENT_BEGIN,
	MOMENT_UNFINISHED,
	MOMENT_REPLACEMENT,
	MOMENT_LOST,
};

/**
 * struct report_event - an event as it is written
 * @moment: what it tells of
 * @op: the operation, that of a replacement too
 * @replacement: the replacement, or NULL
 * @at_ns: CLOCK_MONOTONIC at which events were found to be lost
 * @lost: how many
 */
struct report_event {
	enum moment moment;
	const struct scope_op *op;
	const struct replacement *replacement;
	uint64_t at_ns;
	uint64_t lost;
};

/* struct report_event: a row of CSV; in JSON, an operation that began, and events that are lost */
extern const struct field_table report_row_fields;
extern const struct field_table report_begin_fields;
extern const struct field_table report_gap_fields;

#endif
