/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation under observation.
 *
 * A function that user space or a driver calls puts a struct iommufd_op (see
 * tracepoints/iommufd_op.h) on its stack, calls iommufd_op_begin(), passes it
 * down, and calls iommufd_op_end().  While no event of iommufd is enabled all
 * of this is jumps not taken, and stores to the stack.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_OP_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_OP_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include "iommufd_op.h"
#include "iommufd_reasons.h"
#include "op_clock.h"

struct device;
struct iommufd_ctx;

DECLARE_STATIC_KEY_FALSE(iommufd_op_key);

void __iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
			enum iommufd_opcode opcode);
void __iommufd_op_start(struct iommufd_op *op);
void __iommufd_op_device(struct iommufd_op *op, struct device *dev);
void __iommufd_op_fail(struct iommufd_op *op, enum iommufd_reason reason, u64 a, u64 b);
void __iommufd_op_end(struct iommufd_op *op, int ret);

/**
 * iommufd_op_begin() - begin to observe an operation
 * @op: the operation, need not be initialised
 * @ictx: the context it works on, or NULL
 * @opcode: what it is
 *
 * Starts the clock if an event is enabled.  Pair with iommufd_op_end().
 */
static inline void iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
				    enum iommufd_opcode opcode)
{
	op->armed = 0;
	if (op_observed(&iommufd_op_key))
		__iommufd_op_begin(op, ictx, opcode);
}

/**
 * iommufd_op_start() - fire the start event of an operation, once it is known what it works on
 * @op: the operation
 */
static inline void iommufd_op_start(struct iommufd_op *op)
{
	if (op_observed(&iommufd_op_key))
		__iommufd_op_start(op);
}

/**
 * iommufd_op_phase() - charge the time from now on to a phase
 * @op: the operation
 * @phase: enum iommufd_phase, IOMMUFD_PHASE_other for none of them
 *
 * Phases do not nest: a function that switches restores its caller's phase
 * itself if the caller's time is to go on in it.
 */
static inline void iommufd_op_phase(struct iommufd_op *op, unsigned int phase)
{
	if (!op_observed(&iommufd_op_key) || !op->armed)
		return;
	/*
	 * What fills an HWPT pins and maps, what drops one unpins; of an attach all that is its
	 * phase fill or drop.
	 */
	if ((op->phase == IOMMUFD_PHASE_fill || op->phase == IOMMUFD_PHASE_drop) &&
	    phase >= IOMMUFD_PHASE_account && phase <= IOMMUFD_PHASE_unpin)
		return;
	op_clock_phase(op, phase);
}

/**
 * iommufd_op_device() - note the device, its group and its IOMMU driver
 * @op: the operation
 * @dev: the device
 */
static inline void iommufd_op_device(struct iommufd_op *op, struct device *dev)
{
	if (op_observed(&iommufd_op_key))
		__iommufd_op_device(op, dev);
}

/**
 * iommufd_op_add() - add to a counter of an operation
 * @op: the operation
 * @counter: &op->pages or &op->extents
 * @nr: how many more
 */
static inline void iommufd_op_add(struct iommufd_op *op, u64 *counter, u64 nr)
{
	if (op_observed(&iommufd_op_key) && op->armed)
		*counter += nr;
}

/**
 * iommufd_op_end() - the operation is over: fire its event
 * @op: the operation
 * @ret: how it ended: 0 (or positive) or a negative errno
 */
static inline void iommufd_op_end(struct iommufd_op *op, int ret)
{
	if (op_observed(&iommufd_op_key))
		__iommufd_op_end(op, ret);
}

/**
 * iommufd_op_fail() - name the reason of a failure
 * @op: the operation
 * @err: negative errno the caller is about to return
 * @reason: why
 * @a: first number of the reason, see tracepoints/iommufd_reasons.h
 * @b: second number
 *
 * The first reason named stays: what fails while a failure is undone does not
 * hide why.
 *
 * Return: @err
 */
static inline int iommufd_op_fail(struct iommufd_op *op, int err, enum iommufd_reason reason,
				  u64 a, u64 b)
{
	if (op_observed(&iommufd_op_key))
		__iommufd_op_fail(op, reason, a, b);
	return err;
}

#endif
