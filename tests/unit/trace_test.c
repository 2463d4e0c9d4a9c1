// SPDX-License-Identifier: GPL-2.0-only
/* The trace file: written events can be read, and damage is reported. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "describe/fields.h"
#include "text/json.h"
#include "trace/coding.h"
#include "trace/trace_file.h"
#include "unit.h"

#define NR_EVENTS 120

/* A file in memory. */
struct memory {
	uint8_t *bytes;
	size_t size;
	size_t at;
	size_t room;
};

static bool put(void *context, const void *data, size_t size)
{
	struct memory *memory = context;

	if (memory->room && memory->size + size > memory->room)
		return false;
	memory->bytes = realloc(memory->bytes, memory->size + size);
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
	return size;
}

static struct trace_event event(unsigned int i)
{
	static const char *const devices[] = { "", "0000:03:00.0", "iommufd-mock.0" };
	struct trace_event event = { .kind = i % 3 ? TRACE_OPERATION : TRACE_BEGIN };
	struct scope_replacement *replacement = &event.replacement.facts;
	struct scope_op *op = &event.op;
	unsigned int fault;

	if (i % 40 == 38) {
		event.kind = TRACE_REPLACEMENT;
		event.replacement.verdict = VERDICT_rolled_back;
		event.replacement.window_known = true;
		event.replacement.faults = i % 80 == 38 ? FAULTS_none_reported : FAULTS_not_moved;
		event.replacement.faults_at_least = true;
		event.replacement.waits.count = i;
		replacement->start_ns = 1000000 + i;
		replacement->dur_ns = 5000;
		replacement->phase_ns[SCOPE_REPLACE_switch] = 3000;
		replacement->window_start_ns = 1001000;
		replacement->window_ns = 900;
		replacement->ret = -ENOMEM;
		replacement->move_ret = -1;
		replacement->tgid = replacement->tid = 77;
		snprintf(replacement->comm, sizeof(replacement->comm), "vm");
		snprintf(replacement->device, sizeof(replacement->device), "0000:03:00.0");
		snprintf(replacement->iommu_driver, sizeof(replacement->iommu_driver), "mock");
		replacement->nr_faults = SCOPE_FAULT_MARKS;
		for (fault = 0; fault < SCOPE_FAULT_MARKS; fault++)
			replacement->faults[fault] = (struct scope_fault_mark){
				.ns = 1001000 + fault, .iova = UINT64_MAX - fault,
				.flags = SCOPE_FAULT_IN_WINDOW,
			};
		return event;
	}

	if (i % 40 == 39) {
		event.kind = TRACE_LOST;
		event.at_ns = 1000000 + i;
		event.lost = i;
		return event;
	}
	op->start_ns = 1000000 + 77 * i;
	op->operation = i * 7 % SCOPE_NR_OPERATIONS;
	op->tgid = 4000000 + i % 5;
	op->tid = op->tgid + i % 3;
	op->uid = i % 2 ? 65534 : 0;
	op->cgroup = i % 4 ? 1 : UINT64_MAX;
	snprintf(op->comm, sizeof(op->comm), "worker %u", i % 6);
	op->iova = i % 2 ? UINT64_MAX - i : i;
	op->length = (uint64_t)i << (i % 50);
	snprintf(op->device, sizeof(op->device), "%s", devices[i % 3]);
	if (event.kind == TRACE_BEGIN)
		return event;
	op->dur_ns = i * 13;
	op->ret = i % 5 ? (int)i : -ENOMEM;
	op->reason = i % 44;
	op->reason_a = i;
	op->reason_b = UINT64_MAX;
	op->phase_ns[i % SCOPE_NR_PHASES] = i;
	op->phase_ns[SCOPE_NR_PHASES - 1] = UINT32_MAX;
	snprintf(op->driver, sizeof(op->driver), "%s", i % 2 ? "intel" : "");
	return event;
}

static struct memory write_trace(void)
{
	struct trace_info info = {
		.tool = "0.1", .kernel = "6.12", .host = "here", .start_ns = 1000000, .wall_ns = -5,
	};
	struct memory memory = {};
	struct trace_writer *writer = trace_writer_new(&info, put, &memory);
	struct trace_event one;
	unsigned int i;
	uint64_t events;

	CHECK(writer);
	for (i = 0; i < NR_EVENTS; i++) {
		one = event(i);
		CHECK(trace_write(writer, &one));
		if (i % 50 == 49)
			CHECK(trace_flush(writer));
	}
	CHECK(trace_finish(writer));
	CHECK_EQ(trace_written(writer, &events), memory.size);
	CHECK_EQ(events, NR_EVENTS - NR_EVENTS / 40);
	trace_writer_free(writer);
	return memory;
}

static bool same(const struct trace_event *a, const struct trace_event *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == TRACE_LOST)
		return a->at_ns == b->at_ns && a->lost == b->lost;
	if (a->kind == TRACE_REPLACEMENT)
		return !memcmp(&a->replacement, &b->replacement, sizeof(a->replacement));
	return !memcmp(&a->op, &b->op, sizeof(a->op));
}

static char words[256];

/*
 * Read everything. Return the state; @nr is set to the number of events, which must be the first
 * ones.
 */
static enum trace_state read_trace(struct memory *memory, unsigned int *nr)
{
	struct trace_reader *reader;
	struct trace_event got, wanted;
	enum trace_state state;

	memory->at = 0;
	*nr = 0;
	*words = '\0';
	reader = trace_reader_new(get, memory);
	while (trace_next(reader, &got)) {
		wanted = event((*nr)++);
		CHECK(same(&got, &wanted));
	}
	state = trace_reader_state(reader, words, sizeof(words));
	trace_reader_free(reader);
	return state;
}

TEST(trace, what_is_written_is_read)
{
	struct memory memory = write_trace();
	struct trace_reader *reader;
	const struct trace_info *info;
	unsigned int nr;

	CHECK_EQ(read_trace(&memory, &nr), TRACE_GOOD);
	CHECK_EQ(nr, NR_EVENTS);
	memory.at = 0;
	reader = trace_reader_new(get, &memory);
	info = trace_reader_info(reader);
	CHECK_EQ(info->version, 1);
	CHECK_TEXT(info->tool, "0.1");
	CHECK_TEXT(info->kernel, "6.12");
	CHECK_TEXT(info->host, "here");
	CHECK_EQ(info->start_ns, 1000000);
	CHECK_EQ(info->wall_ns, -5);
	trace_reader_free(reader);
	free(memory.bytes);
}

/* The keys of an operation; the caller frees the text. */
static char *keys_of(const struct scope_op *op)
{
	struct json json = {};
	size_t size;
	char *text;

	json.file = open_memstream(&text, &size);
	CHECK(json.file);
	fields_json_line(&json, &operation_fields, op, 0);
	fclose(json.file);
	return text;
}

/* Cut two texts of keys to the first key in which they differ. */
static void first_difference(char **a, char **b)
{
	size_t at = 0;

	while ((*a)[at] && (*a)[at] == (*b)[at])
		at++;
	while (at && (*a)[at - 1] != ',')
		at--;
	*a += at;
	*b += at;
	(*a)[strcspn(*a, ",\n")] = '\0';
	(*b)[strcspn(*b, ",\n")] = '\0';
}

/* A member that the file does not carry would be 0 in every report. */
TEST(trace, every_member_of_an_operation_is_kept)
{
	static const unsigned int one_of_each_class[] = {
		SCOPE_OPERATION_iommufd_map, SCOPE_OPERATION_iommufd_attach,
		SCOPE_OPERATION_iommufd_option, SCOPE_OPERATION_vfio_set_irqs,
	};
	struct trace_event wanted = { .kind = TRACE_OPERATION }, got;
	struct scope_op *op = &wanted.op;
	struct trace_reader *reader;
	char *read, *written, *got_key, *wanted_key;
	size_t i;

	for (i = 0; i < sizeof(one_of_each_class) / sizeof(*one_of_each_class); i++) {
		struct trace_info info = {};
		struct memory memory = {};
		struct trace_writer *writer = trace_writer_new(&info, put, &memory);

		memset(op, 0x11, sizeof(*op));
		op->operation = one_of_each_class[i];
		op->padding = 0;
		snprintf(op->comm, sizeof(op->comm), "worker");
		memset(op->comm + 7, 0, sizeof(op->comm) - 7);
		memset(op->device, 0, sizeof(op->device));
		snprintf(op->device, sizeof(op->device), "0000:03:00.0");
		memset(op->driver, 0, sizeof(op->driver));
		snprintf(op->driver, sizeof(op->driver), "intel");
		CHECK(trace_write(writer, &wanted));
		CHECK(trace_finish(writer));
		trace_writer_free(writer);
		reader = trace_reader_new(get, &memory);
		CHECK(trace_next(reader, &got));
		written = wanted_key = keys_of(op);
		read = got_key = keys_of(&got.op);
		/* the keys first: they name the member */
		first_difference(&got_key, &wanted_key);
		CHECK_TEXT(got_key, wanted_key);
		CHECK(same(&got, &wanted));
		free(written);
		free(read);
		trace_reader_free(reader);
		free(memory.bytes);
	}
}

TEST(trace, many_events_fill_many_chunks)
{
	struct trace_info info = {};
	struct memory memory = {};
	struct trace_writer *writer = trace_writer_new(&info, put, &memory);
	struct trace_event got = {}, wanted = event(1);
	struct trace_reader *reader;
	unsigned int i, nr = 0;

	/* more threads than the writer remembers */
	for (i = 0; i < 50000; i++) {
		wanted.op.tid = i % 5000;
		wanted.op.start_ns = i;
		CHECK(trace_write(writer, &wanted));
	}
	CHECK(trace_finish(writer));
	trace_writer_free(writer);
	reader = trace_reader_new(get, &memory);
	while (trace_next(reader, &got)) {
		wanted.op.tid = nr % 5000;
		wanted.op.start_ns = nr++;
		if (!same(&got, &wanted))
			break;
	}
	CHECK_EQ(nr, 50000);
	CHECK(same(&got, &wanted));
	CHECK_EQ(trace_reader_state(reader, words, sizeof(words)), TRACE_GOOD);
	trace_reader_free(reader);
	free(memory.bytes);
}

TEST(trace, cut_off_at_any_byte)
{
	struct memory memory = write_trace();
	unsigned int nr, before = 0;
	size_t size = memory.size;

	for (memory.size = 0; memory.size < size; memory.size++) {
		enum trace_state state = read_trace(&memory, &nr);

		CHECK_EQ(state, memory.size ? TRACE_CUT_OFF : TRACE_EMPTY);
		CHECK(*words);
		/* one more byte never shows less, and at most one more event */
		CHECK(nr == before || nr == before + 1);
		before = nr;
	}
	/* only the mark of the end is missing */
	CHECK_EQ(before, NR_EVENTS);
	free(memory.bytes);
}

TEST(trace, any_byte_broken_is_reported)
{
	struct memory memory = write_trace();
	struct trace_reader *reader;
	struct trace_event got;
	size_t i;

	for (i = 0; i < memory.size; i++) {
		/* reserved, and not read */
		if (i >= 12 && i < TRACE_HEADER_SIZE)
			continue;
		memory.bytes[i] ^= 0x41;
		memory.at = 0;
		reader = trace_reader_new(get, &memory);
		while (trace_next(reader, &got))
			CHECK(got.kind >= TRACE_LOST || got.op.operation < SCOPE_NR_OPERATIONS);
		CHECK(trace_reader_state(reader, words, sizeof(words)) != TRACE_GOOD);
		trace_reader_free(reader);
		memory.bytes[i] ^= 0x41;
	}
	free(memory.bytes);
}

TEST(trace, a_broken_chunk_costs_only_itself)
{
	struct memory memory = write_trace();
	struct trace_reader *reader;
	struct trace_event got;
	unsigned int nr = 0;
	size_t info;

	info = TRACE_HEADER_SIZE + TRACE_CHUNK_HEADER_SIZE +
	       trace_get_u32(memory.bytes + TRACE_HEADER_SIZE + 4);
	memory.bytes[info + TRACE_CHUNK_HEADER_SIZE + 5] ^= 1;
	reader = trace_reader_new(get, &memory);
	while (trace_next(reader, &got))
		nr++;
	CHECK_EQ(nr, NR_EVENTS - 50);
	CHECK_EQ(trace_reader_state(reader, words, sizeof(words)), TRACE_DAMAGED);
	CHECK(strstr(words, "bytes are left out"));
	trace_reader_free(reader);
	free(memory.bytes);
}

TEST(trace, other_files_are_reported)
{
	struct memory memory = write_trace();
	unsigned int nr;

	memory.bytes[8] = 2;
	CHECK_EQ(read_trace(&memory, &nr), TRACE_NEWER);
	CHECK_TEXT(words, "it is of format 2, and this iommuscope reads format 1: use the one that "
			  "recorded it, or a later version");
	CHECK_EQ(nr, 0);
	memory.bytes[8] = 1;
	memory.bytes[0] = '#';
	CHECK_EQ(read_trace(&memory, &nr), TRACE_ALIEN);
	CHECK_TEXT(words, "it is not a trace of iommuscope");
	memory.size = 3;
	CHECK_EQ(read_trace(&memory, &nr), TRACE_ALIEN);
	memory.size = 0;
	CHECK_EQ(read_trace(&memory, &nr), TRACE_EMPTY);
	free(memory.bytes);

	memory = write_trace();
	CHECK(put(&memory, "more", 4));
	CHECK_EQ(read_trace(&memory, &nr), TRACE_DAMAGED);
	CHECK_EQ(nr, NR_EVENTS);
	free(memory.bytes);
}

TEST(trace, a_full_disk_is_reported)
{
	struct trace_info info = {};
	struct memory memory = { .room = 2000 };
	struct trace_writer *writer = trace_writer_new(&info, put, &memory);
	struct trace_event one = event(1);
	unsigned int i;

	CHECK(writer);
	for (i = 0; i < 1000; i++)
		CHECK(trace_write(writer, &one));
	CHECK(!trace_flush(writer));
	trace_writer_free(writer);
	free(memory.bytes);
	memory = (struct memory){ .room = 20 };
	CHECK(!trace_writer_new(&info, put, &memory));
	free(memory.bytes);
}
