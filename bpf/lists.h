/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What BPF programs and tools call the operations, phases and reasons.
 *
 * Nothing is listed here: every enum is made from the lists of tracepoints/.  The numbers are
 * good within one build of program and tool, which always come together; they are no ABI.
 */
#ifndef IOMMUSCOPE_BPF_LISTS_H
#define IOMMUSCOPE_BPF_LISTS_H

#include "iommufd_op.h"
#include "iommufd_reasons.h"

enum scope_operation {
#define SCOPE_OPERATION_ENUM(name) SCOPE_OPERATION_iommufd_##name,
	IOMMUFD_MEMORY_OPERATIONS(SCOPE_OPERATION_ENUM)
	SCOPE_NR_MEMORY_OPERATIONS,
	SCOPE_LAST_MEMORY_OPERATION = SCOPE_NR_MEMORY_OPERATIONS - 1,
	IOMMUFD_TRANSLATION_OPERATIONS(SCOPE_OPERATION_ENUM)
	SCOPE_FIRST_OBJECT_OPERATION,
	SCOPE_LAST_TRANSLATION_OPERATION = SCOPE_FIRST_OBJECT_OPERATION - 1,
	IOMMUFD_OBJECT_OPERATIONS(SCOPE_OPERATION_ENUM)
#undef SCOPE_OPERATION_ENUM
	SCOPE_NR_OPERATIONS,
};

/* What an operation is about, and with it which fields of a record mean something. */
enum scope_class {
	SCOPE_CLASS_OBJECT,
	SCOPE_CLASS_MEMORY,
	SCOPE_CLASS_TRANSLATION,
	SCOPE_NR_CLASSES,
};

enum scope_phase {
#define SCOPE_PHASE_ENUM(name, text) SCOPE_PHASE_##name,
	IOMMUFD_PHASES(SCOPE_PHASE_ENUM)
#undef SCOPE_PHASE_ENUM
	SCOPE_NR_PHASES,
	/* the phases of map and unmap come first in the list, those of attach and replace after */
	SCOPE_NR_MEMORY_PHASES = SCOPE_PHASE_unpin + 1,
};

enum scope_reason {
#define SCOPE_REASON_ENUM(name, a, b, text) SCOPE_REASON_##name,
	IOMMUFD_REASONS(SCOPE_REASON_ENUM)
#undef SCOPE_REASON_ENUM
	SCOPE_NR_REASONS,
};

/* Lengths of names, that of a task and those in struct iommufd_op. */
#define SCOPE_COMM_LEN 16
#define SCOPE_DEVICE_LEN 32
#define SCOPE_DRIVER_LEN 16

/**
 * scope_operation_class() - the class of an operation
 * @operation: enum scope_operation
 *
 * Return: its enum scope_class.
 */
static inline enum scope_class scope_operation_class(unsigned int operation)
{
	if (operation < SCOPE_NR_MEMORY_OPERATIONS)
		return SCOPE_CLASS_MEMORY;
	if (operation < SCOPE_FIRST_OBJECT_OPERATION)
		return SCOPE_CLASS_TRANSLATION;
	return SCOPE_CLASS_OBJECT;
}

#endif
