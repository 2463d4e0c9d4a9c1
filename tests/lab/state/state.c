// SPDX-License-Identifier: GPL-2.0-only
/*
 * lab-state: what a test could leave behind in its guest.
 *
 *	lab-state save FILE	write the state to FILE, once it has come to rest
 *	lab-state check FILE [SECONDS]
 *				print what differs from FILE, a line each; the exit status is 1 then
 *	lab-state show		print the state
 *
 * Objects that the kernel frees shortly after their last user has gone (BPF programs, mounts)
 * have SECONDS for that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

#define KEY_SIZE	4352
#define VALUE_SIZE	65536
#define DEFAULT_PATIENCE	5
#define POLL_MS		100
/*
 * A file that takes longer than this to read is reported, with the stack in the kernel meanwhile.
 */
#define SLOW_SECONDS	20

/*
 * The file that is being read. The thread that reports it may see half of a name, which is still
 * a hint.
 */
static char reading[KEY_SIZE];

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "lab-state: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Reports repeatedly where the program is: a missing answer alone explains nothing. */
static void *watch(void *unused)
{
	char stack[VALUE_SIZE / 16], path[64];
	size_t len;
	FILE *file;

	(void)unused;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stack", getpid());
	for (;;) {
		sleep(SLOW_SECONDS);
		file = fopen(path, "re");
		len = file ? fread(stack, 1, sizeof(stack) - 1, file) : 0;
		stack[len] = '\0';
		if (file)
			fclose(file);
		fprintf(stderr, "lab-state: still reading %s\n%s", reading, stack);
	}
	return NULL;
}

static void start_watch(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, watch, NULL))
		pthread_detach(thread);
}

static void append(struct state *state, char *line)
{
	if (!line)
		die("memory");
	if (state->nr == state->room) {
		state->room = state->room ? 2 * state->room : 4096;
		state->lines = realloc(state->lines, state->room * sizeof(*state->lines));
		if (!state->lines)
			die("memory");
	}
	state->lines[state->nr++] = line;
}

/* A name may hold anything; a line may not. */
static void add(struct state *state, const char *value, const char *key, va_list args)
{
	char name[KEY_SIZE], *line;

	vsnprintf(name, sizeof(name), key, args);
	if (asprintf(&line, "%s\t%s", name, value) < 0)
		die("memory");
	for (char *p = line; *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	append(state, line);
}

void state_add(struct state *state, const char *value, const char *key, ...)
{
	va_list args;

	va_start(args, key);
	add(state, value, key, args);
	va_end(args);
}

bool state_read(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n = -1;
	int fd;

	snprintf(reading, sizeof(reading), "%s", path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	buf[0] = '\0';
	if (fd < 0)
		return false;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	if (n < 0) {
		buf[0] = '\0';
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if (buf[i] == '\n' || buf[i] == '\t' || !buf[i])
			buf[i] = ' ';
	while (len && buf[len - 1] == ' ')
		len--;
	buf[len] = '\0';
	return true;
}

void state_add_file(struct state *state, const char *path, const char *key, ...)
{
	static char value[VALUE_SIZE];
	va_list args;

	if (!state_read(path, value, sizeof(value)))
		return;
	va_start(args, key);
	add(state, value, key, args);
	va_end(args);
}

void state_each(const char *path, void (*each)(struct state *state, const char *path, const char *name),
		struct state *state)
{
	struct dirent *entry;
	DIR *dir;

	snprintf(reading, sizeof(reading), "%s", path);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			each(state, path, entry->d_name);
	closedir(dir);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take(struct state *state)
{
	state_files(state);
	state_kernel(state);
	state_devices(state);
	state_tracing(state);
	state_bpf(state);
	state_processes(state);
	state_network(state);
	qsort(state->lines, state->nr, sizeof(*state->lines), compare_lines);
}

static void drop(struct state *state)
{
	for (size_t i = 0; i < state->nr; i++)
		free(state->lines[i]);
	free(state->lines);
	*state = (struct state){};
}

/* Removes the lines that both lists have in common. */
static void subtract(struct state *a, struct state *b)
{
	size_t i = 0, j = 0, left_a = 0, left_b = 0;

	while (i < a->nr || j < b->nr) {
		int order = i == a->nr ? 1 : j == b->nr ? -1 : strcmp(a->lines[i], b->lines[j]);

		if (!order) {
			free(a->lines[i++]);
			free(b->lines[j++]);
		} else if (order < 0) {
			a->lines[left_a++] = a->lines[i++];
		} else {
			b->lines[left_b++] = b->lines[j++];
		}
	}
	a->nr = left_a;
	b->nr = left_b;
}

static const char *value_of(char *line)
{
	char *tab = strchr(line, '\t');

	*tab = '\0';
	return tab + 1;
}

/* Print two lists without common lines: a key that is in both has changed its value. */
static void print_difference(struct state *before, struct state *now)
{
	size_t i = 0, j = 0;

	while (i < before->nr || j < now->nr) {
		const char *old = i < before->nr ? value_of(before->lines[i]) : NULL;
		const char *new = j < now->nr ? value_of(now->lines[j]) : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(before->lines[i], now->lines[j]);

		if (!order)
			printf("%s: '%s', was '%s'\n", now->lines[j], new, old);
		else if (order < 0)
			printf("%s: gone%s%s\n", before->lines[i], *old ? ", was " : "", old);
		else
			printf("%s: %s\n", now->lines[j], *new ? new : "new");
		/* the other line is compared again, with its tab restored */
		if (order < 0 && new)
			now->lines[j][strlen(now->lines[j])] = '\t';
		if (order > 0 && old)
			before->lines[i][strlen(before->lines[i])] = '\t';
		i += order <= 0;
		j += order >= 0;
	}
}

static void load(struct state *state, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!file)
		die(path);
	while ((n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (!strchr(line, '\t')) {
			errno = EINVAL;
			die(path);
		}
		append(state, strdup(line));
	}
	free(line);
	fclose(file);
}

static void print(const struct state *state, FILE *file)
{
	for (size_t i = 0; i < state->nr; i++)
		fprintf(file, "%s\n", state->lines[i]);
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = POLL_MS * 1000000L };

	nanosleep(&t, NULL);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * A machine that has just booted is still probing devices: save a state that two looks agree on.
 */
static int save(const char *path)
{
	struct state now = {};
	FILE *file;

	take(&now);
	for (;;) {
		struct state before = now, again = {};
		bool rests;

		nap();
		take(&again);
		rests = before.nr == again.nr;
		for (size_t i = 0; rests && i < before.nr; i++)
			rests = !strcmp(before.lines[i], again.lines[i]);
		drop(&before);
		now = again;
		if (rests)
			break;
	}
	file = fopen(path, "we");
	if (!file)
		die(path);
	print(&now, file);
	if (fclose(file))
		die(path);
	drop(&now);
	return 0;
}

static int check(const char *path, double patience)
{
	double end = seconds_now() + patience;

	for (;;) {
		bool last = seconds_now() >= end;
		struct state before = {}, now = {};
		bool same;

		load(&before, path);
		take(&now);
		subtract(&before, &now);
		same = !before.nr && !now.nr;
		if (!same && last)
			print_difference(&before, &now);
		drop(&before);
		drop(&now);
		if (same || last)
			return !same;
		nap();
	}
}

int main(int argc, char **argv)
{
	struct state now = {};

	start_watch();
	if (argc == 2 && !strcmp(argv[1], "show")) {
		take(&now);
		print(&now, stdout);
		drop(&now);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "save"))
		return save(argv[2]);
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "check"))
		return check(argv[2], argc == 4 ? strtod(argv[3], NULL) : DEFAULT_PATIENCE);
	fprintf(stderr, "usage: lab-state show | save FILE | check FILE [SECONDS]\n");
	return 2;
}
