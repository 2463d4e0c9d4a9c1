/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading of fields, for the writers of records.
 */
#ifndef IOMMUSCOPE_TEXT_FIELD_VALUE_H
#define IOMMUSCOPE_TEXT_FIELD_VALUE_H

#include <string.h>

#include "text/fields.h"

/**
 * field_is_of() - does a record have a field?
 * @field: the field
 * @kinds: the kinds of the record
 *
 * Return: whether it has the field.
 */
static inline bool field_is_of(const struct field *field, unsigned int kinds)
{
	return field->type != FIELD_NONE && (!field->kinds || field->kinds & kinds);
}

/**
 * fields_kinds() - get the kinds of a record
 * @table: its description
 * @record: the record
 *
 * Return: bits for @kinds of the fields.
 */
static inline unsigned int fields_kinds(const struct field_table *table, const void *record)
{
	return table->kinds ? table->kinds(record) : ~0U;
}

static inline uint64_t field_member(const void *at, size_t size)
{
	uint64_t wide;
	uint32_t word;

	switch (size) {
	case sizeof(wide):
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return word;
	default:
		return *(const unsigned char *)at;
	}
}

/**
 * field_read() - read a field
 * @field: the field; not an object, list or part
 * @record: the record
 * @value: set to its value
 */
static inline void field_read(const struct field *field, const void *record, struct value *value)
{
	const void *at = (const char *)record + field->offset;

	value->known = !field->known || field->known(record);
	if (!value->known)
		return;
	if (field->get) {
		field->get(record, value);
		return;
	}
	if (field->type == FIELD_TEXT) {
		value->text = at;
		value->known = *value->text || !field->unknown;
		return;
	}
	value->number = field_member(at, field->size);
	if (field->type == FIELD_SIGNED && field->size == sizeof(int32_t))
		value->integer = (int32_t)value->number;
	if (field->mask)
		value->number &= field->mask;
	value->known = value->number || !field->unknown || field->known;
}

/**
 * field_date() - format a time as RFC 3339
 * @wall_ns: nanoseconds since 1970
 *
 * Return: the text, valid until the next call.
 */
const char *field_date(uint64_t wall_ns);

#endif
