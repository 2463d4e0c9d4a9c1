// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "text/histogram.h"

void histogram_add(struct histogram *to, const struct histogram *from)
{
	unsigned int i;

	to->count += from->count;
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
	for (i = 0; i < SCOPE_NR_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

void histogram_value(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->sum += value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->buckets[scope_bucket(value)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	uint64_t rank, before = 0, low, high, value;
	unsigned int i;

	if (!histogram->count)
		return 0;
	rank = ceil(percent / 100 * histogram->count);
	if (rank < 1)
		rank = 1;
	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		if (before + histogram->buckets[i] >= rank)
			break;
		before += histogram->buckets[i];
	}
	if (i == SCOPE_NR_BUCKETS)
		return histogram->max;
	/* assume that the values of a bucket are spread evenly over it */
	low = scope_bucket_low(i);
	high = scope_bucket_low(i + 1);
	value = low + (high - low - 1) * ((double)(rank - before) - 0.5) / histogram->buckets[i];
	return value < histogram->max ? value : histogram->max;
}

uint64_t histogram_bound(const struct histogram *histogram)
{
	unsigned int i = SCOPE_NR_BUCKETS;

	while (i && !histogram->buckets[i - 1])
		i--;
	return i ? scope_bucket_low(i) - 1 : 0;
}
