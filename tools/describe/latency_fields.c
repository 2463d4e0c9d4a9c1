// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of reports of latencies.
 */
#include <inttypes.h>
#include <stdio.h>

#include "describe/fields.h"
#include "describe/latency_text.h"
#include "describe/names.h"
#include "observe/slowest.h"
#include "text/difference.h"
#include "text/histogram.h"

#define PART(part) INCLUDE(part, field_itself)

double lat_per_second(uint64_t count, uint64_t ns)
{
	return ns ? count * 1e9 / ns : 0;
}

double lat_throughput(const struct latency_series *series)
{
	uint64_t ns = series->histograms[0].sum;

	return ns ? (double)series->counters.bytes / ns : 0;
}

double lat_ns_per_page(const struct latency_series *series)
{
	uint64_t pages = series->counters.pages;

	return pages ? (double)series->histograms[0].sum / pages : 0;
}

uint64_t lat_other_ns(const struct latency_series *series)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 1; i <= series->nr_phases; i++)
		sum += series->histograms[i].sum;
	return difference(series->histograms[0].sum, sum);
}

/* Series: a row is a series or one of its phases */

static const void *row_histogram(const void *record, size_t number)
{
	const struct lat_row *row = record;

	return number ? NULL : &row->series->histograms[row->index];
}

static void get_subsystem(const void *record, struct value *value)
{
	value->text = operation_subsystem(((const struct lat_row *)record)->series->operation);
}

static void get_operation(const void *record, struct value *value)
{
	value->text = operation_name(((const struct lat_row *)record)->series->operation);
}

static void get_label(const void *record, struct value *value)
{
	const struct lat_row *row = record;

	value->known = row->report->by;
	value->text = row->series->label;
}

static void get_phase(const void *record, struct value *value)
{
	const struct lat_row *row = record;

	value->known = row->index;
	if (value->known)
		value->text = phase_name(latency_phase(row->series, row->index));
}

static void get_share(const void *record, struct value *value)
{
	const struct lat_row *row = record;
	uint64_t whole = row->series->histograms[0].sum;

	value->real = whole ? (double)row->series->histograms[row->index].sum / whole : 0;
}

/* Counted for whole operations only, not for their phases. */
#define COUNTER(member)                                                   \
	static void get_##member(const void *record, struct value *value) \
	{                                                                 \
		const struct lat_row *row = record;                       \
                                                                          \
		value->known = !row->index;                               \
		value->number = row->series->counters.member;             \
	}

COUNTER(errors)
COUNTER(bytes)
COUNTER(pages)

static void get_rate(const void *record, struct value *value)
{
	const struct lat_row *row = record;

	value->real = lat_per_second(row->series->counters.count, row->report->span_ns);
}

static void get_throughput(const void *record, struct value *value)
{
	const struct lat_row *row = record;

	value->known = row->series->counters.bytes;
	value->real = lat_throughput(row->series);
}

static void get_ns_per_page(const void *record, struct value *value)
{
	const struct lat_row *row = record;

	value->known = row->series->counters.pages;
	value->real = lat_ns_per_page(row->series);
}

static void get_other(const void *record, struct value *value)
{
	value->number = lat_other_ns(((const struct lat_row *)record)->series);
}

/* The phases that occurred, of those that the operation can have. */
static const void *nth_phase(const void *record, size_t number)
{
	const struct lat_row *row = record;
	static struct lat_row phase;
	unsigned int i;

	for (i = 1; i <= row->series->nr_phases; i++) {
		if (!row->series->histograms[i].count || number--)
			continue;
		phase = *row;
		phase.index = i;
		return &phase;
	}
	return NULL;
}

static void get_source(const void *record, struct value *value)
{
	value->text = operation_source_name(((const struct lat_row *)record)->series->source);
}

static const struct field series_names[] = {
	FIELD(TEXT, "subsystem", .get = get_subsystem,
	      .doc = "whose operation: `iommufd`, `vfio` or `type1`"),
	FIELD(TEXT, "operation", .get = get_operation, .doc = "name of the operation"),
	FIELD(TEXT, "source", .get = get_source, .doc = SOURCE_DOC),
};

static const struct field_table series_name_fields = FIELD_TABLE("name", series_names);

#define WHOLE_ONLY .unknown = "this is a phase"

static const struct field series_counters[] = {
	FIELD(NUMBER, "errors", .get = get_errors, WHOLE_ONLY, .doc = "number that failed"),
	FIELD(BYTES, "bytes", .get = get_bytes, WHOLE_ONLY, .doc = "bytes mapped or unmapped"),
};

static const struct field_table series_counter_fields = FIELD_TABLE("counters", series_counters);

#define PHASE_NAME                                                                     \
	FIELD(TEXT, "phase", .get = get_phase, .unknown = "this is the whole operation", \
	      .doc = "name of the phase; `other` for none")
#define PAGES \
	FIELD(NUMBER, "pages", .get = get_pages, WHOLE_ONLY, .doc = "pages pinned or unpinned")
#define LABEL                                                                        \
	FIELD(TEXT, "label", .get = get_label, .unknown = "operations are not split", \
	      .doc = "the device, IOAS, process or cgroup, see `by`")

static const struct field phase[] = {
	PHASE_NAME,
	FIELD(SHARE, "share", .get = get_share, .doc = "share of the operation's time"),
	INCLUDE(times_fields, row_histogram),
	INCLUDE(histogram_bucket_fields, row_histogram),
};

static const struct field_table phase_fields = FIELD_TABLE("phase of operations", phase);

static const struct field series[] = {
	PART(series_name_fields),
	LABEL,
	PART(series_counter_fields),
	PAGES,
	FIELD(REAL, "rate_per_second", .get = get_rate, .doc = "operations per second"),
	FIELD(REAL, "gigabytes_per_second", .get = get_throughput, .unknown = "it maps nothing",
	      .doc = "bytes mapped or unmapped per nanosecond of their time"),
	FIELD(REAL, "ns_per_page", .get = get_ns_per_page, .unknown = "it pins nothing",
	      .doc = "time per page"),
	INCLUDE(times_fields, row_histogram),
	INCLUDE(histogram_bucket_fields, row_histogram),
	FIELD(LIST, "phases", .table = &phase_fields, .element = nth_phase,
	      .doc = "where the time went"),
	FIELD(DURATION, "other_ns", .get = get_other, .doc = "time in none of the phases"),
};

static const struct field_table series_fields = FIELD_TABLE("operations of one kind", series);

/* Counters for the page, which computes differences and percentiles itself */

static const struct field count_phase[] = {
	PHASE_NAME,
	INCLUDE(histogram_sum_fields, row_histogram),
	INCLUDE(histogram_bucket_fields, row_histogram),
};

static const struct field_table count_phase_fields = FIELD_TABLE("counts of a phase", count_phase);

static const struct field counts[] = {
	PART(series_name_fields),
	PART(series_counter_fields),
	INCLUDE(histogram_sum_fields, row_histogram),
	INCLUDE(histogram_bucket_fields, row_histogram),
	FIELD(LIST, "phases", .table = &count_phase_fields, .element = nth_phase,
	      .doc = "where the time went"),
};

const struct field_table counts_fields = FIELD_TABLE("counts of operations", counts);

/* The slowest operations, with their stacks */

struct frame_of {
	const struct frame *frame;
	bool user;
};

static const void *slow_record(const void *record, size_t number)
{
	return number ? NULL : &((const struct slow_call *)record)->op;
}

/* Kernel frames without those of the observation itself, then user frames. */
static const void *nth_frame(const void *record, size_t number)
{
	const struct slow_call *call = record;
	size_t nth = call->nr_own + number;
	static struct frame_of frame;

	if (nth >= call->nr_kernel + call->nr_user)
		return NULL;
	frame.frame = &call->frames[nth];
	frame.user = nth >= call->nr_kernel;
	return &frame;
}

static void get_space(const void *record, struct value *value)
{
	value->text = ((const struct frame_of *)record)->user ? "user" : "kernel";
}

static void get_symbol(const void *record, struct value *value)
{
	value->text = ((const struct frame_of *)record)->frame->symbol;
	value->known = value->text;
}

static void get_module(const void *record, struct value *value)
{
	value->text = ((const struct frame_of *)record)->frame->module;
	value->known = value->text;
}

static void get_offset(const void *record, struct value *value)
{
	value->number = ((const struct frame_of *)record)->frame->offset;
}

/* a text, because many readers would round a number */
static void get_address(const void *record, struct value *value)
{
	snprintf(value->room, sizeof(value->room), "0x%" PRIx64,
		 ((const struct frame_of *)record)->frame->address);
	value->text = value->room;
}

static const struct field frame[] = {
	FIELD(TEXT, "space", .get = get_space, .doc = "`kernel` or `user`"),
	FIELD(TEXT, "symbol", .get = get_symbol, .unknown = "it has no name",
	      .doc = "name of the function"),
	FIELD(TEXT, "module", .get = get_module, .unknown = "it is not known",
	      .doc = "`kernel` or a module; of a process, the path of the file"),
	FIELD(BYTES, "offset_bytes", .get = get_offset,
	      .doc = "offset from the start of the function, or else of the file"),
	FIELD(TEXT, "address", .get = get_address, .doc = "0x..."),
};

static const struct field_table frame_fields = FIELD_TABLE("frame of a stack", frame);

static const struct field slow[] = {
	INCLUDE(operation_fields, slow_record),
	MEMBER(FLAG, "process_ended", struct slow_call, ended,
	       .doc = "the process had ended before its frames could be named"),
	FIELD(LIST, "frames", .table = &frame_fields, .element = nth_frame,
	      .doc = "the stacks: kernel frames, then user frames, innermost first"),
};

static const struct field_table slow_fields = FIELD_TABLE("slow operation", slow);

static const void *nth_slow(const void *record, size_t number)
{
	const struct lat_report *report = record;
	const struct ranking *ranking = slowest_ranking(report->slowest, report->interval);
	unsigned int operation;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		if (number < ranking->nr[operation]) {
			slowest_name_kernel(report->slowest, ranking->calls[operation][number]);
			return ranking->calls[operation][number];
		}
		number -= ranking->nr[operation];
	}
	return NULL;
}

/* Reports */

enum {
	WITH_STACKS = 1 << 0,
};

static unsigned int report_kinds(const void *record)
{
	return ((const struct lat_report *)record)->slowest ? WITH_STACKS : 0;
}

static const void *nth_series(const void *record, size_t number)
{
	const struct lat_report *report = record;
	static struct lat_row row;

	if (number >= report->set->nr)
		return NULL;
	row.report = report;
	row.series = report->set->series[number];
	row.index = 0;
	return &row;
}

static void get_report(const void *record, struct value *value)
{
	value->text = ((const struct lat_report *)record)->interval ? "interval" : "total";
}

static void get_by(const void *record, struct value *value)
{
	value->text = ((const struct lat_report *)record)->by;
	value->known = value->text;
}

static void get_unseen(const void *record, struct value *value)
{
	value->text = ((const struct lat_report *)record)->unseen;
	value->known = *value->text;
}

static void get_slowest_lost(const void *record, struct value *value)
{
	value->number = slowest_lost(((const struct lat_report *)record)->slowest);
}

static const struct field report_head[] = {
	FIELD(TEXT, "report", .get = get_report,
	      .doc = "`interval`: since the previous report; `total`: the whole run"),
	MEMBER(DATE, "time", struct lat_report, time_ns, .doc = OPERATION_TIME_DOC),
	MEMBER(TIME, "time_ns", struct lat_report, time_ns, .doc = "the same moment as `time`"),
	MEMBER(DURATION, "span_ns", struct lat_report, span_ns, .doc = "time that it covers"),
};

static const struct field_table report_head_fields = FIELD_TABLE("report", report_head);

static const struct field report[] = {
	PART(report_head_fields),
	FIELD(TEXT, "by", .get = get_by, .unknown = "operations are not split",
	      .doc = "what operations are split by: `device`, `ioas`, `process`, `cgroup`"),
	FIELD(LIST, "operations", .table = &series_fields, .element = nth_series,
	      .doc = "one for each operation and label"),
	MEMBER(NUMBER, "overflowed", struct lat_report, overflowed,
	       .doc = "operations that count as (others), see --limit"),
	FIELD(TEXT, "unseen_phases", .get = get_unseen, .unknown = "all are observed",
	      .doc = "phases that cannot be observed on this kernel: "
		     "their time counts as another phase or as `other`"),
	MEMBER(NUMBER, "missed", struct lat_report, missed,
	       .doc = "upper bound of missing operations: the kernel did not run their probes"),
	FIELD(LIST, "slowest", .table = &slow_fields, .element = nth_slow, .kinds = WITH_STACKS,
	      .doc = "the slowest of each operation; only with --stacks"),
	FIELD(NUMBER, "slowest_lost", .get = get_slowest_lost, .kinds = WITH_STACKS,
	      .doc = "slow operations lost because they came too fast"),
};

const struct field_table lat_report_fields =
	FIELD_TABLE("report of latencies", report, .kinds = report_kinds);

static const void *row_report(const void *record, size_t number)
{
	return number ? NULL : ((const struct lat_row *)record)->report;
}

static const struct field row[] = {
	INCLUDE(report_head_fields, row_report),
	LABEL,
	PART(series_name_fields),
	PHASE_NAME,
	PART(series_counter_fields),
	PAGES,
	INCLUDE(times_fields, row_histogram),
};

const struct field_table lat_row_fields = FIELD_TABLE("row of latencies", row);
