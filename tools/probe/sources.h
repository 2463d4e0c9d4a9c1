/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources of observations: our modules' events, the kernel's own iommufd, VFIO's type1 container.
 *
 * A host can have several at once: one user has type1, another has iommufd.
 */
#ifndef IOMMUSCOPE_PROBE_SOURCES_H
#define IOMMUSCOPE_PROBE_SOURCES_H

#include <stdbool.h>

enum source {
	/* our iommufd and vfio, through their tracepoints */
	SOURCE_OWN,
	/* the kernel's own iommufd, a module or built in, through its functions */
	SOURCE_UPSTREAM,
	/* VFIO's type1 container, through its functions */
	SOURCE_TYPE1,
	/* devices of the kernel's own vfio, by the functions of vfio and vfio-pci */
	SOURCE_VFIO,
	NR_SOURCES,
};

/* A set of sources. */
#define SOURCE_BIT(source) (1U << (source))
#define SOURCE_ANY (SOURCE_BIT(NR_SOURCES) - 1)

enum source_state {
	/* this host lacks it, or it is not loaded */
	SOURCE_ABSENT,
	/* it is loaded, but without BTF, so it cannot be observed */
	SOURCE_WITHOUT_TYPES,
	SOURCE_HERE,
};

/**
 * module_has_types() - does a module have its own BTF?
 * @module: its name
 *
 * Return: whether it is loaded and has BTF.
 */
bool module_has_types(const char *module);

/**
 * source_state() - does this host have a source?
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
 * source_name() - name of a source, as in JSON and metrics
 * @source: the source
 *
 * Return: "own", "upstream", "type1" or "vfio".
 */
const char *source_name(enum source source);

/**
 * source_of_program() - the source that a BPF program is for
 * @program: its name, "ios_SOURCE_..."
 *
 * Return: the source, NR_SOURCES for a program that is for none of those that are probed.
 */
enum source source_of_program(const char *program);

#endif
