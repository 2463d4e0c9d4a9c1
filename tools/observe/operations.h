/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of operations that finish and start, from operations.bpf.c.
 */
#ifndef IOMMUSCOPE_OBSERVE_OPERATIONS_H
#define IOMMUSCOPE_OBSERVE_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/operations.h"
#include "observe/session.h"

struct filter;
struct ios_operations;

/**
 * struct operations_settings - what to send
 * @filter: what to observe, or NULL for all
 * @wanted: a bit for each enum scope_operation
 * @errors_only: only operations that failed
 * @slower_ns: only operations that took at least this long
 * @always: a bit for each operation that is sent even if @errors_only and @slower_ns exclude it
 * @begins: send starts as well, with SCOPE_BEGINS in @operation
 * @room_bytes: size of the ring buffer, 0 for the default
 */
struct operations_settings {
	const struct filter *filter;
	uint64_t wanted;
	bool errors_only;
	uint64_t slower_ns;
	uint64_t always;
	bool begins;
	uint32_t room_bytes;
};

/* Called with each operation; a negative value ends operations_poll(), which returns it. */
typedef int (*operation_function)(void *context, const struct scope_op *op);

/**
 * struct operations - a running observation
 * @session: its BPF programs
 * @skeleton: their maps and variables
 * @device: the device that is filtered by, or NULL
 * @function: called with each operation
 * @context: its first argument
 */
struct operations {
	struct session session;
	struct ios_operations *skeleton;
	const char *device;
	operation_function function;
	void *context;
};

/**
 * operations_open() - load the programs
 * @operations: filled in; end it with operations_close() in any case
 * @settings: what to send
 * @function: called with each operation
 * @context: its first argument
 *
 * Return: 0, or -1 after a message.
 */
int operations_open(struct operations *operations, const struct operations_settings *settings,
		    operation_function function, void *context);

/**
 * operations_attach() - start the observation
 * @operations: the observation
 *
 * Return: 0, or -1 after a message.
 */
int operations_attach(struct operations *operations);

/**
 * operations_extend() - send operations of modules that were loaded later, too
 * @operations: the observation, attached
 *
 * For session_follow().
 *
 * Return: 0, or -1 after a message.
 */
int operations_extend(struct operations *operations);

/**
 * operations_fd() - a descriptor that is readable when many events have arrived
 * @operations: the observation
 *
 * Return: the descriptor.
 */
int operations_fd(const struct operations *operations);

/**
 * operations_poll() - handle the events that have arrived
 * @operations: the observation
 *
 * Return: number of events, or the negative value that the function returned.
 */
int operations_poll(struct operations *operations);

/**
 * operations_detach() - stop the observation; events that have arrived can still be handled
 * @operations: the observation
 */
void operations_detach(struct operations *operations);

/**
 * operations_lost() - operations lost because the ring buffer was full or a probe was not run
 * @operations: the observation
 *
 * Return: their number so far.
 */
uint64_t operations_lost(const struct operations *operations);

/**
 * operations_close() - end the observation and free everything
 * @operations: the observation, or zeroes
 */
void operations_close(struct operations *operations);

#endif
