// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations under way that announced themselves.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "running.h"
#include "session.h"
#include "stuck.skel.h"

#define BATCH 64

int running_open(struct running *running)
{
	memset(running, 0, sizeof(*running));
	running->skeleton = stuck_bpf__open_opts(session_open_options());
	if (!running->skeleton) {
		complain("cannot open the BPF programs: %s", strerror(errno));
		return -1;
	}
	running->skeleton->rodata->announced_only = true;
	bpf_program__set_autoload(running->skeleton->progs.threads, false);
	if (session_load(running->skeleton->skeleton))
		return -1;
	return session_attach(running->skeleton->obj);
}

static struct running_operation *next_operation(struct running *running)
{
	if (running->nr == running->room) {
		running->room = running->room * 2 + BATCH;
		running->list =
			reallocarray(running->list, running->room, sizeof(*running->list));
		if (!running->list)
			out_of_memory();
	}
	return &running->list[running->nr++];
}

static int compare(const void *a, const void *b)
{
	const struct running_operation *x = a, *y = b;

	return x->begun.start_ns < y->begun.start_ns ? -1 : x->begun.start_ns > y->begun.start_ns;
}

/* In batches, which the kernel takes bucket by bucket: no entry shows twice, whatever comes and goes. */
void running_read(struct running *running)
{
	int map = bpf_map__fd(running->skeleton->maps.begun), err;
	static struct scope_begun begun[BATCH];
	uint64_t keys[BATCH];
	uint32_t at, nr, i;
	void *from = NULL;

	running->nr = 0;
	do {
		nr = BATCH;
		err = bpf_map_lookup_batch(map, from, &at, keys, begun, &nr, NULL);
		if (err && err != -ENOENT)
			break;
		from = &at;
		for (i = 0; i < nr; i++) {
			struct running_operation *operation = next_operation(running);

			operation->tid = (uint32_t)keys[i];
			operation->begun = begun[i];
		}
	} while (!err);
	if (running->nr)
		qsort(running->list, running->nr, sizeof(*running->list), compare);
}

uint64_t running_lost(const struct running *running)
{
	return running->skeleton->bss->overflowed;
}

void running_close(struct running *running)
{
	if (!running->skeleton)
		return;
	session_detach(running->skeleton->obj);
	stuck_bpf__destroy(running->skeleton);
	free(running->list);
}
