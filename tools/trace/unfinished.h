/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of a trace that started and did not end.
 *
 * A thread is in at most one operation of a subsystem at a time.  So the end of the same
 * operation, or of any later one of the thread, removes it: its own end may have been lost.
 */
#ifndef IOMMUSCOPE_TRACE_UNFINISHED_H
#define IOMMUSCOPE_TRACE_UNFINISHED_H

#include "bpf/operations.h"

struct unfinished {
	void *tree;
};

/**
 * unfinished_begin() - an operation starts
 * @set: operations in flight; initially zero
 * @op: the operation
 */
void unfinished_begin(struct unfinished *set, const struct scope_op *op);

/**
 * unfinished_end() - an operation ends
 * @set: operations in flight
 * @op: the operation
 */
void unfinished_end(struct unfinished *set, const struct scope_op *op);

/**
 * unfinished_take() - take the operations that have not ended
 * @set: operations in flight; empty afterwards
 * @call: called with each, in any order
 * @context: for @call
 */
void unfinished_take(struct unfinished *set,
		     void (*call)(void *context, const struct scope_op *op), void *context);

#endif
