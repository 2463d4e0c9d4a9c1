/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of an operation under observation, struct op_clock of tracepoints/op_record.h.
 *
 * The records of the subsystems have one each, and an array phase_ns[] of as many phases as the
 * subsystem has, and one more for the time in none of them.  A record lives on the stack of one
 * thread: nothing here needs a lock.
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

#include "op_record.h"

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
 * Of op_clock.armed: the operation is not timed, in CLOCK_MONOTONIC, in cycles; or by either of
 * them, with changes of phase that do not count.
 */
enum op_clock_mode {
	OP_CLOCK_OFF,
	OP_CLOCK_MONOTONIC,
	OP_CLOCK_CYCLES,
	OP_CLOCK_KEEPS_PHASE = 0x80,
};

/* op_clock.tick_ns is in 2^-32 ns */
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

static inline u64 op_ticks(const struct op_clock *clock)
{
	return likely(clock->armed == OP_CLOCK_CYCLES) ? op_cycles() : ktime_get_ns();
}

/**
 * op_zero() - zero the story of a record that begins
 * @story: the group of that name
 * @size: its bytes, a constant
 */
static __always_inline void op_zero(void *story, size_t size)
{
	u64 *word = story;
	unsigned int i;

	/* not a loop, nor an instruction that loops: its start takes longer than the stores */
#pragma GCC unroll 64
	for (i = 0; i < size / sizeof(*word); i++)
		WRITE_ONCE(word[i], 0);
}

/**
 * op_clock_begin_at() - start the clock of an operation at a known moment
 * @clock: the clock, need not be initialised
 * @opcode: what the operation is
 * @other: the phase that stands for none of the phases
 * @mode: what the ticks are
 * @start_ns: CLOCK_MONOTONIC
 * @ticks: the clock's ticks
 * @tick_ns: how long one is
 *
 * Sets every member; the assertion is for those that are added.
 */
static __always_inline void op_clock_begin_at(struct op_clock *clock, u16 opcode, u8 other,
					      enum op_clock_mode mode, u64 start_ns, u64 ticks,
					      u64 tick_ns)
{
	/* one by one: to zero the structure first the compiler uses an instruction that loops */
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
 * @opcode: what the operation is
 * @other: the phase that stands for none of the phases
 * @cycle_ns: what op_cycle_ns() returned as an event was enabled
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
 * op_clock_phase() - charge the time since the last change to the phase that ran, start another
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
 * op_clock_fail() - name the reason of a failure, unless one is named already
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

/* An operation that took long shows itself how long its ticks were. */
static inline void op_clock_correct(struct op_clock *clock)
{
	clock->dur_ns = ktime_get_ns() - clock->start_ns;
	clock->tick_ns = mul_u64_u64_div_u64(clock->dur_ns, 1ULL << OP_TICK_SHIFT,
					     clock->phase_start - clock->start_ticks);
}

/**
 * op_clock_result() - make nanoseconds of the phases, note the result
 * @clock: the clock, stopped
 * @phase_ns: the times of the phases
 * @ret: the result; not negative is success, which has no reason
 * @nr_phases: a constant; so many phases, from the first on, may have taken time
 * @phases: a constant; those of them that may, a bit each
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
 * op_clock_end() - stop the clock, make nanoseconds of all times
 * @clock: the clock
 * @phase_ns: the times of the phases
 * @ret: the result; not negative is success, which has no reason
 * @other: the phase that stands for none of the phases
 * @nr_phases: a constant; so many phases, from the first on, may have taken time
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
