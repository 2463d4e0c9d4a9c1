// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics of iommuscope export.
 *
 * Every operation and result has a counter from the start, so that the first failure already
 * shows as an increase.  Histograms and what else has many samples begin with what they tell of.
 */
#include <stdlib.h>
#include <string.h>

#include "export_metrics.h"
#include "exporter.h"
#include "names.h"
#include "version.h"

/* The operations of a subsystem are a range of enum scope_operation. */
struct subsystem {
	unsigned int first;
	unsigned int end;
	struct metric operations;
	struct metric duration;
	struct metric phase_duration;
};

static const struct subsystem subsystems[] = {
	{
		.first = 0,
		.end = SCOPE_OPERATION_vfio_open,
		.operations = { "iommufd_operations", METRIC_COUNTER, NULL,
				"Finished operations of iommufd." },
		.duration = { "iommufd_operation_duration_seconds", METRIC_HISTOGRAM, "seconds",
			      "How long operations of iommufd took." },
		.phase_duration = { "iommufd_operation_phase_duration_seconds", METRIC_HISTOGRAM,
				    "seconds",
				    "How long phases of operations of iommufd took, where they were "
				    "entered." },
	},
	{
		.first = SCOPE_OPERATION_vfio_open,
		.end = SCOPE_NR_OPERATIONS,
		.operations = { "vfio_operations", METRIC_COUNTER, NULL,
				"Finished operations of VFIO." },
		.duration = { "vfio_operation_duration_seconds", METRIC_HISTOGRAM, "seconds",
			      "How long operations of VFIO took." },
		.phase_duration = { "vfio_operation_phase_duration_seconds", METRIC_HISTOGRAM,
				    "seconds",
				    "How long phases of operations of VFIO took, where they were "
				    "entered." },
	},
};
#define NR_SUBSYSTEMS (sizeof(subsystems) / sizeof(subsystems[0]))

static const char *const dimension_labels[] = {
	[SCOPE_BY_DEVICE] = "device",
	[SCOPE_BY_IOAS] = "ioas",
	[SCOPE_BY_PROCESS] = "process",
	[SCOPE_BY_CGROUP] = "cgroup",
};

static struct labels labels_of(const struct exporter *exporter, const struct latency_series *series)
{
	struct labels labels = {};

	labels_add(&labels, "operation", operation_name(series->operation));
	if (exporter->settings->by)
		labels_add(&labels, dimension_labels[exporter->settings->by], series->label);
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
			  const struct scope_counters *counters)
{
	write_result(text, labels, "success", counters->count - counters->errors);
	write_result(text, labels, "error", counters->errors);
}

static bool of(const struct subsystem *subsystem, const struct latency_series *series)
{
	return series->operation >= subsystem->first && series->operation < subsystem->end;
}

static void write_operations(struct exposition *text, const struct exporter *exporter,
			     const struct subsystem *subsystem)
{
	const struct latency_set *set = &exporter->latency.total;
	static const struct scope_counters none;
	bool seen[SCOPE_NR_OPERATIONS] = {};
	unsigned int operation;
	struct labels labels;
	size_t i;

	exposition_family(text, &subsystem->operations);
	for (i = 0; i < set->nr; i++) {
		if (!of(subsystem, set->series[i]))
			continue;
		labels = labels_of(exporter, set->series[i]);
		write_results(text, &labels, &set->series[i]->counters);
		seen[set->series[i]->operation] = true;
	}
	/* told apart by a further label, there is no telling which ones will come */
	if (exporter->settings->by)
		return;
	for (operation = subsystem->first; operation < subsystem->end; operation++) {
		if (seen[operation])
			continue;
		memset(&labels, 0, sizeof(labels));
		labels_add(&labels, "operation", operation_name(operation));
		write_results(text, &labels, &none);
	}
}

static void write_durations(struct exposition *text, const struct exporter *exporter,
			    const struct subsystem *subsystem)
{
	const struct latency_set *set = &exporter->latency.total;
	const struct latency_series *series;
	struct labels labels, phase;
	unsigned int i;
	size_t s;

	exposition_family(text, &subsystem->duration);
	for (s = 0; s < set->nr; s++) {
		if (!of(subsystem, set->series[s]))
			continue;
		labels = labels_of(exporter, set->series[s]);
		exposition_histogram(text, &labels, &set->series[s]->histograms[0]);
	}
	exposition_family(text, &subsystem->phase_duration);
	for (s = 0; s < set->nr; s++) {
		series = set->series[s];
		if (!of(subsystem, series))
			continue;
		labels = labels_of(exporter, series);
		for (i = 1; i <= series->nr_phases; i++) {
			if (!series->histograms[i].count)
				continue;
			phase = labels;
			labels_add(&phase, "phase", phase_name(latency_phase(series, i)));
			exposition_histogram(text, &phase, &series->histograms[i]);
		}
	}
}

static void write_itself(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric build = { "iommufd_exporter_build", METRIC_INFO, NULL,
					     "The exporter." };
	static const struct metric start = { "iommufd_exporter_start_time_seconds", METRIC_GAUGE,
					     "seconds",
					     "When it began to count, since 1970-01-01." };
	struct labels labels = {};

	labels_add(&labels, "version", IOMMUSCOPE_VERSION);
	exposition_family(text, &build);
	exposition_u64(text, &labels, 1);
	exposition_family(text, &start);
	exposition_seconds(text, NULL, exporter->start_ns);
}

char *export_metrics(struct exporter *exporter, enum exposition_format format, size_t *length)
{
	struct exposition text = { .format = format };
	size_t i;

	exporter_refresh(exporter);
	for (i = 0; i < NR_SUBSYSTEMS; i++) {
		write_operations(&text, exporter, &subsystems[i]);
		write_durations(&text, exporter, &subsystems[i]);
	}
	write_itself(&text, exporter);
	exposition_end(&text);
	*length = text.length;
	return text.text;
}
