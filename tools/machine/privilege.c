// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/privilege.h"
#include "text/output.h"

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

/* Reduce the effective capabilities, and the permitted ones if @for_good. */
static int reduce(uint64_t keep, bool for_good)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned int i;

	if (syscall(SYS_capget, &header, data))
		return -1;
	for (i = 0; i < 2; i++) {
		if (for_good)
			data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted & (uint32_t)(keep >> 32 * i);
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data);
}

int privilege_keep(uint64_t keep)
{
	unsigned int capability;

	/* without CAP_SETPCAP the bounding set stays; no_new_privs must suffice then */
	for (capability = 0; !prctl(PR_CAPBSET_READ, capability) ||
			     prctl(PR_CAPBSET_READ, capability) == 1;
	     capability++)
		if (!(keep & 1ULL << capability))
			prctl(PR_CAPBSET_DROP, capability);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || reduce(keep, true)) {
		complain("cannot drop capabilities: %s", strerror(errno));
		return -1;
	}
	return 0;
}

bool privilege_writes(const char *folder)
{
	bool writes;

	if (reduce(0, false))
		return false;
	writes = !faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS);
	reduce(UINT64_MAX, false);
	return writes;
}
