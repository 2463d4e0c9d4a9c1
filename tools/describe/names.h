/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for numbers: operations, phases, reasons, objects, errno values.
 */
#ifndef IOMMUSCOPE_DESCRIBE_NAMES_H
#define IOMMUSCOPE_DESCRIBE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * operation_name() - name of an operation: "map"
 * @operation: enum scope_operation
 *
 * Return: the name.
 */
const char *operation_name(unsigned int operation);

/**
 * operation_title() - name of an operation for people: "map", "vfio_attach"
 * @operation: enum scope_operation
 *
 * Return: the name, with the subsystem where it is not iommufd.
 */
const char *operation_title(unsigned int operation);

/**
 * operation_subsystem() - the subsystem whose event tells of an operation: "iommufd"
 * @operation: enum scope_operation
 *
 * Return: the name.
 */
const char *operation_subsystem(unsigned int operation);

/**
 * operation_source_name() - where it was seen what happened: "type1"
 * @source: enum scope_source
 *
 * Return: the name.
 */
const char *operation_source_name(unsigned int source);

/**
 * operations_find() - the operations with a name
 * @name: the name; with the subsystem and "_" before it, only that one's
 *
 * Return: a bit for each enum scope_operation, 0 if there is none.
 */
uint64_t operations_find(const char *name);

/**
 * phase_name() - name of a phase: "pin"
 * @phase: enum scope_phase
 *
 * Return: the name, "other" for SCOPE_NR_PHASES.
 */
const char *phase_name(unsigned int phase);

/**
 * phase_text() - a phase in words
 * @phase: enum scope_phase
 *
 * Return: the words.
 */
const char *phase_text(unsigned int phase);

/**
 * reason_name() - name of a reason: "memlock_limit"
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 *
 * Return: the name, "unknown" for one that this tool does not know yet.
 */
const char *reason_name(unsigned int operation, unsigned int reason);

/**
 * reason_text() - a reason in words
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 *
 * Return: the words.
 */
const char *reason_text(unsigned int operation, unsigned int reason);

/**
 * reason_number() - what a number of a reason means
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 * @second: the second number, not the first
 *
 * Return: the meaning, or NULL if the number means nothing.
 */
const char *reason_number(unsigned int operation, unsigned int reason, bool second);

/**
 * dimension_name() - name of what operations are told apart by: "device"
 * @dimension: enum scope_dimension
 *
 * Return: the name, NULL for SCOPE_BY_NONE and behind the last one.
 */
const char *dimension_name(unsigned int dimension);

/**
 * object_type_name() - name of a type of objects: "ioas"
 * @type: the number in the event
 *
 * Return: the name, "object" for a type that is not known.
 */
const char *object_type_name(unsigned int type);

/**
 * domain_type_name() - name of a type of IOMMU domains: "unmanaged"
 * @type: the kernel's number
 *
 * Return: the name, "other" for one that is not known.
 */
const char *domain_type_name(unsigned int type);

/**
 * memory_name() - what sort of memory is behind an area: "anonymous"
 * @memory: enum iommufd_state_memory
 *
 * Return: the name, "unknown" for one that is not known.
 */
const char *memory_name(unsigned int memory);

/**
 * state_source_name() - what a record of state was copied from: "own", "upstream", "type1"
 * @source: enum iommufd_state_source
 *
 * Return: the name.
 */
const char *state_source_name(unsigned int source);

/**
 * rlimit_mode_name() - for whom pinned memory counts: "user"
 * @by_process: for the process, not for the user
 *
 * Return: the name.
 */
const char *rlimit_mode_name(bool by_process);

/**
 * error_name() - name of an errno value: "ENOMEM"
 * @error: the value, of either sign
 *
 * Return: the name, "error" for one without a name.
 */
const char *error_name(int error);

#endif
