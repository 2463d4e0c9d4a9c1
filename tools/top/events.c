// SPDX-License-Identifier: GPL-2.0-only
/*
 * top: the last failures and replacements, described in words.
 */
#include <stdio.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "text/format.h"
#include "top/top.h"

struct row {
	const struct scope_op *op;
	uint64_t times;
	uint64_t end_ns;
	int64_t wall_ns;
};

static double time_number(const void *data)
{
	return ((const struct row *)data)->end_ns;
}

static void time_text(const void *data, char *text, size_t size)
{
	const struct row *row = data;

	snprintf(text, size, "%s", format_clock_second(row->end_ns + row->wall_ns).s);
}

static double duration_number(const void *data)
{
	return ((const struct row *)data)->op->dur_ns;
}

static void duration_text(const void *data, char *text, size_t size)
{
	snprintf(text, size, "%s", format_duration(((const struct row *)data)->op->dur_ns).s);
}

static double times_number(const void *data)
{
	return ((const struct row *)data)->times;
}

static void times_text(const void *data, char *text, size_t size)
{
	snprintf(text, size, "%s", format_count(((const struct row *)data)->times).s);
}

static void what_text(const void *data, char *text, size_t size)
{
	const struct scope_op *op = ((const struct row *)data)->op;
	char words[TOP_CELL_SIZE - 32];

	if (op->ret < 0) {
		operation_failure(op, words, sizeof(words));
		snprintf(text, size, "%s: %s", error_name(op->ret), words);
		return;
	}
	operation_what(op, words, sizeof(words));
	snprintf(text, size, "%s of %s", operation_title(op->operation), words);
}

static enum screen_colour colour(const void *data)
{
	return ((const struct row *)data)->op->ret < 0 ? SCREEN_FAILURE : SCREEN_CHANGE;
}

static const struct top_column columns[] = {
	{ "TIME", 8, false, time_text, time_number },
	{ "TOOK", 7, true, duration_text, duration_number },
	{ "TIMES", 5, true, times_text, times_number },
	{ "FAILURES AND REPLACEMENTS", 0, false, what_text, NULL },
};

struct top_panel top_events = {
	.columns = columns,
	.nr_columns = sizeof(columns) / sizeof(columns[0]),
	.empty = "nothing has failed or been replaced yet",
	.colour = colour,
	.row_size = sizeof(struct row),
};

/*
 * Are two events the same problem?  The objects and numbers of the calls may differ, and so may the
 * process: a program that is restarted again and again has a new one each time.
 */
static bool alike(const struct scope_op *a, const struct scope_op *b)
{
	return a->operation == b->operation && a->ret == b->ret && a->reason == b->reason &&
	       a->uid == b->uid && !strncmp(a->comm, b->comm, sizeof(a->comm)) &&
	       !strncmp(a->device, b->device, sizeof(a->device));
}

/* Is it VFIO's event for a call that iommufd has just refused to the same thread? */
static bool passed_on(const struct scope_op *op, const struct scope_op *cause)
{
	return op->ret < 0 && op->ret == cause->ret && op->tid == cause->tid &&
	       cause->start_ns >= op->start_ns &&
	       !strcmp(operation_subsystem(op->operation), "vfio") &&
	       !strcmp(operation_subsystem(cause->operation), "iommufd");
}

static uint64_t end_of(const struct scope_op *op)
{
	return op->start_ns + op->dur_ns;
}

void top_events_add(struct top_observation *observation, const struct scope_op *op)
{
	struct top_event *event = observation->events, *oldest = event;
	size_t i;

	for (i = 0; i < observation->nr_events; i++, event++) {
		if (passed_on(op, &event->op))
			return;
		if (alike(op, &event->op)) {
			event->op = *op;
			event->times++;
			return;
		}
		if (end_of(&event->op) < end_of(&oldest->op))
			oldest = event;
	}
	event = i < TOP_EVENTS ? &observation->events[observation->nr_events++] : oldest;
	event->op = *op;
	event->times = 1;
}

void top_events_fill(const struct top_observation *observation)
{
	struct row *row = top_panel_rows(&top_events, observation->nr_events);
	const struct top_event *event = observation->events;
	size_t i;

	for (i = 0; i < observation->nr_events; i++, event++, row++) {
		row->op = &event->op;
		row->times = event->times;
		row->end_ns = end_of(&event->op);
		row->wall_ns = observation->wall_ns;
	}
}
