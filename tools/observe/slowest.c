// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slowest operations of each kind and their stacks.
 *
 * A struct slow_call is in the ranking of the whole run, in that of its round, or in both; it
 * counts its rankings.  A ranking has a list for each kind of operation, slowest first, with a
 * bounded length.  What the kernel sends before it notices a new round still belongs to the old
 * one.  So there are three rankings: of the run, of the round that is being reported, and of the
 * current round.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/latency.skel.h"
#include "machine/pid_namespace.h"
#include "machine/stacks.h"
#include "observe/finished.h"
#include "observe/latency.h"
#include "observe/session.h"
#include "observe/slowest.h"
#include "text/output.h"

/* Bound on operations taken at once: finding symbols for them must not hold up the rest. */
#define MOST_AT_ONCE 1000

struct slowest {
	struct latency *latency;
	struct stacks *stacks;
	unsigned int kept;
	unsigned int at_once;
	struct ranking total;
	struct ranking recent;
	struct ranking under_way;
};

/* Rankings */

static bool is_among(const struct slowest *slowest, const struct ranking *ranking,
		     const struct scope_op *op)
{
	unsigned int nr = ranking->nr[op->operation];

	return nr < slowest->kept ||
	       op->dur_ns > ranking->calls[op->operation][nr - 1]->op.dur_ns;
}

static void release(struct slow_call *call)
{
	if (--call->rankings)
		return;
	stacks_free_frames(call->frames, call->nr_kernel + call->nr_user);
	free(call);
}

/* Insert a call into a ranking; the fastest one may drop out. */
static void rank(const struct slowest *slowest, struct ranking *ranking, struct slow_call *call)
{
	struct slow_call **calls = ranking->calls[call->op.operation];
	unsigned int *nr = &ranking->nr[call->op.operation], place;

	if (!is_among(slowest, ranking, &call->op))
		return;
	if (*nr == slowest->kept)
		release(calls[--*nr]);
	for (place = (*nr)++; place; place--) {
		if (calls[place - 1]->op.dur_ns >= call->op.dur_ns)
			break;
		calls[place] = calls[place - 1];
	}
	calls[place] = call;
	call->rankings++;
}

static void forget_ranking(struct ranking *ranking)
{
	unsigned int operation, i;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++)
		for (i = 0; i < ranking->nr[operation]; i++)
			release(ranking->calls[operation][i]);
	memset(ranking->nr, 0, sizeof(ranking->nr));
}

/* Receiving */

static size_t frames_of(int bytes)
{
	return bytes > 0 ? bytes / sizeof(uint64_t) : 0;
}

static size_t op_size(unsigned int operation)
{
	switch (scope_operation_class(operation)) {
	case SCOPE_CLASS_OBJECT:
		return SCOPE_OBJECT_RECORD;
	case SCOPE_CLASS_MEMORY:
		return SCOPE_MEMORY_RECORD;
	default:
		return sizeof(struct scope_op);
	}
}

static struct slow_call *call_of(struct slowest *slowest, const struct scope_slow *slow)
{
	size_t nr_kernel = frames_of(slow->kernel_bytes), nr_user = frames_of(slow->user_bytes), i;
	struct slow_call *call;
	bool known;

	call = calloc(1, sizeof(*call) + (nr_kernel + nr_user) * sizeof(call->frames[0]));
	if (!call)
		out_of_memory();
	finished_operation(&call->op, &slow->finished, op_size(slow->finished.operation));
	call->nr_kernel = nr_kernel;
	call->nr_user = nr_user;
	for (i = 0; i < nr_kernel; i++)
		call->frames[i].address = slow->kernel[i];
	for (i = 0; i < nr_user; i++)
		call->frames[nr_kernel + i].address = slow->user[i];
	known = stacks_user(slowest->stacks, call->op.tgid, slow->process_start_ns,
			    call->frames + nr_kernel, nr_user);
	/* a process that is not in our /proc need not have ended */
	call->ended = !known && !pid_is_outside(call->op.tgid);
	return call;
}

static int on_slow(void *context, void *data, size_t size)
{
	struct slowest *slowest = context;
	const struct scope_slow *slow = data;
	struct ranking *round = &slowest->under_way;
	struct slow_call *call;

	if (size < sizeof(*slow) || slow->finished.operation >= SCOPE_NR_OPERATIONS)
		return 0;
	if (slow->round != slowest->latency->skeleton->bss->slowest_round)
		round = &slowest->recent;
	if (is_among(slowest, &slowest->total, &slow->finished) ||
	    is_among(slowest, round, &slow->finished)) {
		call = call_of(slowest, slow);
		/* it stays while it is in a ranking */
		call->rankings = 1;
		rank(slowest, &slowest->total, call);
		rank(slowest, round, call);
		release(call);
	}
	return ++slowest->at_once < MOST_AT_ONCE ? 0 : -EAGAIN;
}

struct slowest *slowest_begin(struct latency *latency)
{
	struct slowest *slowest = calloc(1, sizeof(*slowest));

	if (!slowest)
		out_of_memory();
	slowest->latency = latency;
	slowest->kept = latency->skeleton->rodata->slowest_kept;
	if (!session_ring(&latency->session, latency->skeleton->maps.ios_slowest_stacks, on_slow,
			  slowest))
		slowest->stacks = stacks_begin();
	if (!slowest->stacks) {
		slowest_end(slowest);
		return NULL;
	}
	return slowest;
}

void slowest_read(struct slowest *slowest)
{
	slowest->at_once = 0;
	session_poll(&slowest->latency->session);
}

void slowest_next_round(struct slowest *slowest)
{
	struct ranking over = slowest->under_way;

	/* this one is empty: it has been reported and forgotten */
	slowest->under_way = slowest->recent;
	slowest->recent = over;
	slowest->latency->skeleton->bss->slowest_round++;
	slowest_read(slowest);
}

void slowest_forget_recent(struct slowest *slowest)
{
	forget_ranking(&slowest->recent);
}

void slowest_end(struct slowest *slowest)
{
	if (!slowest)
		return;
	forget_ranking(&slowest->total);
	forget_ranking(&slowest->recent);
	forget_ranking(&slowest->under_way);
	stacks_end(slowest->stacks);
	free(slowest);
}

/* Reports */

const struct ranking *slowest_ranking(const struct slowest *slowest, bool interval)
{
	return interval ? &slowest->recent : &slowest->total;
}

void slowest_name_kernel(struct slowest *slowest, struct slow_call *call)
{
	if (call->kernel_named)
		return;
	call->nr_own = stacks_kernel(slowest->stacks, call->frames, call->nr_kernel);
	call->kernel_named = true;
}

uint64_t slowest_lost(const struct slowest *slowest)
{
	return slowest->latency->skeleton->bss->slowest_lost;
}
