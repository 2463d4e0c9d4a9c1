/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translation of the host's numbers of threads.  pids.h describes the model.
 *
 * The tool sets the knob before it loads a program.  In the initial PID namespace the verifier
 * removes the translation.
 */
#ifndef IOMMUSCOPE_BPF_KERNEL_PIDS_BPF_H
#define IOMMUSCOPE_BPF_KERNEL_PIDS_BPF_H

#include "bpf/pids.h"

const volatile struct scope_pid_space pid_space = {};

/* The number of a task at a level of namespaces.  @pid must have that level. */
static __always_inline void scope_read_upid(struct upid *to, const struct pid *pid, __u32 level)
{
	/* the end of the structure: an index is no matter of CO-RE */
	const char *numbers = (const char *)pid + bpf_core_field_offset(struct pid, numbers);

	bpf_probe_read_kernel(to, sizeof(*to), numbers + level * sizeof(*to));
}

/* @number: the task's number on the host */
static __noinline __u32 scope_pid_translated(const struct task_struct *task, __u32 number)
{
	const struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid upid = {};

	if (pid && BPF_CORE_READ(pid, level) >= pid_space.level) {
		scope_read_upid(&upid, pid, pid_space.level);
		if (BPF_CORE_READ(upid.ns, ns.inum) == pid_space.inode)
			return upid.nr;
	}
	return number | SCOPE_PID_OUTSIDE;
}

/* The number of a task in the tool's PID namespace. @number: its number on the host. */
static __always_inline __u32 scope_pid_of(const struct task_struct *task, __u32 number)
{
	return pid_space.level ? scope_pid_translated(task, number) : number;
}

/* bpf_get_current_pid_tgid() with the numbers of the tool's PID namespace. */
static __always_inline __u64 scope_pid_tgid(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	const struct task_struct *task;

	if (!pid_space.level)
		return id;
	task = (const void *)bpf_get_current_task();
	return (__u64)scope_pid_translated(BPF_CORE_READ(task, group_leader), id >> 32) << 32 |
	       scope_pid_translated(task, id);
}

#endif
