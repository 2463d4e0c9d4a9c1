/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics of contexts, address spaces and devices.
 */
#ifndef IOMMUSCOPE_EXPORT_STATE_METRICS_H
#define IOMMUSCOPE_EXPORT_STATE_METRICS_H

struct exporter;
struct exposition;

/**
 * export_state_metrics() - write metrics of contexts, address spaces and devices
 * @text: the output
 * @exporter: the observation, refreshed
 */
void export_state_metrics(struct exposition *text, const struct exporter *exporter);

#endif
