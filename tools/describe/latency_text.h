/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report of latencies: as a table with histograms, as JSON, as CSV.
 */
#ifndef IOMMUSCOPE_DESCRIBE_LATENCY_TEXT_H
#define IOMMUSCOPE_DESCRIBE_LATENCY_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/latency.h"

struct slowest;

/**
 * struct lat_report - a report
 * @set: the series
 * @by: what the labels are: "device", or NULL
 * @time_ns: CLOCK_MONOTONIC at its end
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 * @span_ns: time that it covers
 * @interval: it is one of several, not the sum of all
 * @histograms: show histograms
 * @overflowed: operations that count as (others)
 * @missed: upper bound of missing operations
 * @unseen: phases that cannot be observed on this kernel, "" if none
 * @slowest: the slowest operations and their stacks, or NULL
 */
struct lat_report {
	const struct latency_set *set;
	const char *by;
	uint64_t time_ns;
	int64_t wall_ns;
	uint64_t span_ns;
	bool interval;
	bool histograms;
	uint64_t overflowed;
	uint64_t missed;
	const char *unseen;
	struct slowest *slowest;
};

/**
 * struct lat_row - a row of a report: a series, or a phase of it
 * @report: the report
 * @series: the series
 * @index: 0 for the whole operations, else a phase, as for latency_phase()
 */
struct lat_row {
	const struct lat_report *report;
	const struct latency_series *series;
	unsigned int index;
};

/**
 * lat_per_second() - a rate
 * @count: number of events
 * @ns: the time in which they happened
 *
 * Return: events per second.
 */
double lat_per_second(uint64_t count, uint64_t ns);

/**
 * lat_throughput() - bytes per nanosecond of the operations' time
 * @series: the operations
 *
 * Return: GB/s.
 */
double lat_throughput(const struct latency_series *series);

/**
 * lat_ns_per_page() - time per page pinned or unpinned
 * @series: the operations
 *
 * Return: nanoseconds, 0 if there were no pages.
 */
double lat_ns_per_page(const struct latency_series *series);

/**
 * lat_other_ns() - time in none of the phases
 * @series: the operations
 *
 * Return: nanoseconds.
 */
uint64_t lat_other_ns(const struct latency_series *series);

/**
 * lat_report_table() - print a report as a table
 * @report: the report
 */
void lat_report_table(const struct lat_report *report);

/**
 * lat_report_json() - print a report as one object on one line
 * @report: the report
 */
void lat_report_json(const struct lat_report *report);

/**
 * lat_report_csv() - print a report as lines of comma-separated values
 * @report: the report
 * @heading: print the names of the columns first
 */
void lat_report_csv(const struct lat_report *report, bool heading);

#endif
