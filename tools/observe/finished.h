/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finished operations as the BPF programs send them.
 */
#ifndef IOMMUSCOPE_OBSERVE_FINISHED_H
#define IOMMUSCOPE_OBSERVE_FINISHED_H

#include <stddef.h>

#include "bpf/operations.h"

/**
 * finished_operation() - take an operation as it came from the ring buffer
 * @op: filled in, with clean names; what was not sent is zero
 * @data: the bytes that came
 * @size: how many
 */
void finished_operation(struct scope_op *op, const void *data, size_t size);

#endif
