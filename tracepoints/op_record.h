/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the records of operations of both subsystems have in common.
 *
 * A record (struct iommufd_op, struct vfio_op) consists of a struct op_clock and, after it up to
 * the end, the group of members called story.  The start of an observed operation sets all of the
 * clock and zeroes all of the story.  A member that is added to either thus never holds stale stack
 * contents.
 */
#ifndef IOMMUSCOPE_OP_RECORD_H
#define IOMMUSCOPE_OP_RECORD_H

/* BPF programs know the types through BTF. */
#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/types.h>

/**
 * struct op_clock - identity, timing and result of an operation
 * @opcode: enum iommufd_opcode or vfio_opcode
 * @armed: enum op_clock_mode: whether an event was enabled at the start, so that the clock runs
 * @phase: enum iommufd_phase or vfio_phase that is running
 * @ret: 0 or a negative errno, known at the end
 * @reason: enum iommufd_reason or vfio_reason of the failure
 * @reserved: 0
 * @reason_a: first number of @reason
 * @reason_b: second number of @reason
 * @start_ns: CLOCK_MONOTONIC at the start
 * @dur_ns: duration, known at the end
 * @phase_start: the clock's ticks when @phase started
 * @start_ticks: the clock's ticks at the start
 * @tick_ns: length of a tick, in 2^-32 ns
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

/* Space that BPF programs reserve for a copy of a record. */
#define OP_RECORD_MAX 512

/* A record consists of its clock and its story, with no member before, between or after them. */
#define OP_RECORD_IS_WHOLE(record)                                                                 \
	(offsetof(record, clock) == 0 && offsetof(record, story) == sizeof(struct op_clock) &&     \
	 offsetofend(record, story) == sizeof(record) &&                                           \
	 sizeof_field(record, story) % sizeof(u64) == 0 && sizeof(record) <= OP_RECORD_MAX)

#endif /* __KERNEL__ */

#endif
