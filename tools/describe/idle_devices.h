/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that a VFIO driver has and nobody uses, and groups that nobody can use.
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
 * @viable: nothing keeps the group from being handed out
 * @node: device number of its own node, 0 if it has none
 * @group_node: that of its group's
 * @holders: processes that have one of them open, of all devices
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
 * struct idle_devices - all of them
 * @list: the devices, sorted by name
 * @nr: how many
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
 * idle_devices_read() - find them
 * @idle: filled in
 * @state: what is in use
 * @wanted: show only this device; NULL: all
 */
void idle_devices_read(struct idle_devices *idle, const struct state *state, const char *wanted);

/**
 * idle_devices_free() - free what idle_devices_read() filled in
 * @idle: the list, empty afterwards
 */
void idle_devices_free(struct idle_devices *idle);

/**
 * idle_devices_print() - print them for people
 * @idle: the list
 */
void idle_devices_print(const struct idle_devices *idle);

/* struct idle_devices: its lists */
extern const struct field_table idle_devices_fields;

#endif
