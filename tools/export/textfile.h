/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics in a file, for the textfile collector of Prometheus's node exporter.
 */
#ifndef IOMMUSCOPE_EXPORT_TEXTFILE_H
#define IOMMUSCOPE_EXPORT_TEXTFILE_H

#include <stddef.h>

/**
 * textfile_write() - replace a file at once: who reads sees the old or the new one
 * @path: the file
 * @text: what is to be in it
 * @length: how long that is
 *
 * Return: 0, or a negative errno; then the old file stays.
 */
int textfile_write(const char *path, const char *text, size_t length);

#endif
