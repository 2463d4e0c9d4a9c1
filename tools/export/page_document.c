// SPDX-License-Identifier: GPL-2.0-only
/*
 * The document belongs to the page of the same build and is not an interface for other programs,
 * which have /metrics and the tool's --json.  It has the same records as --json, so keys mean the
 * same in both.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "describe/fields.h"
#include "describe/latency_text.h"
#include "export/exporter.h"
#include "export/page_document.h"
#include "observe/replacement.h"
#include "text/clock.h"
#include "text/difference.h"
#include "text/json.h"
#include "text/output.h"
#include "version.h"

/* More failures than this are not readable on one page. */
#define MAX_FAILURES 12
#define MAX_REPLACEMENTS 8

/**
 * struct document - input of the document
 * @exporter: the observation
 * @names: of the host and its kernel
 * @mono_ns: CLOCK_MONOTONIC now
 * @wall_ns: CLOCK_REALTIME now
 * @sums: operations, one series for each kind
 * @nr_sums: number of series
 */
struct document {
	const struct exporter *exporter;
	struct utsname names;
	uint64_t mono_ns;
	uint64_t wall_ns;
	struct latency_series *sums[SCOPE_NR_OPERATIONS];
	size_t nr_sums;
};

static const void *document_state(const void *record, size_t number)
{
	return number ? NULL : &((const struct document *)record)->exporter->state;
}

/* The instance of the exporter: a new one counts from zero */

static void get_format(const void *record, struct value *value)
{
	(void)record;
	value->number = 2;
}

static void get_instance(const void *record, struct value *value)
{
	snprintf(value->room, sizeof(value->room), "%" PRIx64 "-%d",
		 ((const struct document *)record)->exporter->start_ns, getpid());
	value->text = value->room;
}

static void get_tool(const void *record, struct value *value)
{
	(void)record;
	value->text = IOMMUSCOPE_VERSION;
}

static void get_uptime(const void *record, struct value *value)
{
	const struct document *document = record;
	uint64_t start_ns = document->exporter->start_ns;

	value->number = difference(document->wall_ns, start_ns);
}

/* Operations */

/* Sum up the series of an operation that --by has split. */
static struct latency_series *sum_series(const struct latency_set *set, unsigned int operation)
{
	struct latency_series *sum = NULL;
	const struct latency_series *one;
	unsigned int h;
	size_t s, size;

	for (s = 0; s < set->nr; s++) {
		one = set->series[s];
		if (one->operation != operation)
			continue;
		if (!sum) {
			size = sizeof(*one) + (1 + one->nr_phases) * sizeof(one->histograms[0]);
			sum = malloc(size);
			if (!sum)
				out_of_memory();
			memcpy(sum, one, size);
			continue;
		}
		sum->counters.errors += one->counters.errors;
		sum->counters.bytes += one->counters.bytes;
		for (h = 0; h <= sum->nr_phases; h++)
			histogram_add(&sum->histograms[h], &one->histograms[h]);
	}
	return sum;
}

static const void *nth_operation(const void *record, size_t number)
{
	const struct document *document = record;
	static struct lat_row row;

	if (number >= document->nr_sums)
		return NULL;
	row.series = document->sums[number];
	return &row;
}

static void get_overflowed(const void *record, struct value *value)
{
	value->number = latency_overflowed(&((const struct document *)record)->exporter->latency);
}

static void get_lost(const void *record, struct value *value)
{
	const struct exporter *exporter = ((const struct document *)record)->exporter;

	value->number =
		inflight_lost(&exporter->inflight) + replacements_lost(exporter->replacements);
}

/* A limit for each context: programs of one user can have different limits. */
static const void *nth_memlock(const void *record, size_t number)
{
	const struct state *state = &((const struct document *)record)->exporter->state;
	static struct ctx_memlock memlock;
	size_t i;

	for (i = 0; i < state->nr_ctxs; i++) {
		if (!memlock_of_ctx(&state->ctxs[i], &memlock.memlock) || number--)
			continue;
		memlock.ctx = state->ctxs[i].ctx_id;
		return &memlock;
	}
	return NULL;
}

/* Recent events */

static const void *nth_failure(const void *record, size_t number)
{
	const struct failures *failures = &((const struct document *)record)->exporter->failures;

	return number < failures->nr && number < MAX_FAILURES ? &failures->list[number] : NULL;
}

/* Latest first. */
static const void *nth_replacement(const void *record, size_t number)
{
	const struct exporter *exporter = ((const struct document *)record)->exporter;
	uint64_t nr = exporter->nr_replacements;
	static struct described_replacement described;

	if (number >= nr || number >= EXPORT_REPLACEMENTS || number >= MAX_REPLACEMENTS)
		return NULL;
	nr = (nr - 1 - number) % EXPORT_REPLACEMENTS;
	replacement_describe(&described, &exporter->last_replacements[nr]);
	return &described;
}

/* Longest first. */
static const void *nth_stuck(const void *record, size_t number)
{
	const struct document *document = record;
	const struct exporter *exporter = document->exporter;
	const struct inflight_operation *operation;
	static struct inflight_op inflight;

	if (number >= exporter->inflight.nr)
		return NULL;
	operation = &exporter->inflight.list[number];
	if (document->mono_ns < operation->begun.start_ns + exporter->settings->stuck_after_ns)
		return NULL;
	inflight.op.tid = operation->tid;
	inflight_describe(&inflight, &operation->begun, document->mono_ns);
	return &inflight;
}

static const void *document_cost(const void *record, size_t number)
{
	return number ? NULL : &((const struct document *)record)->exporter->cost;
}

static const struct field cost[] = {
	MEMBER(DURATION, "cpu_ns", struct export_cost, cpu_ns, .doc = "time of a CPU"),
	MEMBER(BYTES, "resident_bytes", struct export_cost, resident_bytes, .doc = "memory"),
};

static const struct field_table cost_fields = FIELD_TABLE("cost of the exporter", cost);

static const struct field document[] = {
	FIELD(NUMBER, "format", .get = get_format, .doc = "version of the format"),
	FIELD(TEXT, "instance", .get = get_instance,
	      .doc = "id of the running exporter; a new one counts from zero"),
	MEMBER(TEXT, "host", struct document, names.nodename, .doc = "name of the machine"),
	MEMBER(TEXT, "kernel", struct document, names.release, .doc = "release of its kernel"),
	FIELD(TEXT, "tool", .get = get_tool, .doc = "version of the iommuscope"),
	MEMBER(TIME, "time_ns", struct document, mono_ns, .doc = "the same moment as `time`"),
	FIELD(DURATION, "uptime_ns", .get = get_uptime, .doc = "how long the exporter has observed"),
	FIELD(LIST, "operations", .table = &counts_fields, .element = nth_operation,
	      .doc = "each kind"),
	FIELD(NUMBER, "overflowed", .get = get_overflowed,
	      .doc = "operations that count as (others), see --limit"),
	FIELD(NUMBER, "lost", .get = get_lost, .doc = "number of records lost because they came too fast"),
	INCLUDE(state_fields, document_state),
	FIELD(LIST, "memlock", .table = &memlock_fields, .element = nth_memlock,
	      .doc = "locked memory against its limit"),
	FIELD(LIST, "replacements", .table = &replacement_fields, .element = nth_replacement,
	      .doc = "the last replacements"),
	FIELD(LIST, "failures", .table = &failure_fields, .element = nth_failure,
	      .doc = "failures by kind and reason"),
	FIELD(LIST, "stuck", .table = &inflight_fields, .element = nth_stuck,
	      .doc = "operations in flight, longest first"),
	FIELD(OBJECT, "cost", .table = &cost_fields, .element = document_cost,
	      .doc = "cost of the exporter"),
};

const struct field_table page_fields = FIELD_TABLE("document of the page", document);

void page_document(struct exporter *exporter, FILE *file)
{
	struct document record = { .exporter = exporter };
	struct json json = { .file = file };
	unsigned int operation;
	size_t i;

	exporter_refresh(exporter);
	uname(&record.names);
	record.mono_ns = now_ns();
	record.wall_ns = wall_now_ns();
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		record.sums[record.nr_sums] = sum_series(&exporter->latency.total, operation);
		if (record.sums[record.nr_sums])
			record.nr_sums++;
	}
	fields_json_line(&json, &page_fields, &record, (int64_t)(record.wall_ns - record.mono_ns));
	for (i = 0; i < record.nr_sums; i++)
		free(record.sums[i]);
}
