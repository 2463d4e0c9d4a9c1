// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records as JSON, from their descriptions.
 *
 * A stream has hundreds of thousands of records a second, and most fields of a description belong
 * to other kinds of records.  So the first record of a kind makes a plan: the list of fields that
 * such a record has, including those of its parts, with keys that are ready to be copied.  Plans
 * stay until the program ends.
 */
#include <stdlib.h>
#include <string.h>

#include "text/field_value.h"
#include "text/fields.h"
#include "text/json.h"

/**
 * struct step - a field of a plan
 * @field: the field
 * @plain: it is a member whose number is written unchanged
 * @key: its key
 */
struct step {
	const struct field *field;
	bool plain;
	struct json_key key;
};

/**
 * struct plan - how records of a kind are written
 * @table: their description
 * @kinds: the kinds of the records
 * @steps: the fields, one after the other
 * @nr: number of fields
 * @next: the next plan in the same slot of the table of plans
 */
struct plan {
	const struct field_table *table;
	unsigned int kinds;
	struct step *steps;
	size_t nr;
	struct plan *next;
};

#define NR_PLACES 64

/* Is a part the record itself, with the same kinds?  Then its fields are inlined. */
static bool is_flat(const struct field_table *table, const struct field *field)
{
	return field->type == FIELD_INCLUDE && field->element == field_itself &&
	       (!field->table->kinds || field->table->kinds == table->kinds);
}

static bool is_plain(const struct field *field)
{
	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_ID:
	case FIELD_ADDRESS:
	case FIELD_BYTES:
	case FIELD_DURATION:
	case FIELD_MONOTONIC:
		return !field->get && !field->mask && !field->known;
	default:
		return false;
	}
}

static void add_steps(struct plan *plan, const struct field_table *table)
{
	const struct field *field;
	struct step *step;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (!field_is_of(field, table->kinds ? plan->kinds : ~0U))
			continue;
		if (is_flat(plan->table, field)) {
			add_steps(plan, field->table);
			continue;
		}
		plan->steps = reallocarray(plan->steps, plan->nr + 1, sizeof(*plan->steps));
		if (!plan->steps)
			out_of_memory();
		step = &plan->steps[plan->nr++];
		step->field = field;
		step->plain = is_plain(field);
		if (field->key)
			json_key_make(&step->key, field->key);
	}
}

static const struct plan *plan_of(const struct field_table *table, unsigned int kinds)
{
	static struct plan *plans[NR_PLACES];
	struct plan **place, *plan;

	place = &plans[((uintptr_t)table / sizeof(*table) + kinds) % NR_PLACES];
	for (plan = *place; plan; plan = plan->next)
		if (plan->table == table && plan->kinds == kinds)
			return plan;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		out_of_memory();
	plan->table = table;
	plan->kinds = kinds;
	add_steps(plan, table);
	plan->next = *place;
	*place = plan;
	return plan;
}

static void write_value(struct json *json, const struct step *step, const void *record,
			int64_t wall_ns)
{
	struct value value;

	field_read(step->field, record, &value);
	if (!value.known) {
		json_member_null(json, &step->key);
		return;
	}
	switch (step->field->type) {
	case FIELD_SIGNED:
	case FIELD_OFFSET:
		json_key(json, &step->key);
		json_i64(json, NULL, value.integer);
		break;
	case FIELD_TIME:
		json_member_u64(json, &step->key, value.number + (uint64_t)wall_ns);
		break;
	case FIELD_DATE:
		json_key(json, &step->key);
		json_string(json, NULL, field_date(value.number + (uint64_t)wall_ns));
		break;
	case FIELD_TEXT:
		json_key(json, &step->key);
		json_string(json, NULL, value.text);
		break;
	case FIELD_FLAG:
		json_key(json, &step->key);
		json_bool(json, NULL, value.number);
		break;
	case FIELD_REAL:
	case FIELD_SHARE:
		json_key(json, &step->key);
		json_double(json, NULL, value.real);
		break;
	default:
		json_member_u64(json, &step->key, value.number);
	}
}

static void write_object(struct json *json, const struct field_table *table, const void *record,
			 int64_t wall_ns)
{
	json_object(json, NULL);
	fields_json(json, table, record, wall_ns);
	json_end_object(json);
}

static void write_list(struct json *json, const struct field *field, const void *record,
		       int64_t wall_ns)
{
	const void *element;
	size_t i;

	json_array(json, NULL);
	for (i = 0; (element = field->element(record, i)); i++)
		write_object(json, field->table, element, wall_ns);
	json_end_array(json);
}

/* Write a value that is not plain; its key has been written. */
static void write_other(struct json *json, const struct field *field, const void *record,
			int64_t wall_ns)
{
	const void *other;

	switch (field->type) {
	case FIELD_LIST:
		write_list(json, field, record, wall_ns);
		break;
	case FIELD_VALUES:
		json_array(json, NULL);
		field->write(record, json);
		json_end_array(json);
		break;
	default:
		other = field->element(record, 0);
		if (other)
			write_object(json, field->table, other, wall_ns);
		else
			json_null(json, NULL);
	}
}

static void write_plain(struct json *json, const struct step *step, const void *record)
{
	const struct field *field = step->field;
	uint64_t number = field_member((const char *)record + field->offset, field->size);

	if (number || !field->unknown)
		json_member_u64(json, &step->key, number);
	else
		json_member_null(json, &step->key);
}

void fields_json(struct json *json, const struct field_table *table, const void *record,
		 int64_t wall_ns)
{
	const struct plan *plan = plan_of(table, fields_kinds(table, record));
	const struct step *step;
	const void *part;

	for (step = plan->steps; step < plan->steps + plan->nr; step++) {
		if (step->plain) {
			write_plain(json, step, record);
			continue;
		}
		if (step->field->type == FIELD_INCLUDE) {
			part = step->field->element(record, 0);
			if (part)
				fields_json(json, step->field->table, part, wall_ns);
			continue;
		}
		if (step->field->type < FIELD_OBJECT) {
			write_value(json, step, record, wall_ns);
			continue;
		}
		json_key(json, &step->key);
		write_other(json, step->field, record, wall_ns);
	}
}

void fields_json_line(struct json *json, const struct field_table *table, const void *record,
		      int64_t wall_ns)
{
	write_object(json, table, record, wall_ns);
	json_end(json);
}
