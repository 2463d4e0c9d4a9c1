/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation on a VFIO device under observation, for the core and for its drivers.
 *
 * A function puts a struct vfio_op (see tracepoints/vfio_op.h) on its stack, calls vfio_op_begin(),
 * passes the record down, and calls vfio_op_end().  While no event of vfio is enabled, all of this
 * costs jumps that are not taken and one store to the stack.
 */
#ifndef IOMMUSCOPE_VFIO_KERNEL_OP_H
#define IOMMUSCOPE_VFIO_KERNEL_OP_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include "op_clock.h"
#include "vfio_op.h"
#include "vfio_reasons.h"

struct vfio_device;

DECLARE_STATIC_KEY_FALSE(vfio_op_key);

void __vfio_op_begin(struct vfio_op *op, struct vfio_device *device, enum vfio_opcode opcode);
void __vfio_op_device(struct vfio_op *op, struct vfio_device *device);
void __vfio_op_start(struct vfio_op *op);
void __vfio_op_end(struct vfio_op *op, int ret);

/**
 * vfio_op_begin() - start the observation of an operation
 * @op: the operation, need not be initialised
 * @device: the device it works on, or NULL
 * @opcode: its kind
 *
 * Starts the clock if an event is enabled.  Pair with vfio_op_end().
 */
static inline void vfio_op_begin(struct vfio_op *op, struct vfio_device *device,
				 enum vfio_opcode opcode)
{
	op->clock.armed = 0;
	if (op_observed(&vfio_op_key))
		__vfio_op_begin(op, device, opcode);
}

/**
 * vfio_op_device() - note the device, if it becomes known only after the start
 * @op: the operation
 * @device: the device
 */
static inline void vfio_op_device(struct vfio_op *op, struct vfio_device *device)
{
	if (op_observed(&vfio_op_key) && op->clock.armed)
		__vfio_op_device(op, device);
}

/**
 * vfio_op_start() - fire the start event of an operation, if it has one
 * @op: the operation
 */
static inline void vfio_op_start(struct vfio_op *op)
{
	if (op_observed(&vfio_op_key) && op->clock.armed)
		__vfio_op_start(op);
}

/**
 * vfio_op_phase() - charge the time from now on to a phase
 * @op: the operation
 * @phase: enum vfio_phase, VFIO_PHASE_other for none of them
 */
static inline void vfio_op_phase(struct vfio_op *op, unsigned int phase)
{
	if (op_observed(&vfio_op_key) && op->clock.armed)
		op_clock_phase(&op->clock, op->phase_ns, phase, op_ticks(&op->clock));
}

/**
 * vfio_op_end() - end an operation and fire its event
 * @op: the operation
 * @ret: its result: 0 (or positive) or a negative errno
 */
static inline void vfio_op_end(struct vfio_op *op, int ret)
{
	if (op_observed(&vfio_op_key) && op->clock.armed)
		__vfio_op_end(op, ret);
}

/**
 * vfio_op_fail() - name the reason of a failure
 * @op: the operation
 * @err: the negative errno that the caller is about to return
 * @reason: the reason
 * @a: first number of the reason, see tracepoints/vfio_reasons.h
 * @b: second number
 *
 * The first reason stays: an error during cleanup does not hide the original cause.
 *
 * Return: @err
 */
static inline int vfio_op_fail(struct vfio_op *op, int err, enum vfio_reason reason, u64 a, u64 b)
{
	if (op_observed(&vfio_op_key))
		op_clock_fail(&op->clock, reason, a, b);
	return err;
}

/* Note an argument of the operation; costs nothing while no event is enabled. */
#define vfio_op_note(op, member, what)                                                             \
	do {                                                                                       \
		if (op_observed(&vfio_op_key))                                          \
			(op)->member = (what);                                                     \
	} while (0)

#endif
