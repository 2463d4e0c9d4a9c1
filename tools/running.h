/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations under way that announced themselves, as stuck.bpf.c keeps them, without a look at the
 * threads: those that began before the programs were attached do not show.
 */
#ifndef IOMMUSCOPE_RUNNING_H
#define IOMMUSCOPE_RUNNING_H

#include <stddef.h>
#include <stdint.h>

#include "stuck.h"

struct stuck_bpf;

/**
 * struct running_operation - an operation under way
 * @tid: its thread
 * @begun: what its begin told
 */
struct running_operation {
	uint32_t tid;
	struct scope_begun begun;
};

/**
 * struct running - all of them
 * @skeleton: its BPF object
 * @list: those under way, the longest first
 * @nr: how many
 * @room: how many @list has room for
 */
struct running {
	struct stuck_bpf *skeleton;
	struct running_operation *list;
	size_t nr;
	size_t room;
};

/**
 * running_open() - begin to observe
 * @running: filled in; end it with running_close() in any case
 *
 * Return: 0, or -1 after it has said what failed.
 */
int running_open(struct running *running);

/**
 * running_read() - read what is under way now
 * @running: the observation
 */
void running_read(struct running *running);

/**
 * running_lost() - operations that found no room and do not show
 * @running: the observation
 *
 * Return: how many there were so far.
 */
uint64_t running_lost(const struct running *running);

/**
 * running_close() - end the observation
 * @running: the observation, or zeroes
 */
void running_close(struct running *running);

#endif
