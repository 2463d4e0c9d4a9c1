// SPDX-License-Identifier: GPL-2.0-only
/*
 * State of the kernel as a whole: modules with their parameters and users, sysctls, huge pages
 * and the like.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "state.h"

/* Below /proc/sys: what the kernel changes by itself, and what has no meaning as a value. */
static const char *const own_sysctls[] = {
	"fs/binfmt_misc",
	"kernel/ns_last_pid",
	/* lowered by the kernel when the machine is slow */
	"kernel/perf_event_max_sample_rate",
	"kernel/random",
	/* the kernel log has its own check */
	"kernel/tainted",
	"vm/stat_refresh",
};

static bool is_own_sysctl(const char *name)
{
	for (size_t i = 0; i < sizeof(own_sysctls) / sizeof(own_sysctls[0]); i++) {
		size_t len = strlen(own_sysctls[i]);

		if (!strncmp(name, own_sysctls[i], len) && (!name[len] || name[len] == '/'))
			return true;
	}
	return false;
}

/* The value of another file in other units; the kernel warns of processes that read it. */
static bool is_deprecated(const char *name)
{
	return !strcmp(name, "base_reachable_time") || !strcmp(name, "retrans_time");
}

static void add_modules(struct state *state)
{
	FILE *file = fopen("/proc/modules", "re");
	char name[64], value[32], line[512];
	unsigned int users;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %*u %u", name, &users) != 2)
			continue;
		/* it has one user for each device that it has probed, see groups_come_late() */
		if (!strcmp(name, "virtio_iommu"))
			users = 1;
		snprintf(value, sizeof(value), "%u users", users);
		state_add(state, value, "module %s", name);
	}
	if (file)
		fclose(file);
}

static bool is_setting(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_mode & 0200 && st.st_mode & 0400;
}

static void each_parameter(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (is_setting(path))
		state_add_file(state, path, "parameter %s", path);
}

static void each_module(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/parameters", folder, name);
	state_each(path, each_parameter, state);
}

static void each_sysctl(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (is_own_sysctl(path + strlen("/proc/sys/")) || is_deprecated(name) || lstat(path, &st))
		return;
	if (S_ISDIR(st.st_mode))
		state_each(path, each_sysctl, state);
	else if (is_setting(path))
		state_add_file(state, path, "sysctl %s", path + strlen("/proc/sys/"));
}

/* Not only the settings: pages in use without a process are lost to the next test. */
static void each_page_size(struct state *state, const char *folder, const char *name)
{
	static const char *const files[] = {
		"nr_hugepages", "free_hugepages", "resv_hugepages", "nr_overcommit_hugepages",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", folder, name, files[i]);
		state_add_file(state, path, "%s of %s", files[i], name);
	}
}

/* A file that can be written, or a folder of them. */
static void each_setting(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (lstat(path, &st))
		return;
	if (S_ISDIR(st.st_mode))
		state_each(path, each_setting, state);
	else if (is_setting(path))
		state_add_file(state, path, "setting %s", path);
}

static void each_debug_folder(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	if (strncmp(name, "fail", 4))
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	state_each(path, each_setting, state);
}

static void each_block_device(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/size", folder, name);
	state_add_file(state, path, "block device %s", name);
}

void state_kernel(struct state *state)
{
	add_modules(state);
	state_each("/sys/module", each_module, state);
	state_each("/proc/sys", each_sysctl, state);
	state_each("/sys/kernel/mm/hugepages", each_page_size, state);
	state_each("/sys/kernel/mm/transparent_hugepage", each_setting, state);
	state_each("/sys/kernel/mm/ksm", each_setting, state);
	state_each("/sys/kernel/debug", each_debug_folder, state);
	state_each("/sys/block", each_block_device, state);
	state_add_file(state, "/proc/swaps", "swap");
	state_add_file(state, "/sys/devices/system/cpu/online", "processors");
	/* not the clock source: the kernel changes it if a busy host makes the clock irregular */
}
