/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of processes and threads in the tool's own PID namespace.
 *
 * The kernel's events and records have the numbers of the initial PID namespace, the host's.  In
 * another namespace the same number is another process in /proc.  The programs therefore translate
 * numbers where they take them.  A process that does not exist in the tool's namespace keeps its
 * number on the host, with a bit set that no number has.  A search in /proc for such a number finds
 * nothing.
 */
#ifndef IOMMUSCOPE_BPF_PIDS_H
#define IOMMUSCOPE_BPF_PIDS_H

#include "bpf/types.h"

/* Set in the number of a process outside of the tool's PID namespace; PID_MAX_LIMIT is 2^22. */
#define SCOPE_PID_OUTSIDE 0x80000000U

/**
 * struct scope_pid_space - the tool's PID namespace
 * @level: its depth below the initial PID namespace; 0: it is that one, and nothing is translated
 * @inode: its inode number in nsfs
 */
struct scope_pid_space {
	__u32 level;
	__u32 inode;
};

/**
 * struct scope_pid - a process of the tool's PID namespace
 * @host: its number in the initial PID namespace
 * @here: its number in the tool's
 * @space: the tool's PID namespace, the same in all records
 */
struct scope_pid {
	__u32 host;
	__u32 here;
	struct scope_pid_space space;
};

#endif
