/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace file: what `record` writes and `report` reads.  docs/inside/trace-file.md is its
 * description.
 *
 * After a header of 16 bytes the file is a sequence of chunks, each with its length and checksum.
 * Each chunk can be read without the others, because it defines its own numbers of processes and
 * devices.  So what was written stays readable whatever happens later.  The first chunk, INFO, has
 * the names of the operations and phases, because their numbers are valid within one build only.
 * The last chunk, DONE, shows that the file is complete.
 *
 * Reader and writer do no I/O themselves: bytes pass through a function of the caller.
 */
#ifndef IOMMUSCOPE_TRACE_TRACE_FILE_H
#define IOMMUSCOPE_TRACE_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"
#include "observe/replacement.h"

#define TRACE_MAGIC "\x89IOSCOP\n"
#define TRACE_VERSION 1
/* largest content of a chunk; more is damage */
#define TRACE_MAX_CHUNK (1 << 20)

/**
 * struct trace_info - what a file says about its recording
 * @version: of the format
 * @tool: version of the tool that wrote it
 * @kernel: release of the kernel
 * @host: name of the machine
 * @start_ns: CLOCK_MONOTONIC at the start
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
struct trace_info {
	unsigned int version;
	char tool[64];
	char kernel[96];
	char host[80];
	uint64_t start_ns;
	int64_t wall_ns;
};

enum trace_kind {
	TRACE_OPERATION,	/* an operation ended: @op is complete */
	TRACE_BEGIN,		/* an operation started: @op has what was known then */
	TRACE_LOST,		/* @lost events were lost since the last such entry */
	TRACE_REPLACEMENT,	/* a device's translation was replaced: @replacement */
};

/**
 * struct trace_event - an event of a trace
 * @kind: kind of the event
 * @op: the operation
 * @replacement: the replacement, without the individual operations that waited
 * @lost: number of events lost here
 * @at_ns: CLOCK_MONOTONIC of TRACE_LOST
 */
struct trace_event {
	enum trace_kind kind;
	struct scope_op op;
	struct replacement replacement;
	uint64_t lost;
	uint64_t at_ns;
};

/* ------------------------------------------------------------------ writing */

/**
 * typedef trace_put_t - function that writes bytes of the file
 * @context: context of the caller
 * @data: the bytes
 * @size: number of bytes
 *
 * Return: whether it has written them.
 */
typedef bool (*trace_put_t)(void *context, const void *data, size_t size);

struct trace_writer;

/**
 * trace_writer_new() - start a file
 * @info: what it says about its recording; @version is set
 * @put: writes its bytes
 * @context: for @put
 *
 * Return: the writer, or NULL if @put failed.
 */
struct trace_writer *trace_writer_new(struct trace_info *info, trace_put_t put, void *context);

/**
 * trace_write() - add an event
 * @writer: the writer
 * @event: the event
 *
 * Return: false if the bytes could not be put.
 */
bool trace_write(struct trace_writer *writer, const struct trace_event *event);

/**
 * trace_flush() - write what has been added
 * @writer: the writer
 *
 * Return: false if the bytes could not be put.
 */
bool trace_flush(struct trace_writer *writer);

/**
 * trace_finish() - write what has been added, and the final chunk
 * @writer: the writer
 *
 * Return: false if the bytes could not be put.
 */
bool trace_finish(struct trace_writer *writer);

/**
 * trace_writer_free() - free a writer
 * @writer: the writer, or NULL
 */
void trace_writer_free(struct trace_writer *writer);

/**
 * trace_written() - amount that a writer has written
 * @writer: the writer
 * @events: set to the number of ends and starts of operations
 *
 * Return: bytes written so far.
 */
uint64_t trace_written(const struct trace_writer *writer, uint64_t *events);

/* ------------------------------------------------------------------ reading */

/**
 * typedef trace_get_t - function that reads bytes of the file
 * @context: context of the caller
 * @data: the buffer
 * @size: size of the buffer
 *
 * Return: number of bytes read; less than @size at the end of the file, -1 on failure.
 */
typedef long (*trace_get_t)(void *context, void *data, size_t size);

enum trace_state {
	TRACE_GOOD,
	TRACE_EMPTY,		/* no bytes at all */
	TRACE_ALIEN,		/* not a trace */
	TRACE_NEWER,		/* of a version that this reader does not know */
	TRACE_CUT_OFF,		/* it ends too early; what came before is good */
	TRACE_DAMAGED,		/* damaged chunks were skipped; the rest is good */
	TRACE_UNREADABLE,	/* the bytes could not be read */
};

struct trace_reader;

/**
 * trace_reader_new() - open a trace
 * @get: reads its bytes
 * @context: for @get
 *
 * Return: the reader.  trace_reader_state() shows whether there is anything to read.
 */
struct trace_reader *trace_reader_new(trace_get_t get, void *context);

/**
 * trace_reader_free() - free a reader
 * @reader: the reader, or NULL
 */
void trace_reader_free(struct trace_reader *reader);

/**
 * trace_reader_info() - what the file says about its recording
 * @reader: the reader
 *
 * Return: the description, valid as long as the reader.
 */
const struct trace_info *trace_reader_info(const struct trace_reader *reader);

/**
 * trace_next() - read the next event
 * @reader: the reader
 * @event: filled in
 *
 * Return: whether there was one.
 */
bool trace_next(struct trace_reader *reader, struct trace_event *event);

/**
 * trace_reader_state() - how well a trace could be read so far
 * @reader: the reader
 * @words: set to the problem, in one line; unchanged for TRACE_GOOD
 * @size: size of @words
 *
 * Return: the state; that of the whole file is known after its last event.
 */
enum trace_state trace_reader_state(const struct trace_reader *reader, char *words, size_t size);

/**
 * trace_reader_unknown() - events that this reader does not know
 * @reader: the reader
 *
 * Return: number of events that it skipped because a newer tool wrote them.
 */
uint64_t trace_reader_unknown(const struct trace_reader *reader);

#endif
