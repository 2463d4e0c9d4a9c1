/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks: the monotonic clock of events, and wall-clock time.
 */
#ifndef IOMMUSCOPE_TEXT_CLOCK_H
#define IOMMUSCOPE_TEXT_CLOCK_H

#include <stdint.h>

/**
 * now_ns() - the time, CLOCK_MONOTONIC
 *
 * Return: nanoseconds.
 */
uint64_t now_ns(void);

/**
 * wall_now_ns() - the wall-clock time, CLOCK_REALTIME
 *
 * Return: nanoseconds since 1970.
 */
uint64_t wall_now_ns(void);

/**
 * wall_offset_ns() - offset from CLOCK_MONOTONIC, the clock of events, to wall-clock time
 *
 * Return: nanoseconds to add; the offset changes whenever the clock is set.
 */
int64_t wall_offset_ns(void);

#endif
