// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer of trace files.
 *
 * Entries gather in a chunk until it is full or trace_flush() is called.  A task or text is
 * defined in a chunk when it is first needed.  The writer remembers definitions in a small cache;
 * one that was evicted is defined again, under a new number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "describe/names.h"
#include "describe/replacement_text.h"
#include "text/output.h"
#include "trace/coding.h"
#include "trace/trace_file.h"

/* A chunk of this size is written; the buffer has room for one more entry with its definitions. */
#define CHUNK_FULL (256 * 1024)
#define ENTRY_ROOM 2048

#define TASK_SLOTS 256
#define TEXT_SLOTS 32

/**
 * struct task_slot - a task that the chunk has defined
 * @chunk: number of the chunk; the slot is empty in any other chunk
 * @number: its number in that chunk
 * @tgid: the process
 * @tid: the thread
 * @uid: user the thread ran as
 * @cgroup: cgroup v2 id of the thread
 * @comm: name of the thread
 */
struct task_slot {
	uint64_t chunk;
	uint32_t number;
	uint32_t tgid;
	uint32_t tid;
	uint32_t uid;
	uint64_t cgroup;
	char comm[SCOPE_COMM_LEN];
};

struct text_slot {
	uint64_t chunk;
	uint32_t number;
	char text[SCOPE_DEVICE_LEN];
};

/**
 * struct trace_writer - a file being written
 * @put: writes the bytes
 * @context: for @put
 * @bytes: bytes written
 * @events: events added, not counting losses
 * @lost: events lost
 * @chunk: number of the current chunk, from 1
 * @nr_tasks: tasks defined in it
 * @nr_texts: texts defined in it
 * @last_ns: time of its last event
 * @tasks: remembered tasks, by thread
 * @texts: remembered texts
 * @next_text: the slot to evict next, modulo TEXT_SLOTS
 * @at: end of the current content of the chunk
 * @buffer: the chunk with its header
 */
struct trace_writer {
	trace_put_t put;
	void *context;
	uint64_t bytes;
	uint64_t events;
	uint64_t lost;
	uint64_t chunk;
	uint32_t nr_tasks;
	uint32_t nr_texts;
	uint64_t last_ns;
	struct task_slot tasks[TASK_SLOTS];
	struct text_slot texts[TEXT_SLOTS];
	unsigned int next_text;
	uint8_t *at;
	uint8_t buffer[TRACE_CHUNK_HEADER_SIZE + CHUNK_FULL + ENTRY_ROOM];
};

static uint8_t *content(struct trace_writer *writer)
{
	return writer->buffer + TRACE_CHUNK_HEADER_SIZE;
}

static bool put(struct trace_writer *writer, const void *data, size_t size)
{
	if (!writer->put(writer->context, data, size))
		return false;
	writer->bytes += size;
	return true;
}

/* Write the current chunk and start the next one. */
static bool put_chunk(struct trace_writer *writer, const char *type)
{
	size_t length = writer->at - content(writer);
	uint32_t sum;

	memcpy(writer->buffer, type, 4);
	trace_put_u32(writer->buffer + 4, length);
	sum = crc32(crc32(0, writer->buffer, 8), content(writer), length);
	trace_put_u32(writer->buffer + 8, sum);
	writer->at = content(writer);
	writer->chunk++;
	writer->nr_tasks = 0;
	writer->nr_texts = 0;
	writer->last_ns = 0;
	return put(writer, writer->buffer, TRACE_CHUNK_HEADER_SIZE + length);
}

__attribute__((format(printf, 2, 3)))
static void say(struct trace_writer *writer, const char *format, ...)
{
	size_t room = writer->buffer + sizeof(writer->buffer) - writer->at;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf((char *)writer->at, room, format, args);
	va_end(args);
	if (length > 0 && (size_t)length < room)
		writer->at += length;
}

/* Cut a name at a newline, which ends a name in the file. */
static const char *one_line(char *name)
{
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static bool put_info(struct trace_writer *writer, struct trace_info *info)
{
	unsigned int i;

	say(writer, "tool %s\n", one_line(info->tool));
	say(writer, "kernel %s\n", one_line(info->kernel));
	say(writer, "host %s\n", one_line(info->host));
	say(writer, "start_ns %llu\n", (unsigned long long)info->start_ns);
	say(writer, "wall_ns %lld\n", (long long)info->wall_ns);
	for (i = 0; i < SCOPE_NR_OPERATIONS; i++)
		say(writer, "operation %s %s\n", operation_subsystem(i), operation_name(i));
	for (i = 0; i < SCOPE_NR_PHASES; i++)
		say(writer, "phase %s %s\n", i < SCOPE_FIRST_VFIO_PHASE ? "iommufd" : "vfio",
		    phase_name(i));
	return put_chunk(writer, TRACE_CHUNK_INFO);
}

struct trace_writer *trace_writer_new(struct trace_info *info, trace_put_t put_bytes, void *context)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));
	uint8_t header[TRACE_HEADER_SIZE] = TRACE_MAGIC;

	if (!writer)
		out_of_memory();
	writer->put = put_bytes;
	writer->context = context;
	writer->chunk = 1;
	writer->at = content(writer);
	info->version = TRACE_VERSION;
	trace_put_u32(header + 8, TRACE_VERSION);
	if (put(writer, header, sizeof(header)) && put_info(writer, info))
		return writer;
	free(writer);
	return NULL;
}

void trace_writer_free(struct trace_writer *writer)
{
	free(writer);
}

uint64_t trace_written(const struct trace_writer *writer, uint64_t *events)
{
	*events = writer->events;
	return writer->bytes;
}

/* Add an entry whose content is already in place, behind room for its head. */
#define ENTRY_HEAD 3

static void close_entry(struct trace_writer *writer, unsigned int kind, uint8_t *end)
{
	size_t length = end - (writer->at + ENTRY_HEAD);

	/* always two bytes of length, so the content need not move */
	writer->at[0] = kind;
	writer->at[1] = (uint8_t)length | 0x80;
	writer->at[2] = (uint8_t)(length >> 7);
	writer->at = end;
}

static uint8_t *open_entry(struct trace_writer *writer)
{
	return writer->at + ENTRY_HEAD;
}

static uint32_t task_number(struct trace_writer *writer, const struct scope_op *op)
{
	struct task_slot *slot = &writer->tasks[(op->tid ^ op->tid >> 8) % TASK_SLOTS];
	size_t length;
	uint8_t *at;

	if (slot->chunk == writer->chunk && slot->tid == op->tid &&
	    slot->tgid == op->tgid && slot->uid == op->uid &&
	    slot->cgroup == op->cgroup && !memcmp(slot->comm, op->comm, sizeof(slot->comm)))
		return slot->number;
	slot->chunk = writer->chunk;
	slot->number = writer->nr_tasks++;
	slot->tgid = op->tgid;
	slot->tid = op->tid;
	slot->uid = op->uid;
	slot->cgroup = op->cgroup;
	memcpy(slot->comm, op->comm, sizeof(slot->comm));

	at = open_entry(writer);
	at = trace_put_varint(at, op->tgid);
	at = trace_put_varint(at, op->tid);
	at = trace_put_varint(at, op->uid);
	at = trace_put_varint(at, op->cgroup);
	length = strnlen(op->comm, sizeof(op->comm));
	memcpy(at, op->comm, length);
	close_entry(writer, TRACE_ENTRY_TASK, at + length);
	return slot->number;
}

static uint32_t text_number(struct trace_writer *writer, const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	struct text_slot *slot;
	unsigned int i;
	uint8_t *at;

	for (i = 0; i < TEXT_SLOTS; i++) {
		slot = &writer->texts[i];
		if (slot->chunk == writer->chunk && !strncmp(slot->text, text, length) &&
		    !slot->text[length])
			return slot->number;
	}
	slot = &writer->texts[writer->next_text++ % TEXT_SLOTS];
	slot->chunk = writer->chunk;
	slot->number = writer->nr_texts++;
	memset(slot->text, 0, sizeof(slot->text));
	memcpy(slot->text, text, length);

	at = open_entry(writer);
	memcpy(at, text, length);
	close_entry(writer, TRACE_ENTRY_TEXT, at + length);
	return slot->number;
}

static uint8_t *put_field(uint8_t *at, unsigned int number, uint64_t value)
{
	if (!value)
		return at;
	*at++ = number;
	return trace_put_varint(at, value);
}

static void add_operation(struct trace_writer *writer, const struct scope_op *op,
			  bool begin)
{
	uint32_t task = task_number(writer, op), device = 0, driver = 0;
	uint64_t ns = op->start_ns + op->dur_ns;
	unsigned int i;
	uint8_t *at;

	/* texts are numbered from 1 here, so 0 means none */
	if (*op->device)
		device = 1 + text_number(writer, op->device, sizeof(op->device) - 1);
	if (*op->driver)
		driver = 1 + text_number(writer, op->driver, sizeof(op->driver) - 1);
	at = open_entry(writer);
	at = trace_put_varint(at, op->operation);
	at = trace_put_varint(at, task);
	at = trace_put_varint(at, trace_fold((int64_t)(ns - writer->last_ns)));
	at = trace_put_varint(at, op->dur_ns);
	at = put_field(at, TRACE_FIELD_RET, trace_fold(op->ret));
#define PUT(number, member) at = put_field(at, number, op->member);
	TRACE_FIELDS(PUT)
#undef PUT
	at = put_field(at, TRACE_FIELD_DEVICE, device);
	at = put_field(at, TRACE_FIELD_DRIVER, driver);
	for (i = 0; i < SCOPE_NR_PHASES; i++)
		at = put_field(at, TRACE_FIELD_PHASES + i, op->phase_ns[i]);
	close_entry(writer, begin ? TRACE_ENTRY_BEGIN : TRACE_ENTRY_OPERATION, at);
	writer->last_ns = ns;
	writer->events++;
}

static uint8_t *put_faults(uint8_t *at, const struct scope_replacement *facts)
{
	unsigned int i, field;

	for (i = 0; i < facts->nr_faults && i < SCOPE_FAULT_MARKS; i++) {
		field = TRACE_REPLACEMENT_FAULTS + 4 * i;
		at = put_field(at, field, facts->faults[i].ns);
		at = put_field(at, field + 1, facts->faults[i].iova);
		at = put_field(at, field + 2, facts->faults[i].reason);
		at = put_field(at, field + 3, facts->faults[i].flags);
	}
	return at;
}

static void add_replacement(struct trace_writer *writer, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	struct scope_op who = { .tgid = facts->tgid, .tid = facts->tid };
	uint32_t task, device = 0, driver = 0, verdict;
	const char *name = verdict_name(replacement->verdict);
	unsigned int i;
	uint8_t *at;

	memcpy(who.comm, facts->comm, sizeof(who.comm));
	task = task_number(writer, &who);
	verdict = 1 + text_number(writer, name, strlen(name));
	if (*facts->device)
		device = 1 + text_number(writer, facts->device, sizeof(facts->device) - 1);
	if (*facts->iommu_driver)
		driver = 1 + text_number(writer, facts->iommu_driver,
					 sizeof(facts->iommu_driver) - 1);
	at = open_entry(writer);
	at = trace_put_varint(at, task);
	at = trace_put_varint(at, facts->start_ns);
#define PUT(number, member) at = put_field(at, number, facts->member);
#define FOLDED(number, member) at = put_field(at, number, trace_fold(facts->member));
	TRACE_REPLACEMENT_FIELDS(PUT, FOLDED)
#undef PUT
#undef FOLDED
	at = put_field(at, TRACE_REPLACEMENT_VERDICT, verdict);
	at = put_field(at, TRACE_REPLACEMENT_KNOWN, replacement->window_known |
		       (replacement->faults == FAULTS_known) << 1 |
		       replacement->faults_at_least << 2 |
		       (replacement->faults == FAULTS_none_reported) << 3);
	at = put_field(at, TRACE_REPLACEMENT_DEVICE, device);
	at = put_field(at, TRACE_REPLACEMENT_DRIVER, driver);
	at = put_field(at, TRACE_REPLACEMENT_WAITS, replacement->waits.count);
	at = put_field(at, TRACE_REPLACEMENT_WAITS_TOTAL, replacement->waits.total_ns);
	at = put_field(at, TRACE_REPLACEMENT_WAITS_LONGEST, replacement->waits.longest_ns);
	for (i = 0; i < SCOPE_NR_REPLACE_PHASES; i++)
		at = put_field(at, TRACE_REPLACEMENT_PHASES + i, facts->phase_ns[i]);
	at = put_faults(at, facts);
	close_entry(writer, TRACE_ENTRY_REPLACEMENT, at);
	writer->events++;
}

static void add_lost(struct trace_writer *writer, const struct trace_event *event)
{
	uint8_t *at = open_entry(writer);

	at = trace_put_varint(at, event->at_ns);
	at = trace_put_varint(at, event->lost);
	close_entry(writer, TRACE_ENTRY_LOST, at);
	writer->lost += event->lost;
}

bool trace_write(struct trace_writer *writer, const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_OPERATION:
	case TRACE_BEGIN:
		add_operation(writer, &event->op, event->kind == TRACE_BEGIN);
		break;
	case TRACE_REPLACEMENT:
		add_replacement(writer, &event->replacement);
		break;
	case TRACE_LOST:
		add_lost(writer, event);
		break;
	}
	return writer->at - content(writer) < CHUNK_FULL || trace_flush(writer);
}

bool trace_flush(struct trace_writer *writer)
{
	return writer->at == content(writer) || put_chunk(writer, TRACE_CHUNK_EVENTS);
}

bool trace_finish(struct trace_writer *writer)
{
	if (!trace_flush(writer))
		return false;
	say(writer, "events %llu\n", (unsigned long long)writer->events);
	say(writer, "lost %llu\n", (unsigned long long)writer->lost);
	return put_chunk(writer, TRACE_CHUNK_DONE);
}
