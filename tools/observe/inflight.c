// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations in flight.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/slots.h"
#include "bpf/stuck.skel.h"
#include "bpf/stuck_probed.skel.h"
#include "observe/inflight.h"
#include "observe/pids/pids.h"
#include "observe/session.h"
#include "text/name.h"
#include "text/output.h"

#define BATCH 64

static int fail_to_list(const char *why)
{
	complain("cannot list the threads: %s", why);
	return -1;
}

int inflight_open(struct inflight *inflight, bool threads, bool phases)
{
	memset(inflight, 0, sizeof(*inflight));
	inflight->skeleton = SESSION_OPEN(&inflight->session, stuck, SESSION_RECORDS, NULL);
	if (!inflight->skeleton)
		return -1;
	inflight->entries = threads && !phases;
	if (!inflight->entries && SESSION_ADD_PROBED(&inflight->session, stuck))
		return -1;
	bpf_program__set_autoload(inflight->skeleton->progs.ios_entered, inflight->entries);
	inflight->skeleton->rodata->announced_only = !threads;
	bpf_program__set_autoload(inflight->skeleton->progs.ios_threads, threads);
	inflight->session.no_phases = !phases;
	if (session_load(&inflight->session))
		return -1;
	if (!threads)
		return 0;
	pids_note();
	inflight->iterator = bpf_program__attach_iter(inflight->skeleton->progs.ios_threads, NULL);
	return inflight->iterator ? 0 : fail_to_list(strerror(errno));
}

int inflight_attach(struct inflight *inflight)
{
	if (session_attach(&inflight->session))
		return -1;
	return inflight->entries ?
		       session_attach_entries(&inflight->session, inflight->skeleton->progs.ios_entered) :
		       0;
}

int inflight_extend(struct inflight *inflight)
{
	/* an iterator over threads needs no events of later modules: it looks at all threads */
	return inflight->entries ? 0 : SESSION_EXTEND(&inflight->session, stuck, SESSION_RECORDS,
						      session_has_probed());
}

int inflight_threads(struct inflight *inflight,
		     void (*function)(void *context, const struct scope_thread *thread),
		     void *context)
{
	int fd = bpf_iter_create(bpf_link__fd(inflight->iterator));
	struct scope_thread thread;
	ssize_t length;

	if (fd < 0)
		return fail_to_list(strerror(errno));
	/* the kernel returns whole records */
	while ((length = read(fd, &thread, sizeof(thread))) == sizeof(thread)) {
		NAME_CLEAN(thread.comm);
		NAME_CLEAN(thread.begun.device);
		function(context, &thread);
	}
	if (length)
		fail_to_list(length < 0 ? strerror(errno) : "a record is cut off");
	close(fd);
	return length ? -1 : 0;
}

void inflight_detach(struct inflight *inflight)
{
	session_detach(&inflight->session);
}

static struct inflight_operation *next_operation(struct inflight *inflight)
{
	if (inflight->nr == inflight->room) {
		inflight->room = inflight->room * 2 + BATCH;
		inflight->list =
			reallocarray(inflight->list, inflight->room, sizeof(*inflight->list));
		if (!inflight->list)
			out_of_memory();
	}
	return &inflight->list[inflight->nr++];
}

static int compare(const void *a, const void *b)
{
	const struct inflight_operation *x = a, *y = b;

	return x->begun.start_ns < y->begun.start_ns ? -1 : x->begun.start_ns > y->begun.start_ns;
}

/* Read the slots.  If an operation ends and another starts meanwhile, a record can mix the two. */
static void read_slots(struct inflight *inflight)
{
	const struct op_slot *slot = inflight->skeleton->bss->ios_slots;
	struct inflight_operation *one;
	size_t i;

	for (i = 0; i < SCOPE_SLOTS; i++, slot++) {
		if (!(slot->owner & SCOPE_SLOT_BUSY))
			continue;
		one = next_operation(inflight);
		memset(one, 0, sizeof(*one));
		one->tid = pids_thread_outside(slot->tid);
		one->begun.start_ns = slot->op.clock.start_ns;
		one->begun.operation = slot->operation;
		one->begun.source = slot->op.source;
		one->begun.ctx = slot->op.ctx_id;
		one->begun.ioas = slot->op.ioas_id;
		one->begun.phase = slot->phase;
		one->begun.phase_start_ns = slot->phase_start_ns;
		one->begun.iova = slot->op.iova;
		one->begun.length = slot->op.length;
		if (scope_operation_class(slot->operation) == SCOPE_CLASS_TRANSLATION)
			memcpy(one->begun.device, slot->op.device, sizeof(one->begun.device));
	}
}

/* Read in batches of whole hash buckets, so that no entry appears twice while others change. */
void inflight_read(struct inflight *inflight)
{
	int map = bpf_map__fd(inflight->skeleton->maps.ios_begun), err;
	static struct scope_begun begun[BATCH];
	uint64_t keys[BATCH];
	uint32_t at, nr, i;
	void *from = NULL;

	inflight->nr = 0;
	do {
		nr = BATCH;
		err = bpf_map_lookup_batch(map, from, &at, keys, begun, &nr, NULL);
		if (err && err != -ENOENT)
			break;
		from = &at;
		for (i = 0; i < nr; i++) {
			struct inflight_operation *operation = next_operation(inflight);

			operation->tid = pids_thread_outside((uint32_t)keys[i]);
			operation->begun = begun[i];
			NAME_CLEAN(operation->begun.device);
		}
	} while (!err);
	if (inflight->session.probed)
		read_slots(inflight);
	if (inflight->nr)
		qsort(inflight->list, inflight->nr, sizeof(*inflight->list), compare);
}

uint64_t inflight_lost(const struct inflight *inflight)
{
	return inflight->skeleton->bss->overflowed;
}

void inflight_close(struct inflight *inflight)
{
	bpf_link__destroy(inflight->iterator);
	session_close(&inflight->session);
	free(inflight->list);
	memset(inflight, 0, sizeof(*inflight));
}
