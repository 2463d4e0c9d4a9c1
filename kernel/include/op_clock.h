/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of an operation under observation, struct op_clock of tracepoints/op_record.h.
 *
 * Each record of a subsystem has one clock and an array phase_ns[] with one entry for each phase,
 * and one more for the time outside all phases.  A record lives on the stack of one thread, so
 * nothing here needs a lock.
 *
 * An operation that maps one page takes two microseconds and changes its phase six times, so a
 * change must cost next to nothing.  Time is therefore counted in ticks of the processor's cycle
 * counter and converted to nanoseconds at the end.  Where the counter is not reliable, a tick is a
 * nanosecond of CLOCK_MONOTONIC.
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

#include "op_record.h"

/*
 * Whether an event of the subsystem with this key is enabled, and whether this event is.  Built
 * without events, the answer is always no.
 */
#ifdef IOMMUSCOPE_NO_EVENTS
#define op_observed(key) false
#define op_event_enabled(event) false
#else
#define op_observed(key) static_branch_unlikely(key)
#define op_event_enabled(event) tracepoint_enabled(event)
#endif

/*
 * Values of op_clock.armed: the operation is not timed, is timed in CLOCK_MONOTONIC, or is timed in
 * cycles; the last two also exist in a variant that ignores changes of phase.
 */
enum op_clock_mode {
	OP_CLOCK_OFF,
	OP_CLOCK_MONOTONIC,
	OP_CLOCK_CYCLES,
	OP_CLOCK_KEEPS_PHASE = 0x80,
};

/* op_clock.tick_ns is in 2^-32 ns */
#define OP_TICK_SHIFT 32
/*
 * The rate of the cycle counter is known to 500 ppm at worst: up to this duration, the error is 5
 * us.
 */
#define OP_TICKS_EXACT_NS (10 * NSEC_PER_MSEC)

#ifdef CONFIG_X86
static inline u64 op_cycles(void)
{
	return rdtsc();
}

/**
 * op_cycle_ns() - length of a cycle of the cycle counter
 *
 * The kernel knows whether the counters of all CPUs agree and never stop.  In a virtual machine it
 * only knows what the hypervisor promises.
 *
 * Return: the length in 2^-32 ns, 0 if the counter is not to be used.
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

static inline u64 op_ticks(const struct op_clock *clock)
{
	return likely(clock->armed == OP_CLOCK_CYCLES) ? op_cycles() : ktime_get_ns();
}

/**
 * op_zero() - zero the story of a record at its start
 * @story: the group of that name
 * @size: its bytes, a constant
 */
static __always_inline void op_zero(void *story, size_t size)
{
	u64 *word = story;
	unsigned int i;

	/*
	 * neither a loop nor a string instruction: the startup of either takes longer than the
	 * stores
	 */
#pragma GCC unroll 64
	for (i = 0; i < size / sizeof(*word); i++)
		WRITE_ONCE(word[i], 0);
}

/**
 * op_clock_begin_at() - start the clock of an operation at a known moment
 * @clock: the clock, need not be initialised
 * @opcode: the kind of the operation
 * @other: the phase that stands for none of the phases
 * @mode: the unit of the ticks
 * @start_ns: CLOCK_MONOTONIC
 * @ticks: the clock's ticks
 * @tick_ns: length of a tick
 *
 * Sets every member; the assertion fails when a member is added.
 */
static __always_inline void op_clock_begin_at(struct op_clock *clock, u16 opcode, u8 other,
					      enum op_clock_mode mode, u64 start_ns, u64 ticks,
					      u64 tick_ns)
{
	/*
	 * one by one: to zero the whole structure, the compiler would use a slow string instruction
	 */
	static_assert(sizeof(*clock) == 72);
	clock->opcode = opcode;
	clock->armed = mode;
	clock->phase = other;
	clock->ret = 0;
	clock->reason = 0;
	clock->reserved = 0;
	clock->reason_a = 0;
	clock->reason_b = 0;
	clock->start_ns = start_ns;
	clock->dur_ns = 0;
	clock->phase_start = ticks;
	clock->start_ticks = ticks;
	clock->tick_ns = tick_ns;
}

/**
 * op_clock_begin() - start the clock of an operation
 * @clock: the clock, need not be initialised
 * @opcode: the kind of the operation
 * @other: the phase that stands for none of the phases
 * @cycle_ns: result of op_cycle_ns() when an event was enabled
 */
static inline void op_clock_begin(struct op_clock *clock, u16 opcode, u8 other, u64 cycle_ns)
{
	u64 now = ktime_get_ns();

	if (likely(cycle_ns))
		op_clock_begin_at(clock, opcode, other, OP_CLOCK_CYCLES, now, op_cycles(),
				  cycle_ns);
	else
		op_clock_begin_at(clock, opcode, other, OP_CLOCK_MONOTONIC, now, now,
				  1ULL << OP_TICK_SHIFT);
}

/**
 * op_clock_phase() - charge the time since the last change to the running phase, and start another
 * @clock: the clock
 * @phase_ns: the times of the phases
 * @next: the phase that starts
 * @now: the clock's ticks
 */
static __always_inline void op_clock_phase(struct op_clock *clock, u64 *phase_ns,
					   unsigned int next, u64 now)
{
	phase_ns[clock->phase] += now - clock->phase_start;
	clock->phase_start = now;
	clock->phase = next;
}

/**
 * op_clock_fail() - set the reason of a failure, unless one is set already
 * @clock: the clock
 * @reason: the reason
 * @a: its first number
 * @b: its second number
 */
static inline void op_clock_fail(struct op_clock *clock, u32 reason, u64 a, u64 b)
{
	if (!clock->armed || clock->reason)
		return;
	clock->reason = reason;
	clock->reason_a = a;
	clock->reason_b = b;
}

/*
 * Converts ticks to nanoseconds.  The counters of two CPUs may differ by a few cycles, so a
 * negative difference counts as 0.
 */
static inline u64 op_ticks_ns(u64 ticks, u64 tick_ns)
{
	return (s64)ticks > 0 ? mul_u64_u64_shr(ticks, tick_ns, OP_TICK_SHIFT) : 0;
}

/* Converts ticks to nanoseconds for the phases whose bits are set in @phases, a constant. */
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
 * op_clock_stop() - stop the clock: the duration is then in nanoseconds, the phases still in ticks
 * @clock: the clock
 * @phase_ns: the times of the phases
 * @other: the phase that stands for none of the phases
 * @now: the clock's ticks
 */
static __always_inline void op_clock_stop(struct op_clock *clock, u64 *phase_ns,
					  unsigned int other, u64 now)
{
	op_clock_phase(clock, phase_ns, other, now);
	clock->dur_ns = op_ticks_ns(clock->phase_start - clock->start_ticks, clock->tick_ns);
}

/* After a long operation, CLOCK_MONOTONIC gives the exact length of its ticks. */
static inline void op_clock_correct(struct op_clock *clock)
{
	clock->dur_ns = ktime_get_ns() - clock->start_ns;
	clock->tick_ns = mul_u64_u64_div_u64(clock->dur_ns, 1ULL << OP_TICK_SHIFT,
					     clock->phase_start - clock->start_ticks);
}

/**
 * op_clock_result() - convert the phases to nanoseconds and store the result
 * @clock: the clock, stopped
 * @phase_ns: the times of the phases
 * @ret: the result; a value of 0 or more is success, which has no reason
 * @nr_phases: a constant; only the first @nr_phases phases may have taken time
 * @phases: a constant; one bit for each of those phases that may have taken time
 */
static __always_inline void op_clock_result(struct op_clock *clock, u64 *phase_ns, int ret,
					    unsigned int nr_phases, u32 phases)
{
	op_phases_ns(phase_ns, nr_phases, phases, clock->tick_ns);
	clock->ret = ret;
	if (ret >= 0)
		clock->reason = 0;
}

/**
 * op_clock_end() - stop the clock and convert all times to nanoseconds
 * @clock: the clock
 * @phase_ns: the times of the phases
 * @ret: the result; a value of 0 or more is success, which has no reason
 * @other: the phase that stands for none of the phases
 * @nr_phases: a constant; only the first @nr_phases phases may have taken time
 */
static __always_inline void op_clock_end(struct op_clock *clock, u64 *phase_ns, int ret,
					 unsigned int other, unsigned int nr_phases)
{
	op_clock_stop(clock, phase_ns, other, op_ticks(clock));
	if (unlikely(clock->dur_ns > OP_TICKS_EXACT_NS))
		op_clock_correct(clock);
	op_clock_result(clock, phase_ns, ret, nr_phases, ~0U);
}

#endif
