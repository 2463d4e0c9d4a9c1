// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of histograms of times.
 */
#include "describe/fields.h"
#include "text/histogram.h"
#include "text/json.h"

#define NR_PERCENTS 4

static void get_percentile(const void *record, struct value *value, unsigned int which)
{
	static const double percents[NR_PERCENTS] = { TIME_PERCENTS };
	const struct histogram *histogram = record;

	value->known = histogram->count;
	value->number = histogram_percentile(histogram, percents[which]);
}

#define PERCENTILE(number)                                                           \
	static void get_percentile_##number(const void *record, struct value *value) \
	{                                                                            \
		get_percentile(record, value, number);                               \
	}

PERCENTILE(0)
PERCENTILE(1)
PERCENTILE(2)
PERCENTILE(3)

static const struct field sums[] = {
	MEMBER(NUMBER, "count", struct histogram, count, .doc = "how many there were"),
	MEMBER(DURATION, "sum_ns", struct histogram, sum, .doc = "sum of their times"),
	MEMBER(DURATION, "max_ns", struct histogram, max, .doc = "the longest"),
};

const struct field_table histogram_sum_fields = FIELD_TABLE("sums", sums);

#define AT_MOST(key, function, words) \
	FIELD(DURATION, key, .get = function, .unknown = "there were none", .doc = words)

static const struct field times[] = {
	INCLUDE(histogram_sum_fields, field_itself),
	AT_MOST("p50_ns", get_percentile_0, "half of them took at most that"),
	AT_MOST("p90_ns", get_percentile_1, "90 % took at most that"),
	AT_MOST("p99_ns", get_percentile_2, "99 % took at most that"),
	AT_MOST("p99_9_ns", get_percentile_3, "99.9 % took at most that"),
};

const struct field_table times_fields = FIELD_TABLE("times", times);

static void write_buckets(const void *record, struct json *json)
{
	const struct histogram *histogram = record;
	unsigned int i;

	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		json_array(json, NULL);
		json_u64(json, NULL, scope_bucket_low(i));
		json_u64(json, NULL, histogram->buckets[i]);
		json_end_array(json);
	}
}

static const struct field buckets[] = {
	FIELD(VALUES, "buckets", .write = write_buckets,
	      .doc = "the histogram: pairs of the least nanoseconds of a bucket and its count"),
};

const struct field_table histogram_bucket_fields = FIELD_TABLE("histogram", buckets);
