/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace file: what `record` writes and `report` reads.  docs/inside/trace-file.md is its description.
 *
 * After a header of 16 bytes the file is a row of chunks, each with its length and checksum, and
 * each to be read without the others: processes and devices are numbered anew in every chunk.  So
 * what was written stays readable whatever happens behind it.  The first chunk, INFO, has the names
 * of the operations and phases, since numbers are good within one build only; the last one, DONE,
 * tells that the file is whole.
 *
 * Both sides are pure: bytes go out and come in through a function of the caller's.
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
/* of a chunk's content, at most; more is damage */
#define TRACE_MAX_CHUNK (1 << 20)

/**
 * struct trace_info - what a file tells of its recording
 * @version: of the format
 * @tool: version of the tool that wrote it
 * @kernel: release of the kernel
 * @host: name of the machine
 * @start_ns: CLOCK_MONOTONIC at the begin
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
	TRACE_OPERATION,	/* it ended: all of @record */
	TRACE_BEGIN,		/* it began: @record has what was known */
	TRACE_LOST,		/* @lost events found no room since the last such entry */
	TRACE_REPLACEMENT,	/* a device's translation was replaced: @replacement */
};

/**
 * struct trace_event - an event of a trace
 * @kind: what it is
 * @op: the operation
 * @replacement: the replacement, without the operations that waited one by one
 * @lost: how many events are missing here
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
 * trace_put_t - takes bytes of the file
 * @context: the caller's
 * @data: the bytes
 * @size: how many
 *
 * Return: whether it took them.
 */
typedef bool (*trace_put_t)(void *context, const void *data, size_t size);

struct trace_writer;

/**
 * trace_writer_new() - begin a file
 * @info: what it tells of its recording; @version is set
 * @put: takes its bytes
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
 * trace_flush() - put what has been added
 * @writer: the writer
 *
 * Return: false if the bytes could not be put.
 */
bool trace_flush(struct trace_writer *writer);

/**
 * trace_finish() - put what has been added and the mark of the end
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
 * trace_written() - how much a writer has written
 * @writer: the writer
 * @events: set to the number of operations and begins
 *
 * Return: bytes put so far.
 */
uint64_t trace_written(const struct trace_writer *writer, uint64_t *events);

/* ------------------------------------------------------------------ reading */

/**
 * trace_get_t - gives bytes of the file
 * @context: the caller's
 * @data: where to
 * @size: how many
 *
 * Return: how many it gave; less than @size at the end of the file, -1 if it failed.
 */
typedef long (*trace_get_t)(void *context, void *data, size_t size);

enum trace_state {
	TRACE_GOOD,
	TRACE_EMPTY,		/* no bytes at all */
	TRACE_ALIEN,		/* something else than a trace */
	TRACE_NEWER,		/* of a version that this reader does not know */
	TRACE_CUT_OFF,		/* it ends before its end; what came is good */
	TRACE_DAMAGED,		/* chunks were left out; what came is good */
	TRACE_UNREADABLE,	/* the bytes could not be got */
};

struct trace_reader;

/**
 * trace_reader_new() - open a trace
 * @get: gives its bytes
 * @context: for @get
 *
 * Return: the reader.  Look at trace_reader_state() whether there is anything to be read.
 */
struct trace_reader *trace_reader_new(trace_get_t get, void *context);

/**
 * trace_reader_free() - free a reader
 * @reader: the reader, or NULL
 */
void trace_reader_free(struct trace_reader *reader);

/**
 * trace_reader_info() - what the file tells of its recording
 * @reader: the reader
 *
 * Return: it, good as long as the reader is.
 */
const struct trace_info *trace_reader_info(const struct trace_reader *reader);

/**
 * trace_next() - the next event
 * @reader: the reader
 * @event: filled in
 *
 * Return: whether there was one.
 */
bool trace_next(struct trace_reader *reader, struct trace_event *event);

/**
 * trace_reader_state() - how well a trace could be read so far
 * @reader: the reader
 * @words: set to what is wrong, in one line; untouched for TRACE_GOOD
 * @size: size of @words
 *
 * Return: the state; that of a whole file is known after its last event.
 */
enum trace_state trace_reader_state(const struct trace_reader *reader, char *words, size_t size);

/**
 * trace_reader_unknown() - events that this reader does not know
 * @reader: the reader
 *
 * Return: how many it left out because a newer tool wrote them.
 */
uint64_t trace_reader_unknown(const struct trace_reader *reader);

#endif
