/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failed operations by kind and reason, with the last one of each, as latency.bpf.c keeps them.
 *
 * Set SCOPE_KEEP_FAILURES in the skeleton's rodata->keep before it is loaded.  The number of
 * entries depends on the kinds and reasons, not on how often operations fail.
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
 * @count: number of failures
 * @last: the last one
 */
struct failure {
	unsigned int operation;
	unsigned int reason;
	uint64_t count;
	struct scope_op last;
};

/**
 * struct failures - all failures
 * @list: latest failure first
 * @nr: number of entries
 */
struct failures {
	struct failure *list;
	size_t nr;
};

/**
 * failures_read() - read the failures
 * @latency: the observation, with @failures in its settings
 * @failures: zeroed, or the result of an earlier read; freed with failures_free()
 */
void failures_read(const struct latency *latency, struct failures *failures);

/**
 * failures_lost() - failures that could not be stored
 * @latency: the observation
 *
 * Return: their number so far.
 */
uint64_t failures_lost(const struct latency *latency);

/**
 * failures_free() - free the result of failures_read()
 * @failures: the failures, empty afterwards
 */
void failures_free(struct failures *failures);

#endif
