/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptions of records: which fields they have, and what each means.
 *
 * A table describes one kind of record.  JSON, CSV, columns of text and the reference of keys are all
 * written from it, so a key has one meaning wherever it shows.  Nothing here knows a record: a field
 * is a member at an offset, or a function that gets it.
 *
 * The type decides how a value is written, and what its key ends in: a number of bytes ends in _bytes,
 * a duration in _ns, a moment in time_ns.  A field that is not known is null in JSON, empty in CSV and
 * "-" in a column; a field that this kind of record does not have at all is left out of JSON.
 */
#ifndef IOMMUSCOPE_TEXT_FIELDS_H
#define IOMMUSCOPE_TEXT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "text/output.h"

struct json;

enum field_type {
	FIELD_NONE, /* no field: another one of this table has its key */
	FIELD_NUMBER,
	FIELD_SIGNED,
	FIELD_ID,
	FIELD_ADDRESS,
	FIELD_BYTES,
	FIELD_DURATION,
	FIELD_OFFSET, /* a duration that may be negative */
	FIELD_TIME, /* CLOCK_MONOTONIC in the record, CLOCK_REALTIME where it is written */
	FIELD_DATE, /* the same as a text, RFC 3339 */
	FIELD_MONOTONIC, /* CLOCK_MONOTONIC, as it is */
	FIELD_TEXT,
	FIELD_FLAG,
	FIELD_REAL,
	FIELD_SHARE,
	FIELD_OBJECT, /* a record of another table; those before are plain values */
	FIELD_LIST, /* any number of them */
	FIELD_VALUES, /* a list that the field writes itself */
	FIELD_INCLUDE, /* the fields of another table, as if they stood here */
	NR_FIELD_TYPES,
};

/**
 * struct value - the value of a field
 * @known: it is known
 * @number: numbers, ids, addresses, bytes, times, flags
 * @integer: FIELD_SIGNED, FIELD_OFFSET
 * @real: FIELD_REAL, FIELD_SHARE
 * @text: FIELD_TEXT
 * @room: where a text can be made
 */
struct value {
	bool known;
	union {
		uint64_t number;
		int64_t integer;
		double real;
		const char *text;
	};
	char room[512];
};

struct field_table;

/**
 * struct field - a field of a record
 * @key: its key; NULL for FIELD_INCLUDE and FIELD_NONE
 * @doc: what it means
 * @unknown: when it is not known, for the reference; NULL if it always is.  If it can be, a member
 *	that is 0 or "" is not known, unless there is @known
 * @known: is it known?  NULL: as @unknown and @get say
 * @type: enum field_type
 * @kinds: bits of the kinds of records that have it, 0 for all
 * @offset: where the member is
 * @size: bytes of the member
 * @mask: FIELD_FLAG: bits of the member, 0 for all
 * @get: sets the value, instead of @offset; @value->known is true before
 * @table: FIELD_OBJECT, FIELD_LIST, FIELD_INCLUDE: describes the other records
 * @element: the other record with a number from 0; NULL: there is none
 * @write: FIELD_VALUES: writes them with json_*(), key NULL
 */
struct field {
	const char *key;
	const char *doc;
	const char *unknown;
	bool (*known)(const void *record);
	enum field_type type;
	unsigned int kinds;
	size_t offset;
	size_t size;
	uint64_t mask;
	void (*get)(const void *record, struct value *value);
	const struct field_table *table;
	const void *(*element)(const void *record, size_t number);
	void (*write)(const void *record, struct json *json);
};

/**
 * struct field_table - the fields of one kind of record
 * @name: what such a record is
 * @fields: the fields
 * @nr: how many
 * @kinds: which kinds a record is of, for @kinds of the fields; NULL: of all
 */
struct field_table {
	const char *name;
	const struct field *fields;
	size_t nr;
	unsigned int (*kinds)(const void *record);
};

/* A field that is a member of the record. */
#define MEMBER(field_type, field_key, structure, member, ...)                                    \
	{                                                                                        \
		.key = field_key, .type = FIELD_##field_type,                                    \
		.offset = offsetof(structure, member), .size = sizeof(((structure *)0)->member), \
		__VA_ARGS__                                                                      \
	}

/* A field that a function gets, or a list or object. */
#define FIELD(field_type, field_key, ...)                                 \
	{                                                                 \
		.key = field_key, .type = FIELD_##field_type, __VA_ARGS__ \
	}

/* The fields of a part, which a function gets from the record. */
#define INCLUDE(part, function)                                              \
	{                                                                    \
		.type = FIELD_INCLUDE, .table = &(part), .element = function \
	}

/* The table of an array of fields. */
#define FIELD_TABLE(table_name, array, ...)                                                  \
	{                                                                                    \
		.name = table_name, .fields = array, .nr = sizeof(array) / sizeof(array[0]), \
		__VA_ARGS__                                                                  \
	}

/**
 * fields_json() - write the fields of a record into an object that is open
 * @json: the writer
 * @table: the description
 * @record: the record
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void fields_json(struct json *json, const struct field_table *table, const void *record,
		 int64_t wall_ns);

/**
 * fields_json_line() - write a record as an object on a line of its own
 * @json: the writer
 * @table: the description
 * @record: the record
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void fields_json_line(struct json *json, const struct field_table *table, const void *record,
		      int64_t wall_ns);

/**
 * fields_csv_heading() - write the keys as a row
 * @file: where to
 * @table: the description; objects and lists have no column
 */
void fields_csv_heading(FILE *file, const struct field_table *table);

/**
 * fields_csv() - write a record as a row
 * @file: where to
 * @table: the description
 * @record: the record
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void fields_csv(FILE *file, const struct field_table *table, const void *record, int64_t wall_ns);

/**
 * struct column - a column of a table for people
 * @head: its title
 * @key: key of the field
 */
struct column {
	const char *head;
	const char *key;
};

/**
 * fields_columns() - begin a table for people
 * @table: the table, empty
 * @fields: the description
 * @columns: its columns
 * @nr: how many
 *
 * What is no text is aligned to the right.
 */
void fields_columns(struct table *table, const struct field_table *fields,
		    const struct column *columns, unsigned int nr);

/**
 * fields_row() - add a record to a table for people
 * @table: the table
 * @colour: colour of the row
 * @fields: the description
 * @columns: as for fields_columns()
 * @nr: how many
 * @record: the record
 */
void fields_row(struct table *table, enum colour colour, const struct field_table *fields,
		const struct column *columns, unsigned int nr, const void *record);

/**
 * fields_text() - a field for people
 * @fields: the description
 * @key: key of the field
 * @record: the record
 * @text: set to the value: "64 MiB", "38 µs"; "-" if it is not known
 * @size: size of @text
 */
void fields_text(const struct field_table *fields, const char *key, const void *record, char *text,
		 size_t size);

/**
 * field_itself() - the element of an INCLUDE() whose part is the record itself
 * @record: the record
 * @number: 0
 *
 * Return: @record.
 */
const void *field_itself(const void *record, size_t number);

/**
 * field_type_text() - how values of a type are written in JSON, in words
 * @type: the type
 *
 * Return: the words.
 */
const char *field_type_text(enum field_type type);

#endif
