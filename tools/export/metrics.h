/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics of iommuscope export.  docs/use/metrics.md describes each.
 */
#ifndef IOMMUSCOPE_EXPORT_METRICS_H
#define IOMMUSCOPE_EXPORT_METRICS_H

#include <stddef.h>

#include "text/exposition.h"

struct exporter;

/**
 * export_metrics() - write all current metrics
 * @exporter: the observation
 * @format: the text format
 * @length: set to the length of the text
 *
 * Return: the text; the caller frees it.
 */
char *export_metrics(struct exporter *exporter, enum exposition_format format, size_t *length);

#endif
