// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report of latencies as text.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "describe/fields.h"
#include "describe/latency_text.h"
#include "describe/names.h"
#include "describe/slowest_text.h"
#include "observe/slowest.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"
#include "text/utf8.h"

/* Terminal widths from which on more columns are shown; all are if lines may be of any length. */
#define MIDDLE 88
#define WIDE 100

static const double percents[] = { TIME_PERCENTS };
#define NR_PERCENTS (sizeof(percents) / sizeof(percents[0]))

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
/* the rate says least, and the largest percentile is close to the maximum */
#define MIDDLE_COLUMNS (COLUMN_BIT(COLUMN_RATE) | COLUMN_BIT(COLUMN_MAX - 1))

static const char *const heads[NR_COLUMNS] = {
	"OPERATION", "COUNT", "RATE/S", "BYTES",   "GB/S",   "P50",
	"P90",	     "P99",   "P99.9",	"MAX",	   "NS/PAGE", "ERRORS",
};

/* A bit for each column that fits. */
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

/* Set a column if it is shown. */
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

/* Count the sources that have operations. */
static unsigned int sources_of(const struct latency_set *set)
{
	unsigned int sources = 0;
	size_t i;

	for (i = 0; i < set->nr; i++)
		sources |= 1U << set->series[i]->source;
	return __builtin_popcount(sources);
}

/* @sources: if there are several, the name of each operation includes its source */
static void add_operation(struct table *table, unsigned int shown, const struct lat_report *report,
			  const struct latency_series *series, unsigned int sources)
{
	const struct latency_counters *counters = &series->counters;

	table_row(table, COLOUR_NONE);
	if (sources > 1)
		set_column(table, shown, COLUMN_NAME, "%s (%s)", operation_title(series->operation),
			   operation_source_name(series->source));
	else
		set_column(table, shown, COLUMN_NAME, "%s", operation_title(series->operation));
	set_column(table, shown, COLUMN_COUNT, "%s", format_count(counters->count).s);
	set_column(table, shown, COLUMN_RATE, "%s",
		   format_number(lat_per_second(counters->count, report->span_ns)).s);
	if (counters->bytes) {
		set_column(table, shown, COLUMN_BYTES, "%s", format_size(counters->bytes).s);
		set_column(table, shown, COLUMN_THROUGHPUT, "%s",
			   format_number(lat_throughput(series)).s);
	}
	set_times(table, shown, &series->histograms[0]);
	if (counters->pages)
		set_column(table, shown, COLUMN_NS_PER_PAGE, "%s",
			   format_number(lat_ns_per_page(series)).s);
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
	unsigned int shown = columns_shown(), sources = sources_of(report->set), column;
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
		add_operation(&table, shown, report, series, sources);
		for (phase = 1; phase <= series->nr_phases; phase++)
			add_phase(&table, shown, series, phase_name(latency_phase(series, phase)),
				  series->histograms[phase].sum, &series->histograms[phase]);
		if (lat_other_ns(series) < series->histograms[0].sum)
			add_phase(&table, shown, series, "other", lat_other_ns(series), NULL);
	}
	if (i)
		table_print(&table);
	else
		printf("no operations\n");
}

/* Lines of a printed histogram; the 16 steps of an octave are merged until they fit. */
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
		       format_clock_second(report->time_ns + report->wall_ns).s, colour_off());
	} else {
		printf("%s%s in total%s\n", colour_on(COLOUR_DIM),
		       format_duration(report->span_ns).s, colour_off());
	}
	if (*report->unseen)
		printf("%sphases not observed here: %s%s\n", colour_on(COLOUR_DIM), report->unseen,
		       colour_off());
	print_operations(report);
	if (report->histograms)
		for (i = 0; i < report->set->nr; i++)
			print_histograms(report->set->series[i]);
	if (report->overflowed)
		printf("%" PRIu64 " operations count as (others): more labels than --limit allows, see "
		       "--limit\n", report->overflowed);
	if (report->missed)
		printf("%" PRIu64 " operations may be missing: their thread was preempted in a "
		       "probe\n", report->missed);
	if (report->slowest)
		slowest_table(report->slowest, report->interval, report->wall_ns);
	if (report->interval)
		putchar('\n');
}

void lat_report_json(const struct lat_report *report)
{
	struct json json = { .file = stdout };

	fields_json_line(&json, &lat_report_fields, report, report->wall_ns);
}

void lat_report_csv(const struct lat_report *report, bool heading)
{
	struct lat_row row = { .report = report };
	size_t i;

	if (heading)
		fields_csv_heading(stdout, &lat_row_fields);
	for (i = 0; i < report->set->nr; i++) {
		row.series = report->set->series[i];
		for (row.index = 0; row.index <= row.series->nr_phases; row.index++)
			if (!row.index || row.series->histograms[row.index].count)
				fields_csv(stdout, &lat_row_fields, &row, report->wall_ns);
	}
}
