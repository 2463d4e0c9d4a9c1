// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent_group.h"

#define ROOT		"/sys/fs/cgroup/lab"
#define POLL_MS		10
/* how long processes that were killed may take to end */
#define DYING_MS	30000

static void group_path(char *path, size_t size, unsigned int number, const char *file)
{
	snprintf(path, size, ROOT "/run-%u%s", number, file);
}

static void write_file(unsigned int number, const char *file, const char *text)
{
	char path[128];
	int fd;

	group_path(path, sizeof(path), number, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "lab-agent: %s: %s\n", path, strerror(errno));
	close(fd);
}

static size_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : 0;
}

void group_create(unsigned int number)
{
	char path[128];

	mkdir(ROOT, 0755);
	group_path(path, sizeof(path), number, "");
	mkdir(path, 0755);
}

void group_join(unsigned int number)
{
	write_file(number, "/cgroup.procs", "0");
}

bool group_empties(unsigned int number, unsigned int patience_ms)
{
	char path[128], events[256];

	group_path(path, sizeof(path), number, "/cgroup.events");
	for (unsigned int waited = 0;; waited += POLL_MS) {
		/* orphans become children of process 1, and count until they are reaped */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (!read_file(path, events, sizeof(events)) || strstr(events, "populated 0"))
			return true;
		if (waited >= patience_ms)
			return false;
		usleep(POLL_MS * 1000);
	}
}

size_t group_list(unsigned int number, char *buf, size_t size)
{
	char path[128], procs[4096], name[512];
	size_t len = 0;

	group_path(path, sizeof(path), number, "/cgroup.procs");
	read_file(path, procs, sizeof(procs));
	for (char *pid = strtok(procs, "\n"); pid; pid = strtok(NULL, "\n")) {
		size_t n;
		int out;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
		n = read_file(path, name, sizeof(name));
		for (size_t i = 0; i + 1 < n; i++)
			if (!name[i] || name[i] == '\n')
				name[i] = ' ';
		if (!n) {
			snprintf(path, sizeof(path), "/proc/%s/comm", pid);
			n = read_file(path, name, sizeof(name));
			name[n ? n - 1 : 0] = '\0';
		}
		out = snprintf(buf + len, size - len, "%s\n", name);
		if (out < 0 || (size_t)out >= size - len)
			break;
		len += out;
	}
	return len;
}

void group_kill(unsigned int number)
{
	write_file(number, "/cgroup.kill", "1");
}

void group_remove(unsigned int number)
{
	char path[128];

	group_empties(number, DYING_MS);
	group_path(path, sizeof(path), number, "");
	rmdir(path);
}
