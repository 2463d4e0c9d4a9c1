// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs tests and prints TAP, see tap.h.
 *
 * Constructors build the list of tests before main(); then it is constant. A test's process
 * reports its result by exit status: 0 passed, 77 skipped (the reason is in a page shared with
 * the parent), anything else failed. It has a process group of its own, which is killed at the
 * end, so no process that a test left behind outlives it.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"
#include "tap.h"

#define SKIPPED 77
#define MAX_LEFT_OUT 8

static struct tap_test *tests;
static struct tap_test **tests_end = &tests;
static char *skip_reason;
static pid_t test_pid;
static const char *left_out[MAX_LEFT_OUT];
static unsigned int nr_left_out;

void tap_register(struct tap_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

const char *tap_errno(long long rc)
{
	if (rc >= 0)
		return "no error";
	return strerror((int)-rc);
}

void tap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

/* Not exit(): a test may end in a child or thread of its own, with the parent's buffers. */
static void __attribute__((noreturn)) end_test(int status)
{
	fflush(stdout);
	_exit(status);
}

void tap_fail(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	va_start(args, format);
	printf("# %s:%d: ", base ? base + 1 : file, line);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	end_test(1);
}

void tap_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(skip_reason, 256, format, args);
	va_end(args);
	end_test(SKIPPED);
}

static bool chosen(const struct tap_test *test, int argc, char **argv)
{
	size_t n = strlen(test->suite);
	char name[128];
	unsigned int x;
	int i;

	snprintf(name, sizeof(name), "%s.%s", test->suite, test->name);
	for (x = 0; x < nr_left_out; x++)
		if (!fnmatch(left_out[x], name, 0))
			return false;
	if (!argc)
		return true;
	for (i = 0; i < argc; i++) {
		if (strncmp(argv[i], test->suite, n))
			continue;
		if (!argv[i][n] || (argv[i][n] == '.' && !strcmp(argv[i] + n + 1, test->name)))
			return true;
	}
	return false;
}

static void on_alarm(int number)
{
	(void)number;
	if (test_pid > 0)
		kill(-test_pid, SIGKILL);
}

/* Returns the wait status of the test's process; sets @late if the limit ended it. */
static int run_test(const struct tap_test *test, unsigned int limit, bool *late)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	if (!pid) {
		setpgid(0, 0);
		test->run();
		end_test(0);
	}
	setpgid(pid, pid);
	test_pid = pid;
	alarm(patience_ms(limit * 1000) / 1000);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*late = !alarm(0);
	kill(-pid, SIGKILL);
	test_pid = 0;
	return status;
}

int tap_main(int argc, char **argv, const char *(*before)(void), void (*after)(void))
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int limit = 60, count = 0, number = 0, failed = 0;
	const struct tap_test *test;
	const char *problem;
	bool list = false;
	int opt;

	while ((opt = getopt(argc, argv, "lt:x:")) != -1) {
		if (opt == 'l') {
			list = true;
		} else if (opt == 't') {
			limit = strtoul(optarg, NULL, 10);
		} else if (opt == 'x' && nr_left_out < MAX_LEFT_OUT) {
			left_out[nr_left_out++] = optarg;
		} else {
			fprintf(stderr,
				"usage: %s [-l] [-t SECONDS] [-x PATTERN]... [SUITE[.TEST]]...\n",
				argv[0]);
			return 2;
		}
	}
	argc -= optind;
	argv += optind;

	for (test = tests; test; test = test->next)
		count += chosen(test, argc, argv);
	if (!count) {
		fprintf(stderr, "no such test\n");
		return 2;
	}
	if (list) {
		for (test = tests; test; test = test->next)
			if (chosen(test, argc, argv))
				printf("%s.%s\n", test->suite, test->name);
		return 0;
	}

	skip_reason = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	sigaction(SIGALRM, &action, NULL);
	problem = before ? before() : NULL;
	if (problem) {
		printf("Bail out! %s\n", problem);
		return 1;
	}

	printf("TAP version 13\n1..%u\n", count);
	for (test = tests; test; test = test->next) {
		bool late = false;
		int status;

		if (!chosen(test, argc, argv))
			continue;
		number++;
		status = run_test(test, limit, &late);
		if (WIFEXITED(status) && !WEXITSTATUS(status)) {
			printf("ok %u %s.%s\n", number, test->suite, test->name);
		} else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
			printf("ok %u %s.%s # SKIP %s\n", number, test->suite, test->name,
			       skip_reason);
		} else {
			failed++;
			if (late)
				printf("# not done after %u s of an idle machine\n", limit);
			else if (WIFSIGNALED(status))
				printf("# killed by %s\n", strsignal(WTERMSIG(status)));
			printf("not ok %u %s.%s\n", number, test->suite, test->name);
		}
	}
	if (after)
		after();
	fflush(stdout);
	return !!failed;
}
