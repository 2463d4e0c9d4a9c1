// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of trace files.
 *
 * It holds one chunk at a time and trusts nothing in it: a checksum detects damage, but not malice.
 * The checksum of a chunk that is cut off cannot be verified, but each entry is either complete or
 * not, and complete entries are returned.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "describe/names.h"
#include "describe/replacement_text.h"
#include "text/name.h"
#include "text/output.h"
#include "trace/coding.h"
#include "trace/trace_file.h"

/* Most operations and phases that a file may name; further ones count as unknown. */
#define MAX_NAMES 256
#define UNKNOWN UINT32_MAX

struct task {
	uint32_t tgid;
	uint32_t tid;
	uint32_t uid;
	uint64_t cgroup;
	char comm[SCOPE_COMM_LEN];
};

struct text {
	char s[SCOPE_DEVICE_LEN];
};

/**
 * struct trace_reader - a file being read
 * @get: reads bytes
 * @context: for @get
 * @info: contents of the INFO chunk
 * @state: how well the file could be read so far
 * @problem: description of the problem
 * @unknown: events omitted because their kind is unknown
 * @offset: offset of the next read from the file
 * @chunk: content of the current chunk
 * @at: next entry in it
 * @end: its end
 * @partial: the chunk is cut off
 * @last: the file has no more bytes
 * @operations: maps the file's numbers of operations to ours
 * @nr_operations: number of these
 * @phases: maps the file's numbers of phases to ours
 * @nr_phases: number of these
 * @tasks: tasks that the chunk has defined so far
 * @nr_tasks: number of these
 * @task_room: tasks for which @tasks has room
 * @texts: texts that the chunk has defined so far
 * @nr_texts: number of these
 * @text_room: texts for which @texts has room
 * @last_ns: time of the previous event
 */
struct trace_reader {
	trace_get_t get;
	void *context;
	struct trace_info info;
	enum trace_state state;
	char problem[256];
	uint64_t unknown;
	uint64_t offset;
	uint8_t *chunk;
	const uint8_t *at;
	const uint8_t *end;
	bool partial;
	bool last;
	uint32_t operations[MAX_NAMES];
	size_t nr_operations;
	uint32_t phases[MAX_NAMES];
	size_t nr_phases;
	struct task *tasks;
	size_t nr_tasks;
	size_t task_room;
	struct text *texts;
	size_t nr_texts;
	size_t text_room;
	uint64_t last_ns;
};

/* Note a problem.  The first one is reported, but damage overrides an early end. */
__attribute__((format(printf, 3, 4)))
static void wrong(struct trace_reader *reader, enum trace_state state, const char *format, ...)
{
	va_list args;

	if (reader->state != TRACE_GOOD && reader->state != TRACE_CUT_OFF)
		return;
	reader->state = state;
	va_start(args, format);
	vsnprintf(reader->problem, sizeof(reader->problem), format, args);
	va_end(args);
}

/* Read bytes.  Return how many were read; fewer than requested end the reading. */
static size_t get(struct trace_reader *reader, void *data, size_t size)
{
	long got = reader->get(reader->context, data, size);

	if (got < 0) {
		wrong(reader, TRACE_UNREADABLE, "it cannot be read at byte %" PRIu64,
		      reader->offset);
		got = 0;
	}
	if ((size_t)got < size)
		reader->last = true;
	reader->offset += got;
	return got;
}

static void *grow(void *list, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return list;
	*room = *room ? 2 * *room : 64;
	list = reallocarray(list, *room, size);
	if (!list)
		out_of_memory();
	return list;
}

/* ------------------------------------------------------------------ INFO */

static uint32_t find_operation(const char *subsystem, const char *name)
{
	uint32_t i;

	for (i = 0; i < SCOPE_NR_OPERATIONS; i++)
		if (!strcmp(operation_subsystem(i), subsystem) && !strcmp(operation_name(i), name))
			return i;
	return UNKNOWN;
}

static uint32_t find_phase(const char *subsystem, const char *name)
{
	bool vfio = !strcmp(subsystem, "vfio");
	uint32_t i;

	for (i = 0; i < SCOPE_NR_PHASES; i++)
		if (vfio == (i >= SCOPE_FIRST_VFIO_PHASE) && !strcmp(phase_name(i), name))
			return i;
	return UNKNOWN;
}

static void take_name(uint32_t *numbers, size_t *nr, char *value,
		      uint32_t (*find)(const char *subsystem, const char *name))
{
	char *name = strchr(value, ' ');

	if (*nr >= MAX_NAMES)
		return;
	if (name)
		*name++ = '\0';
	numbers[(*nr)++] = name ? find(value, name) : UNKNOWN;
}

static void take_line(struct trace_reader *reader, char *line)
{
	struct trace_info *info = &reader->info;
	char *value = strchr(line, ' ');

	if (!value)
		return;
	*value++ = '\0';
	if (!strcmp(line, "tool"))
		snprintf(info->tool, sizeof(info->tool), "%s", value);
	else if (!strcmp(line, "kernel"))
		snprintf(info->kernel, sizeof(info->kernel), "%s", value);
	else if (!strcmp(line, "host"))
		snprintf(info->host, sizeof(info->host), "%s", value);
	else if (!strcmp(line, "start_ns"))
		info->start_ns = strtoull(value, NULL, 10);
	else if (!strcmp(line, "wall_ns"))
		info->wall_ns = strtoll(value, NULL, 10);
	else if (!strcmp(line, "operation"))
		take_name(reader->operations, &reader->nr_operations, value, find_operation);
	else if (!strcmp(line, "phase"))
		take_name(reader->phases, &reader->nr_phases, value, find_phase);
}

static void take_info(struct trace_reader *reader, size_t length)
{
	char *line, *rest;

	/* the buffer has one byte more than the largest chunk */
	reader->chunk[length] = '\0';
	for (line = strtok_r((char *)reader->chunk, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		take_line(reader, line);
}

/* ------------------------------------------------------------------ chunks */

static bool is_type(const uint8_t *header, const char *type)
{
	return !memcmp(header, type, 4);
}

static bool may_be_type(const uint8_t *header)
{
	int i;

	for (i = 0; i < 4; i++)
		if (header[i] < 'A' || header[i] > 'Z')
			return false;
	return true;
}

/* Read the next chunk.  Return whether it has content that can be read. */
static bool get_chunk(struct trace_reader *reader, uint8_t header[TRACE_CHUNK_HEADER_SIZE])
{
	uint64_t begin = reader->offset;
	size_t got, length;

	got = get(reader, header, TRACE_CHUNK_HEADER_SIZE);
	if (got < TRACE_CHUNK_HEADER_SIZE) {
		wrong(reader, TRACE_CUT_OFF, "it is cut off at byte %" PRIu64
		      ": the recording did not end properly", reader->offset);
		return false;
	}
	length = trace_get_u32(header + 4);
	if (!may_be_type(header) || length > TRACE_MAX_CHUNK) {
		wrong(reader, TRACE_DAMAGED, "it is damaged at byte %" PRIu64
		      ", and the rest cannot be read", begin);
		reader->last = true;
		return false;
	}
	got = get(reader, reader->chunk, length);
	reader->partial = got < length;
	reader->at = reader->chunk;
	reader->end = reader->chunk + got;
	reader->nr_tasks = 0;
	reader->nr_texts = 0;
	reader->last_ns = 0;
	if (reader->partial) {
		wrong(reader, TRACE_CUT_OFF, "it is cut off at byte %" PRIu64
		      ": the recording did not end properly", reader->offset);
		return true;
	}
	if (crc32(crc32(0, header, 8), reader->chunk, length) == trace_get_u32(header + 8))
		return true;
	wrong(reader, TRACE_DAMAGED, "it is damaged at byte %" PRIu64 ": %zu bytes are left out",
	      begin, length);
	reader->end = reader->at;
	return false;
}

/* Advance to the next chunk with events.  Return whether there is one. */
static bool next_chunk(struct trace_reader *reader)
{
	uint8_t header[TRACE_CHUNK_HEADER_SIZE];
	uint8_t more;

	while (!reader->last) {
		if (!get_chunk(reader, header))
			continue;
		if (is_type(header, TRACE_CHUNK_EVENTS))
			return true;
		reader->at = reader->end;
		if (!is_type(header, TRACE_CHUNK_DONE) || reader->partial)
			continue;
		if (get(reader, &more, 1))
			wrong(reader, TRACE_DAMAGED, "something follows its end at byte %" PRIu64,
			      reader->offset - 1);
		reader->last = true;
	}
	return false;
}

/* ------------------------------------------------------------------ entries */

/* Read a number and advance.  Return whether it was complete. */
static bool number(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	unsigned int shift;

	*value = 0;
	for (shift = 0; shift < 7 * TRACE_MAX_VARINT && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;

		/* the tenth byte has one bit left */
		if (shift == 63 && byte > 1)
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool take_task(struct trace_reader *reader, const uint8_t *at, const uint8_t *end)
{
	uint64_t tgid, tid, uid;
	struct task *task;
	size_t length;

	reader->tasks = grow(reader->tasks, reader->nr_tasks, &reader->task_room,
			     sizeof(*reader->tasks));
	task = &reader->tasks[reader->nr_tasks];
	if (!number(&at, end, &tgid) || !number(&at, end, &tid) || !number(&at, end, &uid) ||
	    !number(&at, end, &task->cgroup))
		return false;
	length = end - at;
	if (length >= sizeof(task->comm))
		return false;
	task->tgid = tgid;
	task->tid = tid;
	task->uid = uid;
	memset(task->comm, 0, sizeof(task->comm));
	memcpy(task->comm, at, length);
	NAME_CLEAN(task->comm);
	reader->nr_tasks++;
	return true;
}

static bool take_text(struct trace_reader *reader, const uint8_t *at, const uint8_t *end)
{
	size_t length = end - at;
	struct text *text;

	reader->texts = grow(reader->texts, reader->nr_texts, &reader->text_room,
			     sizeof(*reader->texts));
	text = &reader->texts[reader->nr_texts];
	if (length >= sizeof(text->s))
		return false;
	memset(text->s, 0, sizeof(text->s));
	memcpy(text->s, at, length);
	NAME_CLEAN(text->s);
	reader->nr_texts++;
	return true;
}

/* Copy a text, by its number counted from 1, into a member of a record. */
static bool put_text(const struct trace_reader *reader, uint64_t text, char *to, size_t size)
{
	if (text > reader->nr_texts)
		return false;
	if (text)
		memcpy(to, reader->texts[text - 1].s, size - 1);
	return true;
}

static bool take_field(struct trace_reader *reader, struct scope_op *op, uint64_t field,
		       uint64_t value)
{
	switch (field) {
	case TRACE_FIELD_RET:
		op->ret = (int32_t)trace_unfold(value);
		return true;
	case TRACE_FIELD_DEVICE:
		return put_text(reader, value, op->device, sizeof(op->device));
	case TRACE_FIELD_DRIVER:
		return put_text(reader, value, op->driver, sizeof(op->driver));
#define TAKE(number, member)                                                                       \
	case number:                                                                               \
		op->member = value;                                                            \
		return true;
	TRACE_FIELDS(TAKE)
#undef TAKE
	}
	if (field >= TRACE_FIELD_PHASES && field - TRACE_FIELD_PHASES < reader->nr_phases &&
	    reader->phases[field - TRACE_FIELD_PHASES] != UNKNOWN)
		op->phase_ns[reader->phases[field - TRACE_FIELD_PHASES]] = value;
	return true;
}

/* Return whether the entry is valid; an unknown operation becomes UNKNOWN. */
static bool take_operation(struct trace_reader *reader, const uint8_t *at, const uint8_t *end,
			   struct scope_op *op)
{
	uint64_t operation, task, ns, field, value;
	const struct task *who;

	memset(op, 0, sizeof(*op));
	if (!number(&at, end, &operation) || !number(&at, end, &task) || !number(&at, end, &ns) ||
	    !number(&at, end, &value) || operation >= reader->nr_operations ||
	    task >= reader->nr_tasks)
		return false;
	reader->last_ns += trace_unfold(ns);
	if (value > reader->last_ns)
		return false;
	op->dur_ns = value;
	op->start_ns = reader->last_ns - value;
	op->operation = reader->operations[operation];
	who = &reader->tasks[task];
	op->tgid = who->tgid;
	op->tid = who->tid;
	op->uid = who->uid;
	op->cgroup = who->cgroup;
	memcpy(op->comm, who->comm, sizeof(op->comm));
	while (at < end)
		if (!number(&at, end, &field) || !number(&at, end, &value) ||
		    !take_field(reader, op, field, value))
			return false;
	return true;
}

static enum verdict find_verdict(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_VERDICTS; i++)
		if (!strcmp(verdict_name(i), name))
			return i;
	return VERDICT_unknown;
}

static void take_fault(struct scope_replacement *facts, uint64_t field, uint64_t value)
{
	struct scope_fault_mark *fault;
	uint64_t i = field / 4;

	if (i >= SCOPE_FAULT_MARKS)
		return;
	fault = &facts->faults[i];
	if (i >= facts->nr_faults)
		facts->nr_faults = i + 1;
	switch (field % 4) {
	case 0:
		fault->ns = value;
		break;
	case 1:
		fault->iova = value;
		break;
	case 2:
		fault->reason = value;
		break;
	case 3:
		fault->flags = value;
		break;
	}
}

static bool take_replacement_field(struct trace_reader *reader, struct replacement *replacement,
				   uint64_t field, uint64_t value)
{
	struct scope_replacement *facts = &replacement->facts;
	char verdict[SCOPE_DEVICE_LEN] = "";

	switch (field) {
#define TAKE(number, member)                                                                       \
	case number:                                                                               \
		facts->member = value;                                                            \
		return true;
#define FOLDED(number, member)                                                                     \
	case number:                                                                               \
		facts->member = (int32_t)trace_unfold(value);                                     \
		return true;
	TRACE_REPLACEMENT_FIELDS(TAKE, FOLDED)
#undef TAKE
#undef FOLDED
	case TRACE_REPLACEMENT_VERDICT:
		if (!put_text(reader, value, verdict, sizeof(verdict)))
			return false;
		replacement->verdict = find_verdict(verdict);
		return true;
	case TRACE_REPLACEMENT_KNOWN:
		replacement->window_known = value & 1;
		replacement->faults = value & 2 ? FAULTS_known :
				      value & 8 ? FAULTS_none_reported : FAULTS_not_watched;
		replacement->faults_at_least = value & 4;
		return true;
	case TRACE_REPLACEMENT_DEVICE:
		return put_text(reader, value, facts->device, sizeof(facts->device));
	case TRACE_REPLACEMENT_DRIVER:
		return put_text(reader, value, facts->iommu_driver, sizeof(facts->iommu_driver));
	case TRACE_REPLACEMENT_WAITS:
		replacement->waits.count = value;
		return true;
	case TRACE_REPLACEMENT_WAITS_TOTAL:
		replacement->waits.total_ns = value;
		return true;
	case TRACE_REPLACEMENT_WAITS_LONGEST:
		replacement->waits.longest_ns = value;
		return true;
	}
	if (field >= TRACE_REPLACEMENT_FAULTS)
		take_fault(facts, field - TRACE_REPLACEMENT_FAULTS, value);
	else if (field >= TRACE_REPLACEMENT_PHASES &&
		 field < TRACE_REPLACEMENT_PHASES + SCOPE_NR_REPLACE_PHASES)
		facts->phase_ns[field - TRACE_REPLACEMENT_PHASES] = value;
	return true;
}

static bool take_replacement(struct trace_reader *reader, const uint8_t *at, const uint8_t *end,
			     struct replacement *replacement)
{
	struct scope_replacement *facts = &replacement->facts;
	uint64_t task, start, field, value;
	const struct task *who;

	memset(replacement, 0, sizeof(*replacement));
	replacement->verdict = VERDICT_unknown;
	replacement->faults = FAULTS_not_watched;
	if (!number(&at, end, &task) || !number(&at, end, &start) || task >= reader->nr_tasks)
		return false;
	who = &reader->tasks[task];
	facts->start_ns = start;
	facts->tgid = who->tgid;
	facts->tid = who->tid;
	memcpy(facts->comm, who->comm, sizeof(facts->comm));
	while (at < end)
		if (!number(&at, end, &field) || !number(&at, end, &value) ||
		    !take_replacement_field(reader, replacement, field, value))
			return false;
	if (replacement->faults == FAULTS_not_watched && !facts->moves)
		replacement->faults = FAULTS_not_moved;
	return facts->start_ns + facts->dur_ns >= facts->start_ns;
}

enum taken {
	TAKEN_NOTHING,
	TAKEN_EVENT,
	TAKEN_BAD,
};

static enum taken take_entry(struct trace_reader *reader, uint64_t kind, const uint8_t *at,
			     const uint8_t *end, struct trace_event *event)
{
	switch (kind) {
	case TRACE_ENTRY_TASK:
		return take_task(reader, at, end) ? TAKEN_NOTHING : TAKEN_BAD;
	case TRACE_ENTRY_TEXT:
		return take_text(reader, at, end) ? TAKEN_NOTHING : TAKEN_BAD;
	case TRACE_ENTRY_OPERATION:
	case TRACE_ENTRY_BEGIN:
		event->kind = kind == TRACE_ENTRY_BEGIN ? TRACE_BEGIN : TRACE_OPERATION;
		if (!take_operation(reader, at, end, &event->op))
			return TAKEN_BAD;
		if (event->op.operation != UNKNOWN)
			return TAKEN_EVENT;
		reader->unknown++;
		return TAKEN_NOTHING;
	case TRACE_ENTRY_REPLACEMENT:
		event->kind = TRACE_REPLACEMENT;
		return take_replacement(reader, at, end, &event->replacement) ? TAKEN_EVENT :
										 TAKEN_BAD;
	case TRACE_ENTRY_LOST:
		event->kind = TRACE_LOST;
		return number(&at, end, &event->at_ns) && number(&at, end, &event->lost) ?
			       TAKEN_EVENT : TAKEN_BAD;
	}
	reader->unknown++;
	return TAKEN_NOTHING;
}

/* Read the next event of the current chunk.  Return whether there was one. */
static bool next_entry(struct trace_reader *reader, struct trace_event *event)
{
	enum taken taken = TAKEN_NOTHING;
	uint64_t kind, length;
	const uint8_t *begin;

	while (reader->at < reader->end) {
		begin = reader->at;
		if (!number(&reader->at, reader->end, &kind) ||
		    !number(&reader->at, reader->end, &length) ||
		    length > (size_t)(reader->end - reader->at)) {
			taken = reader->partial ? TAKEN_NOTHING : TAKEN_BAD;
			reader->at = reader->end;
		} else {
			taken = take_entry(reader, kind, reader->at, reader->at + length, event);
			reader->at += length;
		}
		if (taken == TAKEN_EVENT)
			return true;
		if (taken != TAKEN_BAD)
			continue;
		/* definitions may be missing now, so the rest of the chunk is useless */
		wrong(reader, TRACE_DAMAGED, "it is damaged: the chunk before byte %" PRIu64
		      " makes no sense %td bytes before its end", reader->offset,
		      reader->end - begin);
		reader->at = reader->end;
	}
	return false;
}

/* ------------------------------------------------------------------ the whole file */

static void open_file(struct trace_reader *reader)
{
	uint8_t header[TRACE_HEADER_SIZE];
	uint8_t chunk[TRACE_CHUNK_HEADER_SIZE];
	size_t got;

	got = get(reader, header, sizeof(header));
	if (reader->state == TRACE_UNREADABLE)
		return;
	if (!got) {
		wrong(reader, TRACE_EMPTY, "it is empty");
		return;
	}
	if (memcmp(header, TRACE_MAGIC, got < 8 ? got : 8)) {
		wrong(reader, TRACE_ALIEN, "it is not a trace of iommuscope");
		return;
	}
	if (got < sizeof(header)) {
		wrong(reader, TRACE_CUT_OFF, "it is cut off at byte %zu, before anything was "
		      "recorded", got);
		return;
	}
	reader->info.version = trace_get_u32(header + 8);
	if (reader->info.version != TRACE_VERSION) {
		wrong(reader, reader->info.version ? TRACE_NEWER : TRACE_DAMAGED,
		      "it is of format %u, and this iommuscope reads format %u: use the one that "
		      "recorded it, or a later version", reader->info.version, TRACE_VERSION);
		reader->last = true;
		return;
	}
	if (!get_chunk(reader, chunk))
		return;
	if (is_type(chunk, TRACE_CHUNK_INFO) && !reader->partial)
		take_info(reader, reader->end - reader->chunk);
	else if (!reader->partial)
		wrong(reader, TRACE_DAMAGED, "it is damaged at byte %d: the names are missing",
		      TRACE_HEADER_SIZE);
	reader->at = reader->end;
}

struct trace_reader *trace_reader_new(trace_get_t get_bytes, void *context)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		out_of_memory();
	reader->chunk = malloc(TRACE_MAX_CHUNK + 1);
	if (!reader->chunk)
		out_of_memory();
	reader->get = get_bytes;
	reader->context = context;
	open_file(reader);
	if (!reader->nr_operations)
		reader->last = true;
	return reader;
}

void trace_reader_free(struct trace_reader *reader)
{
	if (!reader)
		return;
	free(reader->chunk);
	free(reader->tasks);
	free(reader->texts);
	free(reader);
}

const struct trace_info *trace_reader_info(const struct trace_reader *reader)
{
	return &reader->info;
}

bool trace_next(struct trace_reader *reader, struct trace_event *event)
{
	for (;;) {
		if (next_entry(reader, event))
			return true;
		if (!next_chunk(reader))
			return false;
	}
}

enum trace_state trace_reader_state(const struct trace_reader *reader, char *words, size_t size)
{
	if (reader->state != TRACE_GOOD)
		snprintf(words, size, "%s", reader->problem);
	return reader->state;
}

uint64_t trace_reader_unknown(const struct trace_reader *reader)
{
	return reader->unknown;
}
