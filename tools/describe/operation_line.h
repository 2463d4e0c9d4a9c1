/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations as lines on standard output, for commands that show them one by one.
 */
#ifndef IOMMUSCOPE_DESCRIBE_OPERATION_LINE_H
#define IOMMUSCOPE_DESCRIBE_OPERATION_LINE_H

#include <stdint.h>

#include "bpf/operations.h"

/**
 * operation_heading() - print the titles of the columns
 */
void operation_heading(void);

/**
 * line_time() - print the time at the start of a line
 * @wall_ns: CLOCK_REALTIME
 */
void line_time(uint64_t wall_ns);

/**
 * operation_line() - print a finished operation as a line
 * @op: the operation
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void operation_line(const struct scope_op *op, int64_t wall_ns);

#endif
