// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation and result has a counter from the start, so that the first failure already shows
 * as an increase.  So have the reason and the phase that alerts of dashboards/prometheus ask for.
 * Other reasons and histograms appear when they have data.
 */
#include <stdlib.h>
#include <string.h>

#include "describe/names.h"
#include "export/exporter.h"
#include "export/metrics.h"
#include "export/replacement_metrics.h"
#include "export/self_metrics.h"
#include "export/state_metrics.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/difference.h"

/*
 * The operations of a subsystem are one or two ranges of enum scope_operation.  Operations of
 * VFIO's type1 container do the same as those of iommufd, and count with them; a label
 * distinguishes them.
 */
struct subsystem {
	unsigned int first;
	unsigned int end;
	unsigned int first_more;
	unsigned int end_more;
	struct metric operations;
	struct metric failures;
	struct metric duration;
	struct metric phase_duration;
	struct metric inflight;
	struct metric stuck;
	struct metric longest;
};

#define SUBSYSTEM(prefix, title, _first, _end, _first_more, _end_more)                             \
	{                                                                                          \
		.first = _first, .end = _end,                                                      \
		.first_more = _first_more, .end_more = _end_more,                                  \
		.operations = { prefix "_operations", METRIC_COUNTER, NULL,                        \
				"Finished operations of " title "." },                             \
		.failures = { prefix "_failures", METRIC_COUNTER, NULL,                            \
			      "Failed operations of " title " by reason." },                       \
		.duration = { prefix "_operation_duration_seconds", METRIC_HISTOGRAM, "seconds",   \
			      "How long operations of " title " took." },                          \
		.phase_duration = { prefix "_operation_phase_duration_seconds", METRIC_HISTOGRAM,  \
				    "seconds",                                                     \
				    "How long phases of operations of " title                      \
				    " took, where they were entered." },                           \
		.inflight = { prefix "_running_operations", METRIC_GAUGE, NULL,                    \
			      "Operations of " title " in flight." },                              \
		.stuck = { prefix "_stuck_operations", METRIC_GAUGE, NULL,                         \
			   "Operations of " title " in flight for too long." },                    \
		.longest = { prefix "_longest_running_operation_seconds", METRIC_GAUGE, "seconds", \
			     "Age of the oldest operation of " title " in flight." },              \
	}

static const struct subsystem subsystems[] = {
	SUBSYSTEM("iommufd", "iommufd", 0, SCOPE_OPERATION_vfio_open, SCOPE_FIRST_TYPE1_OPERATION,
		  SCOPE_NR_OPERATIONS),
	SUBSYSTEM("vfio", "VFIO", SCOPE_OPERATION_vfio_open, SCOPE_FIRST_TYPE1_OPERATION, 0, 0),
};
#define NR_SUBSYSTEMS (sizeof(subsystems) / sizeof(subsystems[0]))

/* The labels of an operation: its name, and its source unless that is our modules. */
static struct labels labels_of_operation(unsigned int operation)
{
	unsigned int source = session_source(operation);
	struct labels labels = {};

	labels_add(&labels, "operation", operation_name(operation));
	if (source != SCOPE_SOURCE_OWN)
		labels_add(&labels, "source", operation_source_name(source));
	return labels;
}

static struct labels labels_of(const struct exporter *exporter, const struct latency_series *series)
{
	struct labels labels = labels_of_operation(series->operation);

	if (exporter->settings->by)
		labels_add(&labels, dimension_name(exporter->settings->by), series->label);
	return labels;
}

static void write_result(struct exposition *text, const struct labels *labels, const char *result,
			 uint64_t count)
{
	struct labels with = *labels;

	labels_add(&with, "result", result);
	exposition_u64(text, &with, count);
}

static void write_results(struct exposition *text, const struct labels *labels,
			  const struct latency_counters *counters)
{
	write_result(text, labels, "success", difference(counters->count, counters->errors));
	write_result(text, labels, "error", counters->errors);
}

static bool of(const struct subsystem *subsystem, unsigned int operation)
{
	return (operation >= subsystem->first && operation < subsystem->end) ||
	       (operation >= subsystem->first_more && operation < subsystem->end_more);
}

static void write_operations(struct exposition *text, const struct exporter *exporter,
			     const struct subsystem *subsystem)
{
	const struct latency_set *set = &exporter->latency.total;
	static const struct latency_counters none;
	bool seen[SCOPE_NR_OPERATIONS] = {};
	unsigned int operation;
	struct labels labels;
	size_t i;

	exposition_family(text, &subsystem->operations);
	for (i = 0; i < set->nr; i++) {
		if (!of(subsystem, set->series[i]->operation))
			continue;
		labels = labels_of(exporter, set->series[i]);
		write_results(text, &labels, &set->series[i]->counters);
		seen[set->series[i]->operation] = true;
	}
	/* with a further label, the future series are not known */
	if (exporter->settings->by)
		return;
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		if (seen[operation] || !of(subsystem, operation) || !session_may_see(operation))
			continue;
		labels = labels_of_operation(operation);
		write_results(text, &labels, &none);
	}
}

/* Pinning that has not yet happened: an alert looks at it. */
static void write_no_pinning(struct exposition *text, const struct exporter *exporter,
			     const struct subsystem *subsystem, const bool *pinned)
{
	static const unsigned int maps[] = { SCOPE_OPERATION_iommufd_map,
					     SCOPE_OPERATION_type1_map };
	static const struct histogram none;
	struct labels labels;
	size_t i;

	/* with a further label, the future series are not known */
	if (exporter->settings->by)
		return;
	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (pinned[maps[i]] || !of(subsystem, maps[i]) || !session_may_see(maps[i]))
			continue;
		labels = labels_of_operation(maps[i]);
		labels_add(&labels, "phase", phase_name(SCOPE_PHASE_pin));
		exposition_histogram(text, &labels, &none);
	}
}

static void write_durations(struct exposition *text, const struct exporter *exporter,
			    const struct subsystem *subsystem)
{
	const struct latency_set *set = &exporter->latency.total;
	const struct latency_series *series;
	bool pinned[SCOPE_NR_OPERATIONS] = {};
	struct labels labels, phase;
	unsigned int i;
	size_t s;

	exposition_family(text, &subsystem->duration);
	for (s = 0; s < set->nr; s++) {
		if (!of(subsystem, set->series[s]->operation))
			continue;
		labels = labels_of(exporter, set->series[s]);
		exposition_histogram(text, &labels, &set->series[s]->histograms[0]);
	}
	exposition_family(text, &subsystem->phase_duration);
	for (s = 0; s < set->nr; s++) {
		series = set->series[s];
		if (!of(subsystem, series->operation))
			continue;
		labels = labels_of(exporter, series);
		for (i = 1; i <= series->nr_phases; i++) {
			if (!series->histograms[i].count)
				continue;
			phase = labels;
			labels_add(&phase, "phase", phase_name(latency_phase(series, i)));
			exposition_histogram(text, &phase, &series->histograms[i]);
			if (latency_phase(series, i) == SCOPE_PHASE_pin)
				pinned[series->operation] = true;
		}
	}
	write_no_pinning(text, exporter, subsystem, pinned);
}

static void write_memory_counters(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric bytes = { "iommufd_operation_bytes", METRIC_COUNTER, "bytes",
					     "Bytes that operations on memory mapped or unmapped." };
	static const struct metric pages = { "iommufd_operation_pages", METRIC_COUNTER, NULL,
					     "Pages that operations on memory pinned or unpinned." };
	uint64_t sums[SCOPE_NR_OPERATIONS][2] = {};
	const struct latency_set *set = &exporter->latency.total;
	unsigned int operation, which;
	struct labels labels;
	size_t i;

	for (i = 0; i < set->nr; i++) {
		sums[set->series[i]->operation][0] += set->series[i]->counters.bytes;
		sums[set->series[i]->operation][1] += set->series[i]->counters.pages;
	}
	for (which = 0; which < 2; which++) {
		exposition_family(text, which ? &pages : &bytes);
		for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
			if (scope_operation_class(operation) != SCOPE_CLASS_MEMORY ||
			    !session_may_see(operation))
				continue;
			labels = labels_of_operation(operation);
			exposition_u64(text, &labels, sums[operation][which]);
		}
	}
}

/* RLIMIT_MEMLOCK not yet reached by the operations that pin: an alert looks at it. */
static void write_no_memlock_failures(struct exposition *text, const struct subsystem *subsystem,
				      const bool *reached)
{
	static const unsigned int pinning[] = {
		SCOPE_OPERATION_iommufd_map,    SCOPE_OPERATION_iommufd_copy,
		SCOPE_OPERATION_iommufd_attach, SCOPE_OPERATION_iommufd_replace,
		SCOPE_OPERATION_iommufd_hwpt_alloc, SCOPE_OPERATION_iommufd_access_pin,
		SCOPE_OPERATION_type1_map,      SCOPE_OPERATION_type1_attach,
		SCOPE_OPERATION_type1_access_pin,
	};
	const unsigned int reason = SCOPE_REASON_iommufd_memlock_limit;
	struct labels labels;
	size_t i;

	for (i = 0; i < sizeof(pinning) / sizeof(pinning[0]); i++) {
		if (reached[pinning[i]] || !of(subsystem, pinning[i]) ||
		    !session_may_see(pinning[i]))
			continue;
		labels = labels_of_operation(pinning[i]);
		labels_add(&labels, "reason", reason_name(pinning[i], reason));
		exposition_u64(text, &labels, 0);
	}
}

static void write_failures(struct exposition *text, const struct exporter *exporter,
			   const struct subsystem *subsystem)
{
	bool memlock_reached[SCOPE_NR_OPERATIONS] = {};
	const struct failure *failure;
	struct labels labels;
	size_t i;

	exposition_family(text, &subsystem->failures);
	for (i = 0; i < exporter->failures.nr; i++) {
		failure = &exporter->failures.list[i];
		if (!of(subsystem, failure->operation))
			continue;
		labels = labels_of_operation(failure->operation);
		labels_add(&labels, "reason", reason_name(failure->operation, failure->reason));
		exposition_u64(text, &labels, failure->count);
		if (failure->reason == SCOPE_REASON_iommufd_memlock_limit)
			memlock_reached[failure->operation] = true;
	}
	write_no_memlock_failures(text, subsystem, memlock_reached);
}

static void write_inflight(struct exposition *text, const struct exporter *exporter,
			   const struct subsystem *subsystem)
{
	unsigned int counts[2][SCOPE_NR_OPERATIONS] = {}, operation, which;
	const struct inflight *inflight = &exporter->inflight;
	uint64_t age, oldest = 0;
	struct labels labels;
	size_t i;

	for (i = 0; i < inflight->nr; i++) {
		operation = inflight->list[i].begun.operation;
		if (!of(subsystem, operation))
			continue;
		age = difference(exporter->refreshed_ns, inflight->list[i].begun.start_ns);
		counts[0][operation]++;
		counts[1][operation] += age > exporter->settings->stuck_after_ns;
		if (age > oldest)
			oldest = age;
	}
	for (which = 0; which < 2; which++) {
		exposition_family(text, which ? &subsystem->stuck : &subsystem->inflight);
		for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
			if (!of(subsystem, operation) || !session_may_see(operation))
				continue;
			labels = labels_of_operation(operation);
			exposition_u64(text, &labels, counts[which][operation]);
		}
	}
	exposition_family(text, &subsystem->longest);
	exposition_seconds(text, NULL, oldest);
}

char *export_metrics(struct exporter *exporter, enum exposition_format format, size_t *length)
{
	struct exposition text = { .format = format };
	uint64_t begin = now_ns();
	size_t i;

	exporter_refresh(exporter);
	for (i = 0; i < NR_SUBSYSTEMS; i++) {
		write_operations(&text, exporter, &subsystems[i]);
		write_failures(&text, exporter, &subsystems[i]);
		write_durations(&text, exporter, &subsystems[i]);
		write_inflight(&text, exporter, &subsystems[i]);
	}
	write_memory_counters(&text, exporter);
	export_state_metrics(&text, exporter);
	export_replacement_metrics(&text, exporter);
	export_own_metrics(&text, exporter);
	exposition_end(&text);
	latency_mark_shown(&exporter->latency);
	exporter->scrape_took_ns = now_ns() - begin;
	*length = text.length;
	return text.text;
}
