/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records that replace.bpf.c sends through one ring buffer: at the end of a replacement, a struct
 * scope_replacement without faults for each device that it moved; and a struct scope_fault for each
 * fault when it is reported.
 *
 * The reader assigns faults to replacements.  A fault belongs to a replacement of its device from
 * the switch on, until one second after the replacement or until the next switch of the same
 * device.
 *
 * All times are CLOCK_MONOTONIC.  The window is measured from outside: from the call that removes
 * the old translation to the return of the IOMMU core's call that has installed a translation.  It
 * is never shorter than the real window.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_H
#define IOMMUSCOPE_BPF_REPLACE_H

#include "bpf/lists.h"

/* For this long after a replacement, faults are assigned to it. */
#define SCOPE_FAULTS_AFTER_NS 1000000000ULL
/* An operation waited for a replacement if it did so for at least this long. */
#define SCOPE_WAITED_NS 2000ULL
/* Maximum number of devices of a group that are followed. */
#define SCOPE_GROUP_DEVICES 8
/* Faults and waiting operations that are reported individually; the others are only counted. */
#define SCOPE_FAULT_MARKS 8
#define SCOPE_WAIT_MARKS 4

/* IOMMU drivers whose switch procedure is known and can therefore be measured. */
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
	/* The core's call for this device was seen: move_ret and moves are valid. */
	SCOPE_REPLACEMENT_MOVED = 1 << 0,
	/*
	 * The window was still open at the end of the replacement: the device has no translation.
	 */
	SCOPE_REPLACEMENT_BLOCKED = 1 << 2,
	/* The IOMMU had more faults than it could hold, or than were read. */
	SCOPE_REPLACEMENT_MORE_FAULTS = 1 << 3,
};

/* scope_fault_mark.flags */
enum {
	/* It happened while the window was open, or the IOMMU reported a missing translation. */
	SCOPE_FAULT_IN_WINDOW = 1 << 0,
	SCOPE_FAULT_WRITE = 1 << 1,
	/* Reason and address come from the IOMMU itself; otherwise only from the kernel's log. */
	SCOPE_FAULT_EXACT = 1 << 2,
	/* The IOMMU, or the log, may have had more faults to report. */
	SCOPE_FAULT_MORE = 1 << 3,
};

/* Source of a fault report. */
enum scope_fault_source {
	SCOPE_FAULT_INTEL,
	SCOPE_FAULT_AMD,
	SCOPE_FAULT_CORE,
	SCOPE_FAULT_MOCK,
	SCOPE_FAULT_LOG,
};

/**
 * struct scope_fault - a fault of any device
 * @number: 0, where a replacement has its number
 * @ns: time of the report
 * @iova: address of the access
 * @source: enum scope_fault_source
 * @reason: the IOMMU's own number of the reason; 0 if there is none
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
 * @ns: time of the report
 * @iova: address of the access
 * @reason: the IOMMU's own number of the reason; 0 if there is none
 * @flags: SCOPE_FAULT_*
 */
struct scope_fault_mark {
	__u64 ns;
	__u64 iova;
	__u32 reason;
	__u32 flags;
};

/* The phases of a translation operation, in the order of a replacement. */
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
 * struct scope_replacement - the effect of a replacement on one device
 * @number: number of the replacement, from 1; the same for all devices that it moved
 * @start_ns: its start
 * @dur_ns: its duration
 * @phase_ns: time by enum scope_replace_phase
 * @window_start_ns: when the translation was first removed
 * @window_ns: total time without translation
 * @first_end_ns: end of the first window
 * @last_start_ns: start of the last window
 * @last_end_ns: end of the last window
 * @reason_a: first number of the reason
 * @reason_b: second number of the reason
 * @windows: number of times the translation was removed
 * @faults_in_window: faults during windows, see SCOPE_FAULT_IN_WINDOW
 * @faults_after: other faults from the switch on, until SCOPE_FAULTS_AFTER_NS after the replacement
 * @moves: number of times the core moved this device: twice if it was rolled back
 * @move_ret: result of the last move
 * @driver: enum scope_switch; set by the reader
 * @flags: SCOPE_REPLACEMENT_*
 * @tgid: process
 * @tid: thread
 * @ret: result of the replacement: 0 or a negative errno
 * @reason: reason of the failure, enum scope_iommufd_reason
 * @ctx: number of the open /dev/iommu
 * @device_id: object id of the device that the call named
 * @group: IOMMU group
 * @devices: devices of the group that moved
 * @hwpt: id of the new HWPT
 * @old_hwpt: id of the old HWPT
 * @ioas: id of the new HWPT's IOAS
 * @old_ioas: id of the old HWPT's IOAS
 * @nr_faults: number of valid entries in @faults
 * @named: this is the device that the call named
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

/* Size of a record without faults. */
#define SCOPE_FAULTLESS_RECORD __builtin_offsetof(struct scope_replacement, faults)

/**
 * struct scope_wait_mark - an operation that waited for a replacement
 * @start_ns: its start
 * @wait_ns: time it waited for locks
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
 * struct scope_waits - operations that waited for a replacement; the key is its number
 * @count: number of operations, of the same ctx
 * @nr_marks: number of valid entries in @marks
 * @total_ns: total time that they waited for it
 * @longest_ns: longest of these times
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
