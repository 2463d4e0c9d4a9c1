// SPDX-License-Identifier: GPL-2.0-only
/*
 * top: the operations, their number and latency.
 */
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "text/format.h"
#include "top/top.h"

/* An operation that has occurred; it may be idle now. */
struct row {
	unsigned int operation;
	bool quiet;
	double rate;
	double bytes_per_ns;
	uint64_t failed;
	uint64_t count;
	uint64_t p50;
	uint64_t p99;
	uint64_t p999;
	uint64_t max;
	unsigned int phase;
	uint64_t phase_ns;
	uint64_t ns;
};

/* A cell that is empty while the operation is idle. */
#define CELL(name, format, ...)                                                                    \
	static void name##_text(const void *data, char *text, size_t size)                         \
	{                                                                                          \
		const struct row *row = data;                                                      \
                                                                                                   \
		if (row->quiet)                                                                    \
			snprintf(text, size, "-");                                                 \
		else                                                                               \
			snprintf(text, size, format, __VA_ARGS__);                                 \
	}

#define NUMBER(name)                                                                               \
	static double name##_number(const void *data)                                              \
	{                                                                                          \
		return ((const struct row *)data)->name;                                           \
	}

#define DURATION(name)                                                                             \
	NUMBER(name)                                                                               \
	CELL(name, "%s", format_duration(row->name).s)

DURATION(p50)
DURATION(p99)
DURATION(p999)
DURATION(max)
NUMBER(rate)
CELL(rate, "%s", format_number(row->rate).s)
NUMBER(failed)
CELL(failed, "%s", format_count(row->failed).s)
NUMBER(bytes_per_ns)
CELL(bytes_per_ns, "%s", row->bytes_per_ns > 0 ? format_number(row->bytes_per_ns).s : "")
NUMBER(count)

static void name_text(const void *data, char *text, size_t size)
{
	snprintf(text, size, "%s", operation_title(((const struct row *)data)->operation));
}

static void count_text(const void *data, char *text, size_t size)
{
	snprintf(text, size, "%s", format_count(((const struct row *)data)->count).s);
}

static void phase_text_of(const void *data, char *text, size_t size)
{
	const struct row *row = data;

	if (row->quiet || !row->phase_ns)
		*text = '\0';
	else
		snprintf(text, size, "%s %s", phase_name(row->phase),
			 format_percent(row->phase_ns, row->ns).s);
}

static enum screen_colour colour(const void *data)
{
	const struct row *row = data;

	if (row->quiet)
		return SCREEN_DIM;
	return row->failed ? SCREEN_FAILURE : SCREEN_NORMAL;
}

static const struct top_column columns[] = {
	{ "OPERATION", 14, false, name_text, NULL },
	{ "RATE/S", 6, true, rate_text, rate_number },
	{ "FAILED", 6, true, failed_text, failed_number },
	{ "GB/S", 4, true, bytes_per_ns_text, bytes_per_ns_number },
	{ "P50", 7, true, p50_text, p50_number },
	{ "P99", 7, true, p99_text, p99_number },
	{ "P99.9", 7, true, p999_text, p999_number },
	{ "MAX", 7, true, max_text, max_number },
	{ "MOST IN", 13, false, phase_text_of, NULL },
	{ "IN ALL", 8, true, count_text, count_number },
};

struct top_panel top_operations = {
	.columns = columns,
	.nr_columns = sizeof(columns) / sizeof(columns[0]),
	.empty = "no operation has finished yet",
	.colour = colour,
	.sort = 1,
	.row_size = sizeof(struct row),
};

static const struct latency_series *find(const struct latency_set *set, unsigned int operation)
{
	size_t i;

	for (i = 0; i < set->nr; i++)
		if (set->series[i]->operation == operation)
			return set->series[i];
	return NULL;
}

static void fill_row(struct row *row, const struct latency_series *series, uint64_t span_ns)
{
	const struct histogram *whole = &series->histograms[0];
	unsigned int i;

	row->rate = span_ns ? series->counters.count * 1e9 / span_ns : 0;
	row->bytes_per_ns = span_ns ? (double)series->counters.bytes / span_ns : 0;
	row->failed = series->counters.errors;
	row->p50 = histogram_percentile(whole, 50);
	row->p99 = histogram_percentile(whole, 99);
	row->p999 = histogram_percentile(whole, 99.9);
	row->max = whole->max;
	row->ns = whole->sum;
	for (i = 1; i <= series->nr_phases; i++) {
		if (series->histograms[i].sum <= row->phase_ns)
			continue;
		row->phase_ns = series->histograms[i].sum;
		row->phase = latency_phase(series, i);
	}
}

void top_operations_fill(const struct top_observation *observation)
{
	const struct latency *latency = &observation->latency;
	const struct latency_series *series;
	struct row *row;
	size_t i;

	row = top_panel_rows(&top_operations, latency->total.nr);
	for (i = 0; i < latency->total.nr; i++, row++) {
		series = latency->total.series[i];
		row->operation = series->operation;
		row->count = series->counters.count;
		if (!observation->total)
			series = find(&latency->recent, row->operation);
		row->quiet = !series;
		top_operations.nr_active -= row->quiet;
		if (series)
			fill_row(row, series, observation->total ? observation->total_ns :
								   observation->span_ns);
	}
}
