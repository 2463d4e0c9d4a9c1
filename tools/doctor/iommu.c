// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of doctor: the IOMMU, interrupt remapping, and the groups behind the IOMMU.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/findings.h"
#include "machine/iommu_group.h"
#include "machine/sysfs.h"

#define CLASS "/sys/class/iommu"

/* Prefixes of IOMMU names in sysfs. */
static const struct {
	const char *prefix;
	const char *kind;
} kinds[] = {
	{ "dmar", "Intel VT-d" },
	{ "ivhd", "AMD-Vi" },
	{ "smmu3", "Arm SMMUv3" },
	{ "smmu", "Arm SMMU" },
	{ "riscv-iommu", "RISC-V IOMMU" },
};

/* Tables of the firmware that describe an IOMMU, and what switches it on. */
static const struct {
	const char *table;
	const char *kind;
	const char *option;
} tables[] = {
	{ "DMAR", "Intel VT-d", "intel_iommu=on" },
	{ "IVRS", "AMD-Vi", "amd_iommu=on" },
	{ "VIOT", "virtio-iommu", NULL },
	{ "IORT", "Arm SMMU", NULL },
};

static const char *kind_of(const char *iommu)
{
	char driver[32];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(iommu, kinds[i].prefix, strlen(kinds[i].prefix)))
			return kinds[i].kind;
	sysfs_link(driver, sizeof(driver), CLASS "/%s/device/driver", iommu);
	return !strcmp(driver, "virtio_iommu") ? "virtio-iommu" : "IOMMU";
}

/* The mock IOMMU of the tests translates for no real device. */
static bool is_mock(const char *iommu)
{
	char device[32];

	return sysfs_link(device, sizeof(device), CLASS "/%s/device", iommu) &&
	       !strncmp(device, "iommufd-mock", 12);
}

bool doctor_iommu_is_on(void)
{
	struct sysfs_names iommus;
	bool on = false;
	size_t i;

	sysfs_list(&iommus, CLASS);
	for (i = 0; i < iommus.nr; i++)
		on |= !is_mock(iommus.names[i]);
	sysfs_list_free(&iommus);
	return on;
}

/* Is a word on the kernel command line? */
static bool booted_with(const char *word)
{
	char line[4096], *p, *rest;

	sysfs_line(line, sizeof(line), "/proc/cmdline");
	for (p = strtok_r(line, " ", &rest); p; p = strtok_r(NULL, " ", &rest))
		if (!strcmp(p, word))
			return true;
	return false;
}

static void say_no_iommu(struct doctor *doctor)
{
	static const char *const off[] = { "iommu=off", "intel_iommu=off", "amd_iommu=off" };
	size_t i;

	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		if (!booted_with(off[i]))
			continue;
		doctor_say(doctor, DOCTOR_MISSING, "the IOMMU is disabled: booted with %s",
			   off[i]);
		doctor_remedy(doctor, "boot without it");
		return;
	}
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!sysfs_exists("/sys/firmware/acpi/tables/%s", tables[i].table))
			continue;
		doctor_say(doctor, DOCTOR_MISSING,
			   "the machine has an IOMMU (%s), but the kernel does not use it",
			   tables[i].kind);
		if (tables[i].option)
			doctor_remedy(doctor, "boot with %s (GRUB_CMDLINE_LINUX in "
					      "/etc/default/grub, then update-grub)",
				      tables[i].option);
		else
			doctor_remedy(doctor, "load its driver before the drivers of the devices behind "
					      "it: /etc/initramfs-tools/modules");
		return;
	}
	doctor_say(doctor, DOCTOR_MISSING, "there is no IOMMU: the firmware describes none");
	doctor_remedy(doctor, "enable it in the firmware setup (VT-d, AMD-Vi, SMMU); in a "
			      "virtual machine, add one (QEMU: -device intel-iommu,intremap=on)");
}

void doctor_check_iommu(struct doctor *doctor)
{
	struct sysfs_names iommus, devices;
	size_t i;

	if (!doctor_iommu_is_on()) {
		say_no_iommu(doctor);
		return;
	}
	sysfs_list(&iommus, CLASS);
	for (i = 0; i < iommus.nr; i++) {
		if (is_mock(iommus.names[i]))
			continue;
		sysfs_list(&devices, CLASS "/%s/devices", iommus.names[i]);
		doctor_say(doctor, DOCTOR_OK, "%s (%s) is on, %zu device%s behind it",
			   kind_of(iommus.names[i]), iommus.names[i], devices.nr,
			   devices.nr == 1 ? "" : "s");
		sysfs_list_free(&devices);
	}
	sysfs_list_free(&iommus);
}

/*
 * Does hardware check the interrupts that devices send?  The names of the interrupt controllers
 * show it: on x86 those with remapping have a prefix, on Arm the ITS always checks.
 */
static bool interrupts_are_remapped(void)
{
	char line[4096];
	bool found = false;
	FILE *file;

	file = fopen("/proc/interrupts", "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " IR-") || strstr(line, " ITS-");
	fclose(file);
	return found;
}

void doctor_check_interrupts(struct doctor *doctor)
{
	const char *parameter = "/sys/module/iommufd/parameters/allow_unsafe_interrupts";
	char allowed[8];

	if (!sysfs_exists("%s", parameter))
		parameter = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";

	if (interrupts_are_remapped()) {
		doctor_say(doctor, DOCTOR_OK, "remapped: a device can raise only its own");
		return;
	}
	/* without an IOMMU this check does not apply */
	if (!doctor_iommu_is_on())
		return;
	sysfs_line(allowed, sizeof(allowed), "%s", parameter);
	if (*allowed == 'Y') {
		doctor_say(doctor, DOCTOR_WARNING,
			   "not remapped, but allowed: a device can raise any interrupt");
		doctor_remedy(doctor, "assign devices only to users that you trust");
		return;
	}
	doctor_say(doctor, DOCTOR_MISSING, "not remapped: no device can be bound (msi_not_isolated)");
	doctor_remedy(doctor, "%s; or, if you trust all users of devices: echo Y >%s",
		      booted_with("intremap=off") ? "boot without intremap=off" :
		      "enable interrupt remapping in the firmware setup (VT-d: x2APIC)",
		      parameter);
}

/* Report what blocks a group that has a device for users. */
static void say_not_viable(struct doctor *doctor, const struct iommu_group *group)
{
	const struct group_member *member, *given = NULL, *blocker;
	size_t i, blockers = 0;

	for (i = 0; i < group->nr; i++)
		if (!given && group->members[i].role == MEMBER_VFIO)
			given = &group->members[i];
	blocker = iommu_group_blocker(group, NULL);
	for (member = blocker; member; member = iommu_group_blocker(group, member))
		blockers++;
	doctor_say(doctor, DOCTOR_MISSING,
		   "group %u of %s is not viable: driver %s holds %s%s", group->id, given->device,
		   blocker->driver, blocker->device, blockers > 1 ? ", and there are more" : "");
	doctor_remedy(doctor, "bind %s to vfio-pci too, or to no driver: "
			      "driverctl set-override %s vfio-pci",
		      blocker->device, blocker->device);
}

void doctor_check_groups(struct doctor *doctor)
{
	struct iommu_group *groups;
	size_t nr, i, j, given, all = 0, bad = 0;

	nr = iommu_groups_read(&groups);
	for (i = 0; i < nr; i++) {
		for (given = 0, j = 0; j < groups[i].nr; j++)
			given += groups[i].members[j].role == MEMBER_VFIO;
		all += given;
		if (!given || !iommu_group_blocker(&groups[i], NULL))
			continue;
		say_not_viable(doctor, &groups[i]);
		bad++;
	}
	if (!nr) {
		/* without an IOMMU, another check has reported that */
		if (doctor_iommu_is_on()) {
			doctor_say(doctor, DOCTOR_MISSING, "there are no IOMMU groups");
			doctor_remedy(doctor, "see why in the kernel's log: dmesg | grep -i iommu");
		}
	} else if (!all) {
		doctor_say(doctor, DOCTOR_WARNING, "%zu groups, none of them has a device bound to VFIO", nr);
		doctor_remedy(doctor, "bind one to vfio-pci: driverctl set-override BDF vfio-pci; "
				      "check it first: iommuscope doctor -d BDF");
	} else if (!bad) {
		doctor_say(doctor, DOCTOR_OK, "%zu groups; %zu device%s with VFIO, all viable", nr,
			   all, all == 1 ? "" : "s");
	}
	iommu_groups_free(groups, nr);
}
