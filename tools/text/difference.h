/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences of figures that change while they are read.
 */
#ifndef IOMMUSCOPE_TEXT_DIFFERENCE_H
#define IOMMUSCOPE_TEXT_DIFFERENCE_H

#include <stdint.h>

/**
 * difference() - subtract a figure from another that should not be smaller, but can appear so
 * @more: the larger one
 * @less: the other one
 *
 * Two counters, or a counter and a clock, are read one after the other, so the second may have
 * passed the first.  The plain difference is then 16 EiB, or 584 years.
 *
 * Return: the difference, 0 if @less is the larger one.
 */
static inline uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;
}

#endif
