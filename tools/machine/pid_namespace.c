// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PID namespace of this process.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/pids.h"
#include "machine/pid_namespace.h"

/* PROC_PID_INIT_INO of the kernel, the same since 3.8 */
#define INITIAL_INODE 0xEFFFFFFCU

/*
 * Does /proc number processes as this process does?  NSpid has this process's number in the
 * namespace of /proc, and in each one below it down to its own.
 */
static bool proc_is_ours(void)
{
	unsigned int first, second;
	bool ours = false;
	char line[256];
	FILE *file;

	file = fopen("/proc/self/status", "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "NSpid:", 6))
			ours = sscanf(line + 6, "%u %u", &first, &second) == 1;
	fclose(file);
	return ours;
}

enum pid_namespace pid_namespace(void)
{
	struct stat status;

	if (!proc_is_ours())
		return PID_NAMESPACE_FOREIGN_PROC;
	return !stat("/proc/self/ns/pid", &status) && status.st_ino == INITIAL_INODE ?
		       PID_NAMESPACE_HOST :
		       PID_NAMESPACE_OWN;
}

bool pid_is_outside(uint32_t pid)
{
	return pid & SCOPE_PID_OUTSIDE;
}

struct pid_text pid_text(uint32_t pid)
{
	struct pid_text text;

	snprintf(text.s, sizeof(text.s), "%s%u", pid_is_outside(pid) ? "host " : "",
		 pid & ~SCOPE_PID_OUTSIDE);
	return text;
}
