/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of stuck.bpf.c: operations in flight, and threads that may be in one.
 *
 * An operation that starts while the programs are attached reports itself and the address of its
 * record.  From that record its current phase can be read at any time.  The kernel does not time an
 * operation that started earlier; it shows only as a thread that does not return from its ioctl.
 */
#ifndef IOMMUSCOPE_BPF_STUCK_H
#define IOMMUSCOPE_BPF_STUCK_H

#include "bpf/lists.h"

/* Until the record is read: the current phase is not known. */
#define SCOPE_PHASE_UNKNOWN 255

/**
 * struct scope_begun - an operation that has started
 * @address: address of its record, on the stack of its thread
 * @start_ns: CLOCK_MONOTONIC
 * @operation: enum scope_operation
 * @source: enum scope_source
 * @padding: 0
 * @ctx: number of the open /dev/iommu
 * @ioas: id of the IOAS
 * @device_id: id of the device
 * @hwpt: id of the HWPT; vfio: of the requested IOAS or HWPT
 * @phase: enum scope_phase, SCOPE_NR_PHASES for none, SCOPE_PHASE_UNKNOWN
 * @phase_start_ns: CLOCK_MONOTONIC at the start of that phase
 * @iova: first IOVA
 * @length: bytes
 * @phase_ns: time in each phase so far
 * @device: name of the device
 */
struct scope_begun {
	__u64 address;
	__u64 start_ns;
	__u32 operation;
	__u32 source;
	__u32 padding;
	__u32 ctx;
	__u32 ioas;
	__u32 device_id;
	__u32 hwpt;
	__u32 phase;
	__u64 phase_start_ns;
	__u64 iova;
	__u64 length;
	__u64 phase_ns[SCOPE_NR_PHASES];
	char device[SCOPE_DEVICE_LEN];
};

/**
 * struct scope_thread - a thread that is in an operation, or in an ioctl of any file
 * @tid: thread
 * @tgid: process
 * @uid: user
 * @running: it runs on a CPU or is runnable
 * @event_ns: CLOCK_MONOTONIC of its last event since the programs were attached, or 0
 * @fd: the ioctl's file descriptor
 * @request: its number
 * @argument: its argument
 * @ip: user's instruction pointer
 * @sp: user's stack pointer
 * @begun: the operation; its start_ns is 0 if no start event was seen
 * @comm: name of the thread
 */
struct scope_thread {
	__u32 tid;
	__u32 tgid;
	__u32 uid;
	__u32 running;
	__u64 event_ns;
	__u64 fd;
	__u64 request;
	__u64 argument;
	__u64 ip;
	__u64 sp;
	struct scope_begun begun;
	char comm[SCOPE_COMM_LEN];
};

#endif
