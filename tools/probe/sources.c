// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which sources does this host have?
 *
 * BTF answers this.  It has the functions of loaded modules and of built-in code alike, and our
 * modules have events that the kernel's own lack.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/sysfs.h"
#include "probe/btf_events.h"
#include "probe/sources.h"

/* How each source is recognised. */
static const struct {
	const char *name;
	const char *module;
	/* if two sources have the same module, the first match counts */
	const char *event;
	const char *function;
} sources[NR_SOURCES] = {
	[SOURCE_OWN] = { .name = "own", .module = "iommufd", .event = "iommufd_map" },
	[SOURCE_UPSTREAM] = { .name = "upstream", .module = "iommufd",
			      .function = "iommufd_ioas_map" },
	[SOURCE_TYPE1] = { .name = "type1", .module = "vfio_iommu_type1",
			   .function = "vfio_iommu_type1_ioctl" },
	[SOURCE_VFIO] = { .name = "vfio", .module = "vfio",
			  .function = "vfio_device_fops_unl_ioctl" },
};

/* Is an event known, with BTF or without? */
static bool has_event(const char *wanted)
{
	const char *event;
	size_t i;

	for (i = 0; (event = btf_event_name(i)); i++)
		if (!strcmp(event, wanted))
			return true;
	return false;
}

bool module_has_types(const char *module)
{
	return sysfs_exists("/sys/kernel/btf/%s", module);
}

enum source_state source_state(enum source source)
{
	bool own = has_event(sources[SOURCE_OWN].event);
	const char *module = sources[source].module;

	if (source == SOURCE_OWN)
		return own ? SOURCE_HERE : SOURCE_ABSENT;
	/* only one module of this name can be loaded */
	if (source == SOURCE_UPSTREAM && own)
		return SOURCE_ABSENT;
	if (btf_function_exists(sources[source].function))
		return SOURCE_HERE;
	if (sysfs_exists("/sys/module/%s", module) && !module_has_types(module))
		return SOURCE_WITHOUT_TYPES;
	return SOURCE_ABSENT;
}

unsigned int sources_here(void)
{
	unsigned int here = 0;
	enum source source;

	for (source = 0; source < NR_SOURCES; source++)
		if (source_state(source) == SOURCE_HERE)
			here |= SOURCE_BIT(source);
	return here;
}

const char *source_name(enum source source)
{
	return sources[source].name;
}

enum source source_of_program(const char *program)
{
	enum source source;
	char prefix[32];

	for (source = SOURCE_UPSTREAM; source < NR_SOURCES; source++) {
		snprintf(prefix, sizeof(prefix), "ios_%s_", sources[source].name);
		if (!strncmp(program, prefix, strlen(prefix)))
			break;
	}
	return source;
}
