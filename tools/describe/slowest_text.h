/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations and their stacks, as text.
 */
#ifndef IOMMUSCOPE_DESCRIBE_SLOWEST_TEXT_H
#define IOMMUSCOPE_DESCRIBE_SLOWEST_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct slowest;

/**
 * slowest_table() - print the slowest operations
 * @slowest: the observation
 * @interval: of the last interval, not of the whole run
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void slowest_table(struct slowest *slowest, bool interval, int64_t wall_ns);

#endif
