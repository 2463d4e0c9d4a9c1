// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach the tool's programs to their events, and detach them, again and again in one process.
 *
 *	attach-load ROUNDS LOADS
 *
 * A round is one object's turn: lat's, ops' or stuck's.  LOADS times in all, the objects are loaded anew:
 * the verifier takes longer than a hundred rounds.  Everything goes through session.c, as in the tool.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bpf/latency.skel.h"
#include "bpf/operations.skel.h"
#include "text/output.h"
#include "observe/session.h"
#include "bpf/stuck.skel.h"

static struct latency_bpf *latency;
static struct operations_bpf *operations;
static struct stuck_bpf *stuck;

static int load_all(void)
{
	latency = latency_bpf__open_opts(session_open_options());
	operations = operations_bpf__open_opts(session_open_options());
	stuck = stuck_bpf__open_opts(session_open_options());
	if (!latency || !operations || !stuck) {
		complain("cannot open the BPF programs");
		return -1;
	}
	bpf_program__set_autoload(operations->progs.iommufd_started, true);
	bpf_program__set_autoload(operations->progs.vfio_started, true);
	return session_load(latency->skeleton) || session_load(operations->skeleton) ||
			       session_load(stuck->skeleton) ?
		       -1 :
		       0;
}

static void unload_all(void)
{
	latency_bpf__destroy(latency);
	operations_bpf__destroy(operations);
	stuck_bpf__destroy(stuck);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc == 3 ? strtoul(argv[1], NULL, 0) : 0;
	unsigned long loads = argc == 3 ? strtoul(argv[2], NULL, 0) : 0;
	unsigned long round, each;
	int err = 0;

	if (!rounds || !loads || rounds < loads) {
		fprintf(stderr, "usage: attach-load ROUNDS LOADS\n");
		return 2;
	}
	if (session_check())
		return 1;
	each = rounds / loads;
	for (round = 0; round < rounds && !err; round++) {
		struct bpf_object *object;

		if (round % each == 0) {
			if (round)
				unload_all();
			err = load_all();
			if (err)
				break;
		}
		object = round % 3 == 0 ? latency->obj :
			 round % 3 == 1 ? operations->obj :
					  stuck->obj;
		err = session_attach(object);
		session_detach(object);
	}
	unload_all();
	if (!err)
		printf("%lu\n", round);
	return err ? 1 : 0;
}
