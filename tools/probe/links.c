// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list owns the links; the programs belong to their objects.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/btf_events.h"
#include "probe/hooks.h"
#include "probe/links.h"
#include "probe/opener.h"
#include "probe/programs.h"
#include "text/output.h"

int links_add(struct links *links, const struct bpf_program *program, bool group,
	      struct bpf_link *link)
{
	if (!link)
		return -errno;
	links->list = reallocarray(links->list, links->nr + 1, sizeof(*links->list));
	if (!links->list)
		out_of_memory();
	links->list[links->nr++] = (struct one_link){
		.link = link,
		.program = program,
		.group = group,
	};
	return 0;
}

static bool is_of(const struct one_link *link, const struct bpf_program *program, bool group)
{
	return link->group == group &&
	       !strcmp(bpf_program__name(link->program), bpf_program__name(program));
}

/* Is a program attached, to a raw tracepoint if @event is not ""? */
static bool is_at(const struct links *links, const struct bpf_program *program, bool group,
		  const char *event)
{
	size_t i;

	for (i = 0; i < links->nr; i++)
		if (is_of(&links->list[i], program, group) && !strcmp(links->list[i].event, event))
			return true;
	return false;
}

bool links_has(const struct links *links, const struct bpf_program *program, bool group)
{
	const char *event;
	size_t i;

	if (!program_is_raw(program))
		return is_at(links, program, group, "");
	for (i = 0; (event = btf_event_name(i)); i++)
		if (program_serves(bpf_program__name(program), event) &&
		    !is_at(links, program, group, event))
			return false;
	return true;
}

bool links_use(const struct links *links, const struct bpf_object *object)
{
	struct bpf_program *program;
	size_t i;

	bpf_object__for_each_program(program, object)
		for (i = 0; i < links->nr; i++)
			if (links->list[i].program == program)
				return true;
	return false;
}

/* Detach the program of an earlier object that @program replaces; it has one link. */
static void detach_earlier(struct links *links, const struct bpf_program *program, bool group)
{
	size_t i;

	for (i = 0; i < links->nr; i++)
		if (is_of(&links->list[i], program, group)) {
			bpf_link__destroy(links->list[i].link);
			links->list[i] = links->list[--links->nr];
			return;
		}
}

void links_detach_if(struct links *links, bool (*which)(const struct bpf_program *program))
{
	size_t i, kept = 0;

	for (i = 0; i < links->nr; i++)
		if (which(links->list[i].program))
			bpf_link__destroy(links->list[i].link);
		else
			links->list[kept++] = links->list[i];
	links->nr = kept;
}

void links_detach(struct links *links)
{
	while (links->nr)
		bpf_link__destroy(links->list[--links->nr].link);
	free(links->list);
	links->list = NULL;
}

static int attach_raw(struct links *links, struct bpf_program *program, bool group)
{
	const char *event;
	int err = 0;
	size_t i;

	for (i = 0; !err && (event = btf_event_name(i)); i++) {
		if (!program_serves(bpf_program__name(program), event) ||
		    is_at(links, program, group, event))
			continue;
		err = links_add(links, program, group,
				bpf_program__attach_raw_tracepoint(program, event));
		if (!err)
			snprintf(links->list[links->nr - 1].event,
				 sizeof(links->list->event), "%s", event);
	}
	return err;
}

static int attach_kprobe(struct links *links, struct bpf_program *program, bool group,
			 unsigned int here)
{
	bool at_return = !strncmp(bpf_program__section_name(program), "kret", 4);
	const char *symbol = hook_symbol(program_hook(program), here);
	struct bpf_link *link = NULL;
	int fd;

	if (opener_runs()) {
		fd = opener_kprobe(symbol, at_return);
		/* the link closes it */
		link = fd < 0 ? NULL : bpf_program__attach_perf_event(program, fd);
		if (fd >= 0 && !link)
			close(fd);
	} else {
		link = bpf_program__attach_kprobe(program, at_return, symbol);
	}
	return link ? links_add(links, program, group, link) : 0;
}

static int attach(struct links *links, struct bpf_program *program, bool group, unsigned int here)
{
	struct bpf_link *link;

	if (program_is_raw(program))
		return attach_raw(links, program, group);
	if (program_hook(program))
		return attach_kprobe(links, program, group, here);
	if (!program_event(program) && !program_function(program))
		return 0;
	link = bpf_program__attach_trace(program);
	return link || program_event(program) ? links_add(links, program, group, link) : 0;
}

int links_attach(struct links *links, const struct bpf_object *object, bool group, unsigned int here)
{
	struct bpf_program *program;
	int err = 0;

	bpf_object__for_each_program(program, object)
	{
		if (err || !bpf_program__autoload(program))
			continue;
		if (!program_is_raw(program))
			detach_earlier(links, program, group);
		err = attach(links, program, group, here);
	}
	return err;
}
