// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bound device has all counters from the start, so that its first replacement shows as an
 * increase.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "describe/replacement_text.h"
#include "export/exporter.h"
#include "export/replacement_metrics.h"
#include "observe/session.h"
#include "text/exposition.h"

static size_t at_most(const struct exporter *exporter, size_t nr)
{
	return nr < exporter->settings->max_objects ? nr : exporter->settings->max_objects;
}

static struct labels labels_of(const char *name, const char *label)
{
	char text[SCOPE_DEVICE_LEN + 1];
	struct labels labels = {};

	snprintf(text, sizeof(text), "%.*s", SCOPE_DEVICE_LEN, label);
	labels_add(&labels, name, text);
	return labels;
}

/* Devices with counters: those that were replaced, and after them those that are bound. */
static size_t nr_devices(const struct exporter *exporter)
{
	const struct replacement_totals *totals = replacements_by_device(exporter->replacements);
	size_t bound = 0;

	if (session_may_see(SCOPE_OPERATION_iommufd_replace))
		bound = at_most(exporter, exporter->state.nr_devices);
	return at_most(exporter, totals->nr) + bound;
}

/*
 * The counters of a device, and its name: zeros for a bound device that was never replaced.  NULL
 * if it cannot be replaced, or has its counters at another index.
 */
static const struct replacement_total *counters_of(const struct exporter *exporter, size_t i,
						   const char **device)
{
	static const struct replacement_total none;
	const struct replacement_totals *totals = replacements_by_device(exporter->replacements);
	const struct iommufd_state_device *bound;
	size_t t;

	if (i < at_most(exporter, totals->nr)) {
		*device = totals->totals[i].label;
		return &totals->totals[i];
	}
	bound = &exporter->state.devices[i - at_most(exporter, totals->nr)];
	/* a container cannot replace */
	if (bound->source == IOMMUFD_STATE_SOURCE_TYPE1)
		return NULL;
	for (t = 0; t < totals->nr; t++) {
		if (!strncmp(totals->totals[t].label, bound->device, SCOPE_DEVICE_LEN))
			return NULL;
	}
	*device = bound->device;
	return &none;
}

static void write_verdicts(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric verdicts = { "iommufd_replacements", METRIC_COUNTER, NULL,
						"Replacements of a device's translation." };
	const struct replacement_total *total;
	struct labels labels;
	enum verdict verdict;
	const char *device;
	size_t i;

	exposition_family(text, &verdicts);
	for (i = 0; i < nr_devices(exporter); i++) {
		total = counters_of(exporter, i, &device);
		for (verdict = 0; total && verdict < NR_VERDICTS; verdict++) {
			labels = labels_of("device", device);
			labels_add(&labels, "verdict", verdict_name(verdict));
			exposition_u64(text, &labels, total->verdicts[verdict]);
		}
	}
}

static void write_known_faults(struct exposition *text, const char *device,
			       const struct replacement_total *total)
{
	struct labels labels = labels_of("device", device);

	labels_add(&labels, "when", "window");
	exposition_u64(text, &labels, total->faults_in_window);
	labels = labels_of("device", device);
	labels_add(&labels, "when", "after");
	exposition_u64(text, &labels, total->faults_after);
}

static void write_faults(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric faults = { "iommufd_replacement_faults", METRIC_COUNTER, NULL,
					      "Faults of DMA that a replacement caused." };
	static const struct metric unknown = { "iommufd_replacements_faults_unknown", METRIC_COUNTER,
					       NULL, "Replacements whose faults are not known." };
	static const struct metric other = { "iommufd_other_faults", METRIC_COUNTER, NULL,
					     "IOMMU faults of no replacement." };
	const struct replacement_total *total;
	enum fault_sight sight;
	struct labels labels;
	const char *device;
	size_t i;

	exposition_family(text, &faults);
	for (i = 0; i < nr_devices(exporter); i++) {
		total = counters_of(exporter, i, &device);
		/* an unknown number is absent instead of 0 */
		if (total && (total->faults[FAULTS_known] || !total->count))
			write_known_faults(text, device, total);
	}
	exposition_family(text, &unknown);
	for (i = 0; i < nr_devices(exporter); i++) {
		total = counters_of(exporter, i, &device);
		for (sight = FAULTS_none_reported; total && sight <= FAULTS_not_watched; sight++) {
			labels = labels_of("device", device);
			labels_add(&labels, "why", fault_sight_name(sight));
			exposition_u64(text, &labels, total->faults[sight]);
		}
	}
	exposition_family(text, &other);
	exposition_u64(text, NULL, replacements_stray_faults(exporter->replacements));
}

static void write_times(struct exposition *text, const struct exporter *exporter, bool windows)
{
	static const struct metric window = {
		"iommufd_replacement_window_seconds", METRIC_HISTOGRAM, "seconds",
		"How long there was no translation, where that was measured."
	};
	static const struct metric duration = { "iommufd_replacement_duration_seconds",
						METRIC_HISTOGRAM, "seconds",
						"How long replacements took." };
	const struct replacement_totals *totals = replacements_by_driver(exporter->replacements);
	struct labels labels;
	size_t i;

	exposition_family(text, windows ? &window : &duration);
	for (i = 0; i < at_most(exporter, totals->nr); i++) {
		labels = labels_of("iommu_driver", totals->totals[i].label);
		exposition_histogram(text, &labels,
				     windows ? &totals->totals[i].window :
					       &totals->totals[i].duration);
	}
}

void export_replacement_metrics(struct exposition *text, const struct exporter *exporter)
{
	write_verdicts(text, exporter);
	write_faults(text, exporter);
	write_times(text, exporter, true);
	write_times(text, exporter, false);
}
