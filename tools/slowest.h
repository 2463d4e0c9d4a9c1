/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations of each kind and their stacks, as latency.bpf.c sends them.
 *
 *	slowest_prepare(skeleton, kept)
 *	load the skeleton
 *	slowest = slowest_begin(skeleton)
 *	attach; slowest_read() whenever slowest_fd() is readable
 *	for a report of an interval: slowest_next_round(), slowest_table() or slowest_json(),
 *	slowest_forget_recent()
 *	slowest_end(slowest)
 *
 * The user's part of a stack gets its names as soon as the operation is told, while its process is
 * likely to live; the kernel's when it is first shown.
 */
#ifndef IOMMUSCOPE_SLOWEST_H
#define IOMMUSCOPE_SLOWEST_H

#include <stdbool.h>

#include "../bpf/slowest.h"

struct json;
struct latency_bpf;
struct slowest;

/**
 * slowest_prepare() - have the slowest operations sent, before the object is loaded
 * @skeleton: the BPF object, open
 * @kept: how many of each kind, at most SCOPE_SLOWEST_MAX
 */
void slowest_prepare(struct latency_bpf *skeleton, unsigned int kept);

/**
 * slowest_begin() - get ready for what will be sent, once the object is loaded
 * @skeleton: the BPF object
 *
 * Return: the observation, or NULL after it has said what is missing.
 */
struct slowest *slowest_begin(struct latency_bpf *skeleton);

/**
 * slowest_fd() - a descriptor that is readable when something has been sent
 * @slowest: the observation
 *
 * Return: the descriptor.
 */
int slowest_fd(const struct slowest *slowest);

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
 * slowest_table() - print the slowest operations for people
 * @slowest: the observation
 * @interval: those of the interval that is over, not of the whole run
 */
void slowest_table(struct slowest *slowest, bool interval);

/**
 * slowest_json() - write the slowest operations as an array, into an object that is open
 * @slowest: the observation
 * @interval: those of the interval that is over, not of the whole run
 * @json: the writer
 */
void slowest_json(struct slowest *slowest, bool interval, struct json *json);

/**
 * slowest_end() - free everything but the skeleton
 * @slowest: the observation, or NULL
 */
void slowest_end(struct slowest *slowest);

#endif
