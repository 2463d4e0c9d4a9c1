/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records that operations.bpf.c sends to the tool: one struct scope_op for each finished operation
 * and, if the tool loads those programs, one for each operation that starts.
 *
 * The ring buffer carries a prefix of the structure, as long as the class of the operation
 * requires: SCOPE_OBJECT_RECORD, SCOPE_MEMORY_RECORD or the whole; SCOPE_MEMORY_BEGIN for the start
 * of a memory operation.  The reader takes missing members as zero.
 */
#ifndef IOMMUSCOPE_BPF_OPERATIONS_H
#define IOMMUSCOPE_BPF_OPERATIONS_H

#include "bpf/lists.h"

/**
 * struct scope_op - a finished operation
 * @start_ns: CLOCK_MONOTONIC at its start
 * @dur_ns: duration
 * @cgroup: cgroup v2 id of the task
 * @value: option value, ioctl number or other argument of an object operation
 * @reason_a: first number of the reason
 * @reason_b: second number of the reason
 * @tgid: process
 * @tid: thread
 * @uid: user the thread ran as
 * @operation: enum scope_operation
 * @ret: 0, positive, or a negative errno
 * @reason: enum scope_reason
 * @flags: flags argument of the call
 * @ctx: number of the open /dev/iommu
 * @object_type: type of the object created or destroyed
 * @object_id: its id
 * @comm: name of the thread
 * @ioas: id of the IOAS
 * @src_ioas: id of the IOAS copied from
 * @device_id: id of the device or access
 * @index: vfio: region or interrupt type
 * @source: enum scope_source
 * @padding: 0
 * @iova: first IOVA; vfio: offset in the region
 * @length: bytes
 * @user_va: user address
 * @pages: pages pinned or unpinned
 * @extents: contiguous runs mapped, or areas unmapped
 * @phase_ns: time by enum scope_phase
 * @hwpt: id of the HWPT; vfio: of the requested IOAS or HWPT
 * @old_hwpt: id of the previous HWPT
 * @old_ioas: id of the previous IOAS
 * @group: IOMMU group
 * @devices: devices of the group that the operation moved; vfio: devices or interrupts
 * @start: vfio: first interrupt
 * @device: name of the device
 * @driver: name of its IOMMU's driver; vfio: of its device node
 */
struct scope_op {
	__u64 start_ns;
	__u64 dur_ns;
	__u64 cgroup;
	__u64 value;
	__u64 reason_a;
	__u64 reason_b;
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 operation;
	__s32 ret;
	__u32 reason;
	__u32 flags;
	__u32 ctx;
	__u32 object_type;
	__u32 object_id;
	char comm[SCOPE_COMM_LEN];

	__u32 ioas;
	__u32 src_ioas;
	__u32 device_id;
	__u32 index;
	__u32 source;
	__u32 padding;
	__u64 iova;
	__u64 length;
	__u64 user_va;
	__u64 pages;
	__u64 extents;
	__u64 phase_ns[SCOPE_NR_PHASES];

	__u32 hwpt;
	__u32 old_hwpt;
	__u32 old_ioas;
	__u32 group;
	__u32 devices;
	__u32 start;
	char device[SCOPE_DEVICE_LEN];
	char driver[SCOPE_DRIVER_LEN];
};

/* Bytes sent for each class; an object operation has only the first phase, the wait. */
#define SCOPE_OBJECT_RECORD __builtin_offsetof(struct scope_op, phase_ns[1])
#define SCOPE_MEMORY_RECORD __builtin_offsetof(struct scope_op, phase_ns[SCOPE_NR_MEMORY_PHASES])
#define SCOPE_MEMORY_BEGIN __builtin_offsetof(struct scope_op, user_va)

/* Bit in @operation: this is a start.  Members that are known only at the end are zero. */
#define SCOPE_BEGINS (1U << 31)

#endif
