// SPDX-License-Identifier: GPL-2.0-only
/*
 * replace-floor - watch replacements with programs that do nothing
 *
 *	replace-floor READY-FILE
 *
 * Creates the file once they are attached, and runs until it is interrupted.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "bpf/replace-floor.skel.h"

static void end(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	struct ios_replace_floor *floor;
	sigset_t ends, before;
	FILE *ready;

	if (argc != 2)
		die("usage: replace-floor READY-FILE");
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, &before);
	sigaction(SIGINT, &action, NULL);
	floor = ios_replace_floor__open_and_load();
	if (!floor)
		die("the BPF programs cannot be loaded");
	if (ios_replace_floor__attach(floor))
		die("the BPF programs cannot be attached");
	ready = fopen(argv[1], "we");
	if (!ready || fclose(ready))
		die("%s", argv[1]);
	sigsuspend(&before);
	ios_replace_floor__destroy(floor);
	return 0;
}
