// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics of replacements and faults.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "describe/replacement_text.h"
#include "export/exporter.h"
#include "export/replacement_metrics.h"
#include "text/exposition.h"

static size_t shown(const struct exporter *exporter, const struct replacement_totals *totals)
{
	return totals->nr < exporter->settings->max_objects ? totals->nr :
							      exporter->settings->max_objects;
}

static struct labels labels_of(const char *name, const struct replacement_total *total)
{
	char text[sizeof(total->label) + 1];
	struct labels labels = {};

	snprintf(text, sizeof(text), "%.*s", (int)sizeof(total->label), total->label);
	labels_add(&labels, name, text);
	return labels;
}

static void write_verdicts(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric verdicts = { "iommufd_replacements", METRIC_COUNTER, NULL,
						"Replacements of a device's translation." };
	const struct replacement_totals *totals = replacements_by_device(exporter->replacements);
	struct labels labels;
	enum verdict verdict;
	size_t i;

	exposition_family(text, &verdicts);
	for (i = 0; i < shown(exporter, totals); i++) {
		for (verdict = 0; verdict < NR_VERDICTS; verdict++) {
			labels = labels_of("device", &totals->totals[i]);
			labels_add(&labels, "verdict", verdict_name(verdict));
			exposition_u64(text, &labels, totals->totals[i].verdicts[verdict]);
		}
	}
}

static void write_faults(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric faults = { "iommufd_replacement_faults", METRIC_COUNTER, NULL,
					      "Faults of DMA that a replacement caused." };
	static const struct metric unknown = { "iommufd_replacements_faults_unknown", METRIC_COUNTER,
					       NULL, "Replacements whose faults are not known." };
	static const struct metric other = { "iommufd_other_faults", METRIC_COUNTER, NULL,
					     "IOMMU faults of no replacement." };
	const struct replacement_totals *totals = replacements_by_device(exporter->replacements);
	enum fault_sight sight;
	struct labels labels;
	size_t i;

	exposition_family(text, &faults);
	for (i = 0; i < shown(exporter, totals); i++) {
		/* an unknown number is absent instead of 0 */
		if (!totals->totals[i].faults[FAULTS_known])
			continue;
		labels = labels_of("device", &totals->totals[i]);
		labels_add(&labels, "when", "window");
		exposition_u64(text, &labels, totals->totals[i].faults_in_window);
		labels = labels_of("device", &totals->totals[i]);
		labels_add(&labels, "when", "after");
		exposition_u64(text, &labels, totals->totals[i].faults_after);
	}
	exposition_family(text, &unknown);
	for (i = 0; i < shown(exporter, totals); i++) {
		for (sight = FAULTS_none_reported; sight <= FAULTS_not_watched; sight++) {
			labels = labels_of("device", &totals->totals[i]);
			labels_add(&labels, "why", fault_sight_name(sight));
			exposition_u64(text, &labels, totals->totals[i].faults[sight]);
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
	for (i = 0; i < shown(exporter, totals); i++) {
		labels = labels_of("iommu_driver", &totals->totals[i]);
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
