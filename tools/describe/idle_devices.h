/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that are bound to a VFIO driver and not in use, and groups that cannot be used.
 */
#ifndef IOMMUSCOPE_DESCRIBE_IDLE_DEVICES_H
#define IOMMUSCOPE_DESCRIBE_IDLE_DEVICES_H

#include <stddef.h>

#include "machine/devices.h"
#include "machine/holders.h"
#include "machine/iommu_group.h"
#include "text/fields.h"

struct state;

/**
 * struct idle_device - a device of a VFIO driver that is bound to no context
 * @device: its name
 * @driver: its driver
 * @has_group: it is behind an IOMMU
 * @group: its group, with all members, if @has_group
 * @viable: the group can be given to a user
 * @node: device number of its own node, 0 if it has none
 * @group_node: device number of its group's node
 * @holders: processes that have nodes of any idle device open
 */
struct idle_device {
	char device[DEVICE_NAME_SIZE];
	char driver[32];
	bool has_group;
	struct iommu_group group;
	bool viable;
	dev_t node;
	dev_t group_node;
	const struct holders *holders;
};

/**
 * struct idle_devices - all idle devices
 * @list: the devices, sorted by name
 * @nr: number of devices
 * @wanted: the one to show; NULL: all
 * @holders: processes that have their nodes open
 */
struct idle_devices {
	struct idle_device *list;
	size_t nr;
	const char *wanted;
	struct holders holders;
};

/**
 * idle_devices_read() - find the idle devices
 * @idle: filled in
 * @state: the devices in use
 * @wanted: show only this device; NULL: all
 */
void idle_devices_read(struct idle_devices *idle, const struct state *state, const char *wanted);

/**
 * idle_devices_free() - free what idle_devices_read() filled in
 * @idle: the list, empty afterwards
 */
void idle_devices_free(struct idle_devices *idle);

/**
 * idle_devices_print() - print the idle devices as text
 * @idle: the list
 */
void idle_devices_print(const struct idle_devices *idle);

/* struct idle_devices: its lists */
extern const struct field_table idle_devices_fields;

#endif
