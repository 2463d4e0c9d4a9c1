// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that a VFIO driver has and nobody uses.
 *
 * Every device of a VFIO driver, whichever it is, shows in the class vfio-dev, with its own device
 * behind the link "device".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe/idle_devices.h"
#include "machine/pci_ids.h"
#include "machine/sysfs.h"
#include "observe/state.h"
#include "text/json.h"
#include "text/output.h"

#define CLASS "/sys/class/vfio-dev"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct idle_device *)a)->device,
		      ((const struct idle_device *)b)->device);
}

void idle_devices_read(struct idle_devices *idle, const struct state *state)
{
	struct sysfs_names names;
	size_t i;

	memset(idle, 0, sizeof(*idle));
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
		device->viable = device->has_group && !iommu_group_blocker(&device->group, NULL);
		idle->nr++;
	}
	sysfs_list_free(&names);
	qsort(idle->list, idle->nr, sizeof(*idle->list), compare);
}

void idle_devices_free(struct idle_devices *idle)
{
	size_t i;

	for (i = 0; i < idle->nr; i++)
		if (idle->list[i].has_group)
			iommu_group_release(&idle->list[i].group);
	free(idle->list);
	memset(idle, 0, sizeof(*idle));
}

static bool is_wanted(const struct idle_device *device, const char *wanted)
{
	return !wanted || !strcmp(device->device, wanted);
}

void idle_devices_print(const struct idle_devices *idle, const char *wanted)
{
	const struct group_member *blocker;
	const struct idle_device *device;
	const char *name;
	bool head = false;
	size_t i;

	for (i = 0; i < idle->nr; i++) {
		device = &idle->list[i];
		if (!is_wanted(device, wanted))
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
		if (!device->has_group) {
			printf("%s  cannot be used: it is behind no IOMMU%s\n",
			       colour_on(COLOUR_YELLOW), colour_off());
			continue;
		}
		blocker = iommu_group_blocker(&device->group, NULL);
		for (; blocker; blocker = iommu_group_blocker(&device->group, blocker))
			printf("%s  cannot be used: %s of the same group is %s's; bind it to vfio-pci or "
			       "unbind it%s\n",
			       colour_on(COLOUR_YELLOW), blocker->device, blocker->driver,
			       colour_off());
	}
}

static void json_group(struct json *json, const struct iommu_group *group)
{
	const struct group_member *blocker = iommu_group_blocker(group, NULL);

	json_object(json, NULL);
	json_u64(json, "group", group->id);
	json_array(json, "blockers");
	for (; blocker; blocker = iommu_group_blocker(group, blocker)) {
		json_object(json, NULL);
		json_string(json, "device", blocker->device);
		json_string(json, "driver", blocker->driver);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

/* Is there a device of the same group before this one? */
static bool told_already(const struct idle_devices *idle, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (idle->list[j].has_group && idle->list[j].group.id == idle->list[i].group.id)
			return true;
	return false;
}

void idle_devices_json(struct json *json, const struct idle_devices *idle, const char *wanted)
{
	const struct idle_device *device;
	size_t i;

	json_array(json, "unused_devices");
	for (i = 0; i < idle->nr; i++) {
		device = &idle->list[i];
		if (!is_wanted(device, wanted))
			continue;
		json_object(json, NULL);
		json_string(json, "device", device->device);
		json_string(json, "name", pci_device_name(device->device));
		json_string(json, "driver", device->driver);
		if (device->has_group)
			json_u64(json, "group", device->group.id);
		else
			json_null(json, "group");
		json_bool(json, "viable", device->viable);
		json_end_object(json);
	}
	json_end_array(json);
	json_array(json, "groups_not_viable");
	for (i = 0; i < idle->nr; i++) {
		device = &idle->list[i];
		if (is_wanted(device, wanted) && device->has_group && !device->viable &&
		    (wanted || !told_already(idle, i)))
			json_group(json, &device->group);
	}
	json_end_array(json);
}
