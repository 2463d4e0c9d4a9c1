// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor: one device, from its kind to the node that a user opens.
 *
 * The device exists: the command line was checked for that.
 */
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/findings.h"
#include "machine/devices.h"
#include "machine/iommu_group.h"
#include "machine/sysfs.h"

/* Base class and subclass of PCI: all that connect one bus to another. */
#define PCI_CLASS_HOST_BRIDGE 0x0600
#define PCI_CLASS_BRIDGES 0x06

static void folder(const struct doctor *doctor, char path[PATH_MAX])
{
	device_path(doctor->device, path, PATH_MAX);
}

/* Read a number such as 0x8086; 0 if there is none. */
static unsigned int number(const char *path, const char *file)
{
	char line[32];

	sysfs_line(line, sizeof(line), "%s/%s", path, file);
	return strtoul(line, NULL, 16);
}

static bool is_pci(const char *path)
{
	return !strncmp(path, "/sys/bus/pci/", 13);
}

void doctor_check_device(struct doctor *doctor)
{
	unsigned int class;
	char path[PATH_MAX];

	folder(doctor, path);
	if (!is_pci(path)) {
		doctor_say(doctor, DOCTOR_OK, "%s exists and is not a PCI device", doctor->device);
		return;
	}
	class = number(path, "class") >> 8;
	if (class >> 8 == PCI_CLASS_BRIDGES) {
		doctor_say(doctor, DOCTOR_MISSING, "%s is a %sbridge: it cannot be assigned",
			   doctor->device, class == PCI_CLASS_HOST_BRIDGE ? "host " : "");
		doctor_remedy(doctor, "assign the devices behind it");
		return;
	}
	doctor_say(doctor, DOCTOR_OK, "%s: PCI device %04x:%04x, class %04x", doctor->device,
		   number(path, "vendor"), number(path, "device"), class);
	if (sysfs_exists("%s/sriov_numvfs", path) && number(path, "sriov_numvfs")) {
		doctor_say(doctor, DOCTOR_WARNING, "its virtual functions are enabled (%u)",
			   number(path, "sriov_numvfs"));
		doctor_remedy(doctor, "assign a virtual function instead, or echo 0 >%s/sriov_numvfs",
			      path);
	}
}

/* Find where a block device or one of its partitions is mounted. */
static bool mounted_at(const char *block, char *where, size_t size)
{
	struct mntent *entry;
	bool found = false;
	FILE *mounts;
	char node[64];

	snprintf(node, sizeof(node), "/dev/%s", block);
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return false;
	while (!found && (entry = getmntent(mounts))) {
		found = !strncmp(entry->mnt_fsname, node, strlen(node));
		if (found)
			snprintf(where, size, "%s", entry->mnt_dir);
	}
	endmntent(mounts);
	return found;
}

/* Disks are below the device of their controller: nvme/nvme0/nvme0n1, ata1/host0/.../block/sda. */
static bool is_below(const char *path, const char *block)
{
	char device[PATH_MAX], disk[PATH_MAX], link[PATH_MAX];
	size_t length;

	snprintf(link, sizeof(link), "/sys/class/block/%s", block);
	if (!realpath(path, device) || !realpath(link, disk))
		return false;
	length = strlen(device);
	return !strncmp(disk, device, length) && disk[length] == '/';
}

void doctor_check_device_use(struct doctor *doctor)
{
	char path[PATH_MAX], state[16], where[PATH_MAX];
	struct sysfs_names names;
	size_t before = doctor->nr, i;

	folder(doctor, path);
	sysfs_list(&names, "%s/net", path);
	for (i = 0; i < names.nr; i++) {
		sysfs_line(state, sizeof(state), "%s/net/%s/operstate", path, names.names[i]);
		if (strcmp(state, "up"))
			continue;
		doctor_say(doctor, DOCTOR_WARNING, "the host's network interface %s uses it",
			   names.names[i]);
		doctor_remedy(doctor, "make sure you do not need it, then take it down: "
				      "ip link set %s down", names.names[i]);
	}
	sysfs_list_free(&names);
	sysfs_list(&names, "/sys/class/block");
	for (i = 0; i < names.nr; i++) {
		if (!is_below(path, names.names[i]) ||
		    !mounted_at(names.names[i], where, sizeof(where)))
			continue;
		doctor_say(doctor, DOCTOR_WARNING, "the host has its disk %s mounted at %s",
			   names.names[i], where);
		doctor_remedy(doctor, "umount %s first", where);
		break;
	}
	sysfs_list_free(&names);
	if (doctor->nr == before)
		doctor_say(doctor, DOCTOR_OK, "the host uses no network interface or disk on it");
}

void doctor_check_device_iommu(struct doctor *doctor)
{
	char path[PATH_MAX], iommu[64];

	folder(doctor, path);
	if (sysfs_link(iommu, sizeof(iommu), "%s/iommu", path)) {
		doctor_say(doctor, DOCTOR_OK, "its DMA is translated by %s", iommu);
		return;
	}
	doctor_say(doctor, DOCTOR_MISSING, "no IOMMU translates its DMA");
	doctor_remedy(doctor, doctor_iommu_is_on() ?
			      "move it to a slot behind the IOMMU" :
			      "enable the IOMMU, see above");
}

void doctor_check_device_group(struct doctor *doctor)
{
	const struct group_member *member;
	struct iommu_group group;
	size_t i, others = 0, blockers = 0;
	unsigned int id;

	/* the check of its IOMMU has reported that it has none */
	if (!iommu_group_of(doctor->device, &id))
		return;
	iommu_group_read(&group, id);
	for (i = 0; i < group.nr; i++) {
		member = &group.members[i];
		if (!strcmp(member->device, doctor->device))
			continue;
		others++;
		if (member->role != MEMBER_IN_THE_WAY)
			continue;
		blockers++;
		doctor_say(doctor, DOCTOR_MISSING, "driver %s holds %s, which is in the same group %u",
			   member->driver, member->device, id);
		doctor_remedy(doctor, "bind it to vfio-pci too, or to no driver: "
				      "driverctl set-override %s vfio-pci", member->device);
	}
	for (i = 0; i < group.nr && !blockers; i++) {
		member = &group.members[i];
		if (strcmp(member->device, doctor->device))
			doctor_say(doctor, DOCTOR_OK, "%s (%s) is in the same group %u and does not block it",
				   member->device, *member->driver ? member->driver : "no driver",
				   id);
	}
	if (!others)
		doctor_say(doctor, DOCTOR_OK, "it is alone in its group %u", id);
	iommu_group_release(&group);
}

void doctor_check_device_driver(struct doctor *doctor)
{
	char path[PATH_MAX], driver[32];

	folder(doctor, path);
	sysfs_link(driver, sizeof(driver), "%s/driver", path);
	if (driver_role(driver) == MEMBER_VFIO) {
		doctor_say(doctor, DOCTOR_OK, "its driver %s gives it to users", driver);
		return;
	}
	doctor_say(doctor, DOCTOR_MISSING, *driver ? "driver %s holds it" : "it has no driver%s",
		   driver);
	if (is_pci(path))
		doctor_remedy(doctor, "driverctl set-override %s vfio-pci", doctor->device);
	else
		doctor_remedy(doctor, "bind it to the VFIO driver of its bus");
}

void doctor_check_device_reset(struct doctor *doctor)
{
	char path[PATH_MAX], methods[64];

	folder(doctor, path);
	if (!is_pci(path))
		return;
	sysfs_line(methods, sizeof(methods), "%s/reset_method", path);
	if (*methods) {
		doctor_say(doctor, DOCTOR_OK, "it can be reset (%s)", methods);
		return;
	}
	doctor_say(doctor, DOCTOR_WARNING,
		   "it cannot be reset alone: the next user finds the state that the last one left");
	doctor_remedy(doctor, "assign its whole bus to one user, so that the bus can be reset");
}

void doctor_check_device_node(struct doctor *doctor)
{
	char path[PATH_MAX], node[PATH_MAX], driver[32];
	struct sysfs_names names;
	unsigned int group;

	folder(doctor, path);
	sysfs_link(driver, sizeof(driver), "%s/driver", path);
	/* without a VFIO driver there is no node */
	if (driver_role(driver) != MEMBER_VFIO)
		return;
	sysfs_list(&names, "%s/vfio-dev", path);
	if (names.nr && sysfs_exists("%s/vfio-dev/%s/dev", path, names.names[0])) {
		snprintf(node, sizeof(node), "/dev/vfio/devices/%s", names.names[0]);
		doctor_look_at_node(doctor, node, "", "SUBSYSTEM==\"vfio-dev\"");
	} else if (iommu_group_of(doctor->device, &group)) {
		/* this VFIO has no device nodes, only group nodes */
		snprintf(node, sizeof(node), "/dev/vfio/%u", group);
		doctor_look_at_node(doctor, node, "", "SUBSYSTEM==\"vfio\"");
	}
	sysfs_list_free(&names);
}
