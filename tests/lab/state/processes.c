// SPDX-License-Identifier: GPL-2.0-only
/* Processes and what they share: control groups, System V objects, the network. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

#define PF_KTHREAD	0x00200000
#define CGROUPS		"/sys/fs/cgroup"
/* the scope of an address of the link, in /proc/net/if_inet6 */
#define IPV6_LINK_SCOPE	0x20

static void each_process(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX], text[4096], *behind;
	unsigned int flags;

	if (!isdigit(name[0]) || atoi(name) == 1 || atoi(name) == getpid())
		return;
	snprintf(path, sizeof(path), "%s/%s/stat", folder, name);
	if (!state_read(path, text, sizeof(text)))
		return;
	behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1 ||
	    flags & PF_KTHREAD)
		return;
	snprintf(path, sizeof(path), "%s/%s/cmdline", folder, name);
	if (!state_read(path, text, sizeof(text)) || !text[0]) {
		snprintf(path, sizeof(path), "%s/%s/comm", folder, name);
		state_read(path, text, sizeof(text));
	}
	state_add(state, "", "process %s", text);
}

/* The agent made this program's own group; it is not the test's. */
static bool is_our_cgroup(const char *path)
{
	static char own[PATH_MAX];
	char text[PATH_MAX], *at;

	if (!own[0] && state_read("/proc/self/cgroup", text, sizeof(text))) {
		at = strstr(text, "0::");
		snprintf(own, sizeof(own), CGROUPS "%.4000s", at ? at + 3 : "");
	}
	return !strcmp(path, own);
}

static void each_cgroup(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (lstat(path, &st) || !S_ISDIR(st.st_mode))
		return;
	if (!is_our_cgroup(path))
		state_add(state, "", "cgroup %s", path);
	state_each(path, each_cgroup, state);
}

static void each_interface(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/flags", folder, name);
	state_add_file(state, path, "network interface %s", name);
	snprintf(path, sizeof(path), "%s/%s/mtu", folder, name);
	state_add_file(state, path, "mtu of network interface %s", name);
}

/*
 * Some IPv6 addresses appear by themselves some time after the interface: link-local ones, and
 * those that a router announces, which are not permanent.
 */
static void add_inet6_addresses(struct state *state)
{
	FILE *file = fopen("/proc/net/if_inet6", "re");
	char address[33], interface[IF_NAMESIZE];
	unsigned int scope, flags;

	if (!file)
		return;
	while (fscanf(file, "%32s %*x %*x %x %x %15s", address, &scope, &flags, interface) == 4)
		if (scope != IPV6_LINK_SCOPE && flags & IFA_F_PERMANENT)
			state_add(state, "", "address %s of %s", address, interface);
	fclose(file);
}

static void add_addresses(struct state *state)
{
	struct ifaddrs *list, *a;

	add_inet6_addresses(state);
	if (getifaddrs(&list))
		return;
	for (a = list; a; a = a->ifa_next) {
		char text[INET_ADDRSTRLEN];

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		inet_ntop(AF_INET, &((struct sockaddr_in *)a->ifa_addr)->sin_addr, text,
			  sizeof(text));
		state_add(state, "", "address %s of %s", text, a->ifa_name);
	}
	freeifaddrs(list);
}

static void each_ipc_kind(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	/* the first line has the names of the columns */
	if (file && fgets(line, sizeof(line), file))
		while (fgets(line, sizeof(line), file))
			state_add(state, "", "System V %s %.400s", name, line);
	if (file)
		fclose(file);
}

void state_processes(struct state *state)
{
	state_each("/proc", each_process, state);
	state_each(CGROUPS, each_cgroup, state);
	state_add_file(state, CGROUPS "/cgroup.subtree_control", "setting " CGROUPS
		       "/cgroup.subtree_control");
	state_each("/proc/sysvipc", each_ipc_kind, state);
}

void state_network(struct state *state)
{
	state_each("/sys/class/net", each_interface, state);
	add_addresses(state);
	state_add_file(state, "/proc/net/route", "routes");
}
