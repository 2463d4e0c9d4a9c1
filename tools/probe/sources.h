/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where what happens can be seen: our modules' events, the kernel's own iommufd, VFIO's type1 container.
 *
 * A host may have several at once: type1 serves one user, iommufd another.
 */
#ifndef IOMMUSCOPE_PROBE_SOURCES_H
#define IOMMUSCOPE_PROBE_SOURCES_H

#include <stdbool.h>

enum source {
	/* our iommufd and vfio, by their events */
	SOURCE_OWN,
	/* the kernel's own iommufd, a module or built in, by its functions */
	SOURCE_UPSTREAM,
	/* VFIO's type1 container, by its functions */
	SOURCE_TYPE1,
	NR_SOURCES,
};

/* A set of sources. */
#define SOURCE_BIT(source) (1U << (source))
#define SOURCE_ANY (SOURCE_BIT(NR_SOURCES) - 1)

enum source_state {
	/* this host has it not, or it is not loaded */
	SOURCE_ABSENT,
	/* it is there, but without BTF: what it does cannot be seen */
	SOURCE_WITHOUT_TYPES,
	SOURCE_HERE,
};

/**
 * source_modules() - the modules whose BTF is of use
 *
 * Return: their names, ended by NULL, for btf_events_init().
 */
const char *const *source_modules(void);

/**
 * module_has_types() - does a module have BTF of its own?
 * @module: its name
 *
 * Return: whether it is loaded, and has.
 */
bool module_has_types(const char *module);

/**
 * source_state() - has this host a source?
 * @source: the source
 *
 * Call it after btf_events_init() or btf_events_look().
 *
 * Return: whether it can be observed.
 */
enum source_state source_state(enum source source);

/**
 * sources_here() - the sources of this host that can be observed
 *
 * Return: a set, SOURCE_BIT() of each.
 */
unsigned int sources_here(void);

/**
 * source_name() - name of a source, as JSON and metrics have it
 * @source: the source
 *
 * Return: "own", "upstream" or "type1".
 */
const char *source_name(enum source source);

#endif
