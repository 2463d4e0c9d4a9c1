/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of an operation under observation.
 *
 * The subsystems have an operation structure each (tracepoints/<system>_op.h),
 * because each tells other things; what they have in common are the members
 * @opcode, @armed, @phase, @ret, @reason, @reason_a, @reason_b, @start_ns,
 * @dur_ns, @phase_start, @phase_ns[], @start_ticks and @tick_ns, and these
 * helpers, which are macros only so that they work on each of the structures.
 * An operation lives on the stack of one thread: nothing here needs a lock.
 *
 * An operation that maps one page takes two microseconds and changes its phase
 * six times, so a change must cost next to nothing.  It is timed in ticks of the
 * processor's cycle counter, and only its end makes nanoseconds of them.  Where
 * the counter is not to be trusted, ticks are the nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef IOMMUSCOPE_OP_CLOCK_H
#define IOMMUSCOPE_OP_CLOCK_H

#include <linux/jump_label.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/tracepoint-defs.h>
#ifdef CONFIG_X86
#include <asm/cpufeature.h>
#include <asm/hypervisor.h>
#include <asm/tsc.h>
#endif

/*
 * Is an event of the subsystem with this key enabled?  Is this event?  Built without events, none
 * ever is.
 */
#ifdef IOMMUSCOPE_NO_EVENTS
#define op_observed(key) false
#define op_event_enabled(event) false
#else
#define op_observed(key) static_branch_unlikely(key)
#define op_event_enabled(event) tracepoint_enabled(event)
#endif

/*
 * Of @armed: the operation is not timed, in CLOCK_MONOTONIC, in cycles; or by either of them, with
 * changes of phase that do not count.
 */
enum op_clock {
	OP_CLOCK_OFF,
	OP_CLOCK_MONOTONIC,
	OP_CLOCK_CYCLES,
	OP_CLOCK_KEEPS_PHASE = 0x80,
};

/* @tick_ns is in 2^-32 ns */
#define OP_TICK_SHIFT 32
/* The cycle counter's rate is known to 500 ppm at worst: up to here, 5 us. */
#define OP_TICKS_EXACT_NS (10 * NSEC_PER_MSEC)

#ifdef CONFIG_X86
static inline u64 op_cycles(void)
{
	return rdtsc();
}

/**
 * op_cycle_ns() - how long a cycle of the cycle counter is
 *
 * The kernel knows whether all CPUs' counters agree and never stop; of a virtual machine's it
 * knows only what the hypervisor promises.
 *
 * Return: 2^-32 ns, 0 if the counter is not to be used.
 */
static inline u64 op_cycle_ns(void)
{
	if (!tsc_khz || check_tsc_unstable())
		return 0;
	if (!boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !hypervisor_is_type(X86_HYPER_NATIVE))
		return 0;
	return div_u64((u64)NSEC_PER_MSEC << OP_TICK_SHIFT, tsc_khz);
}
#else
static inline u64 op_cycles(void)
{
	return 0;
}

static inline u64 op_cycle_ns(void)
{
	return 0;
}
#endif

static inline u64 op_ticks(enum op_clock clock)
{
	return likely(clock == OP_CLOCK_CYCLES) ? op_cycles() : ktime_get_ns();
}

/**
 * op_clock_begin() - start the clock of an operation
 * @op: the operation, zeroed
 * @code: its opcode
 * @other: the phase that stands for none of the phases
 * @cycle_ns: what op_cycle_ns() returned as an event was enabled
 */
#define op_clock_begin(op, code, other, cycle_ns)                                                  \
	do {                                                                                       \
		(op)->opcode = (code);                                                             \
		(op)->phase = (other);                                                             \
		(op)->start_ns = ktime_get_ns();                                                   \
		if (likely(cycle_ns)) {                                                            \
			(op)->armed = OP_CLOCK_CYCLES;                                             \
			(op)->tick_ns = (cycle_ns);                                                \
			(op)->start_ticks = op_cycles();                                           \
		} else {                                                                           \
			(op)->armed = OP_CLOCK_MONOTONIC;                                          \
			(op)->tick_ns = 1ULL << OP_TICK_SHIFT;                                     \
			(op)->start_ticks = (op)->start_ns;                                        \
		}                                                                                  \
		(op)->phase_start = (op)->start_ticks;                                             \
	} while (0)

/**
 * op_clock_phase() - charge the time since the last change to the phase that ran, start another
 * @op: the operation
 * @next: the phase that begins
 * @now: the clock's ticks
 */
#define op_clock_phase(op, next, now)                                                              \
	do {                                                                                       \
		u64 op_now = (now);                                                                \
												   \
		(op)->phase_ns[(op)->phase] += op_now - (op)->phase_start;                         \
		(op)->phase_start = op_now;                                                        \
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

/*
 * Nanoseconds of a number of ticks.  Two CPUs' counters may differ by a few cycles, and what is
 * less than none then is none.
 */
static inline u64 op_ticks_ns(u64 ticks, u64 tick_ns)
{
	return (s64)ticks > 0 ? mul_u64_u64_shr(ticks, tick_ns, OP_TICK_SHIFT) : 0;
}

/* Make nanoseconds of the ticks of those phases that @phases, a constant, has a bit for. */
static __always_inline void op_phases_ns(u64 *phase_ns, unsigned int nr_phases, u32 phases,
					 u64 tick_ns)
{
	unsigned int i;

#pragma GCC unroll 16
	for (i = 0; i < nr_phases; i++)
		if (phases & 1U << i && phase_ns[i])
			phase_ns[i] = op_ticks_ns(phase_ns[i], tick_ns);
}

/**
 * op_clock_stop() - stop the clock: the duration is known, of the phases the ticks
 * @op: the operation
 * @other: the phase that stands for none of the phases
 * @now: the clock's ticks
 */
#define op_clock_stop(op, other, now)                                                              \
	do {                                                                                       \
		op_clock_phase(op, other, now);                                                    \
		(op)->dur_ns = op_ticks_ns((op)->phase_start - (op)->start_ticks, (op)->tick_ns);  \
	} while (0)

/* An operation that took long tells itself how long its ticks were. */
#define op_clock_correct(op)                                                                       \
	do {                                                                                       \
		(op)->dur_ns = ktime_get_ns() - (op)->start_ns;                                    \
		(op)->tick_ns = mul_u64_u64_div_u64((op)->dur_ns, 1ULL << OP_TICK_SHIFT,           \
						    (op)->phase_start - (op)->start_ticks);        \
	} while (0)

/**
 * op_clock_tell() - make nanoseconds of the phases, note the result
 * @op: the operation, its clock stopped
 * @how: its result; not negative is success, which has no reason
 * @nr_phases: a constant; so many phases, from the first on, may have taken time
 */
#define op_clock_tell(op, how, nr_phases) op_clock_tell_some(op, how, nr_phases, ~0U)

/* The same where only phases of a constant set, a bit each, may have taken time. */
#define op_clock_tell_some(op, how, nr_phases, phases)                                             \
	do {                                                                                       \
		op_phases_ns((op)->phase_ns, nr_phases, phases, (op)->tick_ns);                    \
		(op)->ret = (how);                                                                 \
		if ((op)->ret >= 0)                                                                \
			(op)->reason = 0;                                                          \
	} while (0)

/**
 * op_clock_end() - stop the clock, make nanoseconds of all times
 * @op: the operation
 * @how: its result; not negative is success, which has no reason
 * @other: the phase that stands for none of the phases
 * @nr_phases: a constant; so many phases, from the first on, may have taken time
 */
#define op_clock_end(op, how, other, nr_phases)                                                    \
	do {                                                                                       \
		op_clock_stop(op, other, op_ticks((op)->armed));                                   \
		if (unlikely((op)->dur_ns > OP_TICKS_EXACT_NS))                                    \
			op_clock_correct(op);                                                      \
		op_clock_tell(op, how, nr_phases);                                                 \
	} while (0)

#endif
