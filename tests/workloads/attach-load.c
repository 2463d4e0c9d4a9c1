// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach the tool's programs to their events, and detach them, repeatedly in one process.
 *
 *	attach-load ROUNDS LOADS
 *
 * A round uses one of the objects in turn: lat's, ops' or stuck's. The objects are loaded anew
 * only LOADS times in all, since the verifier takes longer than a hundred rounds. Everything goes
 * through session.c, as in the tool.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bpf/filter.h"
#include "bpf/latency.skel.h"
#include "bpf/operations.skel.h"
#include "bpf/stuck.skel.h"
#include "observe/session.h"
#include "text/output.h"

static struct session sessions[3];

static int load_all(void)
{
	struct ios_operations *operations;
	unsigned int i;

	if (!SESSION_OPEN(&sessions[0], latency, SESSION_RECORDS, NULL))
		return -1;
	operations = SESSION_OPEN(&sessions[1], operations, SESSION_RECORDS, NULL);
	if (!operations || !SESSION_OPEN(&sessions[2], stuck, SESSION_RECORDS, NULL))
		return -1;
	bpf_program__set_autoload(operations->progs.ios_iommufd_started, true);
	bpf_program__set_autoload(operations->progs.ios_vfio_started, true);
	for (i = 0; i < 3; i++)
		if (session_load(&sessions[i]))
			return -1;
	return 0;
}

static void unload_all(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		session_close(&sessions[i]);
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
		if (round % each == 0) {
			if (round)
				unload_all();
			err = load_all();
			if (err)
				break;
		}
		err = session_attach(&sessions[round % 3]);
		session_detach(&sessions[round % 3]);
	}
	unload_all();
	if (!err)
		printf("%lu\n", round);
	return err ? 1 : 0;
}
