// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks-find [list]
 *
 * Print what the tool finds on this kernel: a line for each source ("source NAME STATE"), for
 * each hook ("hook SOURCES KIND WAY SYMBOL MODULE NAMES SHOWS", names separated by commas), for
 * each parameter that the programs of replacements need ("argument FUNCTION PARAMETER INDEX"),
 * for some members ("member STRUCTURE MEMBER yes"), and for what cannot be seen of an available
 * source ("unseen NAME KIND SHOWS"). With "list" it looks for nothing.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/replace.h"
#include "bpf/replace.skel.h"
#include "probe/btf_events.h"
#include "probe/hooks.h"
#include "probe/sources.h"

static void print_sources(void)
{
	static const char *const states[] = {
		[SOURCE_ABSENT] = "absent",
		[SOURCE_WITHOUT_TYPES] = "without-types",
		[SOURCE_HERE] = "here",
	};
	enum source source;

	for (source = 0; source < NR_SOURCES; source++)
		printf("source %s %s\n", source_name(source), states[source_state(source)]);
}

static const char *const kinds[] = {
	[HOOK_OPERATION] = "operation",
	[HOOK_PHASE] = "phase",
	[HOOK_DETAIL] = "detail",
};

/* @here: the sources of this host, by which hooks matter or not */
static void print_hook(const struct hook *hook, const struct hook_place *place, unsigned int here)
{
	static const char *const ways[] = {
		[HOOK_NOT_THERE] = "none",
		[HOOK_BY_FUNCTION] = "function",
		[HOOK_BY_SYMBOL] = "symbol",
	};
	unsigned int sources = 0, source;
	size_t i;

	for (source = 0; source < NR_SOURCES; source++)
		if (hook_matters(hook, source, here))
			sources |= SOURCE_BIT(source);
	printf("hook %u %s %s %s %s ", sources, kinds[hook->kind], ways[place->way],
	       *place->symbol ? place->symbol : "-", place->module ? place->module : "-");
	for (i = 0; i < HOOK_NAMES && hook->names[i]; i++)
		printf("%s%s", i ? "," : "", hook->names[i]);
	printf(" %s\n", hook->shows);
}

static void print_unseen(enum source source)
{
	const struct hook *hook;
	size_t i;

	for (i = 0; (hook = hook_at(i)); i++)
		if (hook_matters(hook, source, sources_here()) &&
		    !hook_is_seen(source, hook->kind, hook->shows))
			printf("unseen %s %s %s\n", source_name(source), kinds[hook->kind],
			       hook->shows);
}

static int print_arguments(void)
{
	struct ios_replace *programs = ios_replace__open();

	if (!programs)
		return 1;
	hooks_set_arguments(programs->obj);
#define PRINT(function, parameter)                           \
	printf("argument " #function " " #parameter " %u\n", \
	       programs->rodata->function##__argument__##parameter)
	PRINT(__iommu_device_set_domain, dev);
	PRINT(device_block_translation, dev);
	PRINT(detach_device, dev);
	PRINT(viommu_attach_dev, dev);
	PRINT(dmar_fault, dev_id);
	PRINT(iommu_poll_events, iommu);
#undef PRINT
	ios_replace__destroy(programs);
	return 0;
}

static void print_members(void)
{
	static const char *const members[][2] = {
		{ "vfio_iommu", "dma_list" },
		{ "vfio_dma", "no_such_member" },
		{ "iommufd_ctx", "objects" },
		/* in a nameless union */
		{ "page", "lru" },
	};
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		printf("member %s %s %s\n", members[i][0], members[i][1],
		       btf_member_exists(members[i][0], members[i][1]) ? "yes" : "no");
}

int main(int argc, char **argv)
{
	static const struct hook_place nowhere;
	const struct hook *hook;
	enum source source;
	size_t i;

	if (argc > 1 && !strcmp(argv[1], "list")) {
		for (i = 0; (hook = hook_at(i)); i++)
			print_hook(hook, &nowhere, SOURCE_ANY);
		return 0;
	}
	if (btf_events_look(source_modules())) {
		fprintf(stderr, "hooks-find: no BTF\n");
		return 1;
	}
	hooks_init();
	print_sources();
	for (i = 0; (hook = hook_at(i)); i++)
		print_hook(hook, hook_place(hook), sources_here());
	for (source = 0; source < NR_SOURCES; source++)
		if (sources_here() & SOURCE_BIT(source))
			print_unseen(source);
	print_members();
	return print_arguments();
}
