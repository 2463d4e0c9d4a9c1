/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU groups as sysfs shows them: which devices share one, and whether VFIO can use it.
 *
 * Devices of a group can reach each other's DMA, so a user gets all of them or none.  A group is
 * viable if no driver of the host does DMA with any of its devices.  sysfs does not show whether a
 * driver does DMA, so the names of such drivers are listed here.
 */
#ifndef IOMMUSCOPE_MACHINE_IOMMU_GROUP_H
#define IOMMUSCOPE_MACHINE_IOMMU_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/devices.h"

/* The effect of the driver of a device on its group. */
enum member_role {
	MEMBER_FREE,		/* it has no driver */
	MEMBER_VFIO,		/* its driver gives it to users */
	MEMBER_NEUTRAL,		/* its driver does no DMA: a port of a bridge, a stub */
	MEMBER_IN_THE_WAY,	/* the host uses it, so it blocks the group */
};

/**
 * struct group_member - a device of a group
 * @device: its name
 * @driver: its driver, "" if it has none
 * @role: effect of the driver
 */
struct group_member {
	char device[DEVICE_NAME_SIZE];
	char driver[32];
	enum member_role role;
};

/**
 * struct iommu_group - a group
 * @id: its number
 * @type: of its default domain: "DMA", "DMA-FQ", "identity"; "" if it cannot be read
 * @members: its devices
 * @nr: number of devices
 */
struct iommu_group {
	unsigned int id;
	char type[16];
	struct group_member *members;
	size_t nr;
};

/**
 * iommu_groups_read() - read all groups
 * @groups: set to an array of them, sorted by number
 *
 * Return: number of groups.
 */
size_t iommu_groups_read(struct iommu_group **groups);

/**
 * iommu_groups_free() - free what iommu_groups_read() has read
 * @groups: the array
 * @nr: number of groups
 */
void iommu_groups_free(struct iommu_group *groups, size_t nr);

/**
 * iommu_group_read() - read one group
 * @group: filled in; iommu_group_release() frees it
 * @id: its number
 */
void iommu_group_read(struct iommu_group *group, unsigned int id);

/**
 * iommu_group_release() - free what iommu_group_read() has filled in
 * @group: the group
 */
void iommu_group_release(struct iommu_group *group);

/**
 * iommu_group_blocker() - find a device that makes a group not viable
 * @group: the group
 * @after: search after this one; NULL for the first
 *
 * Return: the device, or NULL if there is none; then the group is viable.
 */
const struct group_member *iommu_group_blocker(const struct iommu_group *group,
					       const struct group_member *after);

/**
 * iommu_group_of() - find the group of a device
 * @device: its name
 * @id: set to the number of its group
 *
 * Return: whether the device is in a group, i.e. behind an IOMMU.
 */
bool iommu_group_of(const char *device, unsigned int *id);

/**
 * driver_role() - effect of a driver on the group of its device
 * @driver: its name, "" for none
 *
 * Return: the role.
 */
enum member_role driver_role(const char *driver);

#endif
