/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of the calls that a test makes, read from a tracefs instance of its own.
 *
 * events_open() once, before the tests; then events_drop() before a call and events_reason() or
 * events_count() after it.  Reading consumes.
 */
#ifndef IOMMUSCOPE_EVENTS_H
#define IOMMUSCOPE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

const char *events_open(const char *system);
void events_close(void);
void events_drop(void);
bool events_reason(int rc, char *reason, size_t size);
unsigned int events_count(const char *event, char *last, size_t size);
void events_failure(const char *file, int line, const char *call, long rc, int error,
		    const char *reason);

/*
 * A call that must fail with this errno, and name this reason in its event.  Without events_open(),
 * for modules that have no events, only the errno counts.
 */
#define FAILS(_errno, _reason, _call)                                                              \
	do {                                                                                       \
		long tap_failed;                                                                   \
		events_drop();                                                                     \
		tap_failed = (_call);                                                              \
		events_failure(__FILE__, __LINE__, #_call, tap_failed, _errno, _reason);           \
	} while (0)

#endif
