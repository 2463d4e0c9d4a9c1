/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations of each kind, with the stacks that led to them.
 *
 * For each operation, each CPU knows the longest times that it has sent, as many as are to be kept.
 * An operation that takes longer than the shortest of them goes to the ring buffer with its stacks.
 * An operation that is among the slowest of all CPUs is also among the slowest of its own CPU, so
 * the tool need not send anything back to the kernel.  Of a million operations, a CPU sends some
 * sixty.  The tool merges the results of the CPUs.
 *
 * A report of an interval has its own slowest operations: the tool starts a new round, in which
 * each CPU discards its times.
 */
#ifndef IOMMUSCOPE_BPF_SLOWEST_H
#define IOMMUSCOPE_BPF_SLOWEST_H

#include "bpf/operations.h"

/* Maximum number of operations to keep of each kind. */
#define SCOPE_SLOWEST_MAX 20
/* Frames of a stack, innermost first; outer frames beyond that are omitted. */
#define SCOPE_STACK_FRAMES 64
/* Bytes of the ring buffer while it is in use: some 600 operations. */
#define SCOPE_SLOWEST_ROOM (1 << 20)

/**
 * struct scope_sent - the longest times of an operation on one CPU, which alone writes it
 * @least_ns: the shortest of them
 * @round: round in which they were sent
 * @nr: number of times
 * @least: index of the shortest
 * @padding: 0
 * @dur_ns: the times
 */
struct scope_sent {
	__u64 least_ns;
	__u32 round;
	__u32 nr;
	__u32 least;
	__u32 padding;
	__u64 dur_ns[SCOPE_SLOWEST_MAX];
};

/**
 * struct scope_slow - an operation that is slower than those before it
 * @process_start_ns: CLOCK_BOOTTIME at the start of its process, because process ids are reused
 * @round: round in which it finished
 * @kernel_bytes: bytes of @kernel that were filled in, or a negative errno
 * @user_bytes: bytes of @user that were filled in, or a negative errno
 * @padding: 0
 * @kernel: return addresses in the kernel
 * @user: instruction at which the process entered the kernel, and return addresses
 * @finished: the operation
 */
struct scope_slow {
	__u64 process_start_ns;
	__u32 round;
	__s32 kernel_bytes;
	__s32 user_bytes;
	__u32 padding;
	__u64 kernel[SCOPE_STACK_FRAMES];
	__u64 user[SCOPE_STACK_FRAMES];
	struct scope_op finished;
};

#endif
