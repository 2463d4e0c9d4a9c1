/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lies between two figures of a machine that goes on meanwhile.
 */
#ifndef IOMMUSCOPE_TEXT_DIFFERENCE_H
#define IOMMUSCOPE_TEXT_DIFFERENCE_H

#include <stdint.h>

/**
 * difference() - subtract one figure from another that is no smaller, or looks smaller by a moment
 * @more: the larger one
 * @less: the other one
 *
 * Two counters, or a counter and a clock, are read one after the other; the second may have passed the first.
 * The plain difference is then 16 EiB, or 584 years.
 *
 * Return: the difference, 0 if @less is the larger one.
 */
static inline uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;
}

#endif
