// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of hooks says what each function shows.  This file compares it with the loaded
 * programs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "probe/hooks.h"
#include "probe/probes.h"
#include "probe/sources.h"

/* Is a program attached to the function of a hook, for one of its sources? */
static bool is_at(const struct bpf_program *program, const struct hook *hook)
{
	const char *function = strchr(bpf_program__section_name(program), '/');
	enum source source = source_of_program(bpf_program__name(program));

	return function && !strcmp(function + 1, hook->names[0]) &&
	       (source == NR_SOURCES || hook->sources & SOURCE_BIT(source));
}

bool probe_is_of_phases(const struct bpf_program *program)
{
	size_t i;

	/* waits for locks */
	if (!strncmp(bpf_program__section_name(program), "tp_btf/contention_", 18))
		return true;
	for (i = 0; hook_at(i); i++)
		if (hook_at(i)->kind == HOOK_PHASE && is_at(program, hook_at(i)))
			return true;
	return false;
}

void probes_leave_out_phases(const struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
		if (probe_is_of_phases(program))
			bpf_program__set_autoload(program, false);
}

static bool is_of_operations(const struct bpf_program *program)
{
	size_t i;

	for (i = 0; hook_at(i); i++)
		if (hook_at(i)->kind == HOOK_OPERATION && is_at(program, hook_at(i)))
			return true;
	return false;
}

uint64_t probes_missed(const struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t missed = 0;

	if (!object)
		return 0;
	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_program__fd(program) >= 0 && is_of_operations(program) &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			missed += info.recursion_misses;
	}
	return missed;
}

/* Is one of the hooks that show a phase of a source in use? */
static bool shows(const struct bpf_object *object, enum source source, const char *phase)
{
	struct bpf_program *program;
	size_t i;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		for (i = 0; hook_at(i); i++)
			if (hook_at(i)->kind == HOOK_PHASE && !strcmp(hook_at(i)->shows, phase) &&
			    hook_at(i)->sources & SOURCE_BIT(source) && is_at(program, hook_at(i)))
				return true;
	}
	return false;
}

static bool is_seen(const struct bpf_object *const *objects, enum source source, const char *phase)
{
	for (; *objects; objects++)
		if (shows(*objects, source, phase))
			return true;
	return false;
}

static bool shown_before(size_t index, enum source source)
{
	size_t i;

	for (i = 0; i < index; i++)
		if (hook_at(i)->kind == HOOK_PHASE && hook_at(i)->sources & SOURCE_BIT(source) &&
		    !strcmp(hook_at(i)->shows, hook_at(index)->shows))
			return true;
	return false;
}

static size_t add(char *text, size_t size, size_t used, const char *between, const char *what)
{
	int length = used < size ? snprintf(text + used, size - used, "%s%s", between, what) : 0;

	return used + (length > 0 ? (size_t)length : 0);
}

void probes_unseen(const struct bpf_object *const *objects, char *text, size_t size)
{
	unsigned int here = *objects ? sources_here() : 0, source;
	const struct hook *hook;
	size_t i, used = 0, nr;

	*text = '\0';
	for (source = SOURCE_UPSTREAM; source < NR_SOURCES; source++) {
		if (!(here & SOURCE_BIT(source)))
			continue;
		for (nr = 0, i = 0; (hook = hook_at(i)); i++) {
			if (hook->kind != HOOK_PHASE || !hook_matters(hook, source, here) ||
			    shown_before(i, source) ||
			    is_seen(objects, source, hook->shows))
				continue;
			used = add(text, size, used, used ? ", " : "", hook->shows);
			nr++;
		}
		if (!nr)
			continue;
		used = add(text, size, used, " (", source_name(source));
		used = add(text, size, used, "", ")");
	}
}
