/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics in a file, for the textfile collector of Prometheus's node exporter.
 */
#ifndef IOMMUSCOPE_EXPORT_TEXTFILE_H
#define IOMMUSCOPE_EXPORT_TEXTFILE_H

#include <stddef.h>

/**
 * textfile_write() - replace a file atomically: a reader sees the old or the new one
 * @path: the file
 * @text: its new content
 * @length: length of @text
 *
 * Return: 0, or a negative errno; then the old file stays.
 */
int textfile_write(const char *path, const char *text, size_t length);

#endif
