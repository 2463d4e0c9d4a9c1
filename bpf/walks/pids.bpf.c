// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the processes of the reader's PID namespace, with their numbers there and on the host.
 *
 * The kernel's iterator visits the threads of the namespace in which it is opened.
 */
#include "bpf/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel/pids.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("iter/task")
int ios_pids(struct bpf_iter__task *ctx)
{
	const struct task_struct *reader = (const void *)bpf_get_current_task();
	const struct task_struct *task = ctx->task;
	const struct pid *pid = BPF_CORE_READ(reader, thread_pid);
	struct scope_pid record = {};
	struct upid upid = {};

	if (!task || task->pid != task->tgid)
		return 0;
	record.space.level = BPF_CORE_READ(pid, level);
	scope_read_upid(&upid, pid, record.space.level);
	record.space.inode = BPF_CORE_READ(upid.ns, ns.inum);
	record.host = task->tgid;
	scope_read_upid(&upid, BPF_CORE_READ(task, thread_pid), record.space.level);
	record.here = upid.nr;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
