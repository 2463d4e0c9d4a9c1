// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations under observation: their clocks, and the dispatch of an operation to its event.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/string.h>

#include "iommufd_private.h"

#define CREATE_TRACE_POINTS
#include "iommufd.h"

/* Counts the enabled events, so that the phase clocks run while any event is enabled. */
DEFINE_STATIC_KEY_FALSE(iommufd_op_key);

/* See op_cycle_ns(). */
static u64 cycle_ns;

/*
 * CLOCK_MONOTONIC is the cycle counter in nanoseconds plus a slowly changing offset.  An offset is
 * valid for this long; at 500 ppm it is then 50 ns off.
 */
#define OFFSET_NS (100 * NSEC_PER_USEC)
/* The same in cycles. */
static u64 offset_cycles;

/**
 * struct clock_offset - from the cycle counter to CLOCK_MONOTONIC
 * @cycles: the cycle counter when the offset was taken, or earlier
 * @ns: the offset
 *
 * Each CPU has its own, for a cache line of its own.  A thread that is preempted or migrated
 * between the two accesses may still read and write them: @ns is never older than @cycles.
 */
struct clock_offset {
	u64 cycles;
	u64 ns;
};

static DEFINE_PER_CPU(struct clock_offset, clock_offset);

int iommufd_event_enabled(void)
{
	u64 tick_ns = op_cycle_ns();
	int cpu;

	/*
	 * an offset is valid for one value of the cycle length, which the kernel refines once after
	 * boot
	 */
	if (tick_ns != READ_ONCE(cycle_ns)) {
		WRITE_ONCE(cycle_ns, 0);
		for_each_possible_cpu(cpu)
			WRITE_ONCE(per_cpu(clock_offset, cpu).cycles, 0);
		WRITE_ONCE(offset_cycles,
			   tick_ns ? div64_u64(OFFSET_NS << OP_TICK_SHIFT, tick_ns) : 0);
		WRITE_ONCE(cycle_ns, tick_ns);
	}
	static_branch_inc(&iommufd_op_key);
	return 0;
}

void iommufd_event_disabled(void)
{
	static_branch_dec(&iommufd_op_key);
}

/* A set of operations, one bit each. */
#define OPERATION_BIT(name, number) | 1ULL << (number)
#define MEMORY_OPERATIONS (0ULL IOMMUFD_MEMORY_OPERATIONS(OPERATION_BIT))

/* Every operation number fits in the set. */
#define OPERATION_FITS(name, number) static_assert((number) < 64);
IOMMUFD_MEMORY_OPERATIONS(OPERATION_FITS)
IOMMUFD_TRANSLATION_OPERATIONS(OPERATION_FITS)
IOMMUFD_OBJECT_OPERATIONS(OPERATION_FITS)

static __always_inline bool is_memory_op(unsigned int opcode)
{
	return MEMORY_OPERATIONS >> opcode & 1;
}

static noinline void read_monotonic(struct op_clock *clock)
{
	struct clock_offset *offset = raw_cpu_ptr(&clock_offset);
	u64 cycles = op_cycles();

	clock->start_ns = ktime_get_ns();
	WRITE_ONCE(offset->ns,
		   clock->start_ns - mul_u64_u64_shr(cycles, clock->tick_ns, OP_TICK_SHIFT));
	smp_store_release(&offset->cycles, cycles);
}

/*
 * The start of end_short_op(): equally minimal.  CLOCK_MONOTONIC is not read while the last offset
 * is valid.
 */
static __always_inline void begin_memory_clock(struct op_clock *clock, enum iommufd_opcode opcode,
					       u64 tick_ns)
{
	struct clock_offset *offset = raw_cpu_ptr(&clock_offset);
	u64 since = smp_load_acquire(&offset->cycles);
	u64 cycles = op_cycles();

	op_clock_begin_at(clock, opcode, IOMMUFD_PHASE_other, OP_CLOCK_CYCLES,
			  READ_ONCE(offset->ns) + mul_u64_u64_shr(cycles, tick_ns, OP_TICK_SHIFT),
			  cycles, tick_ns);
	/* also true if there is no offset yet, or if the counter restarted */
	if (unlikely(cycles - since > READ_ONCE(offset_cycles)))
		read_monotonic(clock);
}

static noinline void begin_any_clock(struct op_clock *clock, enum iommufd_opcode opcode,
				     u64 tick_ns)
{
	op_clock_begin(clock, opcode, IOMMUFD_PHASE_other, tick_ns);
}

void __iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
			enum iommufd_opcode opcode)
{
	u64 tick_ns = READ_ONCE(cycle_ns);

	op_zero(&op->story, sizeof(op->story));
	op->ctx_id = ictx ? ictx->id : 0;
	if (likely(tick_ns) && is_memory_op(opcode))
		begin_memory_clock(&op->clock, opcode, tick_ns);
	else
		begin_any_clock(&op->clock, opcode, tick_ns);
}

void __iommufd_op_device(struct iommufd_op *op, struct device *dev)
{
	struct iommu_group *group;

	if (!op->clock.armed)
		return;
	strscpy(op->device, dev_name(dev), sizeof(op->device));
	group = iommu_group_get(dev);
	if (group) {
		op->group_id = iommu_group_id(group);
		iommu_group_put(group);
	}
	iommufd_iommu_driver_name(dev, op->iommu_driver, sizeof(op->iommu_driver));
}

void __iommufd_op_start(struct iommufd_op *op)
{
	if (!op->clock.armed)
		return;

	switch (op->clock.opcode) {
#define IOMMUFD_START_CASE(name)                                                                   \
	case IOMMUFD_OPERATION_##name:                                                             \
		trace_iommufd_##name##_start(op);                                                  \
		break;
	IOMMUFD_START_EVENTS(IOMMUFD_START_CASE)
#undef IOMMUFD_START_CASE
	}
}

void __iommufd_op_phase(struct iommufd_op *op, unsigned int phase)
{
	if (!op->clock.armed)
		return;
	if (op->clock.armed & OP_CLOCK_KEEPS_PHASE && phase >= IOMMUFD_PHASE_account &&
	    phase <= IOMMUFD_PHASE_unpin)
		return;
	op->clock.armed &= ~OP_CLOCK_KEEPS_PHASE;
	op_clock_phase(&op->clock, op->phase_ns, phase, op_ticks(&op->clock));
	if (phase == IOMMUFD_PHASE_fill || phase == IOMMUFD_PHASE_drop)
		op->clock.armed |= OP_CLOCK_KEEPS_PHASE;
}

int __iommufd_op_fail(struct iommufd_op *op, int err, enum iommufd_reason reason, u64 a, u64 b)
{
	op_clock_fail(&op->clock, reason, a, b);
	return err;
}

static noinline void end_memory_op(struct iommufd_op *op, int ret)
{
	op_clock_end(&op->clock, op->phase_ns, ret, IOMMUFD_PHASE_other, IOMMUFD_NR_PHASES);

	switch (op->clock.opcode) {
#define IOMMUFD_END_CASE(name, number)                                                             \
	case IOMMUFD_OPERATION_##name:                                                             \
		trace_iommufd_##name(op);                                                          \
		break;
	IOMMUFD_MEMORY_OPERATIONS(IOMMUFD_END_CASE)
	}
}

static noinline void end_other_op(struct iommufd_op *op, int ret)
{
	op->clock.armed &= ~OP_CLOCK_KEEPS_PHASE;
	op_clock_end(&op->clock, op->phase_ns, ret, IOMMUFD_PHASE_other, IOMMUFD_NR_PHASES);

	switch (op->clock.opcode) {
	IOMMUFD_TRANSLATION_OPERATIONS(IOMMUFD_END_CASE)
	IOMMUFD_OBJECT_OPERATIONS(IOMMUFD_END_CASE)
#undef IOMMUFD_END_CASE
	}
}

#define PHASE_BIT(name) (1U << IOMMUFD_PHASE_##name)

/*
 * A map or an unmap of one page takes two microseconds.  This path therefore does nothing for rare
 * cases, and saves no registers for them: they are left to tail calls.
 */
static __always_inline void end_short_op(struct iommufd_op *op, int ret)
{
	op_clock_stop(&op->clock, op->phase_ns, IOMMUFD_PHASE_other, op_cycles());
	/* a failed operation may have undone its work, and so spent time in other phases */
	if (unlikely(op->clock.dur_ns > OP_TICKS_EXACT_NS || ret < 0)) {
		end_memory_op(op, ret);
	} else if (op->clock.opcode == IOMMUFD_OPERATION_map) {
		op_clock_result(&op->clock, op->phase_ns, ret, IOMMUFD_NR_PHASES,
				PHASE_BIT(wait) | PHASE_BIT(account) | PHASE_BIT(pin) |
				PHASE_BIT(map));
		trace_iommufd_map(op);
	} else {
		op_clock_result(&op->clock, op->phase_ns, ret, IOMMUFD_NR_PHASES,
				PHASE_BIT(wait) | PHASE_BIT(unmap) | PHASE_BIT(sync) |
				PHASE_BIT(unpin));
		trace_iommufd_unmap(op);
	}
}

void __iommufd_op_end(struct iommufd_op *op, int ret)
{
	if (likely(op->clock.armed == OP_CLOCK_CYCLES) &&
	    (op->clock.opcode == IOMMUFD_OPERATION_map ||
	     op->clock.opcode == IOMMUFD_OPERATION_unmap))
		end_short_op(op, ret);
	else if (!op->clock.armed)
		return;
	else if (is_memory_op(op->clock.opcode))
		end_memory_op(op, ret);
	else
		end_other_op(op, ret);
}
