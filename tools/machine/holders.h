/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that have nodes of devices and groups open, whether or not they use them.
 */
#ifndef IOMMUSCOPE_MACHINE_HOLDERS_H
#define IOMMUSCOPE_MACHINE_HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct holder - an open file of a node
 * @node: device number of the node
 * @pid: process that has it open
 * @process: its name
 */
struct holder {
	dev_t node;
	uint32_t pid;
	char process[32];
};

/**
 * struct holders - all open files found
 * @list: sorted by process
 * @nr: number of them
 */
struct holders {
	struct holder *list;
	size_t nr;
};

/**
 * holders_read() - search the open files of all processes
 * @holders: filled in; each process is listed once for a node
 * @nodes: device numbers of the nodes to look for
 * @nr: number of nodes
 *
 * Skips processes whose files this process may not read.
 */
void holders_read(struct holders *holders, const dev_t *nodes, size_t nr);

/**
 * holders_free() - free what holders_read() filled in
 * @holders: the list, empty afterwards
 */
void holders_free(struct holders *holders);

#endif
