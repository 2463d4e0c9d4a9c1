/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iommufd events of the calls that a test makes, read from a tracefs instance of its own.
 *
 * events_open() once, before the tests; then events_drop() before a call and events_reason() or
 * events_count() after it.  Reading consumes.
 */
#ifndef IOMMUSCOPE_EVENTS_H
#define IOMMUSCOPE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

const char *events_open(void);
void events_close(void);
void events_drop(void);
bool events_reason(int rc, char *reason, size_t size);
unsigned int events_count(const char *event, char *last, size_t size);

#endif
