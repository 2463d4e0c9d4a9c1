/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of operations, phases and reasons, shared by BPF programs and tools.
 *
 * tracepoints/ lists those of our modules, and the enums here are generated from these lists; the
 * kernel's own iommufd and vfio use the same ones.  This file adds only the operations of VFIO's
 * type1 container, and reasons that are visible only from outside.  The numbers of enum
 * scope_operation and scope_phase are valid within one build of program and tool, which always
 * belong together; they are no ABI.
 */
#ifndef IOMMUSCOPE_BPF_LISTS_H
#define IOMMUSCOPE_BPF_LISTS_H

#include "bpf/types.h"

#include "tracepoints/iommufd_op.h"
#include "tracepoints/iommufd_reasons.h"
#include "tracepoints/vfio_op.h"
#include "tracepoints/vfio_reasons.h"

/* OPERATION(name, number) for every operation of iommufd. */
#define SCOPE_IOMMUFD_OPERATIONS(OPERATION)                                                        \
	IOMMUFD_MEMORY_OPERATIONS(OPERATION)                                                       \
	IOMMUFD_TRANSLATION_OPERATIONS(OPERATION)                                                  \
	IOMMUFD_OBJECT_OPERATIONS(OPERATION)

/* OPERATION(name, number) for every operation of vfio; one class of record fits all of them. */
#define SCOPE_VFIO_OPERATIONS(OPERATION)                                                           \
	VFIO_DEVICE_OPERATIONS(OPERATION)                                                          \
	VFIO_IRQ_OPERATIONS(OPERATION)                                                             \
	VFIO_REGION_OPERATIONS(OPERATION)

/*
 * OPERATION(name, number): operations of VFIO's type1 container, numbered like those of
 * tracepoints/.  An access is made by the driver of a mediated device.
 */
#define SCOPE_TYPE1_MEMORY_OPERATIONS(OPERATION)                                                   \
	OPERATION(map, 0)                                                                          \
	OPERATION(unmap, 1)                                                                        \
	OPERATION(dirty_log, 2)                                                                    \
	OPERATION(access_pin, 3)                                                                   \
	OPERATION(access_unpin, 4)                                                                 \
	OPERATION(access_rw, 5)

#define SCOPE_TYPE1_TRANSLATION_OPERATIONS(OPERATION)                                              \
	OPERATION(attach, 6)                                                                       \
	OPERATION(detach, 7)

#define SCOPE_TYPE1_OBJECT_OPERATIONS(OPERATION)                                                   \
	OPERATION(open, 8)                                                                         \
	OPERATION(close, 9)

#define SCOPE_TYPE1_OPERATIONS(OPERATION)                                                          \
	SCOPE_TYPE1_MEMORY_OPERATIONS(OPERATION)                                                   \
	SCOPE_TYPE1_TRANSLATION_OPERATIONS(OPERATION)                                              \
	SCOPE_TYPE1_OBJECT_OPERATIONS(OPERATION)

/* Number of operations of each list; an operation has a number from 0 to that, minus 1. */
enum {
#define SCOPE_COUNT(name, number) SCOPE_COUNT_iommufd_##name,
	SCOPE_IOMMUFD_OPERATIONS(SCOPE_COUNT)
#undef SCOPE_COUNT
	SCOPE_NR_IOMMUFD_OPERATIONS,
};

enum {
#define SCOPE_COUNT(name, number) SCOPE_COUNT_vfio_##name,
	SCOPE_VFIO_OPERATIONS(SCOPE_COUNT)
#undef SCOPE_COUNT
	SCOPE_NR_VFIO_OPERATIONS,
};

enum {
#define SCOPE_COUNT(name, number) SCOPE_COUNT_type1_##name,
	SCOPE_TYPE1_OPERATIONS(SCOPE_COUNT)
#undef SCOPE_COUNT
	SCOPE_NR_TYPE1_OPERATIONS,
};

/* The modules' numbers of iommufd, followed by those of vfio, and then those of type1. */
enum scope_operation {
#define SCOPE_OPERATION_ENUM(name, number) SCOPE_OPERATION_iommufd_##name = (number),
	SCOPE_IOMMUFD_OPERATIONS(SCOPE_OPERATION_ENUM)
#undef SCOPE_OPERATION_ENUM
#define SCOPE_OPERATION_ENUM(name, number)                                                         \
	SCOPE_OPERATION_vfio_##name = SCOPE_NR_IOMMUFD_OPERATIONS + (number),
	SCOPE_VFIO_OPERATIONS(SCOPE_OPERATION_ENUM)
#undef SCOPE_OPERATION_ENUM
	SCOPE_FIRST_TYPE1_OPERATION = SCOPE_NR_IOMMUFD_OPERATIONS + SCOPE_NR_VFIO_OPERATIONS,
#define SCOPE_OPERATION_ENUM(name, number)                                                         \
	SCOPE_OPERATION_type1_##name = SCOPE_FIRST_TYPE1_OPERATION + (number),
	SCOPE_TYPE1_OPERATIONS(SCOPE_OPERATION_ENUM)
#undef SCOPE_OPERATION_ENUM
	SCOPE_NR_OPERATIONS = SCOPE_FIRST_TYPE1_OPERATION + SCOPE_NR_TYPE1_OPERATIONS,
};

_Static_assert(SCOPE_NR_OPERATIONS <= 64, "sets of operations are 64 bits");

/* Sets of operations, one bit each. */
#define SCOPE_BIT(name, number) | 1ULL << (number)
#define SCOPE_SET(OPERATIONS) (0ULL OPERATIONS(SCOPE_BIT))

/* A number that is used twice leaves a gap elsewhere. */
_Static_assert(SCOPE_SET(SCOPE_IOMMUFD_OPERATIONS) == (1ULL << SCOPE_NR_IOMMUFD_OPERATIONS) - 1,
	       "each number of an operation of iommufd is one operation's");
_Static_assert(SCOPE_SET(SCOPE_VFIO_OPERATIONS) == (1ULL << SCOPE_NR_VFIO_OPERATIONS) - 1,
	       "each number of an operation of vfio is one operation's");
_Static_assert(SCOPE_SET(SCOPE_TYPE1_OPERATIONS) == (1ULL << SCOPE_NR_TYPE1_OPERATIONS) - 1,
	       "each number of an operation of type1 is one operation's");

/**
 * scope_iommufd_operation() - get the operation of a record
 * @opcode: the record's number
 *
 * Return: enum scope_operation; SCOPE_NR_OPERATIONS for an operation of newer modules.
 */
static inline unsigned int scope_iommufd_operation(unsigned int opcode)
{
	return opcode < SCOPE_NR_IOMMUFD_OPERATIONS ? opcode : SCOPE_NR_OPERATIONS;
}

/**
 * scope_vfio_operation() - get the operation of a record
 * @opcode: the record's number
 *
 * Return: enum scope_operation; SCOPE_NR_OPERATIONS for an operation of newer modules.
 */
static inline unsigned int scope_vfio_operation(unsigned int opcode)
{
	return opcode < SCOPE_NR_VFIO_OPERATIONS ? SCOPE_NR_IOMMUFD_OPERATIONS + opcode :
						   SCOPE_NR_OPERATIONS;
}

/* Subject of an operation, which determines the meaningful fields of its record. */
enum scope_class {
	SCOPE_CLASS_MEMORY,
	SCOPE_CLASS_TRANSLATION,
	SCOPE_CLASS_OBJECT,
	SCOPE_CLASS_VFIO,
	SCOPE_NR_CLASSES,
};

/*
 * The phases of all classes, in sequence: those of memory operations, starting with the wait that
 * translation and object operations also have; those of translation operations; and those of vfio,
 * with a wait of its own.
 */
enum scope_phase {
#define SCOPE_PHASE_ENUM(name, text) SCOPE_PHASE_##name,
	IOMMUFD_PHASES(SCOPE_PHASE_ENUM)
#undef SCOPE_PHASE_ENUM
#define SCOPE_PHASE_ENUM(name, text) SCOPE_PHASE_vfio_##name,
	VFIO_PHASES(SCOPE_PHASE_ENUM)
#undef SCOPE_PHASE_ENUM
	SCOPE_NR_PHASES,

	SCOPE_NR_MEMORY_PHASES = SCOPE_PHASE_unpin + 1,
	SCOPE_FIRST_TRANSLATION_PHASE = SCOPE_NR_MEMORY_PHASES,
	SCOPE_FIRST_VFIO_PHASE = SCOPE_PHASE_vfio_wait,
	SCOPE_NR_TRANSLATION_PHASES = SCOPE_FIRST_VFIO_PHASE - SCOPE_FIRST_TRANSLATION_PHASE,
	SCOPE_NR_VFIO_PHASES = SCOPE_NR_PHASES - SCOPE_FIRST_VFIO_PHASE,
};

enum scope_iommufd_reason {
#define SCOPE_REASON_ENUM(name, a, b, text) SCOPE_REASON_iommufd_##name,
	IOMMUFD_REASONS(SCOPE_REASON_ENUM)
#undef SCOPE_REASON_ENUM
	SCOPE_NR_IOMMUFD_REASONS,
};

enum scope_vfio_reason {
#define SCOPE_REASON_ENUM(name, a, b, text) SCOPE_REASON_vfio_##name,
	VFIO_REASONS(SCOPE_REASON_ENUM)
#undef SCOPE_REASON_ENUM
	SCOPE_NR_VFIO_REASONS,
};

/*
 * REASON(name, meaning of reason_a, meaning of reason_b, text): reasons that only a look from
 * outside gives, for any operation.  Where the lists of tracepoints/ have a matching reason, that
 * one is used.
 */
#define SCOPE_PROBED_REASONS(REASON)                                                               \
	REASON(unknown, "0", "0", "the kernel does not say why")                                   \
	REASON(dma_entry_limit, "areas allowed", "0", "the container has as many areas as it may have")

enum scope_probed_reason {
	SCOPE_FIRST_PROBED_REASON = 256,
	SCOPE_BEFORE_PROBED_REASONS = SCOPE_FIRST_PROBED_REASON - 1,
#define SCOPE_REASON_ENUM(name, a, b, text) SCOPE_REASON_probed_##name,
	SCOPE_PROBED_REASONS(SCOPE_REASON_ENUM)
#undef SCOPE_REASON_ENUM
	SCOPE_END_PROBED_REASONS,
};

/* Origin of a record.  Trace files contain these numbers: new ones go to the end. */
enum scope_source {
	/* events of our modules */
	SCOPE_SOURCE_OWN,
	/* functions of the kernel's own iommufd */
	SCOPE_SOURCE_UPSTREAM,
	/* functions of VFIO's type1 container */
	SCOPE_SOURCE_TYPE1,
	/* functions of the kernel's own vfio and vfio-pci */
	SCOPE_SOURCE_VFIO,
	SCOPE_NR_SOURCES,
};

/* Lengths of the name of a task, and of the names in struct iommufd_op. */
#define SCOPE_COMM_LEN 16
#define SCOPE_DEVICE_LEN 32
#define SCOPE_DRIVER_LEN 16

/**
 * scope_operation_class() - get the class of an operation
 * @operation: enum scope_operation
 *
 * Return: its enum scope_class.
 */
static inline enum scope_class scope_operation_class(unsigned int operation)
{
	if (operation >= SCOPE_FIRST_TYPE1_OPERATION) {
		operation -= SCOPE_FIRST_TYPE1_OPERATION;
		if (SCOPE_SET(SCOPE_TYPE1_MEMORY_OPERATIONS) >> operation & 1)
			return SCOPE_CLASS_MEMORY;
		if (SCOPE_SET(SCOPE_TYPE1_TRANSLATION_OPERATIONS) >> operation & 1)
			return SCOPE_CLASS_TRANSLATION;
		return SCOPE_CLASS_OBJECT;
	}
	if (operation >= SCOPE_NR_IOMMUFD_OPERATIONS)
		return SCOPE_CLASS_VFIO;
	if (SCOPE_SET(IOMMUFD_MEMORY_OPERATIONS) >> operation & 1)
		return SCOPE_CLASS_MEMORY;
	if (SCOPE_SET(IOMMUFD_TRANSLATION_OPERATIONS) >> operation & 1)
		return SCOPE_CLASS_TRANSLATION;
	return SCOPE_CLASS_OBJECT;
}

/**
 * scope_has_phase() - check that an operation of a class can spend time in a phase
 * @class: enum scope_class
 * @phase: enum scope_phase
 *
 * Return: nonzero if it can.
 */
static inline int scope_has_phase(enum scope_class class, unsigned int phase)
{
	switch (class) {
	case SCOPE_CLASS_MEMORY:
		return phase < SCOPE_NR_MEMORY_PHASES;
	case SCOPE_CLASS_TRANSLATION:
		return phase == SCOPE_PHASE_wait || (phase >= SCOPE_FIRST_TRANSLATION_PHASE &&
						     phase < SCOPE_FIRST_VFIO_PHASE);
	case SCOPE_CLASS_OBJECT:
		return phase == SCOPE_PHASE_wait;
	default:
		return phase >= SCOPE_FIRST_VFIO_PHASE && phase < SCOPE_NR_PHASES;
	}
}

#endif
