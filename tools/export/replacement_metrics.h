/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics of replacements and faults.
 */
#ifndef IOMMUSCOPE_EXPORT_REPLACEMENT_METRICS_H
#define IOMMUSCOPE_EXPORT_REPLACEMENT_METRICS_H

struct exporter;
struct exposition;

/**
 * export_replacement_metrics() - write metrics of replacements and faults
 * @text: the output
 * @exporter: the observation, refreshed
 */
void export_replacement_metrics(struct exposition *text, const struct exporter *exporter);

#endif
