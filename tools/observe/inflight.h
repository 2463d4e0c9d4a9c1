/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations under way that announced themselves, as stuck.bpf.c keeps them, without a look at the
 * threads: those that began before the programs were attached do not show.
 */
#ifndef IOMMUSCOPE_OBSERVE_INFLIGHT_H
#define IOMMUSCOPE_OBSERVE_INFLIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/stuck.h"

struct stuck_bpf;

/**
 * struct inflight_operation - an operation under way
 * @tid: its thread
 * @begun: what its begin told
 */
struct inflight_operation {
	uint32_t tid;
	struct scope_begun begun;
};

/**
 * struct inflight - all of them
 * @skeleton: its BPF object
 * @list: those under way, the longest first
 * @nr: how many
 * @room: how many @list has room for
 */
struct inflight {
	struct stuck_bpf *skeleton;
	struct inflight_operation *list;
	size_t nr;
	size_t room;
};

/**
 * inflight_open() - begin to observe
 * @inflight: filled in; end it with inflight_close() in any case
 *
 * Return: 0, or -1 after it has said what failed.
 */
int inflight_open(struct inflight *inflight);

/**
 * inflight_read() - read what is under way now
 * @inflight: the observation
 */
void inflight_read(struct inflight *inflight);

/**
 * inflight_lost() - operations that found no room and do not show
 * @inflight: the observation
 *
 * Return: how many there were so far.
 */
uint64_t inflight_lost(const struct inflight *inflight);

/**
 * inflight_close() - end the observation
 * @inflight: the observation, or zeroes
 */
void inflight_close(struct inflight *inflight);

#endif
