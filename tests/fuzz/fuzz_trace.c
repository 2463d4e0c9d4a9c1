// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of trace files, and everything made from its results, under libFuzzer.
 *
 * Checksums detect damage before the content is read. So most inputs become the content of a
 * chunk in an otherwise correct file; inputs that start with an odd byte are the file itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "describe/fields.h"
#include "observe/replacement.h"
#include "text/json.h"
#include "trace/coding.h"
#include "trace/timeline.h"
#include "trace/trace_file.h"
#include "trace/unfinished.h"

struct memory {
	uint8_t *bytes;
	size_t size;
	size_t at;
};

static bool put(void *context, const void *data, size_t size)
{
	struct memory *memory = context;

	memory->bytes = realloc(memory->bytes, memory->size + size);
	if (!memory->bytes)
		abort();
	memcpy(memory->bytes + memory->size, data, size);
	memory->size += size;
	return true;
}

static long get(void *context, void *data, size_t size)
{
	struct memory *memory = context;

	if (size > memory->size - memory->at)
		size = memory->size - memory->at;
	memcpy(data, memory->bytes + memory->at, size);
	memory->at += size;
	return (long)size;
}

/* A file with the input as its only chunk of events. */
static void wrap(struct memory *memory, const uint8_t *data, size_t size)
{
	struct trace_info info = { .tool = "fuzz" };
	struct trace_writer *writer = trace_writer_new(&info, put, memory);
	uint8_t head[TRACE_CHUNK_HEADER_SIZE] = TRACE_CHUNK_EVENTS;

	trace_put_u32(head + 4, (uint32_t)size);
	trace_put_u32(head + 8, (uint32_t)crc32(crc32(0, head, 8), data, (unsigned int)size));
	put(memory, head, sizeof(head));
	put(memory, data, size);
	trace_finish(writer);
	trace_writer_free(writer);
}

static void draw_unfinished(void *context, const struct scope_op *op)
{
	timeline_operation(context, op, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct unfinished under_way = {};
	struct memory memory = {};
	struct trace_reader *reader;
	struct timeline *timeline;
	struct described_replacement described;
	struct trace_event event;
	struct json json;
	char words[256];

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!nowhere || !size)
		return 0;
	json = (struct json){ .file = nowhere };
	if (*data & 1)
		put(&memory, data + 1, size - 1);
	else
		wrap(&memory, data + 1, size - 1);
	reader = trace_reader_new(get, &memory);
	timeline = timeline_new(nowhere, trace_reader_info(reader));
	while (trace_next(reader, &event)) {
		switch (event.kind) {
		case TRACE_BEGIN:
			unfinished_begin(&under_way, &event.op);
			break;
		case TRACE_OPERATION:
			unfinished_end(&under_way, &event.op);
			fields_json_line(&json, &operation_fields, &event.op, 0);
			fields_csv(nowhere, &operation_fields, &event.op, 0);
			timeline_operation(timeline, &event.op, false);
			break;
		case TRACE_REPLACEMENT:
			replacement_describe(&described, &event.replacement);
			fields_json_line(&json, &replacement_fields, &described, 0);
			fields_csv(nowhere, &replacement_fields, &described, 0);
			timeline_replacement(timeline, &event.replacement);
			break;
		case TRACE_LOST:
			timeline_lost(timeline, event.at_ns, event.lost);
			break;
		}
	}
	unfinished_take(&under_way, draw_unfinished, timeline);
	timeline_finish(timeline);
	trace_reader_state(reader, words, sizeof(words));
	trace_reader_free(reader);
	free(memory.bytes);
	return 0;
}
