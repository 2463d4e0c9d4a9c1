// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where events and functions are in BTF.
 *
 * A tracepoint NAME shows in BTF as a typedef btf_trace_NAME of its probes' type.  The table of those
 * of the modules comes first in @events and lives as long as the program runs, and with it the
 * descriptors of the modules' BTF; those of modules without BTF have type 0.  In @found is what was looked
 * for since in the modules and in the kernel, found or not.
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

#include "observe/btf_events.h"
#include "text/output.h"

#define PREFIX "btf_trace_"

static struct event {
	char *name;
	int btf_fd;
	int type;
} *events;
static size_t nr_events;

/* Functions of modules: all of them, since these are few modules and small ones. */
static struct event *functions;
static size_t nr_functions;

/* Events and functions of the kernel that were asked for; type 0: there is none. */
static struct found {
	char *name;
	unsigned int kind;
	int type;
} *found;
static size_t nr_found;

static struct btf *kernel;

static char *copy_of(const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		out_of_memory();
	return copy;
}

static void add(struct event **list, size_t *nr, const char *name, int btf_fd, int type)
{
	*list = reallocarray(*list, *nr + 1, sizeof(**list));
	if (!*list)
		out_of_memory();
	(*list)[(*nr)++] = (struct event){
		.name = copy_of(name),
		.btf_fd = btf_fd,
		.type = type,
	};
}

static struct event in_list(const struct event *list, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].name, name))
			return list[i];
	return (struct event){};
}

static struct btf *kernel_types(void)
{
	if (!kernel)
		kernel = btf__load_vmlinux_btf();
	return kernel;
}

void btf_events_forget(void)
{
	btf__free(kernel);
	kernel = NULL;
}

/* A type of the kernel's, looked for once.  0 if there is none. */
static int in_kernel(const char *name, unsigned int kind)
{
	const struct btf *types;
	int type = 0;
	size_t i;

	for (i = 0; i < nr_found; i++)
		if (found[i].kind == kind && !strcmp(found[i].name, name))
			return found[i].type;
	types = kernel_types();
	if (types)
		type = btf__find_by_name_kind(types, name, kind);
	found = reallocarray(found, nr_found + 1, sizeof(*found));
	if (!found)
		out_of_memory();
	found[nr_found++] = (struct found){
		.name = copy_of(name),
		.kind = kind,
		.type = type > 0 ? type : 0,
	};
	return found[nr_found - 1].type;
}

/* An event, type 0 if there is none; one of the kernel's has descriptor 0. */
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
	struct event function = in_list(functions, nr_functions, name);

	if (!function.type)
		function.type = in_kernel(name, BTF_KIND_FUNC);
	return function;
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

/* Called by libbpf for each program as it is about to load it. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options,
			long attach_type)
{
	const char *name = strchr(bpf_program__section_name(program), '/') + 1;
	struct event event = attach_type == BPF_TRACE_RAW_TP ? find_event(name) :
							       find_function(name);

	if (!event.type)
		return -ESRCH;
	options->attach_btf_obj_fd = event.btf_fd;
	options->attach_btf_id = event.type;
	options->expected_attach_type = attach_type;
	return 0;
}

static bool is_wanted(const char *name, const char *const *modules)
{
	for (; *modules; modules++)
		if (!strcmp(name, *modules))
			return true;
	return false;
}

static int read_module(struct btf *base, const char *name, int fd)
{
	struct btf *btf = btf__load_module_btf(name, base);
	const struct btf_type *type;
	const char *type_name;
	unsigned int i;

	if (!btf)
		return -errno;
	for (i = btf__type_cnt(base); i < btf__type_cnt(btf); i++) {
		type = btf__type_by_id(btf, i);
		type_name = btf__name_by_offset(btf, type->name_off);
		if (btf_is_func(type) && type_name)
			add(&functions, &nr_functions, type_name, fd, i);
		if (btf_is_typedef(type) && type_name &&
		    !strncmp(type_name, PREFIX, strlen(PREFIX)))
			add(&events, &nr_events, type_name + strlen(PREFIX), fd, i);
	}
	btf__free(btf);
	return 0;
}

/* What btf_events_init() looks for. */
struct search {
	struct btf *base;
	const char *const *modules;
};

static int look_at(void *context, int fd, const char *name, uint32_t size)
{
	const struct search *search = context;
	int err;

	(void)size;
	if (!is_wanted(name, search->modules))
		return 0;
	err = read_module(search->base, name, fd);
	return err ? err : 1;
}

/* Look at the object @id, if it is there still and of the kernel. */
static int visit(uint32_t id, btf_function look, void *context)
{
	struct bpf_btf_info info = {};
	uint32_t size = sizeof(info);
	char name[64] = "";
	int fd, kept = 0;

	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf)
		kept = look(context, fd, name, info.btf_size);
	if (kept <= 0)
		close(fd);
	return kept < 0 ? kept : 0;
}

int btf_each(btf_function look, void *context)
{
	uint32_t id = 0;
	int err = 0;

	while (!err) {
		/* ENOENT: that was the last one */
		if (bpf_btf_get_next_id(id, &id))
			return errno == ENOENT ? 0 : -errno;
		err = visit(id, look, context);
	}
	return err;
}

int btf_events_add_plain(const char *module)
{
	size_t prefix = strlen(module);
	const struct dirent *entry;
	char path[128];
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s", module);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		if (!strncmp(entry->d_name, module, prefix) && entry->d_name[prefix] == '_')
			add(&events, &nr_events, entry->d_name, -1, 0);
	closedir(folder);
	return 0;
}

static int take_over(const char *section, enum bpf_attach_type type)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare_load,
		    .cookie = type);
	int err = libbpf_register_prog_handler(section, BPF_PROG_TYPE_TRACING, type, &options);

	return err < 0 ? err : 0;
}

int btf_events_init(const char *const *modules)
{
	struct search search = { .base = kernel_types(), .modules = modules };
	int err;

	if (!search.base)
		return -errno;
	err = btf_each(look_at, &search);
	if (!err)
		err = take_over("tp_btf+", BPF_TRACE_RAW_TP);
	if (!err)
		err = take_over("fentry+", BPF_TRACE_FENTRY);
	if (!err)
		err = take_over("fexit+", BPF_TRACE_FEXIT);
	return err;
}
