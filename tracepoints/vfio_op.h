/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the vfio events tell: one struct vfio_op an operation.
 *
 * The operation's function owns it, on its stack, from begin to end; nobody
 * else sees it but the probes of the events, which may read it only while the
 * event fires.  It needs no lock.  It is set, and filled in, only while a vfio
 * event is enabled (@clock.armed); the names of its members are part of the
 * events' ABI for BPF programs: members are only ever added at the end of the
 * story.
 */
#ifndef IOMMUSCOPE_VFIO_OP_H
#define IOMMUSCOPE_VFIO_OP_H

/*
 * OPERATION(name, number): the event is vfio_<name>.  The number is part of the ABI: a new
 * operation is a line at the end of one of the three lists, with the lowest number that none of them
 * has.  abi/vfio/operations holds those that are taken.
 */
#define VFIO_DEVICE_OPERATIONS(OPERATION)                                                          \
	OPERATION(open, 0)                                                                         \
	OPERATION(bind, 1)                                                                         \
	OPERATION(unbind, 2)                                                                       \
	OPERATION(attach, 3)                                                                       \
	OPERATION(replace, 4)                                                                      \
	OPERATION(detach, 5)                                                                       \
	OPERATION(close, 6)                                                                        \
	OPERATION(reset, 7)                                                                        \
	OPERATION(hot_reset, 8)                                                                    \
	OPERATION(register, 9)                                                                     \
	OPERATION(unregister, 10)                                                                  \
	OPERATION(group_open, 11)                                                                  \
	OPERATION(set_container, 12)                                                               \
	OPERATION(unset_container, 13)                                                             \
	OPERATION(feature, 14)                                                                     \
	OPERATION(ioctl, 15)

#define VFIO_IRQ_OPERATIONS(OPERATION)                                                             \
	OPERATION(set_irqs, 16)

#define VFIO_REGION_OPERATIONS(OPERATION)                                                          \
	OPERATION(bar_fault, 17)

/* START(name): the operations that may take long and have an event at their start as well. */
#define VFIO_START_EVENTS(START)                                                                   \
	START(bind)                                                                                \
	START(attach)                                                                              \
	START(replace)                                                                             \
	START(detach)                                                                              \
	START(close)                                                                               \
	START(reset)                                                                               \
	START(hot_reset)                                                                           \
	START(unregister)

/*
 * PHASE(name, text): where the time of an operation goes.  What is in no phase is "other",
 * the difference of dur_ns and the sum of the phases.  Its place in the list is the number of a phase,
 * and part of the ABI: phases are added at the end.
 */
#define VFIO_PHASES(PHASE)                                                                         \
	PHASE(wait, "waiting for locks and users")                                                 \
	PHASE(iommufd, "inside of iommufd")                                                        \
	PHASE(driver, "the driver opens or closes the device")                                     \
	PHASE(reset, "the PCI core resets")

/* BPF programs know the types through BTF; they and the tools use nothing but the lists. */
#ifdef __KERNEL__

#include "op_record.h"

enum vfio_opcode {
#define VFIO_OPERATION_ENUM(name, number) VFIO_OPERATION_##name = (number),
	VFIO_DEVICE_OPERATIONS(VFIO_OPERATION_ENUM)
	VFIO_IRQ_OPERATIONS(VFIO_OPERATION_ENUM)
	VFIO_REGION_OPERATIONS(VFIO_OPERATION_ENUM)
#undef VFIO_OPERATION_ENUM
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
 * @clock: what it is, when it ran, how it ended
 * @story: all that is behind @clock, zeroed at the begin
 * @phase_ns: time spent in each phase; in ticks until the operation has ended
 * @value: ioctl number, feature or other argument
 * @offset: offset in the region, for a fault
 * @length: bytes that a fault mapped at once
 * @flags: flags argument of the call
 * @index: region or interrupt index
 * @start: first interrupt
 * @count: interrupts, or devices that a hot reset hit
 * @device_id: id of the device in its iommufd, 0 if not bound
 * @pt_id: id of the IOAS or HWPT given; the one that iommufd attached, on success
 * @group_id: number of the IOMMU group
 * @via_group: the device was opened through its group
 * @device: name of the device (dev_name())
 * @node: name of the device node, vfioX
 */
struct vfio_op {
	struct op_clock clock;

	struct_group(story,
		u64 phase_ns[VFIO_NR_PHASES + 1];
		u64 value;
		u64 offset;
		u64 length;
		u32 flags;
		u32 index;
		u32 start;
		u32 count;
		u32 device_id;
		u32 pt_id;
		u32 group_id;
		u32 via_group;
		char device[32];
		char node[16];
	);
};

static_assert(OP_RECORD_IS_WHOLE(struct vfio_op));

#endif /* __KERNEL__ */

#endif
