/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the iommufd events tell: one struct iommufd_op an operation.
 *
 * The operation's function owns it, on its stack, from begin to end; nobody
 * else sees it but the probes of the events, which may read it only while the
 * event fires.  It needs no lock.  It holds zeroes and is filled in only while
 * an iommufd event is enabled (@armed); the names of its members are part of
 * the events' ABI for BPF programs: members are only ever added at the end.
 *
 * Of an operation on memory the phases behind unpin, @group_id, @devices and
 * @iommu_driver mean nothing, and @device no more than "".
 */
#ifndef IOMMUSCOPE_IOMMUFD_OP_H
#define IOMMUSCOPE_IOMMUFD_OP_H

/* OPERATION(name): the event is iommufd_<name> */
#define IOMMUFD_MEMORY_OPERATIONS(OPERATION)                                                       \
	OPERATION(map)                                                                             \
	OPERATION(copy)                                                                            \
	OPERATION(unmap)                                                                           \
	OPERATION(access_pin)                                                                      \
	OPERATION(access_unpin)                                                                    \
	OPERATION(access_rw)

#define IOMMUFD_TRANSLATION_OPERATIONS(OPERATION)                                                  \
	OPERATION(bind)                                                                            \
	OPERATION(unbind)                                                                          \
	OPERATION(attach)                                                                          \
	OPERATION(replace)                                                                         \
	OPERATION(detach)                                                                          \
	OPERATION(hwpt_alloc)                                                                      \
	OPERATION(access_attach)                                                                   \
	OPERATION(access_replace)                                                                  \
	OPERATION(access_detach)

#define IOMMUFD_OBJECT_OPERATIONS(OPERATION)                                                       \
	OPERATION(open)                                                                            \
	OPERATION(close)                                                                           \
	OPERATION(destroy)                                                                         \
	OPERATION(ioas_alloc)                                                                      \
	OPERATION(ioas_allow_iovas)                                                                \
	OPERATION(ioas_iova_ranges)                                                                \
	OPERATION(option)                                                                          \
	OPERATION(vfio_ioas)                                                                       \
	OPERATION(get_hw_info)                                                                     \
	OPERATION(access_create)                                                                   \
	OPERATION(access_destroy)                                                                  \
	OPERATION(unknown_ioctl)

/*
 * PHASE(name, text): where the time of an operation goes.  What is in no phase is "other",
 * the difference of dur_ns and the sum of the phases.
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

/* BPF programs know the types through BTF; they and the tools use nothing but the lists. */
#ifdef __KERNEL__

/* The number of an operation is part of the ABI: the three lists grow by new lists only. */
enum iommufd_opcode {
#define IOMMUFD_OPERATION_ENUM(name) IOMMUFD_OPERATION_##name,
	IOMMUFD_MEMORY_OPERATIONS(IOMMUFD_OPERATION_ENUM)
	IOMMUFD_TRANSLATION_OPERATIONS(IOMMUFD_OPERATION_ENUM)
	IOMMUFD_OBJECT_OPERATIONS(IOMMUFD_OPERATION_ENUM)
#undef IOMMUFD_OPERATION_ENUM
	IOMMUFD_NR_OPERATIONS,
};

enum iommufd_phase {
#define IOMMUFD_PHASE_ENUM(name, text) IOMMUFD_PHASE_##name,
	IOMMUFD_PHASES(IOMMUFD_PHASE_ENUM)
#undef IOMMUFD_PHASE_ENUM
	IOMMUFD_NR_PHASES,
	IOMMUFD_PHASE_other = IOMMUFD_NR_PHASES,
};

/**
 * struct iommufd_op - one operation on an iommufd, from its begin to its end
 * @opcode: enum iommufd_opcode
 * @armed: an event was enabled when the operation began, the clock runs: enum op_clock
 * @phase: enum iommufd_phase that runs now
 * @ret: 0 or a negative errno, known at the end
 * @reason: enum iommufd_reason of the failure
 * @reason_a: first number of @reason, see iommufd_reasons.h
 * @reason_b: second number of @reason
 * @start_ns: CLOCK_MONOTONIC at the begin
 * @dur_ns: how long it took, known at the end
 * @phase_start: the clock's ticks when @phase began
 * @phase_ns: time spent in each phase; in ticks until the operation has ended
 * @iova: first IOVA; for attach and replace that of the area whose fill failed
 * @length: bytes; for attach and replace of the area whose fill failed
 * @user_va: user address mapped, or 0
 * @pages: pages that this operation pinned or unpinned (not those it found pinned)
 * @extents: contiguous runs that it mapped into HWPTs, or areas that it unmapped
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
 * @object_type: enum iommufd_object_type of what was made or destroyed
 * @object_id: its id
 * @value: option value, ioctl number or other argument of an object operation
 * @device: name of the device (dev_name()), "" if none
 * @iommu_driver: name of the IOMMU driver behind the device, "" if none
 * @start_ticks: the clock's ticks at the begin
 * @tick_ns: how long a tick is, in 2^-32 ns
 */
struct iommufd_op {
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
	u64 phase_ns[IOMMUFD_NR_PHASES + 1];
	u64 iova;
	u64 length;
	u64 user_va;
	u64 pages;
	u64 extents;
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
	u64 value;
	char device[32];
	char iommu_driver[16];
	u64 start_ticks;
	u64 tick_ns;
};

#endif /* __KERNEL__ */

#endif
