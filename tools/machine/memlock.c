// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locked memory and RLIMIT_MEMLOCK.
 */
#include <stdio.h>
#include <string.h>

#include "machine/memlock.h"
#include "machine/privilege.h"
#include "machine/sysfs.h"

/* Find a number after a word in a file of /proc; "unlimited" counts as a number. */
static bool read_number(uint32_t pid, const char *name, const char *word, uint64_t *number)
{
	unsigned long long value;
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, word, strlen(word)))
			continue;
		if (sscanf(line + strlen(word), " %llu", &value) == 1)
			*number = value;
		else
			*number = MEMLOCK_UNLIMITED;
		found = true;
	}
	fclose(file);
	return found;
}

/* Capabilities lift the limit only in the initial user namespace. */
static bool in_first_user_ns(uint32_t pid)
{
	unsigned int inside, outside, users;
	char its[64];

	/* PROC_USER_INIT_INO; process 1 of another PID namespace may have another user namespace */
	if (sysfs_link(its, sizeof(its), "/proc/%u/ns/user", pid))
		return !strcmp(its, "user:[4026531837]");
	/* the ns links take CAP_SYS_PTRACE; usually only the initial one maps all users 1:1 */
	return sysfs_line(its, sizeof(its), "/proc/%u/uid_map", pid) &&
	       sscanf(its, "%u %u %u", &inside, &outside, &users) == 3 && inside == outside &&
	       users == UINT32_MAX;
}

bool memlock_of_ctx(const struct iommufd_state_ctx *ctx, struct memlock *memlock)
{
	uint64_t capabilities, kib;

	memlock->by_process = ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
	memlock->used_bytes = ctx->user_locked_bytes;
	if (ctx->flags & IOMMUFD_STATE_CTX_PROCESS_GONE ||
	    !process_capabilities(ctx->pid, &capabilities) ||
	    !read_number(ctx->pid, "limits", "Max locked memory", &memlock->limit_bytes))
		return false;
	memlock->by_capability =
		capabilities & 1ULL << SCOPE_CAP_IPC_LOCK && in_first_user_ns(ctx->pid);
	if (memlock->by_capability)
		memlock->limit_bytes = MEMLOCK_UNLIMITED;
	if (memlock->by_process) {
		if (!read_number(ctx->pid, "status", "VmLck:", &kib))
			return false;
		memlock->used_bytes = kib * 1024;
	}
	return true;
}
