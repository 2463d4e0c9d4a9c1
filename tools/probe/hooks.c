// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-up of the hooks in this kernel.
 *
 * All hooks are looked up at the start, and again after modules have come or gone.  @places,
 * parallel to the table, has the results with the names of the parameters, so that BTF can be
 * freed.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/arguments.h"
#include "probe/btf_events.h"
#include "probe/hooks.h"
#include "probe/sources.h"
#include "text/output.h"

#define TRACEABLE "/sys/kernel/tracing/available_filter_functions"

/* A trampoline passes no more than this. */
#define PARAMETERS 12

/* Most hooks that a kprobe can serve. */
#define SUFFIXED 8

static struct place {
	struct hook_place found;
	char *parameters[PARAMETERS];
} *places;

/* The kernel's symbol list has been searched for @places. */
static bool symbols_found;

static size_t nr_hooks(void)
{
	size_t nr = 0;

	while (hook_at(nr))
		nr++;
	return nr;
}

static size_t index_of(const struct hook *hook)
{
	return hook - hook_at(0);
}

static const struct hook *hook_named(const char *name)
{
	size_t i;

	for (i = 0; hook_at(i); i++)
		if (!strcmp(hook_at(i)->names[0], name))
			return hook_at(i);
	return NULL;
}

static void found_function(const struct hook *hook, const char *name)
{
	struct place *place = &places[index_of(hook)];
	const char *parameter;
	unsigned int i;

	place->found.way = HOOK_BY_FUNCTION;
	place->found.module = btf_function_module(name);
	snprintf(place->found.symbol, sizeof(place->found.symbol), "%s", name);
	for (i = 0; i < PARAMETERS && (parameter = btf_function_parameter(name, i)); i++) {
		place->parameters[i] = strdup(parameter);
		if (!place->parameters[i])
			out_of_memory();
	}
	if (name != hook->names[0])
		btf_function_stand_in(hook->names[0], name);
}

/* Find the first of its names that is a function here. */
static void find_function(const struct hook *hook)
{
	size_t i;

	for (i = 0; i < HOOK_NAMES && hook->names[i]; i++) {
		if (!btf_function_exists(hook->names[i]))
			continue;
		found_function(hook, hook->names[i]);
		return;
	}
}

/* "vfio_sync_unpin.isra.0 [vfio_iommu_type1]" -> does it match @hook? */
static void compare_line(const struct hook *hook, const char *line)
{
	struct hook_place *place = &places[index_of(hook)].found;
	size_t length = strcspn(line, "\n "), name = strlen(hook->names[0]);

	if (strncmp(line, hook->names[0], name) || line[name] != '.' ||
	    length >= sizeof(place->symbol) || place->way != HOOK_NOT_THERE)
		return;
	place->way = HOOK_BY_SYMBOL;
	snprintf(place->symbol, sizeof(place->symbol), "%.*s", (int)length, line);
	place->module = hook->module;
}

/*
 * Find functions that BTF lacks because the compiler has changed their parameters.  The kernel's
 * symbol list is long, so it is read only when it is first needed.
 */
static void find_symbols(void)
{
	const struct hook *wanted[SUFFIXED];
	size_t nr = 0, room = 0, i;
	char *line = NULL;
	FILE *file;

	if (symbols_found)
		return;
	symbols_found = true;
	for (i = 0; hook_at(i) && nr < SUFFIXED; i++)
		if (hook_at(i)->module && places[i].found.way == HOOK_NOT_THERE &&
		    btf_module_is_read(hook_at(i)->module))
			wanted[nr++] = hook_at(i);
	file = nr ? fopen(TRACEABLE, "re") : NULL;
	if (!file)
		return;
	while (getline(&line, &room, file) > 0)
		for (i = 0; i < nr; i++)
			compare_line(wanted[i], line);
	free(line);
	fclose(file);
}

static void forget(void)
{
	size_t i, parameter;

	for (i = 0; places && hook_at(i); i++)
		for (parameter = 0; parameter < PARAMETERS; parameter++)
			free(places[i].parameters[parameter]);
	free(places);
	places = NULL;
	symbols_found = false;
}

void hooks_init(void)
{
	size_t i;

	forget();
	places = calloc(nr_hooks(), sizeof(*places));
	if (!places)
		out_of_memory();
	for (i = 0; hook_at(i); i++)
		find_function(hook_at(i));
}

const struct hook_place *hook_place(const struct hook *hook)
{
	const struct hook_place *place = &places[index_of(hook)].found;

	if (hook->module && place->way == HOOK_NOT_THERE)
		find_symbols();
	return place;
}

bool hook_matters(const struct hook *hook, unsigned int source, unsigned int here)
{
	return hook->sources >> source & 1 && (!hook->with || hook->with & here);
}

bool hook_is_entry(const struct hook *hook, unsigned int here)
{
	unsigned int source;
	size_t i;

	if (hook->kind != HOOK_OPERATION || hook_place(hook)->way != HOOK_BY_FUNCTION)
		return false;
	for (i = 0; hook_at(i) != hook; i++)
		if (hook_at(i)->kind == HOOK_OPERATION &&
		    !strcmp(hook_at(i)->names[0], hook->names[0]))
			return false;
	for (source = SOURCE_UPSTREAM; source < NR_SOURCES; source++)
		if (here & SOURCE_BIT(source) && hook_matters(hook, source, here))
			return true;
	return false;
}

bool hook_is_renewed(const char *name)
{
	const struct hook *hook = places ? hook_named(name) : NULL;
	const struct hook_place *place = hook ? hook_place(hook) : NULL;

	return place && place->module && btf_module_is_renewed(place->module);
}

const char *hook_symbol(const char *name, unsigned int here)
{
	const struct hook *hook = places ? hook_named(name) : NULL;

	if (!hook || hook_place(hook)->way == HOOK_NOT_THERE || (hook->with && !(hook->with & here)))
		return NULL;
	return hook_place(hook)->symbol;
}

bool hook_is_seen(unsigned int source, enum hook_kind kind, const char *shows)
{
	const struct hook *hook;
	size_t i;

	for (i = 0; (hook = hook_at(i)); i++)
		if (hook->sources >> source & 1 && hook->kind == kind &&
		    !strcmp(hook->shows, shows) && hook_place(hook)->way != HOOK_NOT_THERE)
			return true;
	return false;
}

/* Position of a parameter of a function; SCOPE_NO_ARGUMENT if it has no such parameter. */
static uint8_t place_of_argument(const char *function, const char *parameter)
{
	const struct hook *hook = places ? hook_named(function) : NULL;
	uint8_t i;

	for (i = 0; hook && i < PARAMETERS && places[index_of(hook)].parameters[i]; i++)
		if (!strcmp(places[index_of(hook)].parameters[i], parameter))
			return i;
	return SCOPE_NO_ARGUMENT;
}

/* Set a variable named "FUNCTION__argument__PARAMETER", stored at @value. */
static void set_argument(const char *variable, uint8_t *value)
{
	const char *separator = strstr(variable, SCOPE_ARGUMENT_SEPARATOR);
	char function[64];

	if (!separator)
		return;
	snprintf(function, sizeof(function), "%.*s", (int)(separator - variable), variable);
	*value = place_of_argument(function, separator + strlen(SCOPE_ARGUMENT_SEPARATOR));
}

void hooks_set_arguments(const struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	const struct btf_var_secinfo *variable;
	const struct btf_type *section;
	unsigned int i;
	size_t size;
	char *data;
	int id;

	id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	if (id < 0 || !map)
		return;
	section = btf__type_by_id(btf, id);
	data = (char *)bpf_map__initial_value((struct bpf_map *)map, &size);
	variable = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++, variable++)
		set_argument(btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off),
			      (uint8_t *)data + variable->offset);
}
