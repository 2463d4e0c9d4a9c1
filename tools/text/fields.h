/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptions of records: the fields of each kind of record, and their meaning.
 *
 * A table describes one kind of record.  JSON, CSV, columns of text and the reference of keys are
 * all written from it, so a key means the same everywhere.  This code knows no record: a field is
 * a member at an offset, or a function that returns the value.
 *
 * The type of a field decides how its value is written and how its key ends: a number of bytes
 * ends in _bytes, a duration in _ns, a point in time in time_ns.  A value that is not known is
 * null in JSON, empty in CSV and "-" in a column.  A field that this kind of record does not have
 * is absent in JSON.
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
	FIELD_NONE, /* no field: another field of this table has its key */
	FIELD_NUMBER,
	FIELD_SIGNED,
	FIELD_ID,
	FIELD_ADDRESS,
	FIELD_BYTES,
	FIELD_DURATION,
	FIELD_OFFSET, /* a duration that may be negative */
	FIELD_TIME, /* CLOCK_MONOTONIC in the record, CLOCK_REALTIME in the output */
	FIELD_DATE, /* the same as a text, RFC 3339 */
	FIELD_MONOTONIC, /* CLOCK_MONOTONIC in the output as well */
	FIELD_TEXT,
	FIELD_FLAG,
	FIELD_REAL,
	FIELD_SHARE,
	FIELD_OBJECT, /* a record of another table; all types before this are plain values */
	FIELD_LIST, /* any number of records of another table */
	FIELD_VALUES, /* a list that the field writes itself */
	FIELD_INCLUDE, /* the fields of another table, as if they were listed here */
	NR_FIELD_TYPES,
};

/**
 * struct value - the value of a field
 * @known: the value is known
 * @number: numbers, ids, addresses, bytes, times, flags
 * @integer: FIELD_SIGNED, FIELD_OFFSET
 * @real: FIELD_REAL, FIELD_SHARE
 * @text: FIELD_TEXT
 * @room: buffer for a text
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
 * @doc: its meaning
 * @unknown: when it is not known, for the reference; NULL if it is always known.  Otherwise a
 *	member that is 0 or "" is not known, unless @known is set
 * @known: returns whether it is known; NULL: see @unknown and @get
 * @type: enum field_type
 * @kinds: bits of the kinds of records that have it, 0 for all
 * @offset: offset of the member
 * @size: bytes of the member
 * @mask: FIELD_FLAG: bits of the member, 0 for all
 * @get: sets the value, instead of @offset; @value->known is true at the call
 * @table: FIELD_OBJECT, FIELD_LIST, FIELD_INCLUDE: describes the other records
 * @element: returns the other record with a number, counted from 0; NULL if there is none
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
 * @name: name of such a record
 * @fields: the fields
 * @nr: number of fields
 * @kinds: returns the kinds of a record, for @kinds of the fields; NULL: all kinds
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

/* A field whose value a function returns, or a list or object. */
#define FIELD(field_type, field_key, ...)                                 \
	{                                                                 \
		.key = field_key, .type = FIELD_##field_type, __VA_ARGS__ \
	}

/* The fields of a part of the record, which a function returns. */
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
 * fields_json() - write the fields of a record into an open object
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
 * @file: the file
 * @table: the description; objects and lists have no column
 */
void fields_csv_heading(FILE *file, const struct field_table *table);

/**
 * fields_csv() - write a record as a row
 * @file: the file
 * @table: the description
 * @record: the record
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void fields_csv(FILE *file, const struct field_table *table, const void *record, int64_t wall_ns);

/**
 * struct column - a column of a text table
 * @head: its title
 * @key: key of the field
 */
struct column {
	const char *head;
	const char *key;
};

/**
 * fields_columns() - start a text table
 * @table: the table, empty
 * @fields: the description
 * @columns: its columns
 * @nr: number of columns
 *
 * Columns other than texts are aligned to the right.
 */
void fields_columns(struct table *table, const struct field_table *fields,
		    const struct column *columns, unsigned int nr);

/**
 * fields_row() - add a record to a text table
 * @table: the table
 * @colour: colour of the row
 * @fields: the description
 * @columns: as for fields_columns()
 * @nr: number of columns
 * @record: the record
 */
void fields_row(struct table *table, enum colour colour, const struct field_table *fields,
		const struct column *columns, unsigned int nr, const void *record);

/**
 * fields_text() - format a field as text
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
 * field_type_text() - describe how values of a type are written in JSON
 * @type: the type
 *
 * Return: the description.
 */
const char *field_type_text(enum field_type type);

#endif
