// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "text/histogram.h"
#include "unit.h"

TEST(histogram, buckets_are_without_gaps)
{
	uint32_t i;

	CHECK_EQ(scope_bucket_low(0), 0);
	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		uint64_t low = scope_bucket_low(i), high = scope_bucket_low(i + 1);

		CHECK(low < high);
		CHECK_EQ(scope_bucket(low), i);
		CHECK_EQ(scope_bucket(high - 1), i);
		/* a sixteenth of the value at most */
		CHECK(high - low == 1 || (high - low) * SCOPE_STEPS <= low);
	}
	CHECK_EQ(scope_bucket_low(SCOPE_NR_BUCKETS), 1ULL << SCOPE_OCTAVES);
}

TEST(histogram, what_is_too_long_is_in_the_last_bucket)
{
	CHECK_EQ(scope_bucket(1ULL << SCOPE_OCTAVES), SCOPE_NR_BUCKETS - 1);
	CHECK_EQ(scope_bucket(UINT64_MAX), SCOPE_NR_BUCKETS - 1);
}

TEST(histogram, logarithm)
{
	unsigned int bit;

	CHECK_EQ(scope_log2(0), 0);
	for (bit = 0; bit < 64; bit++) {
		CHECK_EQ(scope_log2(1ULL << bit), bit);
		CHECK_EQ(scope_log2((1ULL << bit) | ((1ULL << bit) - 1)), bit);
	}
}

TEST(histogram, empty)
{
	struct histogram histogram = {};

	CHECK_EQ(histogram_percentile(&histogram, 50), 0);
	CHECK_EQ(histogram_bound(&histogram), 0);
}

TEST(histogram, one_value_is_every_percentile)
{
	struct histogram histogram = {};

	histogram_value(&histogram, 27541);
	CHECK_LE(histogram_percentile(&histogram, 0), 27541);
	CHECK_GE(histogram_percentile(&histogram, 0), 27541 - 27541 / SCOPE_STEPS);
	CHECK_EQ(histogram_percentile(&histogram, 50), histogram_percentile(&histogram, 99.9));
	CHECK_EQ(histogram.max, 27541);
	CHECK_GE(histogram_bound(&histogram), 27541);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Percentiles of many values of very different sizes, compared with those of the sorted values.
 */
TEST(histogram, percentiles_are_right_to_a_step)
{
	static const double percents[] = { 1, 10, 50, 90, 99, 99.9, 100 };
	static uint64_t values[20000];
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct histogram histogram = {};
	uint64_t random = 4711, exact, got;
	size_t i;

	for (i = 0; i < count; i++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		values[i] = random >> (28 + (random >> 5) % 32);
		histogram_value(&histogram, values[i]);
	}
	qsort(values, count, sizeof(values[0]), compare);
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		exact = values[(size_t)(percents[i] / 100 * count + 0.999999) - 1];
		got = histogram_percentile(&histogram, percents[i]);
		CHECK_LE(got, exact + exact / SCOPE_STEPS);
		CHECK_GE(got + got / SCOPE_STEPS + 1, exact);
	}
	CHECK_EQ(histogram.count, count);
	CHECK_EQ(histogram.max, values[count - 1]);
}

TEST(histogram, adding)
{
	struct histogram a = {}, b = {}, both = {};
	uint64_t i;

	for (i = 1; i < 1000000; i *= 3) {
		histogram_value(i & 4 ? &a : &b, i);
		histogram_value(&both, i);
	}
	histogram_add(&a, &b);
	CHECK(!memcmp(&a, &both, sizeof(a)));
}
