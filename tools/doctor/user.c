// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor: what the calling user may open, do and pin.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/checks.h"
#include "doctor/findings.h"
#include "machine/devices.h"
#include "machine/iommu_group.h"
#include "machine/pid_namespace.h"
#include "machine/privilege.h"
#include "machine/sysfs.h"
#include "text/format.h"

#define NODES "/dev/vfio/devices"
#define HUGEPAGES "/sys/kernel/mm/hugepages"

/* A bound above the default limits of users and below the needs of any guest. */
#define LITTLE_MEMLOCK (64ULL << 20)

/* "rw-rw---- root:kvm" */
static void mode_text(const struct stat *st, char *text, size_t size)
{
	const struct passwd *user = getpwuid(st->st_uid);
	const struct group *group = getgrgid(st->st_gid);
	char mode[10] = "rwxrwxrwx", owner[16], of_group[16];
	int i;

	for (i = 0; i < 9; i++)
		if (!(st->st_mode & 0400 >> i))
			mode[i] = '-';
	snprintf(owner, sizeof(owner), "%u", st->st_uid);
	snprintf(of_group, sizeof(of_group), "%u", st->st_gid);
	snprintf(text, size, "%s %s:%s", mode, user ? user->pw_name : owner,
		 group ? group->gr_name : of_group);
}

void doctor_look_at_node(struct doctor *doctor, const char *path, const char *of,
			 const char *rule)
{
	char mode[64];
	struct stat st;

	if (stat(path, &st)) {
		if (errno == EACCES) {
			doctor_say(doctor, DOCTOR_WARNING, "%s%s is not visible to uid %u", path, of,
				   geteuid());
			doctor_remedy(doctor, "run doctor as root, or give the user access to its directory");
			return;
		}
		doctor_say(doctor, DOCTOR_MISSING, "%s%s does not exist", path, of);
		doctor_remedy(doctor, "%s", sysfs_exists("/dev/.udev") || sysfs_exists("/run/udev") ?
			      "udevadm trigger; in a container: pass the node in" :
			      "mount devtmpfs on /dev; in a container: pass the node in");
		return;
	}
	mode_text(&st, mode, sizeof(mode));
	if (!faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS)) {
		doctor_say(doctor, DOCTOR_OK, "%s%s can be opened (%s)", path, of, mode);
		return;
	}
	doctor_say(doctor, DOCTOR_WARNING, "%s%s cannot be opened by uid %u (%s)", path, of,
		   geteuid(), mode);
	doctor_remedy(doctor, "give it to a group, in /etc/udev/rules.d/60-vfio.rules: "
			      "%s, GROUP=\"kvm\", MODE=\"0660\"", rule);
}

void doctor_check_nodes(struct doctor *doctor)
{
	struct sysfs_names nodes;
	char path[PATH_MAX];
	size_t i;

	/* without the module there is no node, and another check has reported the module */
	if (sysfs_exists("/sys/module/iommufd") || sysfs_exists("/dev/iommu"))
		doctor_look_at_node(doctor, "/dev/iommu", "",
				    "SUBSYSTEM==\"misc\", KERNEL==\"iommu\"");
	if (sysfs_exists("/sys/module/vfio_iommu_type1"))
		doctor_look_at_node(doctor, "/dev/vfio/vfio", "",
				    "SUBSYSTEM==\"misc\", KERNEL==\"vfio\"");
	if (doctor->device)
		return;
	sysfs_list(&nodes, "/sys/class/vfio-dev");
	for (i = 0; i < nodes.nr; i++) {
		char of[DEVICE_NAME_SIZE + 4], device[DEVICE_NAME_SIZE];
		unsigned int group;

		sysfs_link(device, sizeof(device), "/sys/class/vfio-dev/%s/device",
			   nodes.names[i]);
		snprintf(of, sizeof(of), " (%s)", device);
		/* without a device node, users open the group */
		if (!sysfs_exists("/sys/class/vfio-dev/%s/dev", nodes.names[i])) {
			if (!iommu_group_of(device, &group))
				continue;
			snprintf(path, sizeof(path), "/dev/vfio/%u", group);
			doctor_look_at_node(doctor, path, of, "SUBSYSTEM==\"vfio\"");
			continue;
		}
		snprintf(path, sizeof(path), NODES "/%s", nodes.names[i]);
		doctor_look_at_node(doctor, path, of, "SUBSYSTEM==\"vfio-dev\"");
	}
	sysfs_list_free(&nodes);
}

void doctor_check_privilege(struct doctor *doctor)
{
	uint64_t capabilities = 0;

	process_capabilities(0, &capabilities);
	if (capabilities & 1ULL << SCOPE_CAP_SYS_ADMIN) {
		doctor_say(doctor, DOCTOR_OK, "uid %u may load BPF programs", geteuid());
	} else if (may_observe(capabilities)) {
		doctor_say(doctor, DOCTOR_MISSING,
			   "uid %u may load BPF programs, but not read the BTF of modules",
			   geteuid());
		doctor_remedy(doctor, "add CAP_SYS_ADMIN, or run iommuscope as root");
	} else {
		doctor_say(doctor, DOCTOR_MISSING,
			   "uid %u may not load BPF programs: only doctor and report work",
			   geteuid());
		doctor_remedy(doctor, "run iommuscope as root: sudo iommuscope ...");
	}
}

/* In the host's PID namespace there is nothing to report. */
void doctor_check_processes(struct doctor *doctor)
{
	switch (pid_namespace()) {
	case PID_NAMESPACE_HOST:
		break;
	case PID_NAMESPACE_OWN:
		doctor_say(doctor, DOCTOR_WARNING,
			   "this is not the host's PID namespace: processes outside of it are not seen, or only by the host's pid");
		doctor_remedy(doctor, PID_NAMESPACE_REMEDY);
		break;
	case PID_NAMESPACE_FOREIGN_PROC:
		doctor_say(doctor, DOCTOR_MISSING, "/proc is not that of this PID namespace");
		doctor_remedy(doctor, "mount -t proc none /proc");
		break;
	}
}

void doctor_check_memlock(struct doctor *doctor)
{
	uint64_t capabilities = 0;
	struct rlimit limit;
	char size[32];

	getrlimit(RLIMIT_MEMLOCK, &limit);
	process_capabilities(0, &capabilities);
	snprintf(size, sizeof(size), "%s", limit.rlim_cur == RLIM_INFINITY ?
		 "unlimited" : format_size(limit.rlim_cur).s);
	if (limit.rlim_cur == RLIM_INFINITY) {
		doctor_say(doctor, DOCTOR_OK, "RLIMIT_MEMLOCK is unlimited");
	} else if (capabilities & 1ULL << SCOPE_CAP_IPC_LOCK) {
		doctor_say(doctor, DOCTOR_OK,
			   "RLIMIT_MEMLOCK is %s, but CAP_IPC_LOCK overrides it", size);
	} else if (limit.rlim_cur >= LITTLE_MEMLOCK) {
		doctor_say(doctor, DOCTOR_OK, "RLIMIT_MEMLOCK allows %s to be pinned", size);
	} else {
		doctor_say(doctor, DOCTOR_WARNING,
			   "RLIMIT_MEMLOCK allows only %s to be pinned: larger maps fail with ENOMEM",
			   size);
		doctor_remedy(doctor, "set it above the guest's memory: memlock in "
				      "/etc/security/limits.conf, LimitMEMLOCK= in a unit");
	}
}

void doctor_check_hugepages(struct doctor *doctor)
{
	struct sysfs_names sizes;
	char line[64];
	uint64_t kib, nr, reserved = 0;
	bool transparent;
	size_t i;

	sysfs_list(&sizes, HUGEPAGES);
	for (i = 0; i < sizes.nr; i++) {
		sysfs_line(line, sizeof(line), HUGEPAGES "/%s/nr_hugepages", sizes.names[i]);
		nr = strtoull(line, NULL, 10);
		kib = strtoull(sizes.names[i] + strcspn(sizes.names[i], "0123456789"), NULL, 10);
		reserved += nr * kib * 1024;
	}
	sysfs_list_free(&sizes);
	sysfs_line(line, sizeof(line), "/sys/kernel/mm/transparent_hugepage/enabled");
	transparent = strstr(line, "[always]") || strstr(line, "[madvise]");
	if (transparent || reserved) {
		doctor_say(doctor, DOCTOR_OK, "transparent huge pages are %s, %s reserved",
			   !transparent ? "off" :
			   strstr(line, "[always]") ? "on" : "on upon request (madvise)",
			   reserved ? format_size(reserved).s : "none");
		return;
	}
	doctor_say(doctor, DOCTOR_WARNING, "no huge pages: maps pin and map page by page, which is slow");
	doctor_remedy(doctor, "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled, or reserve "
			      "huge pages: sysctl vm.nr_hugepages=N");
}
