/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A replacement as a time line.
 */
#ifndef IOMMUSCOPE_DESCRIBE_REPLACEMENT_TIMELINE_H
#define IOMMUSCOPE_DESCRIBE_REPLACEMENT_TIMELINE_H

#include <stdint.h>

struct replacement;

/**
 * timeline_print() - print the events of a replacement, and the operations that waited
 * @replacement: the replacement
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void timeline_print(const struct replacement *replacement, int64_t wall_ns);

#endif
