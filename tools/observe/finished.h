/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finished operations as the BPF programs send them.
 */
#ifndef IOMMUSCOPE_OBSERVE_FINISHED_H
#define IOMMUSCOPE_OBSERVE_FINISHED_H

#include <stddef.h>

#include "bpf/operations.h"

/**
 * finished_operation() - decode an operation from the ring buffer
 * @op: filled in, with clean names; members that were not sent are zero
 * @data: the received bytes
 * @size: number of bytes
 */
void finished_operation(struct scope_op *op, const void *data, size_t size);

#endif
