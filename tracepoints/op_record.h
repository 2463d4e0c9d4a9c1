/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the records of operations of both subsystems have in common.
 *
 * A record (struct iommufd_op, struct vfio_op) is a struct op_clock and, behind it to its end, the
 * group of members called story.  The begin of an observed operation sets all of the clock and
 * zeroes all of the story, so a member that is added to either holds nothing of the stack that
 * the record lies on.
 */
#ifndef IOMMUSCOPE_OP_RECORD_H
#define IOMMUSCOPE_OP_RECORD_H

/* BPF programs know the types through BTF. */
#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/types.h>

/**
 * struct op_clock - what an operation is, when it ran and how it ended
 * @opcode: enum iommufd_opcode or vfio_opcode
 * @armed: an event was enabled when the operation began, the clock runs: enum op_clock_mode
 * @phase: enum iommufd_phase or vfio_phase that runs now
 * @ret: 0 or a negative errno, known at the end
 * @reason: enum iommufd_reason or vfio_reason of the failure
 * @reserved: 0
 * @reason_a: first number of @reason
 * @reason_b: second number of @reason
 * @start_ns: CLOCK_MONOTONIC at the begin
 * @dur_ns: how long it took, known at the end
 * @phase_start: the clock's ticks when @phase began
 * @start_ticks: the clock's ticks at the begin
 * @tick_ns: how long a tick is, in 2^-32 ns
 */
struct op_clock {
	u16 opcode;
	u8 armed;
	u8 phase;
	s32 ret;
	u32 reason;
	u32 reserved;
	u64 reason_a;
	u64 reason_b;
	u64 start_ns;
	u64 dur_ns;
	u64 phase_start;
	u64 start_ticks;
	u64 tick_ns;
};

/* Room that BPF programs have for a copy of a record. */
#define OP_RECORD_MAX 512

/* A record is its clock and its story: no member is before, between or behind them. */
#define OP_RECORD_IS_WHOLE(record)                                                                 \
	(offsetof(record, clock) == 0 && offsetof(record, story) == sizeof(struct op_clock) &&     \
	 offsetofend(record, story) == sizeof(record) &&                                           \
	 sizeof_field(record, story) % sizeof(u64) == 0 && sizeof(record) <= OP_RECORD_MAX)

#endif /* __KERNEL__ */

#endif
