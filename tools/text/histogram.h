/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms in user space: the sums of the histograms of all CPUs.
 */
#ifndef IOMMUSCOPE_TEXT_HISTOGRAM_H
#define IOMMUSCOPE_TEXT_HISTOGRAM_H

#include <stdint.h>

#include "bpf/histogram.h"

/**
 * struct histogram - a histogram of values
 * @count: number of values
 * @sum: their sum
 * @max: the largest one
 * @buckets: number of values in each bucket of bpf/histogram.h
 */
struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t max;
	uint64_t buckets[SCOPE_NR_BUCKETS];
};

/**
 * histogram_add() - add one histogram to another
 * @to: the one that grows
 * @from: the other
 */
void histogram_add(struct histogram *to, const struct histogram *from);

/**
 * histogram_value() - count one value
 * @histogram: the histogram
 * @value: the value
 */
void histogram_value(struct histogram *histogram, uint64_t value);

/**
 * histogram_percentile() - the value that a share of the values does not exceed
 * @histogram: the values
 * @percent: the share, 0 to 100
 *
 * Return: the value, accurate to 1/16; 0 if there are no values.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/**
 * histogram_bound() - the smallest bucket bound that no value exceeds
 * @histogram: the values
 *
 * Return: the end of the last bucket that is not empty.
 */
uint64_t histogram_bound(const struct histogram *histogram);

#endif
