/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What replace.bpf.c tells, through one ring buffer: a struct scope_replacement without its faults for each
 * device that a replacement moved, as it ends, and a struct scope_fault for each fault, as it is reported.
 *
 * Which faults are a replacement's is found out by the reader: those of its device from the switch on, until a
 * second after the replacement or until the next one of the same device switches.
 *
 * All times are CLOCK_MONOTONIC.  The window is measured from outside: from the call that takes the old
 * translation away to the return of the IOMMU core's call that has put a translation in force.  It is never
 * shorter than the truth.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_H
#define IOMMUSCOPE_BPF_REPLACE_H

#include "bpf/lists.h"

/* Faults are charged to a replacement for so long after it. */
#define SCOPE_FAULTS_AFTER_NS 1000000000ULL
/* An operation waited for a replacement if it did so for at least that long. */
#define SCOPE_WAITED_NS 2000ULL
/* Devices of a group that are followed. */
#define SCOPE_GROUP_DEVICES 8
/* Faults and waiting operations that are told one by one; the others are counted. */
#define SCOPE_FAULT_MARKS 8
#define SCOPE_WAIT_MARKS 4

/* IOMMU drivers whose way to switch is known, hence can be measured. */
enum scope_switch {
	SCOPE_SWITCH_UNKNOWN,
	SCOPE_SWITCH_INTEL,
	SCOPE_SWITCH_AMD,
	SCOPE_SWITCH_VIRTIO,
	SCOPE_SWITCH_MOCK,
	SCOPE_NR_SWITCHES,
};

/* scope_replacement.flags */
enum {
	/* The core's call for this device was seen: move_ret and moves are known. */
	SCOPE_REPLACEMENT_MOVED = 1 << 0,
	/* The window was still open as the replacement ended: the device has no translation. */
	SCOPE_REPLACEMENT_BLOCKED = 1 << 2,
	/* The IOMMU had more faults to tell than it could hold, or than were read. */
	SCOPE_REPLACEMENT_MORE_FAULTS = 1 << 3,
};

/* scope_fault_mark.flags */
enum {
	/* It came while the window was open, or the IOMMU said that there was no translation. */
	SCOPE_FAULT_IN_WINDOW = 1 << 0,
	SCOPE_FAULT_WRITE = 1 << 1,
	/* Reason and address are the IOMMU's own; else only what the kernel's log said. */
	SCOPE_FAULT_EXACT = 1 << 2,
	/* The IOMMU, or the log, may have had more to tell. */
	SCOPE_FAULT_MORE = 1 << 3,
};

/* Who tells of a fault. */
enum scope_fault_source {
	SCOPE_FAULT_INTEL,
	SCOPE_FAULT_AMD,
	SCOPE_FAULT_CORE,
	SCOPE_FAULT_MOCK,
	SCOPE_FAULT_LOG,
};

/**
 * struct scope_fault - a fault, of whatever device
 * @number: 0, where a replacement has its number
 * @ns: when it was reported
 * @iova: address of the access
 * @source: enum scope_fault_source
 * @reason: number of the reason, the IOMMU's own; 0 if there is none
 * @flags: SCOPE_FAULT_*
 * @requester: PCI segment and requester, if @device is empty
 * @device: name of the device, or empty
 */
struct scope_fault {
	__u64 number;
	__u64 ns;
	__u64 iova;
	__u32 source;
	__u32 reason;
	__u32 flags;
	__u32 requester;
	char device[SCOPE_DEVICE_LEN];
};

/**
 * struct scope_fault_mark - a fault
 * @ns: when it was reported
 * @iova: address of the access
 * @reason: number of the reason, the IOMMU's own; 0 if there is none
 * @flags: SCOPE_FAULT_*
 */
struct scope_fault_mark {
	__u64 ns;
	__u64 iova;
	__u32 reason;
	__u32 flags;
};

/* The phases of a translation operation, in the order in which a replacement goes through them. */
enum scope_replace_phase {
	SCOPE_REPLACE_wait,
	SCOPE_REPLACE_check,
	SCOPE_REPLACE_alloc,
	SCOPE_REPLACE_fill,
	SCOPE_REPLACE_switch,
	SCOPE_REPLACE_drop,
	SCOPE_NR_REPLACE_PHASES,
};

/**
 * struct scope_replacement - what a replacement did to one device
 * @number: of the replacement, from 1; the same for all devices that it moved
 * @start_ns: as it began
 * @dur_ns: how long it took
 * @phase_ns: time by enum scope_replace_phase
 * @window_start_ns: as its translation was first taken away
 * @window_ns: time without translation, in sum
 * @first_end_ns: as the first window ended
 * @last_start_ns: as the last one began
 * @last_end_ns: as the last one ended
 * @reason_a: first number of the reason
 * @reason_b: second number of the reason
 * @windows: how often its translation was taken away
 * @faults_in_window: faults while it was, see SCOPE_FAULT_IN_WINDOW
 * @faults_after: other faults from the switch on, until SCOPE_FAULTS_AFTER_NS after the replacement
 * @moves: how often the core moved this device: twice if it was rolled back
 * @move_ret: what the last move returned
 * @driver: enum scope_switch; set by the reader
 * @flags: SCOPE_REPLACEMENT_*
 * @tgid: process
 * @tid: thread
 * @ret: of the replacement: 0 or a negative errno
 * @reason: why it failed, enum scope_iommufd_reason
 * @ctx: number of the open /dev/iommu
 * @device_id: object id of the device that was named
 * @group: IOMMU group
 * @devices: devices of the group that moved
 * @hwpt: id of the new HWPT
 * @old_hwpt: id of the old one
 * @ioas: id of the new HWPT's IOAS
 * @old_ioas: id of the old one's
 * @nr_faults: how many of @faults are known
 * @named: it is the device that was named
 * @comm: name of the thread
 * @device: name of the device
 * @iommu_driver: name of its IOMMU's driver
 * @faults: the first faults
 */
struct scope_replacement {
	__u64 number;
	__u64 start_ns;
	__u64 dur_ns;
	__u64 phase_ns[SCOPE_NR_REPLACE_PHASES];
	__u64 window_start_ns;
	__u64 window_ns;
	__u64 first_end_ns;
	__u64 last_start_ns;
	__u64 last_end_ns;
	__u64 reason_a;
	__u64 reason_b;
	__u32 windows;
	__u32 faults_in_window;
	__u32 faults_after;
	__u32 moves;
	__s32 move_ret;
	__u32 driver;
	__u32 flags;
	__u32 tgid;
	__u32 tid;
	__s32 ret;
	__u32 reason;
	__u32 ctx;
	__u32 device_id;
	__u32 group;
	__u32 devices;
	__u32 hwpt;
	__u32 old_hwpt;
	__u32 ioas;
	__u32 old_ioas;
	__u32 nr_faults;
	__u32 named;
	char comm[SCOPE_COMM_LEN];
	char device[SCOPE_DEVICE_LEN];
	char iommu_driver[SCOPE_DRIVER_LEN];
	struct scope_fault_mark faults[SCOPE_FAULT_MARKS];
};

/* Bytes of a record without faults. */
#define SCOPE_FAULTLESS_RECORD __builtin_offsetof(struct scope_replacement, faults)

/**
 * struct scope_wait_mark - an operation that waited for a replacement
 * @start_ns: as it began
 * @wait_ns: how long it waited for locks
 * @operation: enum scope_operation
 * @tgid: process
 * @comm: name of the thread
 */
struct scope_wait_mark {
	__u64 start_ns;
	__u64 wait_ns;
	__u32 operation;
	__u32 tgid;
	char comm[SCOPE_COMM_LEN];
};

/**
 * struct scope_waits - who waited for a replacement, found by its number
 * @count: operations of the same ctx
 * @nr_marks: how many of @marks are known
 * @total_ns: how long they waited for it in sum
 * @longest_ns: the longest of these times
 * @marks: the first of them
 */
struct scope_waits {
	__u32 count;
	__u32 nr_marks;
	__u64 total_ns;
	__u64 longest_ns;
	struct scope_wait_mark marks[SCOPE_WAIT_MARKS];
};

#endif
