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
 * operation_title() - name of an operation for display: "map", "vfio_attach"
 * @operation: enum scope_operation
 *
 * Return: the name, with the subsystem unless that is iommufd.
 */
const char *operation_title(unsigned int operation);

/**
 * operation_subsystem() - the subsystem whose event reports an operation: "iommufd"
 * @operation: enum scope_operation
 *
 * Return: the name.
 */
const char *operation_subsystem(unsigned int operation);

/**
 * operation_source_name() - the source of an observation: "type1"
 * @source: enum scope_source
 *
 * Return: the name.
 */
const char *operation_source_name(unsigned int source);

/**
 * operations_find() - find the operations with a name
 * @name: the name; a prefix "SUBSYSTEM_" restricts it to that subsystem
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
 * phase_text() - describe a phase
 * @phase: enum scope_phase
 *
 * Return: the description.
 */
const char *phase_text(unsigned int phase);

/**
 * reason_name() - name of a reason: "memlock_limit"
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 *
 * Return: the name, "unknown" if this tool does not know it.
 */
const char *reason_name(unsigned int operation, unsigned int reason);

/**
 * reason_text() - describe a reason
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 *
 * Return: the description.
 */
const char *reason_text(unsigned int operation, unsigned int reason);

/**
 * reason_number() - meaning of a number of a reason
 * @operation: enum scope_operation, whose subsystem has the reason
 * @reason: its number in the list of that subsystem
 * @second: the second number instead of the first
 *
 * Return: the meaning, or NULL if the number means nothing.
 */
const char *reason_number(unsigned int operation, unsigned int reason, bool second);

/**
 * dimension_name() - name of what operations are split by: "device"
 * @dimension: enum scope_dimension
 *
 * Return: the name, NULL for SCOPE_BY_NONE and beyond the last one.
 */
const char *dimension_name(unsigned int dimension);

/**
 * object_type_name() - name of a type of objects: "ioas"
 * @type: the number in the event
 *
 * Return: the name, "object" for an unknown type.
 */
const char *object_type_name(unsigned int type);

/**
 * domain_type_name() - name of a type of IOMMU domains: "unmanaged"
 * @type: the kernel's number
 *
 * Return: the name, "other" for an unknown type.
 */
const char *domain_type_name(unsigned int type);

/**
 * memory_name() - name of the kind of memory behind an area: "anonymous"
 * @memory: enum iommufd_state_memory
 *
 * Return: the name, "unknown" for an unknown kind.
 */
const char *memory_name(unsigned int memory);

/**
 * state_source_name() - name of the source of a record of state: "own", "upstream", "type1"
 * @source: enum iommufd_state_source
 *
 * Return: the name.
 */
const char *state_source_name(unsigned int source);

/**
 * rlimit_mode_name() - name of what pinned memory is counted by: "user"
 * @by_process: count by process instead of by user
 *
 * Return: the name.
 */
const char *rlimit_mode_name(bool by_process);

/**
 * error_name() - name of an errno value: "ENOMEM"
 * @error: the value, of either sign
 *
 * Return: the name, "error" for a value without a name.
 */
const char *error_name(int error);

#endif
