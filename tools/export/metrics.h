/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics of iommuscope export.  docs/use/metrics.md tells of each.
 */
#ifndef IOMMUSCOPE_EXPORT_METRICS_H
#define IOMMUSCOPE_EXPORT_METRICS_H

#include <stddef.h>

#include "text/exposition.h"

struct exporter;

/**
 * export_metrics() - all metrics as they are now
 * @exporter: the observation
 * @format: how to write them
 * @length: set to the length of the text
 *
 * Return: the text; the caller frees it.
 */
char *export_metrics(struct exporter *exporter, enum exposition_format format, size_t *length);

#endif
