// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "describe/fields.h"
#include "text/json.h"
#include "unit.h"

/* A record of every type, and a part and a list of others. */
struct sample {
	uint64_t count;
	uint32_t id;
	int32_t ret;
	uint64_t bytes;
	uint64_t dur_ns;
	uint64_t at_ns;
	uint32_t flags;
	char name[8];
	const uint64_t *list;
	size_t nr;
	uint64_t zero;
};

static void get_share(const void *record, struct value *value)
{
	const struct sample *sample = record;

	value->known = sample->bytes;
	value->real = sample->bytes ? (double)sample->count / sample->bytes : 0;
}

static unsigned int sample_kinds(const void *record)
{
	return ((const struct sample *)record)->count > 5 ? 2 : 1;
}

static const void *nth(const void *record, size_t number)
{
	const struct sample *sample = record;

	return number < sample->nr ? &sample->list[number] : NULL;
}

static bool is_sure(const void *record)
{
	return ((const struct sample *)record)->list;
}

static const void *part(const void *record, size_t number)
{
	return number || !((const struct sample *)record)->nr ? NULL : record;
}

static const struct field element[] = {
	FIELD(NUMBER, "x", .size = sizeof(uint64_t)),
};

static const struct field_table element_fields = FIELD_TABLE("element", element);

static const struct field part_field[] = {
	MEMBER(BYTES, "bytes", struct sample, bytes, .unknown = "none"),
};

static const struct field_table part_fields = FIELD_TABLE("part", part_field);

static const struct field sample_field[] = {
	MEMBER(NUMBER, "count", struct sample, count),
	MEMBER(ID, "id", struct sample, id, .unknown = "none"),
	MEMBER(SIGNED, "ret", struct sample, ret),
	INCLUDE(part_fields, part),
	MEMBER(DURATION, "dur_ns", struct sample, dur_ns, .kinds = 1),
	MEMBER(TIME, "time_ns", struct sample, at_ns),
	MEMBER(DATE, "time", struct sample, at_ns, .unknown = "never"),
	MEMBER(FLAG, "high", struct sample, flags, .mask = 1U << 31),
	MEMBER(TEXT, "name", struct sample, name, .unknown = "none"),
	FIELD(SHARE, "share", .get = get_share),
	{ .type = FIELD_NONE },
	FIELD(LIST, "list", .table = &element_fields, .element = nth),
	FIELD(OBJECT, "first", .table = &element_fields, .element = nth),
	MEMBER(NUMBER, "sure", struct sample, zero, .known = is_sure, .unknown = "no list"),
};

static const struct field_table sample_fields =
	FIELD_TABLE("sample", sample_field, .kinds = sample_kinds);

static const uint64_t numbers[] = { 7, 8 };

static const struct sample full = {
	.count = 3,
	.id = 9,
	.ret = -12,
	.bytes = 4096,
	.dur_ns = 38000,
	.at_ns = 1000000005,
	.flags = 1U << 31 | 1,
	.name = "a,b",
	.list = numbers,
	.nr = 2,
};

static const struct sample empty = { .count = 6, .ret = 1 };

static char *text;
static size_t size;

static const char *as_json(const struct field_table *table, const void *record, int64_t wall_ns)
{
	struct json json = {};

	free(text);
	json.file = open_memstream(&text, &size);
	fields_json_line(&json, table, record, wall_ns);
	fclose(json.file);
	return text;
}

static const char *as_csv(const struct field_table *table, const void *record, int64_t wall_ns)
{
	FILE *file;

	free(text);
	file = open_memstream(&text, &size);
	if (record)
		fields_csv(file, table, record, wall_ns);
	else
		fields_csv_heading(file, table);
	fclose(file);
	return text;
}

TEST(fields, json)
{
	CHECK_TEXT(as_json(&sample_fields, &full, 1000000000000),
		   "{\"count\":3,\"id\":9,\"ret\":-12,\"bytes\":4096,\"dur_ns\":38000,"
		   "\"time_ns\":1001000000005,\"time\":\"1970-01-01T00:16:41.000000005Z\","
		   "\"high\":true,\"name\":\"a,b\",\"share\":0.000732422,"
		   "\"list\":[{\"x\":7},{\"x\":8}],\"first\":{\"x\":7},\"sure\":0}\n");
}

TEST(fields, json_of_what_is_not_known)
{
	/* the part is missing, and this kind has no duration */
	CHECK_TEXT(as_json(&sample_fields, &empty, 5),
		   "{\"count\":6,\"id\":null,\"ret\":1,\"time_ns\":5,\"time\":null,\"high\":false,"
		   "\"name\":null,\"share\":null,\"list\":[],\"first\":null,\"sure\":null}\n");
}

TEST(fields, csv_has_all_columns_in_every_row)
{
	CHECK_TEXT(as_csv(&sample_fields, NULL, 0),
		   "count,id,ret,bytes,dur_ns,time_ns,time,high,name,share,sure\n");
	CHECK_TEXT(as_csv(&sample_fields, &full, 0),
		   "3,9,-12,4096,38000,1000000005,1970-01-01T00:00:01.000000005Z,true,\"a,b\","
		   "0.000732422,0\n");
	CHECK_TEXT(as_csv(&sample_fields, &empty, 0), "6,,1,,,0,,false,,,\n");
}

static void check_row(const struct table *table, size_t row, const char *const *wanted)
{
	unsigned int i;

	for (i = 0; i < table->columns; i++)
		CHECK_TEXT(table->rows[row * table->columns + i], wanted[i]);
}

TEST(fields, columns)
{
	static const struct column columns[] = {
		{ "NAME", "name" },   { "ID", "id" },	    { "BYTES", "bytes" },
		{ "TOOK", "dur_ns" }, { "SHARE", "share" },
	};
	static const char *const filled[] = { "a,b", "9", "4.0 KiB", "38 µs", "0.1 %" };
	static const char *const unknown[] = { "-", "-", "-", "0 ns", "-" };
	struct table table;
	FILE *out = stdout;

	fields_columns(&table, &sample_fields, columns, 5);
	CHECK_EQ(table.columns, 5);
	CHECK_EQ(table.right, 0x1e);
	CHECK_TEXT(table.heads[3], "TOOK");
	fields_row(&table, COLOUR_NONE, &sample_fields, columns, 5, &full);
	fields_row(&table, COLOUR_NONE, &sample_fields, columns, 5, &empty);
	CHECK_EQ(table.nr_rows, 2);
	check_row(&table, 0, filled);
	check_row(&table, 1, unknown);
	stdout = fopen("/dev/null", "we");
	table_print(&table);
	fclose(stdout);
	stdout = out;
}

/* How often does a key occur in an object? */
static unsigned int times_in(const char *object, const char *key)
{
	unsigned int times = 0;
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	for (; (object = strstr(object, quoted)); object++)
		times++;
	return times;
}

TEST(fields, operations_of_all_classes)
{
	struct scope_op op = { .comm = "x", .device = "d", .driver = "y" };
	const char *object;

	op.phase_ns[SCOPE_PHASE_wait] = 11;
	op.phase_ns[SCOPE_PHASE_vfio_wait] = 22;
	for (op.operation = 0; op.operation < SCOPE_NR_OPERATIONS; op.operation++) {
		bool vfio = scope_operation_class(op.operation) == SCOPE_CLASS_VFIO;

		object = as_json(&operation_fields, &op, 0);
		CHECK_EQ(times_in(object, "wait_ns"), 1);
		CHECK(strstr(object, vfio ? "\"wait_ns\":22" : "\"wait_ns\":11"));
		CHECK_EQ(times_in(object, "ctx"), !vfio);
		CHECK_EQ(times_in(object, "node"), vfio);
		CHECK_EQ(times_in(object, "time_ns"), 1);
	}
}

TEST(fields, an_operation_that_failed_says_why)
{
	struct scope_op op = {
		.operation = SCOPE_OPERATION_iommufd_map,
		.ret = -ENOENT,
		.reason = SCOPE_REASON_iommufd_bad_object_id,
		.reason_a = 5,
	};
	const char *object = as_json(&operation_fields, &op, 0);

	CHECK(strstr(object, "\"ret\":-2,\"error\":\"ENOENT\",\"reason\":\"bad_object_id\","
			     "\"reason_a\":5,\"reason_b\":0,\"message\":\""));
	op.ret = 0;
	object = as_json(&operation_fields, &op, 0);
	CHECK(strstr(object, "\"ret\":0,\"error\":null,\"reason\":null,\"reason_a\":null,"
			     "\"reason_b\":null,\"message\":null,"));
}

TEST(fields, a_replacement_claims_nothing_that_was_not_seen)
{
	struct replacement replacement = {
		.facts = { .start_ns = 100,
			    .dur_ns = 50,
			    .windows = 1,
			    .window_ns = 7,
			    .window_start_ns = 120,
			    .nr_faults = 2,
			    .device = "d" },
		.verdict = VERDICT_blocked,
		.window_known = true,
		.faults = FAULTS_known,
	};
	struct described_replacement described;
	const char *object;

	replacement.facts.faults[0] = (struct scope_fault_mark){ .ns = 99, .iova = 4096 };
	replacement.facts.faults[1] =
		(struct scope_fault_mark){ .ns = 125,
					   .flags = SCOPE_FAULT_EXACT | SCOPE_FAULT_WRITE };
	replacement_describe(&described, &replacement);
	object = as_json(&replacement_fields, &described, 1000);
	CHECK(strstr(object, "\"time_ns\":1150,\"start_monotonic_ns\":100,"));
	CHECK(strstr(object, "\"window_ns\":7,\"windows\":1,\"window_offset_ns\":20,"));
	CHECK(strstr(object, "{\"offset_ns\":-1,\"iova\":4096,\"direction\":null,"));
	CHECK(strstr(object, "{\"offset_ns\":25,\"iova\":0,\"direction\":\"write\","));
	replacement.window_known = false;
	replacement.facts.windows = 0;
	replacement.facts.nr_faults = 0;
	replacement.faults = FAULTS_not_watched;
	object = as_json(&replacement_fields, &described, 0);
	CHECK(strstr(object, "\"window_ns\":null,\"windows\":0,\"window_offset_ns\":null,"
			     "\"faults_unknown\":\"not_watched\""));
	CHECK(strstr(object, "\"faults_in_window\":null,\"faults_after\":null,\"faults\":[]"));
}
