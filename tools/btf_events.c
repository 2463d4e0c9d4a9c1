// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the events of modules are in BTF.
 *
 * A tracepoint NAME shows in BTF as a typedef btf_trace_NAME of its probes' type.  The table of
 * those lives as long as the program runs, and with it the descriptors of the modules' BTF.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "btf_events.h"
#include "output.h"

#define PREFIX "btf_trace_"

static struct event {
	char *name;
	int btf_fd;
	int type;
} *events;
static size_t nr_events;

static void add_event(const char *name, int btf_fd, int type)
{
	struct event *event;

	events = reallocarray(events, nr_events + 1, sizeof(*events));
	if (!events)
		out_of_memory();
	event = &events[nr_events++];
	event->name = strdup(name);
	if (!event->name)
		out_of_memory();
	event->btf_fd = btf_fd;
	event->type = type;
}

static const struct event *find_event(const char *name)
{
	size_t i;

	for (i = 0; i < nr_events; i++)
		if (!strcmp(events[i].name, name))
			return &events[i];
	return NULL;
}

const char *btf_event_name(size_t index)
{
	return index < nr_events ? events[index].name : NULL;
}

bool btf_event_exists(const char *event)
{
	return find_event(event);
}

/* Called by libbpf for each program of SEC("tp_btf/EVENT") as it is about to load it. */
static int prepare_load(struct bpf_program *program, struct bpf_prog_load_opts *options,
			long cookie)
{
	const char *section = bpf_program__section_name(program);
	const struct event *event = find_event(strchr(section, '/') + 1);

	(void)cookie;
	if (!event)
		return -ESRCH;
	options->attach_btf_obj_fd = event->btf_fd;
	options->attach_btf_id = event->type;
	options->expected_attach_type = BPF_TRACE_RAW_TP;
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
		if (!btf_is_typedef(type))
			continue;
		type_name = btf__name_by_offset(btf, type->name_off);
		if (type_name && !strncmp(type_name, PREFIX, strlen(PREFIX)))
			add_event(type_name + strlen(PREFIX), fd, i);
	}
	btf__free(btf);
	return 0;
}

/* Read the BTF object @id if it is of one of @modules. */
static int read_object(struct btf *base, uint32_t id, const char *const *modules)
{
	struct bpf_btf_info info = {};
	uint32_t size = sizeof(info);
	char name[64] = "";
	int fd, err = 0;

	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
	    is_wanted(name, modules)) {
		err = read_module(base, name, fd);
		if (!err)
			return 0;
	}
	close(fd);
	return err;
}

int btf_events_init(const char *const *modules)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare_load);
	struct btf *base;
	uint32_t id = 0;
	int err = 0;

	base = btf__load_vmlinux_btf();
	if (!base)
		return -errno;
	while (!err) {
		if (bpf_btf_get_next_id(id, &id)) {
			/* ENOENT: that was the last one */
			err = errno == ENOENT ? 0 : -errno;
			break;
		}
		err = read_object(base, id, modules);
	}
	btf__free(base);
	if (err)
		return err;
	err = libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
					   &options);
	return err < 0 ? err : 0;
}
