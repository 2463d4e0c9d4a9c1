// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference of keys, docs/use/json.md: what each command writes with --json and --csv.
 *
 * It is generated from the field tables that JSON and CSV are written from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/manual.h"
#include "text/fields.h"
#include "text/output.h"

/* A set of pointers, in order of insertion. */
struct pointers {
	const void **list;
	size_t nr;
};

static void append(struct pointers *pointers, const void *pointer)
{
	pointers->list = reallocarray(pointers->list, pointers->nr + 1, sizeof(*pointers->list));
	if (!pointers->list)
		out_of_memory();
	pointers->list[pointers->nr++] = pointer;
}

static bool same_meaning(const struct field *a, const struct field *b)
{
	return !strcmp(a->key, b->key) && !strcmp(a->doc, b->doc) &&
	       field_type_text(a->type) == field_type_text(b->type);
}

static void collect_fields(struct pointers *fields, const struct field_table *table)
{
	const struct field *field;
	size_t i;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (field->type == FIELD_INCLUDE)
			collect_fields(fields, field->table);
		if (field->type == FIELD_INCLUDE || field->type == FIELD_NONE)
			continue;
		for (i = 0; i < fields->nr && !same_meaning(fields->list[i], field); i++)
			;
		if (i == fields->nr)
			append(fields, field);
		else if (field->unknown)
			fields->list[i] = field;
	}
}

/* Collect a table and those of its objects and lists.  An included table is no record itself. */
static void collect_tables(struct pointers *tables, const struct field_table *table, bool record)
{
	const struct field *field;
	size_t i;

	if (record) {
		for (i = 0; i < tables->nr; i++)
			if (tables->list[i] == table)
				return;
		append(tables, table);
	}
	for (field = table->fields; field < table->fields + table->nr; field++)
		if (field->table)
			collect_tables(tables, field->table, field->type != FIELD_INCLUDE);
}

static void print_key(const struct field *field, bool *first)
{
	printf("%s`%s`", *first ? "" : ", ", field->key);
	*first = false;
	if (field->table)
		printf(" (%s)", field->table->name);
}

static void print_keys(const struct field_table *table, bool *first)
{
	const struct field *field;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		if (field->type == FIELD_INCLUDE)
			print_keys(field->table, first);
		else if (field->type != FIELD_NONE)
			print_key(field, first);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct field *left = *(const void *const *)a, *right = *(const void *const *)b;
	int order = strcmp(left->key, right->key);

	return order ? order : strcmp(left->doc, right->doc);
}

static void print_commands(void)
{
	const struct command *const *command;
	size_t i;

	printf("\n## Commands\n\n| command | records |\n|---|---|\n");
	for (command = commands_all(); *command; command++) {
		if (!(*command)->records)
			continue;
		printf("| `%s` | ", (*command)->name);
		for (i = 0; (*command)->records[i]; i++)
			printf("%s%s", i ? ", " : "", (*command)->records[i]->name);
		printf(" |\n");
	}
}

void manual_keys(void)
{
	const struct command *const *command;
	struct pointers tables = {}, fields = {};
	const struct field *field;
	bool first;
	size_t i;

	for (command = commands_all(); *command; command++)
		for (i = 0; (*command)->records && (*command)->records[i]; i++)
			collect_tables(&tables, (*command)->records[i], true);
	printf("<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
	       "<!-- Written by 'iommuscope help --keys': change the descriptions in tools/ instead. -->\n"
	       "# Keys of JSON and CSV\n\n"
	       "A key means the same everywhere. Keys end in their unit: `_bytes`, `_ns` for a duration,\n"
	       "`time_ns` for a point in time. Times are wall-clock times in nanoseconds since 1970; `time`\n"
	       "beside it is the same point in RFC 3339. An unknown value is `null` in JSON and an empty cell\n"
	       "in CSV, never 0. A key that does not apply to a record is absent in JSON and an empty cell in\n"
	       "CSV. CSV has no lists and no objects.\n");
	print_commands();
	printf("\n## Records\n\n| record | keys |\n|---|---|\n");
	for (i = 0; i < tables.nr; i++) {
		const struct field_table *table = tables.list[i];

		printf("| %s | ", table->name);
		first = true;
		print_keys(table, &first);
		printf(" |\n");
		collect_fields(&fields, table);
	}
	qsort(fields.list, fields.nr, sizeof(*fields.list), by_key);
	printf("\n## Keys\n\n| key | value | meaning | `null` |\n|---|---|---|---|\n");
	for (i = 0; i < fields.nr; i++) {
		field = fields.list[i];
		printf("| `%s` | %s | %s | %s |\n", field->key, field_type_text(field->type),
		       field->doc, field->unknown ? field->unknown : "");
	}
	free(tables.list);
	free(fields.list);
}
