// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations under way that announced themselves.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stuck.skel.h"
#include "observe/inflight.h"
#include "observe/session.h"
#include "text/output.h"

#define BATCH 64

int inflight_open(struct inflight *inflight)
{
	memset(inflight, 0, sizeof(*inflight));
	inflight->skeleton = stuck_bpf__open_opts(session_open_options());
	if (!inflight->skeleton) {
		complain("cannot open the BPF programs: %s", strerror(errno));
		return -1;
	}
	inflight->skeleton->rodata->announced_only = true;
	bpf_program__set_autoload(inflight->skeleton->progs.threads, false);
	if (session_load(inflight->skeleton->skeleton))
		return -1;
	return session_attach(inflight->skeleton->obj);
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

/* In batches, which the kernel takes bucket by bucket: no entry shows twice, whatever comes and goes. */
void inflight_read(struct inflight *inflight)
{
	int map = bpf_map__fd(inflight->skeleton->maps.begun), err;
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

			operation->tid = (uint32_t)keys[i];
			operation->begun = begun[i];
		}
	} while (!err);
	if (inflight->nr)
		qsort(inflight->list, inflight->nr, sizeof(*inflight->list), compare);
}

uint64_t inflight_lost(const struct inflight *inflight)
{
	return inflight->skeleton->bss->overflowed;
}

void inflight_close(struct inflight *inflight)
{
	if (!inflight->skeleton)
		return;
	session_detach(inflight->skeleton->obj);
	stuck_bpf__destroy(inflight->skeleton);
	free(inflight->list);
}
