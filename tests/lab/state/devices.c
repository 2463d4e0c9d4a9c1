// SPDX-License-Identifier: GPL-2.0-only
/* Devices of every bus with their drivers, the IOMMU groups, and the settings of mock devices. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define MOCK_KNOBS "/sys/kernel/debug/iommufd-mock"

static const char *const settings[] = {
	"driver_override", "enable", "power/control", "d3cold_allowed", "sriov_numvfs", "sriov_drivers_autoprobe",
	"reset_method", "msi_bus",
};

/* Folders of buses come as ".../BUS/devices". */
static void each_device(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *driver = "no driver";
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s/driver", folder, name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len > 0) {
		target[len] = '\0';
		driver = strrchr(target, '/');
		driver = driver ? driver + 1 : target;
	}
	state_add(state, driver, "device %s/%s", folder, name);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", folder, name, settings[i]);
		state_add_file(state, path, "%s of device %s/%s", settings[i], folder, name);
	}
}

static void each_driver(struct state *state, const char *folder, const char *name)
{
	state_add(state, "", "driver %s/%s", folder, name);
}

static void each_bus(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/drivers_autoprobe", folder, name);
	state_add_file(state, path, "setting %s", path);
	snprintf(path, sizeof(path), "%s/%s/devices", folder, name);
	state_each(path, each_device, state);
	snprintf(path, sizeof(path), "%s/%s/drivers", folder, name);
	state_each(path, each_driver, state);
}

/*
 * virtio_iommu probes a device, and gives it a group, when the first driver binds to it. A test
 * cannot undo that.
 */
static bool groups_come_late(void)
{
	return !access("/sys/bus/virtio/drivers/virtio_iommu", F_OK);
}

/* Groups are numbered in order of creation: a device that was added again has another number. */
static void each_group(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX], type[32];

	if (groups_come_late())
		return;
	snprintf(path, sizeof(path), "%s/%s/type", folder, name);
	state_read(path, type, sizeof(type));
	state_add(state, "", "IOMMU group of type %s", type);
}

static void each_mock_knob(struct state *state, const char *folder, const char *name)
{
	static const char *const knobs[] = {
		"map_ns", "unmap_ns", "sync_ns", "attach_ns", "map_error", "replace_gap_us", "attach_error",
	};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		if (!strcmp(name, knobs[i]))
			state_add_file(state, path, "setting %s", path);
	if (!strcmp(folder, MOCK_KNOBS))
		state_each(path, each_mock_knob, state);
}

void state_devices(struct state *state)
{
	state_each("/sys/bus", each_bus, state);
	state_each("/sys/kernel/iommu_groups", each_group, state);
	state_each(MOCK_KNOBS, each_mock_knob, state);
}
