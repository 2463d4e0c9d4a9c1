// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads events, see events.h.
 *
 * The instance belongs to the process that opened it; tests are its children and read through
 * inherited file descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "tap.h"

#define INSTANCES "/sys/kernel/tracing/instances"

static char instance[128];
static char text[1 << 18];
static int pipe_fd = -1;

static int write_file(const char *dir, const char *name, const char *value)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : -EIO;
}

/**
 * events_open() - start to record events
 * @system: whose events: "iommufd" or "vfio"
 *
 * Return: NULL, or the reason why it cannot
 */
const char *events_open(const char *system)
{
	static char problem[96];
	char path[256], enable[64];

	snprintf(instance, sizeof(instance), INSTANCES "/iommuscope-test-%d", getpid());
	if (mkdir(instance, 0700))
		return "cannot make a tracefs instance (is tracefs mounted, and is this root?)";
	snprintf(enable, sizeof(enable), "events/%s/enable", system);
	if (write_file(instance, "buffer_size_kb", "256") || write_file(instance, enable, "1")) {
		rmdir(instance);
		snprintf(problem, sizeof(problem), "there are no %s events (is the module loaded?)",
			 system);
		return problem;
	}
	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	pipe_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (pipe_fd < 0) {
		rmdir(instance);
		return "cannot open trace_pipe";
	}
	return NULL;
}

/**
 * events_close() - end the recording that events_open() started
 */
void events_close(void)
{
	if (pipe_fd < 0)
		return;
	write_file(instance, "events/enable", "0");
	close(pipe_fd);
	pipe_fd = -1;
	rmdir(instance);
}

/* All that is recorded, as text. */
static void read_all(void)
{
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(text) - 1) {
		n = read(pipe_fd, text + used, sizeof(text) - 1 - used);
		if (n <= 0)
			break;
		used += n;
	}
	text[used] = '\0';
}

/**
 * events_drop() - forget what has been recorded
 */
void events_drop(void)
{
	if (pipe_fd < 0)
		return;
	do
		read_all();
	while (text[0]);
}

/**
 * events_reason() - the reason of the last failure recorded
 * @rc: the errno of the failure, negative
 * @reason: where to copy its name
 * @size: size of @reason
 *
 * Return: false if no event reports a failure with this errno
 */
bool events_reason(int rc, char *reason, size_t size)
{
	char want[32];
	char *line, *next;
	bool found = false;

	snprintf(want, sizeof(want), " ret=%d ", rc);
	read_all();
	for (line = text; *line; line = next) {
		char *end = strchr(line, '\n');
		char *p;

		next = end ? end + 1 : line + strlen(line);
		if (end)
			*end = '\0';
		if (!strstr(line, want))
			continue;
		p = strstr(line, " reason=");
		if (!p)
			continue;
		p += strlen(" reason=");
		snprintf(reason, size, "%.*s", (int)strcspn(p, " "), p);
		found = true;
	}
	return found;
}

/* FAILS() as a function. */
void events_failure(const char *file, int line, const char *call, long rc, int error,
		    const char *reason)
{
	char got[64];

	if (rc != -error)
		tap_fail(file, line, "%s: %ld (%s), not %s", call, rc, tap_errno(rc),
			 strerror(error));
	if (pipe_fd < 0)
		return;
	if (!events_reason(rc, got, sizeof(got)))
		tap_fail(file, line, "%s: no event reports %s", call, strerror(error));
	if (strcmp(got, reason))
		tap_fail(file, line, "%s: the reason is %s, not %s", call, got, reason);
}

/**
 * events_count() - how many events of a name were recorded
 * @event: its name
 * @last: where to copy the fields of the last one, or NULL
 * @size: size of @last
 *
 * Return: the count
 */
unsigned int events_count(const char *event, char *last, size_t size)
{
	unsigned int count = 0;
	char *line, *next;
	char want[64];

	snprintf(want, sizeof(want), " %s: ", event);
	read_all();
	for (line = text; *line; line = next) {
		char *end = strchr(line, '\n');
		char *p;

		next = end ? end + 1 : line + strlen(line);
		if (end)
			*end = '\0';
		p = strstr(line, want);
		if (!p)
			continue;
		count++;
		if (last)
			snprintf(last, size, "%s", p + strlen(want));
	}
	return count;
}
