/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation under observation.
 *
 * A function that is called by user space or a driver puts a struct iommufd_op (see
 * tracepoints/iommufd_op.h) on its stack, calls iommufd_op_begin(), passes the record down, and
 * calls iommufd_op_end().  While no event of iommufd is enabled, all of this costs jumps that are
 * not taken and a few stores to the stack.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_OP_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_OP_H

#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>

#include "iommufd_op.h"
#include "iommufd_reasons.h"
#include "op_clock.h"

struct device;
struct iommufd_ctx;

#define IOMMUFD_START_DECLARE(name) DECLARE_TRACEPOINT(iommufd_##name##_start);
IOMMUFD_START_EVENTS(IOMMUFD_START_DECLARE)
#undef IOMMUFD_START_DECLARE

DECLARE_STATIC_KEY_FALSE(iommufd_op_key);

void __iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
			enum iommufd_opcode opcode);
void __iommufd_op_start(struct iommufd_op *op);
void __iommufd_op_device(struct iommufd_op *op, struct device *dev);
void __iommufd_op_phase(struct iommufd_op *op, unsigned int phase);
int __cold __iommufd_op_fail(struct iommufd_op *op, int err, enum iommufd_reason reason, u64 a,
			     u64 b);
void __iommufd_op_end(struct iommufd_op *op, int ret);

/**
 * iommufd_op_begin() - start the observation of an operation
 * @op: the operation, need not be initialised
 * @ictx: the context it works on, or NULL
 * @opcode: its kind
 *
 * Starts the clock if an event is enabled.  Pair with iommufd_op_end().
 */
static inline void iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
				    enum iommufd_opcode opcode)
{
	op->clock.armed = 0;
	if (op_observed(&iommufd_op_key))
		__iommufd_op_begin(op, ictx, opcode);
}

/**
 * iommufd_op_start() - fire the start event of an operation, once its objects are known
 * @op: the operation
 * @name: its name, without the iommufd_ of the event
 */
#define iommufd_op_start(op, name)                                                                 \
	do {                                                                                       \
		if (op_event_enabled(iommufd_##name##_start))                                      \
			__iommufd_op_start(op);                                                    \
	} while (0)

/**
 * iommufd_op_phase() - charge the time from now on to a phase
 * @op: the operation
 * @phase: enum iommufd_phase, IOMMUFD_PHASE_other for none of them
 *
 * Phases do not nest.  A function that switches the phase restores the caller's phase itself if the
 * caller continues in it.
 *
 * Filling an HWPT pins and maps memory, and dropping one unpins it.  In an attach all of that time
 * belongs to the phase fill or drop: while one of these runs, changes to the phases account to
 * unpin are ignored.
 */
static __always_inline void iommufd_op_phase(struct iommufd_op *op, unsigned int phase)
{
	if (!op_observed(&iommufd_op_key))
		return;
	if (likely(op->clock.armed == OP_CLOCK_CYCLES) && phase != IOMMUFD_PHASE_fill &&
	    phase != IOMMUFD_PHASE_drop)
		op_clock_phase(&op->clock, op->phase_ns, phase, op_cycles());
	else
		__iommufd_op_phase(op, phase);
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
 * @nr: amount to add
 */
static inline void iommufd_op_add(struct iommufd_op *op, u64 *counter, u64 nr)
{
	/* not armed, it adds to a counter that nothing reads */
	if (op_observed(&iommufd_op_key))
		*counter += nr;
}

/**
 * iommufd_op_end() - end an operation and fire its event
 * @op: the operation
 * @ret: its result: 0 (or positive) or a negative errno
 */
static inline void iommufd_op_end(struct iommufd_op *op, int ret)
{
	if (op_observed(&iommufd_op_key))
		__iommufd_op_end(op, ret);
}

/**
 * iommufd_op_fail() - name the reason of a failure
 * @op: the operation
 * @err: the negative errno that the caller is about to return
 * @reason: the reason
 * @a: first number of the reason, see tracepoints/iommufd_reasons.h
 * @b: second number
 *
 * The first reason stays: an error during cleanup does not hide the original cause.
 *
 * Return: @err
 */
static __always_inline int iommufd_op_fail(struct iommufd_op *op, int err,
					   enum iommufd_reason reason, u64 a, u64 b)
{
	/*
	 * The compiler need not keep registers alive across this call: it either sees the return
	 * value or makes this the last call.
	 */
	if (op_observed(&iommufd_op_key)) {
		int ret = __iommufd_op_fail(op, err, reason, a, b);

		return __builtin_constant_p(err) ? err : ret;
	}
	return err;
}

/**
 * iommufd_op_enter() - iommufd_op_phase() for callers that restore the previous phase afterwards
 * @op: the operation
 * @phase: enum iommufd_phase
 *
 * Return: the phase that was running, for iommufd_op_phase().
 */
static __always_inline unsigned int iommufd_op_enter(struct iommufd_op *op, unsigned int phase)
{
	unsigned int before;

	if (!op_observed(&iommufd_op_key))
		return IOMMUFD_PHASE_other;
	before = op->clock.phase;
	iommufd_op_phase(op, phase);
	return before;
}

/**
 * iommufd_op_down_read() - take a semaphore for reading and charge the wait, if any
 * @op: the operation; gets the reason interrupted
 * @sem: the semaphore
 *
 * If the semaphore is free there is no wait, and its time is not measured.  Afterwards the
 * operation is back in its previous phase.
 *
 * Return: 0, or -EINTR if a fatal signal arrived.
 */
static inline int __must_check iommufd_op_down_read(struct iommufd_op *op,
						    struct rw_semaphore *sem)
{
	unsigned int phase;
	int rc;

	/* lockdep learns nothing from a trylock */
	if (!IS_ENABLED(CONFIG_LOCKDEP) && likely(down_read_trylock(sem)))
		return 0;
	phase = iommufd_op_enter(op, IOMMUFD_PHASE_wait);
	rc = down_read_killable(sem);
	iommufd_op_phase(op, phase);
	return rc ? iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0) : 0;
}

/**
 * iommufd_op_down_write() - take a semaphore for writing and charge the wait, if any
 * @op: the operation; gets the reason interrupted
 * @sem: the semaphore
 *
 * Return: 0, or -EINTR if a fatal signal arrived.
 */
static inline int __must_check iommufd_op_down_write(struct iommufd_op *op,
						     struct rw_semaphore *sem)
{
	unsigned int phase;
	int rc;

	if (!IS_ENABLED(CONFIG_LOCKDEP) && likely(down_write_trylock(sem)))
		return 0;
	phase = iommufd_op_enter(op, IOMMUFD_PHASE_wait);
	rc = down_write_killable(sem);
	iommufd_op_phase(op, phase);
	return rc ? iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0) : 0;
}

/**
 * iommufd_op_look_around() - reschedule in a long loop, and check for a fatal signal
 * @op: the operation; gets the reason interrupted
 *
 * Return: 0, or -EINTR if a fatal signal arrived.
 */
static inline int __must_check iommufd_op_look_around(struct iommufd_op *op)
{
	cond_resched();
	if (fatal_signal_pending(current))
		return iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
	return 0;
}

/**
 * iommufd_op_lock() - take a mutex and charge the wait
 * @op: the operation; gets the reason interrupted
 * @mutex: the mutex
 *
 * Return: 0, or -EINTR if a fatal signal arrived.
 */
static inline int __must_check iommufd_op_lock(struct iommufd_op *op, struct mutex *mutex)
{
	unsigned int phase;
	int rc;

	phase = iommufd_op_enter(op, IOMMUFD_PHASE_wait);
	rc = mutex_lock_killable(mutex);
	iommufd_op_phase(op, phase);
	return rc ? iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0) : 0;
}

#endif
