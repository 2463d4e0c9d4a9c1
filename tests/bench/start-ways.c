// SPDX-License-Identifier: GPL-2.0-only
/*
 * The duration of the start of an observation: with the tool's own look-up of events and
 * functions in BTF, and with libbpf's.
 *
 *	start-ways ROUNDS
 *
 * Each way runs in a process of its own, in turns, because look-ups are cached. Prints one line
 * for each kind of start: the median of both ways, in milliseconds, and the memory of each.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/filter.h"
#include "bpf/latency.skel.h"
#include "bpf/operations.skel.h"
#include "bpf/state_walk.h"
#include "observe/kfuncs.h"
#include "observe/session.h"
#include "text/clock.h"

#define MOST_ROUNDS 100

static int own_latency(void)
{
	struct session session;

	return session_check_operations() ||
	       !SESSION_OPEN(&session, latency, SESSION_RECORDS, NULL) || session_load(&session);
}

static int libbpf_latency(void)
{
	return !ios_latency__open_and_load();
}

static int own_operations(void)
{
	struct session session;

	return session_check_operations() ||
	       !SESSION_OPEN(&session, operations, SESSION_RECORDS, NULL) || session_load(&session);
}

static int libbpf_operations(void)
{
	return !ios_operations__open_and_load();
}

static int own_functions(void)
{
	return kfuncs_init();
}

/* The work of libbpf for functions of a module that are declared as __ksym. */
static int libbpf_functions(void)
{
	static const char *const names[] = {
#define NAMES(name)                                                          \
	"bpf_iter_iommufd_" #name "_new", "bpf_iter_iommufd_" #name "_next", \
		"bpf_iter_iommufd_" #name "_destroy",
		SCOPE_STATE_ITERATORS(NAMES)
#undef NAMES
	};
	struct btf *kernel = btf__load_vmlinux_btf();
	struct btf *module = kernel ? btf__load_module_btf("iommufd", kernel) : NULL;
	size_t i;

	for (i = 0; module && i < sizeof(names) / sizeof(names[0]); i++)
		if (btf__find_by_name_kind(module, names[i], BTF_KIND_FUNC) < 0)
			return -1;
	return module ? 0 : -1;
}

static const struct way {
	const char *name;
	int (*own)(void);
	int (*libbpf)(void);
} ways[] = {
	{ "load latency", own_latency, libbpf_latency },
	{ "load operations", own_operations, libbpf_operations },
	{ "find functions", own_functions, libbpf_functions },
};

/* A child's measurements; shared with it. */
static struct measure {
	uint64_t ns;
	uint64_t kib;
} * measured;

static struct measure run(int (*start)(void))
{
	struct rusage usage;
	pid_t child = fork();
	uint64_t begin;
	int status;

	if (!child) {
		begin = now_ns();
		if (start())
			_exit(1);
		measured->ns = now_ns() - begin;
		getrusage(RUSAGE_SELF, &usage);
		measured->kib = usage.ru_maxrss;
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status) {
		fprintf(stderr, "start-ways: a way failed\n");
		exit(1);
	}
	return *measured;
}

static int compare(const void *a, const void *b)
{
	const struct measure *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 0) : 0, round;
	struct measure own[MOST_ROUNDS], libbpf[MOST_ROUNDS];
	size_t i;

	if (!rounds || rounds > MOST_ROUNDS) {
		fprintf(stderr, "usage: start-ways ROUNDS\n");
		return 2;
	}
	measured = mmap(NULL, sizeof(*measured), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (measured == MAP_FAILED)
		return 1;
	printf("%-18s %10s %10s %10s %10s\n", "", "own", "libbpf", "own", "libbpf");
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		/* once, to bring everything into memory */
		run(ways[i].own);
		run(ways[i].libbpf);
		for (round = 0; round < rounds; round++) {
			own[round] = run(ways[i].own);
			libbpf[round] = run(ways[i].libbpf);
		}
		qsort(own, rounds, sizeof(own[0]), compare);
		qsort(libbpf, rounds, sizeof(libbpf[0]), compare);
		printf("%-18s %7.1f ms %7.1f ms %6.1f MiB %6.1f MiB\n", ways[i].name,
		       own[rounds / 2].ns / 1e6, libbpf[rounds / 2].ns / 1e6,
		       own[rounds / 2].kib / 1024.0, libbpf[rounds / 2].kib / 1024.0);
	}
	return 0;
}
