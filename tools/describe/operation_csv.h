/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations as comma-separated values: the keys of the JSON as columns, all of them in every row.
 */
#ifndef IOMMUSCOPE_DESCRIBE_OPERATION_CSV_H
#define IOMMUSCOPE_DESCRIBE_OPERATION_CSV_H

#include <stdint.h>
#include <stdio.h>

#include "bpf/operations.h"

struct replacement;

/**
 * operation_csv_heading() - write the row of names
 * @file: where to
 */
void operation_csv_heading(FILE *file);

/**
 * operation_csv() - write an operation as a row
 * @file: where to
 * @record: the operation
 * @event: "end", "begin" or "unfinished"
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void operation_csv(FILE *file, const struct scope_record *record, const char *event,
		   int64_t wall_ns);

/**
 * replacement_csv() - write what a replacement did to one device as a row of the same table
 * @file: where to
 * @replacement: the replacement
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 *
 * Its event is "replacement"; the columns at the end are those that only such rows fill.
 */
void replacement_csv(FILE *file, const struct replacement *replacement, int64_t wall_ns);

#endif
