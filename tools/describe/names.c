// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "bpf/latency.h"
#include "describe/names.h"
#include "tracepoints/iommufd_state.h"

static const struct {
	const char *subsystem;
	const char *name;
	const char *title;
} operations[SCOPE_NR_OPERATIONS] = {
#define NAME(operation, number)                                                                    \
	[SCOPE_OPERATION_iommufd_##operation] = { "iommufd", #operation, #operation },
	SCOPE_IOMMUFD_OPERATIONS(NAME)
#undef NAME
#define NAME(operation, number)                                                                    \
	[SCOPE_OPERATION_vfio_##operation] = { "vfio", #operation, "vfio_" #operation },
	SCOPE_VFIO_OPERATIONS(NAME)
#undef NAME
#define NAME(operation, number)                                                                    \
	[SCOPE_OPERATION_type1_##operation] = { "type1", #operation, #operation },
	SCOPE_TYPE1_OPERATIONS(NAME)
#undef NAME
};

const char *operation_name(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].name : "unknown";
}

const char *operation_title(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].title : "unknown";
}

const char *operation_subsystem(unsigned int operation)
{
	return operation < SCOPE_NR_OPERATIONS ? operations[operation].subsystem : "unknown";
}

const char *operation_source_name(unsigned int source)
{
	static const char *const names[SCOPE_NR_SOURCES] = {
		[SCOPE_SOURCE_OWN] = "own",
		[SCOPE_SOURCE_UPSTREAM] = "upstream",
		[SCOPE_SOURCE_TYPE1] = "type1",
		[SCOPE_SOURCE_VFIO] = "vfio",
	};

	return source < SCOPE_NR_SOURCES ? names[source] : "unknown";
}

uint64_t operations_find(const char *name)
{
	uint64_t found = 0;
	size_t length;
	int i;

	for (i = 0; i < SCOPE_NR_OPERATIONS; i++) {
		length = strlen(operations[i].subsystem);
		if (!strcmp(name, operations[i].name) ||
		    (!strncmp(name, operations[i].subsystem, length) && name[length] == '_' &&
		     !strcmp(name + length + 1, operations[i].name)))
			found |= 1ULL << i;
	}
	return found;
}

static const struct {
	const char *name;
	const char *text;
} phases[SCOPE_NR_PHASES] = {
#define PHASE(name, text) { #name, text },
	IOMMUFD_PHASES(PHASE)
	VFIO_PHASES(PHASE)
#undef PHASE
};

const char *phase_name(unsigned int phase)
{
	return phase < SCOPE_NR_PHASES ? phases[phase].name : "other";
}

const char *phase_text(unsigned int phase)
{
	return phase < SCOPE_NR_PHASES ? phases[phase].text : "none of the phases";
}

struct reason {
	const char *name;
	const char *a;
	const char *b;
	const char *text;
};

static const struct reason iommufd_reasons[SCOPE_NR_IOMMUFD_REASONS] = {
#define REASON(name, a, b, text) { #name, a, b, text },
	IOMMUFD_REASONS(REASON)
};

static const struct reason vfio_reasons[SCOPE_NR_VFIO_REASONS] = {
	VFIO_REASONS(REASON)
};

static const struct reason
	probed_reasons[SCOPE_END_PROBED_REASONS - SCOPE_FIRST_PROBED_REASON] = {
	SCOPE_PROBED_REASONS(REASON)
#undef REASON
};

static const struct reason *find_reason(unsigned int operation, unsigned int reason)
{
	static const struct reason unknown = {
		"unknown", "first number", "second number",
		"for a reason that this version of the tool does not know",
	};

	if (reason >= SCOPE_FIRST_PROBED_REASON && reason < SCOPE_END_PROBED_REASONS)
		return &probed_reasons[reason - SCOPE_FIRST_PROBED_REASON];
	if (scope_operation_class(operation) == SCOPE_CLASS_VFIO)
		return reason < SCOPE_NR_VFIO_REASONS ? &vfio_reasons[reason] : &unknown;
	return reason < SCOPE_NR_IOMMUFD_REASONS ? &iommufd_reasons[reason] : &unknown;
}

const char *reason_name(unsigned int operation, unsigned int reason)
{
	return find_reason(operation, reason)->name;
}

const char *reason_text(unsigned int operation, unsigned int reason)
{
	return find_reason(operation, reason)->text;
}

const char *reason_number(unsigned int operation, unsigned int reason, bool second)
{
	const struct reason *found = find_reason(operation, reason);
	const char *meaning = second ? found->b : found->a;

	return strcmp(meaning, "0") ? meaning : NULL;
}

const char *object_type_name(unsigned int type)
{
	static const char *const names[] = { "object", "device", "hwpt", "ioas", "access", "test" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "object";
}

const char *dimension_name(unsigned int dimension)
{
	static const char *const names[] = {
		[SCOPE_BY_DEVICE] = "device",
		[SCOPE_BY_IOAS] = "ioas",
		[SCOPE_BY_PROCESS] = "process",
		[SCOPE_BY_CGROUP] = "cgroup",
	};

	return dimension < sizeof(names) / sizeof(names[0]) ? names[dimension] : NULL;
}

const char *domain_type_name(unsigned int type)
{
	/* IOMMU_DOMAIN_* of the kernel, which are in no header for user space */
	switch (type) {
	case 0:
		return "blocked";
	case 1 << 0:
		return "unmanaged";
	case 1 << 0 | 1 << 1:
		return "dma";
	case 1 << 2:
		return "identity";
	case 1 << 6:
		return "nested";
	}
	return "other";
}

const char *memory_name(unsigned int memory)
{
	static const char *const names[IOMMUFD_STATE_NR_MEMORY] = {
		[IOMMUFD_STATE_MEMORY_UNKNOWN] = "unknown",
		[IOMMUFD_STATE_MEMORY_ANONYMOUS] = "anonymous",
		[IOMMUFD_STATE_MEMORY_SHARED] = "shared",
		[IOMMUFD_STATE_MEMORY_FILE] = "file",
		[IOMMUFD_STATE_MEMORY_HUGETLB] = "hugetlb",
	};

	return names[memory < IOMMUFD_STATE_NR_MEMORY ? memory : IOMMUFD_STATE_MEMORY_UNKNOWN];
}

const char *state_source_name(unsigned int source)
{
	static const char *const names[IOMMUFD_STATE_NR_SOURCES] = {
		[IOMMUFD_STATE_SOURCE_OWN] = "own",
		[IOMMUFD_STATE_SOURCE_UPSTREAM] = "upstream",
		[IOMMUFD_STATE_SOURCE_TYPE1] = "type1",
	};

	return source < IOMMUFD_STATE_NR_SOURCES ? names[source] : "unknown";
}

const char *rlimit_mode_name(bool by_process)
{
	return by_process ? "process" : "user";
}

const char *error_name(int error)
{
	/* ENOTSUPP, which drivers return and libc does not know */
	const char *name = abs(error) == 524 ? "ENOTSUPP" : strerrorname_np(abs(error));

	return name ? name : "error";
}
