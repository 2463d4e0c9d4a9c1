/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations of each kind and their stacks, as latency.bpf.c sends them.
 *
 *	latency_open(latency, settings) with @slowest set
 *	slowest = slowest_begin(latency)
 *	latency_attach(latency); slowest_read() whenever the session's descriptor is readable
 *	for a report of an interval: slowest_next_round(), slowest_ranking(),
 *		slowest_forget_recent()
 *	slowest_end(slowest)
 *
 * User frames get their symbols as soon as the operation is received, while its process probably
 * still exists; kernel frames get them when they are first shown.
 */
#ifndef IOMMUSCOPE_OBSERVE_SLOWEST_H
#define IOMMUSCOPE_OBSERVE_SLOWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/slowest.h"
#include "machine/stacks.h"

struct latency;

struct slowest;

/**
 * struct slow_call - an operation with its stacks
 * @rankings: number of rankings that it is in
 * @op: the operation
 * @ended: its process had ended before the symbols of its user frames could be found
 * @kernel_named: the kernel frames have their symbols
 * @nr_kernel: number of kernel frames
 * @nr_own: number of kernel frames that belong to the observation, not to the operation
 * @nr_user: number of user frames
 * @frames: kernel frames, then user frames, each innermost first
 */
struct slow_call {
	unsigned int rankings;
	struct scope_op op;
	bool ended;
	bool kernel_named;
	size_t nr_kernel;
	size_t nr_own;
	size_t nr_user;
	struct frame frames[];
};

/**
 * struct ranking - the slowest of each kind
 * @calls: slowest first
 * @nr: number of calls of each kind
 */
struct ranking {
	struct slow_call *calls[SCOPE_NR_OPERATIONS][SCOPE_SLOWEST_MAX];
	unsigned int nr[SCOPE_NR_OPERATIONS];
};

/**
 * slowest_begin() - prepare to receive, after the programs have been loaded
 * @latency: the observation, with @slowest in its settings
 *
 * Return: the observation, or NULL after a message.
 */
struct slowest *slowest_begin(struct latency *latency);

/**
 * slowest_read() - receive what has been sent
 * @slowest: the observation
 */
void slowest_read(struct slowest *slowest);

/**
 * slowest_next_round() - end an interval: receive the rest of it, and start the next one
 * @slowest: the observation
 */
void slowest_next_round(struct slowest *slowest);

/**
 * slowest_forget_recent() - forget the last interval, which has been reported
 * @slowest: the observation
 */
void slowest_forget_recent(struct slowest *slowest);

/**
 * slowest_ranking() - get the slowest operations
 * @slowest: the observation
 * @interval: of the last interval, not of the whole run
 *
 * Return: the ranking, valid until the next reading.
 */
const struct ranking *slowest_ranking(const struct slowest *slowest, bool interval);

/**
 * slowest_name_kernel() - find the symbols of the kernel frames of a call, and count our own frames
 * @slowest: the observation
 * @call: the call
 */
void slowest_name_kernel(struct slowest *slowest, struct slow_call *call);

/**
 * slowest_lost() - slow operations that were lost
 * @slowest: the observation
 *
 * Return: their number so far.
 */
uint64_t slowest_lost(const struct slowest *slowest);

/**
 * slowest_end() - free everything but the latency
 * @slowest: the observation, or NULL
 */
void slowest_end(struct slowest *slowest);

#endif
