// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records as CSV and as columns, from their descriptions.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/field_value.h"
#include "text/fields.h"
#include "text/format.h"

#define DATE_SIZE sizeof("YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ")

const char *field_date(uint64_t wall_ns)
{
	/* strftime() looks up the time zone file on each call, so call it once a second */
	static char text[DATE_SIZE];
	static time_t last = -1;
	time_t seconds = wall_ns / 1000000000;
	unsigned int rest = wall_ns % 1000000000, i;
	struct tm tm;

	if (seconds != last) {
		gmtime_r(&seconds, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		text[19] = '.';
		text[29] = 'Z';
		last = seconds;
	}
	for (i = 28; i >= 20; i--) {
		text[i] = '0' + rest % 10;
		rest /= 10;
	}
	return text;
}

/* CSV */

/* Objects and lists have no column. */
static bool is_column(const struct field *field)
{
	switch (field->type) {
	case FIELD_NONE:
	case FIELD_LIST:
	case FIELD_OBJECT:
	case FIELD_VALUES:
	case FIELD_INCLUDE:
		return false;
	default:
		return true;
	}
}

static void heading(FILE *file, const struct field_table *table, bool *comma)
{
	const struct field *field;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (field->type == FIELD_INCLUDE)
			heading(file, field->table, comma);
		if (!is_column(field))
			continue;
		fprintf(file, "%s%s", *comma ? "," : "", field->key);
		*comma = true;
	}
}

void fields_csv_heading(FILE *file, const struct field_table *table)
{
	bool comma = false;

	heading(file, table, &comma);
	putc('\n', file);
}

static void csv_value(FILE *file, const struct field *field, const void *record, int64_t wall_ns)
{
	struct value value;

	field_read(field, record, &value);
	if (!value.known)
		return;
	switch (field->type) {
	case FIELD_SIGNED:
	case FIELD_OFFSET:
		fprintf(file, "%" PRId64, value.integer);
		break;
	case FIELD_TIME:
		fprintf(file, "%" PRIu64, value.number + (uint64_t)wall_ns);
		break;
	case FIELD_DATE:
		fputs(field_date(value.number + (uint64_t)wall_ns), file);
		break;
	case FIELD_TEXT:
		csv_text(file, value.text);
		break;
	case FIELD_FLAG:
		fputs(value.number ? "true" : "false", file);
		break;
	case FIELD_REAL:
	case FIELD_SHARE:
		fprintf(file, "%.6g", value.real);
		break;
	default:
		fprintf(file, "%" PRIu64, value.number);
	}
}

/* Write a row.  Fields that the record does not have are empty; without a record, all are. */
static void row(FILE *file, const struct field_table *table, const void *record, int64_t wall_ns,
		bool *comma)
{
	unsigned int kinds = record ? fields_kinds(table, record) : 0;
	const struct field *field;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (field->type == FIELD_INCLUDE)
			row(file, field->table, record ? field->element(record, 0) : NULL, wall_ns,
			    comma);
		if (!is_column(field))
			continue;
		if (*comma)
			putc(',', file);
		*comma = true;
		if (record && field_is_of(field, kinds))
			csv_value(file, field, record, wall_ns);
	}
}

void fields_csv(FILE *file, const struct field_table *table, const void *record, int64_t wall_ns)
{
	bool comma = false;

	row(file, table, record, wall_ns, &comma);
	putc('\n', file);
}

/* Columns */

/* Find the field with a key, and set @record to the record that has it, which may be a part. */
static const struct field *find(const struct field_table *table, const char *key,
				const void **record)
{
	const struct field *field, *found;
	const void *part;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (field->type != FIELD_INCLUDE) {
			if (field->key && !strcmp(field->key, key))
				return field;
			continue;
		}
		part = record ? field->element(*record, 0) : NULL;
		found = find(field->table, key, record ? &part : NULL);
		if (!found)
			continue;
		if (record)
			*record = part;
		return found;
	}
	return NULL;
}

/* Columns are constants, so a column without a field is a bug. */
static const struct field *field_of(const struct field_table *table, const char *key,
				    const void **record)
{
	const struct field *field = find(table, key, record);

	if (!field) {
		complain("no field %s in %s", key, table->name);
		abort();
	}
	return field;
}

void fields_columns(struct table *table, const struct field_table *fields,
		    const struct column *columns, unsigned int nr)
{
	enum field_type type;
	unsigned int i;

	memset(table, 0, sizeof(*table));
	table->columns = nr;
	for (i = 0; i < nr; i++) {
		type = field_of(fields, columns[i].key, NULL)->type;
		table->heads[i] = columns[i].head;
		if (type != FIELD_TEXT && type != FIELD_FLAG)
			table->right |= 1U << i;
	}
}

static void put_cell(const struct field *field, const void *record, char *text, size_t size)
{
	struct value value = { .known = false };

	if (record)
		field_read(field, record, &value);
	if (!value.known) {
		snprintf(text, size, "-");
		return;
	}
	switch (field->type) {
	case FIELD_TEXT:
		snprintf(text, size, "%s", value.text);
		break;
	case FIELD_FLAG:
		snprintf(text, size, "%s", value.number ? "yes" : "no");
		break;
	case FIELD_BYTES:
		snprintf(text, size, "%s", format_size(value.number).s);
		break;
	case FIELD_DURATION:
		snprintf(text, size, "%s", format_duration(value.number).s);
		break;
	case FIELD_NUMBER:
		snprintf(text, size, "%s", format_count(value.number).s);
		break;
	case FIELD_ADDRESS:
		snprintf(text, size, "0x%" PRIx64, value.number);
		break;
	case FIELD_SHARE:
		snprintf(text, size, "%.1f %%", 100 * value.real);
		break;
	case FIELD_REAL:
		snprintf(text, size, "%s", format_number(value.real).s);
		break;
	default:
		snprintf(text, size, "%" PRIu64, value.number);
	}
}

void fields_text(const struct field_table *fields, const char *key, const void *record, char *text,
		 size_t size)
{
	const struct field *field = field_of(fields, key, &record);

	put_cell(field, record, text, size);
}

void fields_row(struct table *table, enum colour colour, const struct field_table *fields,
		const struct column *columns, unsigned int nr, const void *record)
{
	char text[sizeof(((struct value *)0)->room)];
	unsigned int i;

	table_row(table, colour);
	for (i = 0; i < nr; i++) {
		fields_text(fields, columns[i].key, record, text, sizeof(text));
		table_set(table, i, "%s", text);
	}
}

const void *field_itself(const void *record, size_t number)
{
	return number ? NULL : record;
}

const char *field_type_text(enum field_type type)
{
	static const char *const texts[NR_FIELD_TYPES] = {
		[FIELD_NUMBER] = "number",
		[FIELD_SIGNED] = "number",
		[FIELD_ID] = "id",
		[FIELD_ADDRESS] = "address",
		[FIELD_BYTES] = "bytes",
		[FIELD_DURATION] = "nanoseconds",
		[FIELD_OFFSET] = "nanoseconds, may be negative",
		[FIELD_TIME] = "time: nanoseconds since 1970",
		[FIELD_DATE] = "time: RFC 3339",
		[FIELD_MONOTONIC] = "nanoseconds of `CLOCK_MONOTONIC`",
		[FIELD_TEXT] = "text",
		[FIELD_FLAG] = "true or false",
		[FIELD_REAL] = "number",
		[FIELD_SHARE] = "share, 0 to 1",
		[FIELD_OBJECT] = "object",
		[FIELD_LIST] = "list",
		[FIELD_VALUES] = "list",
	};

	return texts[type] ? texts[type] : "";
}
