// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report of latencies.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "describe/latency_text.h"
#include "describe/names.h"
#include "describe/slowest_text.h"
#include "observe/slowest.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"
#include "text/utf8.h"

/* From these widths on there is room for more columns; where lines may be any length, for all. */
#define MIDDLE 88
#define WIDE 100

static const double percents[] = { 50, 90, 99, 99.9 };
#define NR_PERCENTS (sizeof(percents) / sizeof(percents[0]))

static double per_second(uint64_t count, uint64_t ns)
{
	return ns ? count * 1e9 / ns : 0;
}

/* Bytes for each nanosecond that the operations took: GB/s. */
static double throughput(const struct latency_series *series)
{
	uint64_t ns = series->histograms[0].sum;

	return ns ? (double)series->counters.bytes / ns : 0;
}

static double ns_per_page(const struct latency_series *series)
{
	uint64_t pages = series->counters.pages;

	return pages ? (double)series->histograms[0].sum / pages : 0;
}

/* Time in none of the phases. */
static uint64_t other_ns(const struct latency_series *series)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 1; i <= series->nr_phases; i++)
		sum += series->histograms[i].sum;
	return series->histograms[0].sum > sum ? series->histograms[0].sum - sum : 0;
}

/* The table */

enum {
	COLUMN_NAME,
	COLUMN_COUNT,
	COLUMN_RATE,
	COLUMN_BYTES,
	COLUMN_THROUGHPUT,
	COLUMN_PERCENTS,
	COLUMN_MAX = COLUMN_PERCENTS + NR_PERCENTS,
	COLUMN_NS_PER_PAGE,
	COLUMN_ERRORS,
	NR_COLUMNS,
};

#define COLUMN_BIT(column) (1U << (column))
#define WIDE_COLUMNS (COLUMN_BIT(COLUMN_NS_PER_PAGE) | COLUMN_BIT(COLUMN_ERRORS))
/* rate and the largest percentile: the one tells least, the other is near the maximum */
#define MIDDLE_COLUMNS (COLUMN_BIT(COLUMN_RATE) | COLUMN_BIT(COLUMN_MAX - 1))

static const char *const heads[NR_COLUMNS] = {
	"OPERATION", "COUNT", "RATE/S", "BYTES",   "GB/S",   "P50",
	"P90",	     "P99",   "P99.9",	"MAX",	   "NS/PAGE", "ERRORS",
};

/* A bit for each column that there is room for. */
static unsigned int columns_shown(void)
{
	unsigned int shown = COLUMN_BIT(NR_COLUMNS) - 1;
	int width = terminal_width();

	if (width && width < WIDE)
		shown &= ~WIDE_COLUMNS;
	if (width && width < MIDDLE)
		shown &= ~MIDDLE_COLUMNS;
	return shown;
}

/* Set a column, if it is among those shown. */
__attribute__((format(printf, 4, 5)))
static void set_column(struct table *table, unsigned int shown, unsigned int column,
		       const char *format, ...)
{
	char text[64];
	va_list args;

	if (!(shown & COLUMN_BIT(column)))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_set(table, __builtin_popcount(shown & (COLUMN_BIT(column) - 1)), "%s", text);
}

static void set_times(struct table *table, unsigned int shown, const struct histogram *histogram)
{
	unsigned int i;

	for (i = 0; i < NR_PERCENTS; i++)
		set_column(table, shown, COLUMN_PERCENTS + i, "%s",
			   format_duration(histogram_percentile(histogram, percents[i])).s);
	set_column(table, shown, COLUMN_MAX, "%s", format_duration(histogram->max).s);
}

static void add_operation(struct table *table, unsigned int shown, const struct lat_report *report,
			  const struct latency_series *series)
{
	const struct scope_counters *counters = &series->counters;

	table_row(table, COLOUR_NONE);
	set_column(table, shown, COLUMN_NAME, "%s", operation_title(series->operation));
	set_column(table, shown, COLUMN_COUNT, "%s", format_count(counters->count).s);
	set_column(table, shown, COLUMN_RATE, "%s",
		   format_number(per_second(counters->count, report->span_ns)).s);
	if (counters->bytes) {
		set_column(table, shown, COLUMN_BYTES, "%s", format_size(counters->bytes).s);
		set_column(table, shown, COLUMN_THROUGHPUT, "%s",
			   format_number(throughput(series)).s);
	}
	set_times(table, shown, &series->histograms[0]);
	if (counters->pages)
		set_column(table, shown, COLUMN_NS_PER_PAGE, "%s",
			   format_number(ns_per_page(series)).s);
	if (counters->errors)
		set_column(table, shown, COLUMN_ERRORS, "%s", format_count(counters->errors).s);
}

static void add_phase(struct table *table, unsigned int shown, const struct latency_series *series,
		      const char *name, uint64_t ns, const struct histogram *histogram)
{
	if (!ns)
		return;
	table_row(table, COLOUR_DIM);
	set_column(table, shown, COLUMN_NAME, "  %-8s %6s", name,
		   format_percent(ns, series->histograms[0].sum).s);
	if (histogram)
		set_times(table, shown, histogram);
}

static void print_operations(const struct lat_report *report)
{
	unsigned int shown = columns_shown(), column;
	struct table table = { .right = ~1U };
	const struct latency_series *series;
	const char *label = "";
	unsigned int phase;
	size_t i;

	for (column = 0; column < NR_COLUMNS; column++)
		if (shown & COLUMN_BIT(column))
			table.heads[table.columns++] = heads[column];
	for (i = 0; i < report->set->nr; i++) {
		series = report->set->series[i];
		if (strcmp(label, series->label)) {
			label = series->label;
			table_row(&table, COLOUR_BOLD);
			table_set(&table, COLUMN_NAME, "%s:", label);
		}
		add_operation(&table, shown, report, series);
		for (phase = 1; phase <= series->nr_phases; phase++)
			add_phase(&table, shown, series, phase_name(latency_phase(series, phase)),
				  series->histograms[phase].sum, &series->histograms[phase]);
		if (other_ns(series) < series->histograms[0].sum)
			add_phase(&table, shown, series, "other", other_ns(series), NULL);
	}
	if (i)
		table_print(&table);
	else
		printf("no operations\n");
}

/* Steps of a printed histogram: as many of the octave's 16 as fit into this many lines. */
#define HISTOGRAM_LINES 24
#define BAR_COLUMNS 40

static void print_histogram(const char *title, const struct histogram *histogram)
{
	static const char bar[] = "########################################";
	unsigned int first = 0, last = SCOPE_NR_BUCKETS - 1, step = 1, i, j;
	uint64_t most = 0, count;
	struct text from, to;

	if (!histogram->count)
		return;
	while (!histogram->buckets[first])
		first++;
	while (!histogram->buckets[last])
		last--;
	while ((last - first) / step >= HISTOGRAM_LINES)
		step *= 2;
	first -= first % step;
	for (i = first; i <= last; i += step) {
		for (count = 0, j = i; j < i + step && j < SCOPE_NR_BUCKETS; j++)
			count += histogram->buckets[j];
		if (count > most)
			most = count;
	}
	printf("\n%s%s%s\n", colour_on(COLOUR_BOLD), title, colour_off());
	for (i = first; i <= last; i += step) {
		for (count = 0, j = i; j < i + step && j < SCOPE_NR_BUCKETS; j++)
			count += histogram->buckets[j];
		from = format_duration(scope_bucket_low(i));
		to = format_duration(scope_bucket_low(i + step < SCOPE_NR_BUCKETS ? i + step :
						      SCOPE_NR_BUCKETS));
		printf("%*s%s ..%*s%s %8" PRIu64 " |%.*s\n", 10 - text_width(from.s), "", from.s,
		       10 - text_width(to.s), "", to.s, count,
		       (int)((count * BAR_COLUMNS + most - 1) / most), bar);
	}
}

static void print_histograms(const struct latency_series *series)
{
	char title[400];
	unsigned int i;

	for (i = 0; i <= series->nr_phases; i++) {
		snprintf(title, sizeof(title), "%s%s%s%s%s", series->label,
			 *series->label ? ": " : "", operation_title(series->operation),
			 i ? ", " : "", i ? phase_text(latency_phase(series, i)) : "");
		print_histogram(title, &series->histograms[i]);
	}
}

void lat_report_table(const struct lat_report *report)
{
	size_t i;

	if (report->interval) {
		printf("%s%s%s\n", colour_on(COLOUR_DIM),
		       format_clock_second(report->time_ns).s, colour_off());
	} else {
		printf("%s%s in all%s\n", colour_on(COLOUR_DIM),
		       format_duration(report->span_ns).s, colour_off());
	}
	print_operations(report);
	if (report->histograms)
		for (i = 0; i < report->set->nr; i++)
			print_histograms(report->set->series[i]);
	if (report->overflowed)
		printf("%" PRIu64 " operations are among the others: too many to tell apart, see "
		       "--limit\n", report->overflowed);
	if (report->slowest)
		slowest_table(report->slowest, report->interval);
	if (report->interval)
		putchar('\n');
}

/* JSON */

static void json_percentiles(struct json *json, const struct histogram *histogram)
{
	static const char *const keys[NR_PERCENTS] = { "p50_ns", "p90_ns", "p99_ns", "p99_9_ns" };
	unsigned int i;

	json_u64(json, "sum_ns", histogram->sum);
	for (i = 0; i < NR_PERCENTS; i++)
		json_u64(json, keys[i], histogram_percentile(histogram, percents[i]));
	json_u64(json, "max_ns", histogram->max);
	json_array(json, "buckets");
	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		json_array(json, NULL);
		json_u64(json, NULL, scope_bucket_low(i));
		json_u64(json, NULL, histogram->buckets[i]);
		json_end_array(json);
	}
	json_end_array(json);
}

static void json_series(struct json *json, const struct lat_report *report,
			const struct latency_series *series)
{
	const struct scope_counters *counters = &series->counters;
	const struct histogram *histogram;
	unsigned int i;

	json_object(json, NULL);
	json_string(json, "subsystem", operation_subsystem(series->operation));
	json_string(json, "operation", operation_name(series->operation));
	if (report->by)
		json_string(json, report->by, series->label);
	json_u64(json, "count", counters->count);
	json_u64(json, "errors", counters->errors);
	json_double(json, "rate_per_second", per_second(counters->count, report->span_ns));
	json_u64(json, "bytes", counters->bytes);
	json_u64(json, "pages", counters->pages);
	json_double(json, "gigabytes_per_second", throughput(series));
	json_double(json, "ns_per_page", ns_per_page(series));
	json_percentiles(json, &series->histograms[0]);
	json_array(json, "phases");
	for (i = 1; i <= series->nr_phases; i++) {
		histogram = &series->histograms[i];
		if (!histogram->count)
			continue;
		json_object(json, NULL);
		json_string(json, "phase", phase_name(latency_phase(series, i)));
		json_u64(json, "count", histogram->count);
		json_double(json, "share", series->histograms[0].sum ?
			    (double)histogram->sum / series->histograms[0].sum : 0);
		json_percentiles(json, histogram);
		json_end_object(json);
	}
	json_end_array(json);
	json_u64(json, "other_ns", other_ns(series));
	json_end_object(json);
}

void lat_report_json(const struct lat_report *report)
{
	struct json json = { .file = stdout };
	size_t i;

	json_object(&json, NULL);
	json_string(&json, "report", report->interval ? "interval" : "total");
	json_u64(&json, "time_ns", report->time_ns);
	json_u64(&json, "span_ns", report->span_ns);
	json_string(&json, "by", report->by ? report->by : "none");
	json_array(&json, "operations");
	for (i = 0; i < report->set->nr; i++)
		json_series(&json, report, report->set->series[i]);
	json_end_array(&json);
	json_u64(&json, "overflowed", report->overflowed);
	if (report->slowest)
		slowest_json(report->slowest, report->interval, &json);
	json_end_object(&json);
	json_end(&json);
}

/* CSV */

static void csv_line(const struct lat_report *report, const struct latency_series *series,
		     const char *phase, const struct histogram *histogram, uint64_t count)
{
	unsigned int i;

	printf("%s,%" PRIu64 ",%" PRIu64 ",", report->interval ? "interval" : "total",
	       report->time_ns, report->span_ns);
	csv_text(stdout, series->label);
	printf(",%s,%s,%s,%" PRIu64, operation_subsystem(series->operation),
	       operation_name(series->operation), phase, count);
	if (*phase)
		printf(",,,");
	else
		printf(",%" PRIu64 ",%" PRIu64 ",%" PRIu64, (uint64_t)series->counters.errors,
		       (uint64_t)series->counters.bytes, (uint64_t)series->counters.pages);
	printf(",%" PRIu64, histogram->sum);
	for (i = 0; i < NR_PERCENTS; i++)
		printf(",%" PRIu64, histogram_percentile(histogram, percents[i]));
	printf(",%" PRIu64 "\n", histogram->max);
}

void lat_report_csv(const struct lat_report *report, bool heading)
{
	const struct latency_series *series;
	unsigned int phase;
	size_t i;

	if (heading)
		printf("report,time_ns,span_ns,%s,subsystem,operation,phase,count,errors,bytes,"
		       "pages,sum_ns,p50_ns,p90_ns,p99_ns,p99_9_ns,max_ns\n",
		       report->by ? report->by : "label");
	for (i = 0; i < report->set->nr; i++) {
		series = report->set->series[i];
		csv_line(report, series, "", &series->histograms[0], series->counters.count);
		for (phase = 1; phase <= series->nr_phases; phase++)
			if (series->histograms[phase].count)
				csv_line(report, series, phase_name(latency_phase(series, phase)),
					 &series->histograms[phase],
					 series->histograms[phase].count);
	}
}
