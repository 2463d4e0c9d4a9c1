/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations of each kind and their stacks, as latency.bpf.c sends them.
 *
 *	latency_open(latency, settings) with @slowest set
 *	slowest = slowest_begin(latency)
 *	latency_attach(latency); slowest_read() whenever the session's descriptor is readable
 *	for a report of an interval: slowest_next_round(), slowest_ranking(), slowest_forget_recent()
 *	slowest_end(slowest)
 *
 * The user's part of a stack gets its names as soon as the operation is told, while its process is
 * likely to live; the kernel's when it is first shown.
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
 * @rankings: in how many rankings it is
 * @op: the operation
 * @ended: its process had ended before the names of the user's frames could be known
 * @kernel_named: the kernel's frames have their names
 * @nr_kernel: frames of the kernel
 * @nr_own: how many of them do not belong to the operation but to its observation
 * @nr_user: frames of the user
 * @frames: the kernel's frames, then the user's; each part has the innermost first
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
 * @calls: the slowest first
 * @nr: how many there are of each kind
 */
struct ranking {
	struct slow_call *calls[SCOPE_NR_OPERATIONS][SCOPE_SLOWEST_MAX];
	unsigned int nr[SCOPE_NR_OPERATIONS];
};

/**
 * slowest_begin() - get ready for what will be sent, once the programs are loaded
 * @latency: the observation, with @slowest in its settings
 *
 * Return: the observation, or NULL after it has said what is missing.
 */
struct slowest *slowest_begin(struct latency *latency);

/**
 * slowest_read() - take what has been sent
 * @slowest: the observation
 */
void slowest_read(struct slowest *slowest);

/**
 * slowest_next_round() - an interval is over: take what belongs to it, and begin the next
 * @slowest: the observation
 */
void slowest_next_round(struct slowest *slowest);

/**
 * slowest_forget_recent() - the interval that is over has been reported
 * @slowest: the observation
 */
void slowest_forget_recent(struct slowest *slowest);

/**
 * slowest_ranking() - the slowest operations
 * @slowest: the observation
 * @interval: those of the interval that is over, not of the whole run
 *
 * Return: them, good until the next reading.
 */
const struct ranking *slowest_ranking(const struct slowest *slowest, bool interval);

/**
 * slowest_name_kernel() - have the names of a call's kernel frames, and of how many are ours
 * @slowest: the observation
 * @call: the call
 */
void slowest_name_kernel(struct slowest *slowest, struct slow_call *call);

/**
 * slowest_lost() - slow operations that found no room and are missing
 * @slowest: the observation
 *
 * Return: how many there were so far.
 */
uint64_t slowest_lost(const struct slowest *slowest);

/**
 * slowest_end() - free everything but the latency
 * @slowest: the observation, or NULL
 */
void slowest_end(struct slowest *slowest);

#endif
