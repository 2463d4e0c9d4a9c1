// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/devices.h"
#include "machine/iommu_group.h"
#include "machine/sysfs.h"
#include "text/output.h"

#define GROUPS "/sys/kernel/iommu_groups"

/* Drivers that the kernel allows in a group that belongs to a user (driver_managed_dma). */
static const char *const neutral_drivers[] = { "pcieport", "pci-stub", "shpchp" };

enum member_role driver_role(const char *driver)
{
	size_t i;

	if (!*driver)
		return MEMBER_FREE;
	/* vfio-pci, mlx5_vfio_pci, vfio-platform: the names of all drivers for users have this */
	if (strstr(driver, "vfio"))
		return MEMBER_VFIO;
	for (i = 0; i < sizeof(neutral_drivers) / sizeof(neutral_drivers[0]); i++)
		if (!strcmp(driver, neutral_drivers[i]))
			return MEMBER_NEUTRAL;
	return MEMBER_IN_THE_WAY;
}

void iommu_group_read(struct iommu_group *group, unsigned int id)
{
	struct group_member *member;
	struct sysfs_names names;
	size_t i;

	memset(group, 0, sizeof(*group));
	group->id = id;
	sysfs_line(group->type, sizeof(group->type), GROUPS "/%u/type", id);
	sysfs_list(&names, GROUPS "/%u/devices", id);
	group->members = calloc(names.nr + 1, sizeof(*group->members));
	if (!group->members)
		out_of_memory();
	for (i = 0; i < names.nr; i++) {
		member = &group->members[group->nr++];
		snprintf(member->device, sizeof(member->device), "%s", names.names[i]);
		sysfs_link(member->driver, sizeof(member->driver), GROUPS "/%u/devices/%s/driver",
			   id, names.names[i]);
		member->role = driver_role(member->driver);
	}
	sysfs_list_free(&names);
}

void iommu_group_release(struct iommu_group *group)
{
	free(group->members);
	group->members = NULL;
	group->nr = 0;
}

size_t iommu_groups_read(struct iommu_group **groups)
{
	struct sysfs_names names;
	size_t i;

	sysfs_list(&names, GROUPS);
	*groups = calloc(names.nr + 1, sizeof(**groups));
	if (!*groups)
		out_of_memory();
	for (i = 0; i < names.nr; i++)
		iommu_group_read(&(*groups)[i], strtoul(names.names[i], NULL, 10));
	i = names.nr;
	sysfs_list_free(&names);
	return i;
}

void iommu_groups_free(struct iommu_group *groups, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		iommu_group_release(&groups[i]);
	free(groups);
}

const struct group_member *iommu_group_blocker(const struct iommu_group *group,
					       const struct group_member *after)
{
	const struct group_member *member;

	for (member = after ? after + 1 : group->members; member < group->members + group->nr;
	     member++)
		if (member->role == MEMBER_IN_THE_WAY)
			return member;
	return NULL;
}

bool iommu_group_of(const char *device, unsigned int *id)
{
	char path[PATH_MAX], name[16];

	if (!device_path(device, path, sizeof(path)) ||
	    !sysfs_link(name, sizeof(name), "%s/iommu_group", path))
		return false;
	*id = strtoul(name, NULL, 10);
	return true;
}
