// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracepoint NAME appears in BTF as a typedef btf_trace_NAME of the type of its probes.  @events
 * starts with the tracepoints of the modules.  These entries and the descriptors of the modules'
 * BTF stay until btf_events_renew() or the program's end; a tracepoint of a module without BTF has
 * type 0.  @found caches later look-ups in the kernel, successful or not.
 *
 * The types of @modules and of the @kernel are read on demand and freed by btf_events_forget(); the
 * tables stay.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/btf_events.h"
#include "probe/opener.h"
#include "probe/type_index.h"
#include "text/output.h"

#define PREFIX "btf_trace_"

/*
 * Modules whose BTF was read; @types and @index are NULL after btf_events_forget().
 * @fd: of its BTF, or -1; @id: of its BTF; @renewed: the last btf_events_renew() has found it first
 */
static struct module {
	char *name;
	int fd;
	uint32_t id;
	bool renewed;
	struct btf *types;
	struct type_index *index;
} *modules;
static size_t nr_modules;

/* @module: index in @modules; -1: the kernel, or a module without BTF */
static struct event {
	char *name;
	int btf_fd;
	int type;
	int module;
} *events;
static size_t nr_events;

/* All functions of the modules; the modules are few and small. */
static struct event *functions;
static size_t nr_functions;

/* Cached look-ups of events and functions of the kernel; type 0: not found. */
static struct found {
	char *name;
	unsigned int kind;
	int type;
} *found;
static size_t nr_found;

/* Functions that replace others on this kernel. */
static struct stand_in {
	const char *function;
	const char *by;
} *stand_ins;
static size_t nr_stand_ins;

static struct btf *kernel;
static struct type_index *kernel_index;

static char *copy_of(const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		out_of_memory();
	return copy;
}

/* Make room for one more entry in a table. */
static void *grown(void *table, size_t nr, size_t size)
{
	table = reallocarray(table, nr + 1, size);
	if (!table)
		out_of_memory();
	return table;
}

static void add(struct event **list, size_t *nr, const struct event *event)
{
	*list = grown(*list, *nr, sizeof(**list));
	(*list)[*nr] = *event;
	(*list)[(*nr)++].name = copy_of(event->name);
}

static struct event in_list(const struct event *list, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].name, name))
			return list[i];
	return (struct event){ .module = -1 };
}

static struct btf *kernel_types(void)
{
	if (kernel)
		return kernel;
	kernel = btf__load_vmlinux_btf();
	if (kernel)
		kernel_index = type_index_new(kernel, NULL);
	return kernel;
}

/* The types of a module, or of the kernel.  NULL if they cannot be read. */
static const struct btf *types_of(int module)
{
	struct module *one;

	if (module < 0 || !kernel_types())
		return kernel_types();
	one = &modules[module];
	if (!one->types)
		one->types = btf__load_module_btf(one->name, kernel);
	if (one->types && !one->index)
		one->index = type_index_new(one->types, kernel);
	return one->types;
}

const struct btf *btf_events_types(size_t number, const struct type_index **index)
{
	const struct btf *types = number <= nr_modules ? types_of((int)number - 1) : NULL;

	if (types)
		*index = number ? modules[number - 1].index : kernel_index;
	return types;
}

void btf_events_forget(void)
{
	size_t i;

	for (i = 0; i < nr_modules; i++) {
		type_index_free(modules[i].index);
		btf__free(modules[i].types);
		modules[i].types = NULL;
		modules[i].index = NULL;
	}
	type_index_free(kernel_index);
	btf__free(kernel);
	kernel_index = NULL;
	kernel = NULL;
}

static const struct found *look_up(const char *name, unsigned int kind)
{
	size_t i;

	for (i = 0; i < nr_found; i++)
		if (found[i].kind == kind && !strcmp(found[i].name, name))
			return &found[i];
	return NULL;
}

static int keep_found(const char *name, unsigned int kind, int type)
{
	found = grown(found, nr_found, sizeof(*found));
	found[nr_found++] = (struct found){
		.name = copy_of(name),
		.kind = kind,
		.type = type > 0 ? type : 0,
	};
	return found[nr_found - 1].type;
}

/* Look up a type of the kernel, with a cache.  Return 0 if there is none. */
static int in_kernel(const char *name, unsigned int kind)
{
	const struct found *known = look_up(name, kind);
	int type = 0;

	if (known)
		return known->type;
	if (kernel_types())
		type = type_index_find(kernel_index, name, kind, 0);
	return keep_found(name, kind, type);
}

/* Find an event; type 0 if there is none.  An event of the kernel has descriptor 0. */
static struct event find_event(const char *name)
{
	struct event event = in_list(events, nr_events, name);
	char type_name[128];

	if (event.type)
		return event;
	snprintf(type_name, sizeof(type_name), PREFIX "%s", name);
	event.type = in_kernel(type_name, BTF_KIND_TYPEDEF);
	return event;
}

static struct event find_function(const char *name)
{
	struct event function;
	size_t i;

	for (i = 0; i < nr_stand_ins; i++)
		if (!strcmp(stand_ins[i].function, name))
			name = stand_ins[i].by;
	function = in_list(functions, nr_functions, name);
	if (!function.type)
		function.type = in_kernel(name, BTF_KIND_FUNC);
	return function;
}

static const struct module *module_named(const struct module *list, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

bool btf_module_is_read(const char *module)
{
	return module_named(modules, nr_modules, module);
}

bool btf_module_is_renewed(const char *module)
{
	const struct module *one = module_named(modules, nr_modules, module);

	return one && one->renewed;
}

void btf_function_stand_in(const char *function, const char *by)
{
	stand_ins = grown(stand_ins, nr_stand_ins, sizeof(*stand_ins));
	stand_ins[nr_stand_ins++] = (struct stand_in){ .function = function, .by = by };
}

const char *btf_event_name(size_t index)
{
	return index < nr_events ? events[index].name : NULL;
}

bool btf_event_exists(const char *event)
{
	return find_event(event).type;
}

bool btf_function_exists(const char *function)
{
	return find_function(function).type;
}

const char *btf_function_module(const char *function)
{
	struct event found_one = find_function(function);

	if (!found_one.type)
		return NULL;
	return found_one.module < 0 ? "vmlinux" : modules[found_one.module].name;
}

const char *btf_function_parameter(const char *function, unsigned int index)
{
	struct event found_one = find_function(function);
	const struct btf *types = found_one.type ? types_of(found_one.module) : NULL;
	const struct btf_type *type;

	if (!types)
		return NULL;
	type = btf__type_by_id(types, btf__type_by_id(types, found_one.type)->type);
	if (index >= btf_vlen(type))
		return NULL;
	return btf__name_by_offset(types, btf_params(type)[index].name_off);
}

/* Does a structure, or an anonymous one inside it, have a member? */
static bool has_member(const struct btf *types, uint32_t id, const char *member)
{
	const struct btf_type *type = btf__type_by_id(types, btf__resolve_type(types, id));
	const struct btf_member *members;
	const char *name;
	int i;

	if (!type || !btf_is_composite(type))
		return false;
	members = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++) {
		name = btf__name_by_offset(types, members[i].name_off);
		if (!strcmp(name, member))
			return true;
		if (!*name && has_member(types, members[i].type, member))
			return true;
	}
	return false;
}

bool btf_member_exists(const char *structure, const char *member)
{
	const struct btf *types;
	uint32_t id;
	size_t i;

	for (i = 0; i < nr_modules; i++) {
		types = types_of(i);
		id = types ? type_index_find(modules[i].index, structure, BTF_KIND_STRUCT, 0) : 0;
		if (id)
			return has_member(types, id, member);
	}
	id = in_kernel(structure, BTF_KIND_STRUCT);
	return id && kernel_types() && has_member(kernel, id, member);
}

static struct event find_iterator(const char *name)
{
	char function[128];

	snprintf(function, sizeof(function), "bpf_iter_%s", name);
	return find_function(function);
}

/* Called by libbpf for each program before it is loaded. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options,
			long attach_type)
{
	const char *name = strchr(bpf_program__section_name(program), '/') + 1;
	struct event event = attach_type == BPF_TRACE_RAW_TP ? find_event(name) :
			     attach_type == BPF_TRACE_ITER   ? find_iterator(name) :
							       find_function(name);
	int err;

	if (!event.type)
		return -ESRCH;
	err = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	if (err)
		return err;
	options->attach_btf_obj_fd = event.btf_fd;
	options->attach_btf_id = event.type;
	options->expected_attach_type = attach_type;
	return 0;
}

static bool is_wanted(const char *name, const char *const *wanted)
{
	for (; *wanted; wanted++)
		if (!strcmp(name, *wanted))
			return true;
	return false;
}

static int read_module(const char *name, int fd)
{
	struct btf *btf = btf__load_module_btf(name, kernel);
	struct event event = { .btf_fd = fd, .module = nr_modules };
	struct module module = { .fd = fd, .types = btf };
	struct bpf_btf_info info = {};
	uint32_t size = sizeof(info);
	const struct btf_type *type;
	const char *type_name;
	unsigned int i;

	if (!btf)
		return -errno;
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		module.id = info.id;
	module.name = copy_of(name);
	modules = grown(modules, nr_modules, sizeof(*modules));
	modules[nr_modules++] = module;
	for (i = btf__type_cnt(kernel); i < btf__type_cnt(btf); i++) {
		type = btf__type_by_id(btf, i);
		type_name = btf__name_by_offset(btf, type->name_off);
		if (!type_name)
			continue;
		event.type = i;
		event.name = (char *)type_name;
		if (btf_is_func(type))
			add(&functions, &nr_functions, &event);
		if (!btf_is_typedef(type) || strncmp(type_name, PREFIX, strlen(PREFIX)))
			continue;
		event.name += strlen(PREFIX);
		add(&events, &nr_events, &event);
	}
	return 0;
}

static int look_at(void *context, int fd, const char *name, uint32_t size)
{
	int err;

	(void)size;
	if (!is_wanted(name, context))
		return 0;
	err = read_module(name, fd);
	return err ? err : 1;
}

int btf_each(btf_function look, void *context)
{
	struct btf_visitor visitor = { look, context };

	return opener_runs() ? opener_each_btf(btf_object_visit, &visitor) :
			       btf_objects_each(look, context);
}

int btf_events_add_plain(const char *module)
{
	struct event event = { .btf_fd = -1, .module = -1 };
	size_t prefix = strlen(module);
	const struct dirent *entry;
	char path[128];
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s", module);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		if (strncmp(entry->d_name, module, prefix) || entry->d_name[prefix] != '_')
			continue;
		event.name = (char *)entry->d_name;
		add(&events, &nr_events, &event);
	}
	closedir(folder);
	return 0;
}

/*
 * libbpf reads all of the kernel's types for an object that has a program of type tracing.  So they
 * get that type only as they are loaded; the one that they have before it means nothing.
 */
static int take_over(const char *section, enum bpf_attach_type type)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare_load,
		    .cookie = type);
	int err = libbpf_register_prog_handler(section, BPF_PROG_TYPE_KPROBE, type, &options);

	return err < 0 ? err : 0;
}

/* The tables of modules. */
struct tables {
	struct module *modules;
	struct event *events;
	struct event *functions;
	size_t nr_modules;
	size_t nr_events;
	size_t nr_functions;
};

static struct tables tables(void)
{
	return (struct tables){ modules, events, functions, nr_modules, nr_events, nr_functions };
}

static void set_tables(const struct tables *to)
{
	modules = to->modules;
	events = to->events;
	functions = to->functions;
	nr_modules = to->nr_modules;
	nr_events = to->nr_events;
	nr_functions = to->nr_functions;
}

static void free_events(struct event *list, size_t nr)
{
	while (nr)
		free(list[--nr].name);
	free(list);
}

static void free_tables(const struct tables *old)
{
	size_t i;

	for (i = 0; i < old->nr_modules; i++) {
		if (old->modules[i].fd >= 0)
			close(old->modules[i].fd);
		type_index_free(old->modules[i].index);
		btf__free(old->modules[i].types);
		free(old->modules[i].name);
	}
	free(old->modules);
	free_events(old->events, old->nr_events);
	free_events(old->functions, old->nr_functions);
}

int btf_events_renew(const char *const *wanted)
{
	struct tables old = tables(), new = {};
	const struct module *before;
	size_t i;
	int err;

	if (!kernel_types())
		return -errno;
	set_tables(&new);
	err = btf_each(look_at, (void *)wanted);
	if (err) {
		new = tables();
		free_tables(&new);
		set_tables(&old);
		return err;
	}
	for (i = 0; i < nr_modules; i++) {
		before = module_named(old.modules, old.nr_modules, modules[i].name);
		modules[i].renewed = !before || before->id != modules[i].id;
	}
	free_tables(&old);
	free(stand_ins);
	stand_ins = NULL;
	nr_stand_ins = 0;
	return 0;
}

int btf_events_look(const char *const *wanted)
{
	char path[128];
	int err = 0;

	if (!kernel_types())
		return -errno;
	for (; !err && *wanted; wanted++) {
		snprintf(path, sizeof(path), "/sys/kernel/btf/%s", *wanted);
		if (!access(path, R_OK))
			err = read_module(*wanted, -1);
	}
	return err;
}

int btf_events_init(const char *const *wanted)
{
	int err;

	if (!kernel_types())
		return -errno;
	err = btf_each(look_at, (void *)wanted);
	if (!err)
		err = take_over("tp_btf+", BPF_TRACE_RAW_TP);
	if (!err)
		err = take_over("fentry+", BPF_TRACE_FENTRY);
	if (!err)
		err = take_over("fexit+", BPF_TRACE_FEXIT);
	if (!err)
		err = take_over("iter+", BPF_TRACE_ITER);
	return err;
}
