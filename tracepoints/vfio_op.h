/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record behind the vfio events: one struct vfio_op for each operation.
 *
 * The record lies on the stack of the operation's function, which owns it from start to end and
 * needs no lock for it.  Apart from that function, only the probes of the events read it, and only
 * while the event fires.  The record is filled in only while a vfio event is enabled
 * (@clock.armed).
 *
 * The names of its members are part of the events' ABI for BPF programs.  New members go to the end
 * of the story.
 */
#ifndef IOMMUSCOPE_VFIO_OP_H
#define IOMMUSCOPE_VFIO_OP_H

/*
 * OPERATION(name, number): the event is vfio_<name>.  The number is part of the ABI.  A new
 * operation is a line at the end of one of the three lists; its number is the lowest one that none
 * of the three lists uses.  abi/vfio/operations lists the numbers in use.
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

/* START(name): operations that may take long and therefore have a start event as well. */
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
 * PHASE(name, text): where the time of an operation is spent.  Time outside all phases is "other":
 * dur_ns minus the sum of the phases.  The number of a phase is its position in the list and part
 * of the ABI: new phases go to the end.
 */
#define VFIO_PHASES(PHASE)                                                                         \
	PHASE(wait, "waiting for locks and users")                                                 \
	PHASE(iommufd, "inside of iommufd")                                                        \
	PHASE(driver, "the driver opens or closes the device")                                     \
	PHASE(reset, "the PCI core resets")

/* BPF programs know the types through BTF; BPF programs and tools use only the lists above. */
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
 * struct vfio_op - one operation on a VFIO device, from start to end
 * @clock: what it is, when it ran, how it ended
 * @phase_ns: time spent in each phase; in ticks until the operation has ended
 * @value: ioctl number, feature or other argument
 * @offset: offset in the region, for a fault
 * @length: bytes that a fault mapped at once
 * @flags: flags argument of the call
 * @index: region or interrupt index
 * @start: first interrupt
 * @count: interrupts, or devices that a hot reset affected
 * @device_id: id of the device in its iommufd, 0 if not bound
 * @pt_id: id of the requested IOAS or HWPT; on success, of the one that iommufd attached
 * @group_id: number of the IOMMU group
 * @via_group: the device was opened through its group
 * @device: name of the device (dev_name())
 * @node: name of the device node, vfioX
 *
 * All members after @clock are the group story, zeroed at the start.
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
