/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record behind the iommufd events: one struct iommufd_op for each operation.
 *
 * The record lies on the stack of the operation's function, which owns it from start to end and
 * needs no lock for it.  Apart from that function, only the probes of the events read it, and only
 * while the event fires.  The record is filled in only while an iommufd event is enabled
 * (@clock.armed).
 *
 * The names of its members are part of the events' ABI for BPF programs.  New members go to the end
 * of the story.
 */
#ifndef IOMMUSCOPE_IOMMUFD_OP_H
#define IOMMUSCOPE_IOMMUFD_OP_H

/*
 * OPERATION(name, number): the event is iommufd_<name>.  The number is part of the ABI.  A new
 * operation is a line at the end of one of the three lists; its number is the lowest one that none
 * of the three lists uses.  abi/iommufd/operations lists the numbers in use.
 */
#define IOMMUFD_MEMORY_OPERATIONS(OPERATION)                                                       \
	OPERATION(map, 0)                                                                          \
	OPERATION(copy, 1)                                                                         \
	OPERATION(unmap, 2)                                                                        \
	OPERATION(access_pin, 3)                                                                   \
	OPERATION(access_unpin, 4)                                                                 \
	OPERATION(access_rw, 5)

#define IOMMUFD_TRANSLATION_OPERATIONS(OPERATION)                                                  \
	OPERATION(bind, 6)                                                                         \
	OPERATION(unbind, 7)                                                                       \
	OPERATION(attach, 8)                                                                       \
	OPERATION(replace, 9)                                                                      \
	OPERATION(detach, 10)                                                                      \
	OPERATION(hwpt_alloc, 11)                                                                  \
	OPERATION(access_attach, 12)                                                               \
	OPERATION(access_replace, 13)                                                              \
	OPERATION(access_detach, 14)

#define IOMMUFD_OBJECT_OPERATIONS(OPERATION)                                                       \
	OPERATION(open, 15)                                                                        \
	OPERATION(close, 16)                                                                       \
	OPERATION(destroy, 17)                                                                     \
	OPERATION(ioas_alloc, 18)                                                                  \
	OPERATION(ioas_allow_iovas, 19)                                                            \
	OPERATION(ioas_iova_ranges, 20)                                                            \
	OPERATION(option, 21)                                                                      \
	OPERATION(vfio_ioas, 22)                                                                   \
	OPERATION(get_hw_info, 23)                                                                 \
	OPERATION(access_create, 24)                                                               \
	OPERATION(access_destroy, 25)                                                              \
	OPERATION(unknown_ioctl, 26)

/* START(name): operations that may take long and therefore have a start event as well. */
#define IOMMUFD_START_EVENTS(START)                                                                \
	START(map)                                                                                 \
	START(copy)                                                                                \
	START(unmap)                                                                               \
	START(attach)                                                                              \
	START(replace)                                                                             \
	START(detach)                                                                              \
	START(hwpt_alloc)

/*
 * PHASE(name, text): where the time of an operation is spent.  Time outside all phases is "other":
 * dur_ns minus the sum of the phases.  The number of a phase is its position in the list and part
 * of the ABI: new phases go to the end.
 */
#define IOMMUFD_PHASES(PHASE)                                                                      \
	PHASE(wait, "waiting for locks")                                                           \
	PHASE(account, "accounting against RLIMIT_MEMLOCK")                                        \
	PHASE(pin, "faulting in and pinning user memory")                                          \
	PHASE(map, "the IOMMU driver's map calls")                                                 \
	PHASE(unmap, "the IOMMU driver's unmap calls")                                             \
	PHASE(sync, "IOTLB invalidation")                                                          \
	PHASE(unpin, "unpinning user memory")                                                      \
	PHASE(check, "reserved regions, aperture, ownership")                                      \
	PHASE(alloc, "allocating the HWPT in the IOMMU driver")                                    \
	PHASE(fill, "filling the new HWPT from the IOAS")                                          \
	PHASE(switch, "inside of the IOMMU driver's attach")                                       \
	PHASE(drop, "dropping the old HWPT")

/* BPF programs know the types through BTF; BPF programs and tools use only the lists above. */
#ifdef __KERNEL__

#include "op_record.h"

enum iommufd_opcode {
#define IOMMUFD_OPERATION_ENUM(name, number) IOMMUFD_OPERATION_##name = (number),
	IOMMUFD_MEMORY_OPERATIONS(IOMMUFD_OPERATION_ENUM)
	IOMMUFD_TRANSLATION_OPERATIONS(IOMMUFD_OPERATION_ENUM)
	IOMMUFD_OBJECT_OPERATIONS(IOMMUFD_OPERATION_ENUM)
#undef IOMMUFD_OPERATION_ENUM
};

enum iommufd_phase {
#define IOMMUFD_PHASE_ENUM(name, text) IOMMUFD_PHASE_##name,
	IOMMUFD_PHASES(IOMMUFD_PHASE_ENUM)
#undef IOMMUFD_PHASE_ENUM
	IOMMUFD_NR_PHASES,
	IOMMUFD_PHASE_other = IOMMUFD_NR_PHASES,
};

/**
 * struct iommufd_op - one operation on an iommufd, from start to end
 * @clock: what it is, when it ran, how it ended
 * @phase_ns: time spent in each phase; in ticks until the operation has ended
 * @iova: first IOVA; for attach and replace, of the area that could not be filled
 * @length: bytes; for attach and replace, of the area that could not be filled
 * @user_va: user address mapped, or 0
 * @pages: pages that this operation pinned or unpinned, without those already pinned
 * @extents: contiguous runs that it mapped into HWPTs, or areas that it unmapped
 * @value: option value, ioctl number or other argument of an object operation
 * @flags: flags argument of the call
 * @ctx_id: number of the open /dev/iommu, unique since the module was loaded
 * @ioas_id: object id of the IOAS, 0 if none
 * @old_ioas_id: object id of the IOAS before a replace
 * @src_ioas_id: object id of the IOAS copied from
 * @hwpt_id: object id of the HWPT, 0 if none
 * @old_hwpt_id: object id of the HWPT before a replace or detach
 * @device_id: object id of the device or access
 * @group_id: number of the IOMMU group
 * @devices: devices of the group that the operation moved
 * @object_type: enum iommufd_object_type of the object created or destroyed
 * @object_id: its id
 * @device: name of the device (dev_name()), "" if none
 * @iommu_driver: name of the IOMMU driver behind the device, "" if none
 *
 * All members after @clock are the group story, zeroed at the start.
 */
struct iommufd_op {
	struct op_clock clock;

	struct_group(story,
		u64 phase_ns[IOMMUFD_NR_PHASES + 1];
		u64 iova;
		u64 length;
		u64 user_va;
		u64 pages;
		u64 extents;
		u64 value;
		u32 flags;
		u32 ctx_id;
		u32 ioas_id;
		u32 old_ioas_id;
		u32 src_ioas_id;
		u32 hwpt_id;
		u32 old_hwpt_id;
		u32 device_id;
		u32 group_id;
		u32 devices;
		u32 object_type;
		u32 object_id;
		char device[32];
		char iommu_driver[16];
	);
};

static_assert(OP_RECORD_IS_WHOLE(struct iommufd_op));

#endif /* __KERNEL__ */

#endif
