/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failed operations by kind and reason, with the last one of each, as latency.bpf.c keeps them.
 *
 * Set SCOPE_KEEP_FAILURES in the skeleton's rodata->keep before it is loaded.  There are as many entries as
 * there are kinds and reasons, however often operations fail.
 */
#ifndef IOMMUSCOPE_OBSERVE_FAILURES_H
#define IOMMUSCOPE_OBSERVE_FAILURES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"

struct latency;

/**
 * struct failure - operations of one kind that failed for one reason
 * @operation: enum scope_operation
 * @reason: its number in the list of that subsystem
 * @count: how many
 * @last: the last one
 */
struct failure {
	unsigned int operation;
	unsigned int reason;
	uint64_t count;
	struct scope_op last;
};

/**
 * struct failures - all of them
 * @list: those that failed last come first
 * @nr: how many
 */
struct failures {
	struct failure *list;
	size_t nr;
};

/**
 * failures_read() - read what has failed
 * @latency: the observation, with @failures in its settings
 * @failures: zeroed, or what was read before; freed with failures_free()
 */
void failures_read(const struct latency *latency, struct failures *failures);

/**
 * failures_lost() - failures that found no room
 * @latency: the observation
 *
 * Return: how many there were so far.
 */
uint64_t failures_lost(const struct latency *latency);

/**
 * failures_free() - free what was read
 * @failures: what was read, empty afterwards
 */
void failures_free(struct failures *failures);

#endif
