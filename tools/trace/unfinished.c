// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations in flight, in a tree by thread and subsystem.
 */
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>

#include "text/output.h"
#include "trace/unfinished.h"

static bool is_vfio(const struct scope_op *op)
{
	return scope_operation_class(op->operation) == SCOPE_CLASS_VFIO;
}

static int compare(const void *a, const void *b)
{
	const struct scope_op *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (int)is_vfio(x) - (int)is_vfio(y);
}

static void drop(struct unfinished *set, struct scope_op *entry)
{
	tdelete(entry, &set->tree, compare);
	free(entry);
}

void unfinished_begin(struct unfinished *set, const struct scope_op *op)
{
	struct scope_op *entry, **known = tfind(op, &set->tree, compare);

	if (known) {
		**known = *op;
		return;
	}
	entry = malloc(sizeof(*entry));
	if (!entry)
		out_of_memory();
	*entry = *op;
	if (!tsearch(entry, &set->tree, compare))
		out_of_memory();
}

void unfinished_end(struct unfinished *set, const struct scope_op *op)
{
	struct scope_op **known = tfind(op, &set->tree, compare);

	if (known && op->start_ns >= (*known)->start_ns)
		drop(set, *known);
}

void unfinished_take(struct unfinished *set,
		     void (*call)(void *context, const struct scope_op *op), void *context)
{
	struct scope_op *first = NULL;

	while (set->tree) {
		first = *(struct scope_op **)set->tree;
		call(context, first);
		drop(set, first);
	}
}
