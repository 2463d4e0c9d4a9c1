/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations in flight, as stuck.bpf.c tracks them.
 *
 * inflight_read() returns operations that announced their start; those that started before the
 * programs were attached are missing.  inflight_threads() looks at the threads and finds these too.
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
 * struct inflight_operation - an operation in flight
 * @tid: its thread
 * @begun: data of its start event
 */
struct inflight_operation {
	uint32_t tid;
	struct scope_begun begun;
};

/**
 * struct inflight - operations in flight
 * @session: its BPF programs
 * @skeleton: their maps and variables
 * @iterator: iterates over the threads, or NULL
 * @entries: probed operations only mark the threads that enter them
 * @list: the operations, longest first
 * @nr: number of operations
 * @room: operations for which @list has room
 */
struct inflight {
	struct session session;
	struct ios_stuck *skeleton;
	struct bpf_link *iterator;
	bool entries;
	struct inflight_operation *list;
	size_t nr;
	size_t room;
};

/**
 * inflight_open() - load the programs
 * @inflight: filled in; end it with inflight_close() in any case
 * @threads: for inflight_threads(), else for inflight_read()
 * @phases: follow operations of probed sources from phase to phase, which takes longer to start
 *
 * Return: 0, or -1 after a message.
 */
int inflight_open(struct inflight *inflight, bool threads, bool phases);

/**
 * inflight_attach() - start the observation
 * @inflight: the observation
 *
 * Return: 0, or -1 after a message.
 */
int inflight_attach(struct inflight *inflight);

/**
 * inflight_extend() - follow operations of modules that were loaded later, too
 * @inflight: the observation, attached, with events
 *
 * For session_follow().
 *
 * Return: 0, or -1 after a message.
 */
int inflight_extend(struct inflight *inflight);

/**
 * inflight_threads() - look at all threads
 * @inflight: the observation
 * @function: called with each thread that is in an operation, or in an ioctl on any file
 * @context: its first argument
 *
 * Return: 0, or -1 after a message.
 */
int inflight_threads(struct inflight *inflight,
		     void (*function)(void *context, const struct scope_thread *thread),
		     void *context);

/**
 * inflight_detach() - stop the observation; its results can still be read
 * @inflight: the observation
 */
void inflight_detach(struct inflight *inflight);

/**
 * inflight_read() - read the operations in flight
 * @inflight: the observation
 */
void inflight_read(struct inflight *inflight);

/**
 * inflight_lost() - operations that could not be stored and are missing
 * @inflight: the observation
 *
 * Return: their number so far.
 */
uint64_t inflight_lost(const struct inflight *inflight);

/**
 * inflight_close() - end the observation
 * @inflight: the observation, or zeroes
 */
void inflight_close(struct inflight *inflight);

#endif
