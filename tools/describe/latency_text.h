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
 * struct lat_report - what a report is about
 * @set: the series
 * @by: what the labels are: "device", or NULL
 * @time_ns: CLOCK_REALTIME at its end
 * @span_ns: how long it took to collect
 * @interval: it is one of several, not the sum of all
 * @histograms: show them
 * @overflowed: operations without a label of their own
 * @slowest: the slowest operations and their stacks, or NULL
 */
struct lat_report {
	const struct latency_set *set;
	const char *by;
	uint64_t time_ns;
	uint64_t span_ns;
	bool interval;
	bool histograms;
	uint64_t overflowed;
	struct slowest *slowest;
};

/**
 * lat_report_table() - print a report for people
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
