// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes have nodes open?  The search reads every /proc/PID/fd and compares device
 * numbers, not paths, so that names of nodes, mount namespaces and links do not matter.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/holders.h"
#include "machine/processes.h"
#include "text/output.h"

static bool is_one_of(dev_t number, const dev_t *nodes, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (nodes[i] == number)
			return true;
	return false;
}

/* Add a file unless its process, whose files start at @first, already has one of that node. */
static void add(struct holders *holders, size_t first, pid_t pid, dev_t node)
{
	struct holder *holder;
	size_t i;

	for (i = first; i < holders->nr; i++)
		if (holders->list[i].node == node)
			return;
	holders->list = reallocarray(holders->list, holders->nr + 1, sizeof(*holders->list));
	if (!holders->list)
		out_of_memory();
	holder = &holders->list[holders->nr++];
	holder->node = node;
	holder->pid = (uint32_t)pid;
	process_name(pid, holder->process, sizeof(holder->process));
}

static void look_at(struct holders *holders, pid_t pid, const dev_t *nodes, size_t nr)
{
	size_t first = holders->nr;
	const struct dirent *entry;
	struct stat status;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name) &&
		    !fstatat(dirfd(folder), entry->d_name, &status, 0) &&
		    S_ISCHR(status.st_mode) && is_one_of(status.st_rdev, nodes, nr))
			add(holders, first, pid, status.st_rdev);
	closedir(folder);
}

void holders_read(struct holders *holders, const dev_t *nodes, size_t nr)
{
	const struct dirent *entry;
	DIR *folder;

	memset(holders, 0, sizeof(*holders));
	if (!nr)
		return;
	folder = opendir("/proc");
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name))
			look_at(holders, (pid_t)strtol(entry->d_name, NULL, 10), nodes, nr);
	closedir(folder);
}

void holders_free(struct holders *holders)
{
	free(holders->list);
	memset(holders, 0, sizeof(*holders));
}
