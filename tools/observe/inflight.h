/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations under way, as stuck.bpf.c keeps them.
 *
 * inflight_read() takes those that announced themselves: those that began before the programs were
 * attached do not show.  inflight_threads() looks at the threads, where those show as well.
 */
#ifndef IOMMUSCOPE_OBSERVE_INFLIGHT_H
#define IOMMUSCOPE_OBSERVE_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/stuck.h"
#include "observe/session.h"

struct bpf_link;
struct ios_stuck;

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
 * @session: its BPF programs
 * @skeleton: their maps and variables
 * @iterator: goes through the threads, or NULL
 * @list: those under way, the longest first
 * @nr: how many
 * @room: how many @list has room for
 */
struct inflight {
	struct session session;
	struct ios_stuck *skeleton;
	struct bpf_link *iterator;
	struct inflight_operation *list;
	size_t nr;
	size_t room;
};

/**
 * inflight_open() - load the programs
 * @inflight: filled in; end it with inflight_close() in any case
 * @threads: for inflight_threads(), else for inflight_read()
 *
 * Return: 0, or -1 after it has said what failed.
 */
int inflight_open(struct inflight *inflight, bool threads);

/**
 * inflight_attach() - begin to observe
 * @inflight: the observation
 *
 * Return: 0, or -1 after it has said what failed.
 */
int inflight_attach(struct inflight *inflight);

/**
 * inflight_threads() - look at all threads
 * @inflight: the observation
 * @function: called with each thread that is in an operation, or in an ioctl of whatever file
 * @context: its first argument
 *
 * Return: 0, or -1 after it has said what failed.
 */
int inflight_threads(struct inflight *inflight,
		     void (*function)(void *context, const struct scope_thread *thread),
		     void *context);

/**
 * inflight_detach() - observe no more; what was seen can still be read
 * @inflight: the observation
 */
void inflight_detach(struct inflight *inflight);

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
