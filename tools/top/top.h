/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observations of top, and the three panels that show them.
 *
 *	operations	latency.bpf.c's histograms, as lat reads them
 *	devices		the kernel's state, as state reads it
 *	events		failures and replacements, as ops receives them
 */
#ifndef IOMMUSCOPE_TOP_TOP_H
#define IOMMUSCOPE_TOP_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/operations.h"
#include "observe/latency.h"
#include "observe/state.h"
#include "top/panel.h"

struct filter;

/* Number of distinct failures and replacements that are kept. */
#define TOP_EVENTS 256

/**
 * struct top_event - failures or replacements of one kind
 * @op: the last of them
 * @times: number of them
 */
struct top_event {
	struct scope_op op;
	uint64_t times;
};

/**
 * struct top_observation - the observations
 * @filter: what to show
 * @latency: the operations so far, and those of the last interval
 * @span_ns: length of the last interval
 * @total: show the operations so far
 * @total_ns: how long these have been counted
 * @state: contexts, devices, IOASes now
 * @now_ns: CLOCK_MONOTONIC of the last look
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 * @events: the last failures and replacements, unordered
 * @nr_events: number of them
 * @lost: failures and replacements that came too fast to be kept
 */
struct top_observation {
	const struct filter *filter;
	struct latency latency;
	uint64_t span_ns;
	bool total;
	uint64_t total_ns;
	struct state state;
	uint64_t now_ns;
	int64_t wall_ns;
	struct top_event events[TOP_EVENTS];
	size_t nr_events;
	uint64_t lost;
};

/* Operations whose records are kept even if they succeeded. */
#define TOP_ALWAYS (1ULL << SCOPE_OPERATION_iommufd_replace)

extern struct top_panel top_operations;
extern struct top_panel top_devices;
extern struct top_panel top_events;

/**
 * top_operations_fill() - make the rows of the operations
 * @observation: the observations
 */
void top_operations_fill(const struct top_observation *observation);

/**
 * top_devices_fill() - make the rows of the devices
 * @observation: the observations
 */
void top_devices_fill(const struct top_observation *observation);

/**
 * top_events_fill() - make the rows of failures and replacements
 * @observation: the observations
 */
void top_events_fill(const struct top_observation *observation);

/**
 * top_events_add() - add a failure or a replacement
 * @observation: the observations
 * @op: the operation
 *
 * Events with the same operation, result, device, program and user are kept as one.  A failure that
 * VFIO passes on from iommufd counts as iommufd's, with its reason.
 */
void top_events_add(struct top_observation *observation, const struct scope_op *op);

#endif
