/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of an operation under observation.
 *
 * The subsystems have an operation structure each (tracepoints/<system>_op.h),
 * because each tells other things; what they have in common are the members
 * @opcode, @armed, @phase, @ret, @reason, @reason_a, @reason_b, @start_ns,
 * @dur_ns, @phase_start_ns and @phase_ns[], and these helpers, which are macros
 * only so that they work on each of the structures.  An operation lives on the
 * stack of one thread: nothing here needs a lock.
 */
#ifndef IOMMUSCOPE_OP_CLOCK_H
#define IOMMUSCOPE_OP_CLOCK_H

#include <linux/string.h>
#include <linux/timekeeping.h>

/**
 * op_clock_begin() - zero an operation and start its clock
 * @op: the operation
 * @code: its opcode
 * @other: the phase that stands for none of the phases
 */
#define op_clock_begin(op, code, other)                                                            \
	do {                                                                                       \
		memset(op, 0, sizeof(*(op)));                                                      \
		(op)->opcode = (code);                                                             \
		(op)->phase = (other);                                                             \
		(op)->start_ns = ktime_get_ns();                                                   \
		(op)->phase_start_ns = (op)->start_ns;                                             \
		(op)->armed = 1;                                                                   \
	} while (0)

/**
 * op_clock_phase() - charge the time since the last change to the phase that ran, start another
 * @op: the operation
 * @next: the phase that begins
 */
#define op_clock_phase(op, next)                                                                   \
	do {                                                                                       \
		u64 op_now = ktime_get_ns();                                                       \
												   \
		(op)->phase_ns[(op)->phase] += op_now - (op)->phase_start_ns;                      \
		(op)->phase_start_ns = op_now;                                                     \
		(op)->phase = (next);                                                              \
	} while (0)

/**
 * op_clock_fail() - name the reason of a failure, unless one is named already
 * @op: the operation
 * @why: the reason
 * @a: its first number
 * @b: its second number
 */
#define op_clock_fail(op, why, a, b)                                                               \
	do {                                                                                       \
		if ((op)->armed && !(op)->reason) {                                                \
			(op)->reason = (why);                                                      \
			(op)->reason_a = (a);                                                      \
			(op)->reason_b = (b);                                                      \
		}                                                                                  \
	} while (0)

/**
 * op_clock_end() - stop the clock
 * @op: the operation
 * @how: its result; not negative is success, which has no reason
 * @other: the phase that stands for none of the phases
 */
#define op_clock_end(op, how, other)                                                               \
	do {                                                                                       \
		op_clock_phase(op, other);                                                         \
		(op)->dur_ns = (op)->phase_start_ns - (op)->start_ns;                              \
		(op)->ret = (how);                                                                 \
		if ((op)->ret >= 0)                                                                \
			(op)->reason = 0;                                                          \
	} while (0)

#endif
