/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time, by the clock of the events and by that of the day.
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
 * wall_now_ns() - the time of the day, CLOCK_REALTIME
 *
 * Return: nanoseconds since 1970.
 */
uint64_t wall_now_ns(void);

/**
 * wall_offset_ns() - what makes a moment of CLOCK_MONOTONIC, as the events have it, a time of the day
 *
 * Return: nanoseconds to add; it changes whenever somebody sets the clock.
 */
int64_t wall_offset_ns(void);

#endif
