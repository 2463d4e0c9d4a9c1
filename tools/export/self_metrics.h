/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics of the exporter itself.
 */
#ifndef IOMMUSCOPE_EXPORT_SELF_METRICS_H
#define IOMMUSCOPE_EXPORT_SELF_METRICS_H

struct exporter;
struct exposition;

/**
 * export_own_metrics() - write metrics of the exporter itself
 * @text: the output
 * @exporter: the observation, refreshed
 */
void export_own_metrics(struct exposition *text, const struct exporter *exporter);

#endif
