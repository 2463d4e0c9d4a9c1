/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations in words.
 */
#ifndef IOMMUSCOPE_DESCRIBE_OPERATION_H
#define IOMMUSCOPE_DESCRIBE_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"

/**
 * operation_what() - what an operation was about, in words
 * @op: the operation
 * @text: set to the words: "4.0 GiB at 0x100000000, ioas 2"
 * @size: size of @text
 */
void operation_what(const struct scope_op *op, char *text, size_t size);

/**
 * operation_why() - why an operation failed, with the numbers that decide
 * @op: the operation
 * @text: set to the words: "RLIMIT_MEMLOCK: 64 MiB allowed, 12 MiB in use, 4096 MiB wanted"
 * @size: size of @text
 */
void operation_why(const struct scope_op *op, char *text, size_t size);

/**
 * operation_failure() - a failed operation as a sentence
 * @op: the operation
 * @text: set to what failed, why, and whose it was
 * @size: size of @text
 */
void operation_failure(const struct scope_op *op, char *text, size_t size);

/**
 * operation_phase() - the phase in which an operation spent most of its time
 * @op: the operation
 * @ns: set to the time spent in it
 *
 * Return: enum scope_phase; SCOPE_NR_PHASES if most went outside of any phase.
 */
unsigned int operation_phase(const struct scope_op *op, uint64_t *ns);

#endif
