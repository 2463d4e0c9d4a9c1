/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations, described in words.
 */
#ifndef IOMMUSCOPE_DESCRIBE_OPERATION_H
#define IOMMUSCOPE_DESCRIBE_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"

/**
 * operation_what() - describe what an operation worked on
 * @op: the operation
 * @text: set to the description: "4.0 GiB at 0x100000000, ioas 2"
 * @size: size of @text
 */
void operation_what(const struct scope_op *op, char *text, size_t size);

/**
 * operation_why() - describe why an operation failed, with the numbers that decided it
 * @op: the operation
 * @text: set to the description: "RLIMIT_MEMLOCK: 64 MiB allowed, 12 MiB in use, 4096 MiB wanted"
 * @size: size of @text
 */
void operation_why(const struct scope_op *op, char *text, size_t size);

/**
 * operation_failure() - describe a failed operation in a sentence
 * @op: the operation
 * @text: set to the operation, the reason, and the caller
 * @size: size of @text
 */
void operation_failure(const struct scope_op *op, char *text, size_t size);

/**
 * operation_phase() - find the phase that took most of the time
 * @op: the operation
 * @ns: set to the time spent in it
 *
 * Return: enum scope_phase; SCOPE_NR_PHASES if most was spent outside of any phase.
 */
unsigned int operation_phase(const struct scope_op *op, uint64_t *ns);

#endif
