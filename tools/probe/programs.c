// SPDX-License-Identifier: GPL-2.0-only
/*
 * The section of a program names its event or function, and its own name the source.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "bpf/lists.h"
#include "probe/btf_events.h"
#include "probe/hooks.h"
#include "probe/host_watch.h"
#include "probe/programs.h"
#include "probe/sources.h"

/* The events of finished operations, and the program of sources/own.bpf.h for each. */
static const struct {
	const char *program;
	const char *event;
} finished_events[] = {
#define EVENT(name, number) { "ios_memory", "iommufd_" #name },
	IOMMUFD_MEMORY_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_translation", "iommufd_" #name },
	IOMMUFD_TRANSLATION_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_object", "iommufd_" #name },
	IOMMUFD_OBJECT_OPERATIONS(EVENT)
#undef EVENT
#define EVENT(name, number) { "ios_vfio", "vfio_" #name },
	SCOPE_VFIO_OPERATIONS(EVENT)
#undef EVENT
};
#define NR_FINISHED_EVENTS (sizeof(finished_events) / sizeof(finished_events[0]))

const char *program_event(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return strncmp(section, "tp_btf/", 7) ? NULL : section + 7;
}

const char *program_function(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (strncmp(section, "fentry/", 7) && strncmp(section, "fexit/", 6))
		return NULL;
	return strchr(section, '/') + 1;
}

const char *program_hook(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (strncmp(section, "kprobe/", 7) && strncmp(section, "kretprobe/", 10))
		return NULL;
	return strchr(section, '/') + 1;
}

bool program_is_raw(const struct bpf_program *program)
{
	return !strcmp(bpf_program__section_name(program), "raw_tp");
}

/*
 * Is a raw tracepoint program for an event?  Its name shows it: a class of operations,
 * "ios_finished" for all of them, or "ios_SUBSYSTEM_started" for start events.
 */
bool program_serves(const char *program, const char *event)
{
	size_t length = strlen(event), prefix = strcspn(event, "_") + 1;
	unsigned int i;

	for (i = 0; i < NR_FINISHED_EVENTS; i++)
		if (!strcmp(event, finished_events[i].event))
			return !strcmp(program, finished_events[i].program) ||
			       !strcmp(program, "ios_finished");
	if (length <= 6 || strcmp(event + length - 6, "_start") || strncmp(program, "ios_", 4))
		return false;
	program += 4;
	return !strncmp(program, event, prefix) && !strcmp(program + prefix, "started");
}

/* Is the source of a program here?  The kernel may have its function even without the source. */
static bool has_source(const struct bpf_program *program, unsigned int here)
{
	enum source source = source_of_program(bpf_program__name(program));

	/* "ios_vfio_started" is for our modules' events */
	return program_is_raw(program) || source == NR_SOURCES || here & SOURCE_BIT(source);
}

/* Is there an event or function that this program can be attached to? */
static bool is_of_use(const struct bpf_program *program, unsigned int here)
{
	const char *event = program_event(program), *function = program_function(program);
	size_t i;

	if (!has_source(program, here))
		return false;
	if (event)
		return btf_event_exists(event);
	if (function)
		return functions_observable() && btf_function_exists(function);
	if (program_hook(program))
		return functions_observable() && hook_symbol(program_hook(program), here);
	/* attached by session_attach_entries() */
	if (!strcmp(bpf_program__section_name(program), "kprobe"))
		return functions_observable() && here & ~SOURCE_BIT(SOURCE_OWN);
	if (!program_is_raw(program))
		return true;
	for (i = 0; btf_event_name(i); i++)
		if (program_serves(bpf_program__name(program), btf_event_name(i)))
			return true;
	return false;
}

void programs_omit_useless(struct bpf_object *object, unsigned int here)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (program_is_raw(program) && !strcmp(bpf_program__name(program), "ios_memory"))
			bpf_program__set_autoload(program, !btf_event_exists("iommufd_map"));
		if (bpf_program__autoload(program) && !is_of_use(program, here))
			bpf_program__set_autoload(program, false);
	}
}
