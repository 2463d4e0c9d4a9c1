/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the vfio events tell: one struct vfio_op an operation.
 *
 * The operation's function owns it, on its stack, from begin to end; nobody
 * else sees it but the probes of the events, which may read it only while the
 * event fires.  It needs no lock.  It holds zeroes and is filled in only while
 * a vfio event is enabled (@armed); the names of its members are part of the
 * events' ABI for BPF programs: members are only ever added at the end.
 */
#ifndef IOMMUSCOPE_VFIO_OP_H
#define IOMMUSCOPE_VFIO_OP_H

/* OPERATION(name): the event is vfio_<name> */
#define VFIO_DEVICE_OPERATIONS(OPERATION)                                                          \
	OPERATION(open)                                                                            \
	OPERATION(bind)                                                                            \
	OPERATION(unbind)                                                                          \
	OPERATION(attach)                                                                          \
	OPERATION(replace)                                                                         \
	OPERATION(detach)                                                                          \
	OPERATION(close)                                                                           \
	OPERATION(reset)                                                                           \
	OPERATION(hot_reset)                                                                       \
	OPERATION(register)                                                                        \
	OPERATION(unregister)                                                                      \
	OPERATION(group_open)                                                                      \
	OPERATION(set_container)                                                                   \
	OPERATION(unset_container)                                                                 \
	OPERATION(feature)                                                                         \
	OPERATION(ioctl)

#define VFIO_IRQ_OPERATIONS(OPERATION)                                                             \
	OPERATION(set_irqs)

#define VFIO_REGION_OPERATIONS(OPERATION)                                                          \
	OPERATION(bar_fault)

/*
 * PHASE(name, text): where the time of an operation goes.  What is in no phase is "other",
 * the difference of dur_ns and the sum of the phases.
 */
#define VFIO_PHASES(PHASE)                                                                         \
	PHASE(wait, "waiting for locks and users")                                                 \
	PHASE(iommufd, "inside of iommufd")                                                        \
	PHASE(driver, "the driver opens or closes the device")                                     \
	PHASE(reset, "the PCI core resets")

/* BPF programs know the types through BTF; they and the tools use nothing but the lists. */
#ifdef __KERNEL__

/* The number of an operation is part of the ABI: the three lists grow by new lists only. */
enum vfio_opcode {
#define VFIO_OPERATION_ENUM(name) VFIO_OPERATION_##name,
	VFIO_DEVICE_OPERATIONS(VFIO_OPERATION_ENUM)
	VFIO_IRQ_OPERATIONS(VFIO_OPERATION_ENUM)
	VFIO_REGION_OPERATIONS(VFIO_OPERATION_ENUM)
#undef VFIO_OPERATION_ENUM
	VFIO_NR_OPERATIONS,
};

enum vfio_phase {
#define VFIO_PHASE_ENUM(name, text) VFIO_PHASE_##name,
	VFIO_PHASES(VFIO_PHASE_ENUM)
#undef VFIO_PHASE_ENUM
	VFIO_NR_PHASES,
	VFIO_PHASE_other = VFIO_NR_PHASES,
};

/**
 * struct vfio_op - one operation on a VFIO device, from its begin to its end
 * @opcode: enum vfio_opcode
 * @armed: an event was enabled when the operation began, the clock runs: enum op_clock
 * @phase: enum vfio_phase that runs now
 * @ret: 0 or a negative errno, known at the end
 * @reason: enum vfio_reason of the failure
 * @flags: flags argument of the call
 * @reason_a: first number of @reason, see vfio_reasons.h
 * @reason_b: second number of @reason
 * @start_ns: CLOCK_MONOTONIC at the begin
 * @dur_ns: how long it took, known at the end
 * @phase_start: the clock's ticks when @phase began
 * @phase_ns: time spent in each phase; in ticks until the operation has ended
 * @value: ioctl number, feature or other argument
 * @offset: offset in the region, for a fault
 * @length: bytes that a fault mapped at once
 * @index: region or interrupt index
 * @start: first interrupt
 * @count: interrupts, or devices that a hot reset hit
 * @device_id: id of the device in its iommufd, 0 if not bound
 * @pt_id: id of the IOAS or HWPT given; the one that iommufd attached, on success
 * @group_id: number of the IOMMU group
 * @via_group: the device was opened through its group
 * @device: name of the device (dev_name())
 * @node: name of the device node, vfioX
 * @start_ticks: the clock's ticks at the begin
 * @tick_ns: how long a tick is, in 2^-32 ns
 */
struct vfio_op {
	u16 opcode;
	u8 armed;
	u8 phase;
	s32 ret;
	u32 reason;
	u32 flags;
	u64 reason_a;
	u64 reason_b;
	u64 start_ns;
	u64 dur_ns;
	u64 phase_start;
	u64 phase_ns[VFIO_NR_PHASES + 1];
	u64 value;
	u64 offset;
	u64 length;
	u32 index;
	u32 start;
	u32 count;
	u32 device_id;
	u32 pt_id;
	u32 group_id;
	u32 via_group;
	char device[32];
	char node[16];
	u64 start_ticks;
	u64 tick_ns;
};

#endif /* __KERNEL__ */

#endif
