// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that are bound to a VFIO driver and not in use.
 *
 * Every device of any VFIO driver appears in the class vfio-dev; its link "device" leads to the
 * device itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe/idle_devices.h"
#include "machine/pci_ids.h"
#include "machine/sysfs.h"
#include "observe/state.h"
#include "text/output.h"

#define CLASS "/sys/class/vfio-dev"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct idle_device *)a)->device,
		      ((const struct idle_device *)b)->device);
}

/* Find the processes that have the nodes of the devices open. */
static void read_holders(struct idle_devices *idle)
{
	dev_t *nodes = calloc(idle->nr * 2 + 1, sizeof(*nodes));
	size_t i, nr = 0;

	if (!nodes)
		out_of_memory();
	for (i = 0; i < idle->nr; i++) {
		idle->list[i].holders = &idle->holders;
		if (idle->list[i].node)
			nodes[nr++] = idle->list[i].node;
		if (idle->list[i].group_node)
			nodes[nr++] = idle->list[i].group_node;
	}
	holders_read(&idle->holders, nodes, nr);
	free(nodes);
}

static bool holds(const struct holder *holder, const struct idle_device *device)
{
	return holder->node == device->node || holder->node == device->group_node;
}

void idle_devices_read(struct idle_devices *idle, const struct state *state, const char *wanted)
{
	struct sysfs_names names;
	size_t i;

	memset(idle, 0, sizeof(*idle));
	idle->wanted = wanted;
	sysfs_list(&names, CLASS);
	idle->list = calloc(names.nr + 1, sizeof(*idle->list));
	if (!idle->list)
		out_of_memory();
	for (i = 0; i < names.nr; i++) {
		struct idle_device *device = &idle->list[idle->nr];
		unsigned int group;

		if (!sysfs_link(device->device, sizeof(device->device), CLASS "/%s/device",
				names.names[i]) ||
		    state_device(state, device->device))
			continue;
		sysfs_link(device->driver, sizeof(device->driver), CLASS "/%s/device/driver",
			   names.names[i]);
		device->has_group = iommu_group_of(device->device, &group);
		if (device->has_group)
			iommu_group_read(&device->group, group);
		device->node = sysfs_device("vfio-dev", names.names[i]);
		if (device->has_group) {
			char number[16];

			snprintf(number, sizeof(number), "%u", device->group.id);
			device->group_node = sysfs_device("vfio", number);
		}
		device->viable = device->has_group && !iommu_group_blocker(&device->group, NULL);
		idle->nr++;
	}
	sysfs_list_free(&names);
	qsort(idle->list, idle->nr, sizeof(*idle->list), compare);
	read_holders(idle);
}

void idle_devices_free(struct idle_devices *idle)
{
	size_t i;

	for (i = 0; i < idle->nr; i++)
		if (idle->list[i].has_group)
			iommu_group_release(&idle->list[i].group);
	free(idle->list);
	holders_free(&idle->holders);
	memset(idle, 0, sizeof(*idle));
}

static bool is_wanted(const struct idle_device *device, const char *wanted)
{
	return !wanted || !strcmp(device->device, wanted);
}

static void print_holders(const struct idle_device *device)
{
	const struct holders *holders = device->holders;
	size_t i;

	for (i = 0; i < holders->nr; i++)
		if (holds(&holders->list[i], device))
			printf("%s  held by %s [%u], which has the node of its %s open%s\n",
			       colour_on(COLOUR_YELLOW), holders->list[i].process,
			       holders->list[i].pid,
			       holders->list[i].node == device->node ? "device" : "group",
			       colour_off());
}

void idle_devices_print(const struct idle_devices *idle)
{
	const struct group_member *blocker;
	const struct idle_device *device;
	const char *name;
	bool head = false;
	size_t i;

	for (i = 0; i < idle->nr; i++) {
		device = &idle->list[i];
		if (!is_wanted(device, idle->wanted))
			continue;
		if (!head)
			printf("\n%sBound to a VFIO driver, but not in use%s\n",
			       colour_on(COLOUR_BOLD), colour_off());
		head = true;
		printf("%s  %s", device->device, device->driver);
		if (device->has_group)
			printf("  group %u", device->group.id);
		name = pci_device_name(device->device);
		printf("%s%s\n", *name ? "  " : "", name);
		print_holders(device);
		if (!device->has_group) {
			printf("%s  cannot be used: it is not behind an IOMMU%s\n",
			       colour_on(COLOUR_YELLOW), colour_off());
			continue;
		}
		blocker = iommu_group_blocker(&device->group, NULL);
		for (; blocker; blocker = iommu_group_blocker(&device->group, blocker))
			printf("%s  cannot be used: %s in the same group is bound to %s; bind it to vfio-pci or "
			       "unbind it%s\n",
			       colour_on(COLOUR_YELLOW), blocker->device, blocker->driver,
			       colour_off());
	}
}

/* The fields: lists of the requested devices */

static const void *nth_idle(const void *record, size_t number)
{
	const struct idle_devices *idle = record;
	size_t i;

	for (i = 0; i < idle->nr; i++)
		if (is_wanted(&idle->list[i], idle->wanted) && !number--)
			return &idle->list[i];
	return NULL;
}

static void get_name(const void *record, struct value *value)
{
	value->text = pci_device_name(((const struct idle_device *)record)->device);
	value->known = *value->text;
}

static void get_group(const void *record, struct value *value)
{
	const struct idle_device *device = record;

	value->known = device->has_group;
	value->number = device->group.id;
}

static const void *nth_holder(const void *record, size_t number)
{
	const struct idle_device *device = record;
	size_t i;

	for (i = 0; i < device->holders->nr; i++)
		if (holds(&device->holders->list[i], device) && !number--)
			return &device->holders->list[i];
	return NULL;
}

static const struct field holder[] = {
	MEMBER(NUMBER, "pid", struct holder, pid, .doc = "its process id"),
	MEMBER(TEXT, "process", struct holder, process,
	       .doc = "name of the process, or of its thread"),
};

static const struct field_table holder_fields = FIELD_TABLE("holder", holder);

static const struct field idle_device[] = {
	MEMBER(TEXT, "device", struct idle_device, device, .doc = "name of the device"),
	FIELD(TEXT, "name", .get = get_name,
	      .unknown = "it is not a PCI device, or pci.ids has no name for it",
	      .doc = "description of the device, from pci.ids"),
	MEMBER(TEXT, "driver", struct idle_device, driver, .unknown = "it has none",
	       .doc = "driver of the device"),
	FIELD(NUMBER, "group", .get = get_group, .unknown = "it is not behind an IOMMU",
	      .doc = "number of the IOMMU group"),
	MEMBER(FLAG, "viable", struct idle_device, viable,
	       .doc = "nothing prevents its use"),
	FIELD(LIST, "holders", .table = &holder_fields, .element = nth_holder,
	      .doc = "processes that have its node or its group's node open"),
};

static const struct field_table idle_device_fields = FIELD_TABLE("unused device", idle_device);

/* Is a device of the same group earlier in the list? */
static bool has_earlier(const struct idle_devices *idle, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (is_wanted(&idle->list[j], idle->wanted) && idle->list[j].has_group &&
		    idle->list[j].group.id == idle->list[i].group.id)
			return true;
	return false;
}

static const void *nth_group(const void *record, size_t number)
{
	const struct idle_devices *idle = record;
	const struct idle_device *device;
	size_t i;

	for (i = 0; i < idle->nr; i++) {
		device = &idle->list[i];
		if (is_wanted(device, idle->wanted) && device->has_group && !device->viable &&
		    !has_earlier(idle, i) && !number--)
			return &device->group;
	}
	return NULL;
}

static const void *nth_blocker(const void *record, size_t number)
{
	const struct group_member *blocker = iommu_group_blocker(record, NULL);

	while (blocker && number--)
		blocker = iommu_group_blocker(record, blocker);
	return blocker;
}

static const struct field blocker[] = {
	MEMBER(TEXT, "device", struct group_member, device, .doc = "name of the device"),
	MEMBER(TEXT, "driver", struct group_member, driver, .unknown = "it has none",
	       .doc = "driver of the device"),
};

static const struct field_table blocker_fields = FIELD_TABLE("device that blocks a group", blocker);

static const struct field group[] = {
	MEMBER(NUMBER, "group", struct iommu_group, id, .doc = "number of the IOMMU group"),
	FIELD(LIST, "blockers", .table = &blocker_fields, .element = nth_blocker,
	      .doc = "devices whose drivers prevent its use"),
};

static const struct field_table group_fields = FIELD_TABLE("group", group);

static const struct field idle_list[] = {
	FIELD(LIST, "unused_devices", .table = &idle_device_fields, .element = nth_idle,
	      .doc = "devices of a VFIO driver that are not in use"),
	FIELD(LIST, "groups_not_viable", .table = &group_fields, .element = nth_group,
	      .doc = "groups of these devices that cannot be used"),
};

const struct field_table idle_devices_fields = FIELD_TABLE("unused devices", idle_list);
