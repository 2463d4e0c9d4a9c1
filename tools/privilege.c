// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process may do.
 */
#include <stdio.h>

#include "privilege.h"

bool process_capabilities(pid_t pid, uint64_t *capabilities)
{
	unsigned long long effective = 0;
	char path[32] = "/proc/self/status", line[256];
	bool found = false;
	FILE *status;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return false;
	while (!found && fgets(line, sizeof(line), status))
		found = sscanf(line, "CapEff: %llx", &effective) == 1;
	fclose(status);
	*capabilities = effective;
	return found;
}

static bool has(uint64_t capabilities, unsigned int capability)
{
	return capabilities & 1ULL << capability;
}

bool may_observe(uint64_t capabilities)
{
	return has(capabilities, SCOPE_CAP_SYS_ADMIN) ||
	       (has(capabilities, SCOPE_CAP_BPF) && has(capabilities, SCOPE_CAP_PERFMON));
}
