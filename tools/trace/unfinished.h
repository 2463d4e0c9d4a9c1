/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which operations of a trace began and did not end.
 *
 * A thread is in one operation of a subsystem at a time.  So its begin is over with the end of the
 * same operation or of any later one, whose own end may have been lost.
 */
#ifndef IOMMUSCOPE_TRACE_UNFINISHED_H
#define IOMMUSCOPE_TRACE_UNFINISHED_H

#include "bpf/operations.h"

struct unfinished {
	void *tree;
};

/**
 * unfinished_begin() - an operation begins
 * @set: those under way; zero to begin with
 * @op: the operation
 */
void unfinished_begin(struct unfinished *set, const struct scope_op *op);

/**
 * unfinished_end() - an operation ends
 * @set: those under way
 * @op: the operation
 */
void unfinished_end(struct unfinished *set, const struct scope_op *op);

/**
 * unfinished_take() - those that have not ended
 * @set: those under way; empty after it
 * @call: is called with each, in no order
 * @context: for @call
 */
void unfinished_take(struct unfinished *set,
		     void (*call)(void *context, const struct scope_op *op), void *context);

#endif
