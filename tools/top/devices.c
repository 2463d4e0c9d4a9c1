// SPDX-License-Identifier: GPL-2.0-only
/*
 * top: the devices that are bound to a context, and what is mapped for them.
 */
#include <stdio.h>
#include <string.h>

#include "describe/state_text.h"
#include "machine/pid_namespace.h"
#include "observe/filter.h"
#include "text/difference.h"
#include "text/format.h"
#include "top/top.h"

/* A device with data of its context and its IOAS; both may be gone already. */
struct row {
	struct iommufd_state_device device;
	struct iommufd_state_ctx ctx;
	struct iommufd_state_ioas ioas;
	uint64_t now_ns;
};

/* Leave out a context or IOAS that is gone. */
static struct device_line line_of(const struct row *row)
{
	return (struct device_line){
		.device = &row->device,
		.ioas = row->ioas.ioas_id ? &row->ioas : NULL,
		.ctx = row->ctx.ctx_id ? &row->ctx : NULL,
	};
}

#define CELL(name, key)                                                                            \
	static void name##_text(const void *data, char *text, size_t size)                         \
	{                                                                                          \
		struct device_line line = line_of(data);                                           \
                                                                                                   \
		fields_text(&device_line_fields, key, &line, text, size);                          \
	}

#define NUMBER(name, value)                                                                        \
	static double name##_number(const void *data)                                              \
	{                                                                                          \
		const struct row *row = data;                                                      \
                                                                                                   \
		return value;                                                                      \
	}

CELL(device, "device")
CELL(ioas, "ioas")
NUMBER(ioas, -(double)row->device.ioas_id)
CELL(hwpt, "hwpt")
NUMBER(hwpt, -(double)row->device.hwpt_id)
CELL(areas, "areas")
NUMBER(areas, row->ioas.areas)
CELL(mapped, "mapped_bytes")
NUMBER(mapped, row->ioas.mapped_bytes)
CELL(pinned, "pinned_bytes")
NUMBER(pinned, row->ioas.pinned_bytes)
NUMBER(huge, row->ioas.pinned_bytes ?
	     (double)row->ioas.huge_bytes / row->ioas.pinned_bytes : -1)
CELL(replacements, "replacements")
NUMBER(replacements, row->device.replacements)
NUMBER(last, row->device.last_replace_ns)
CELL(ctx, "ctx")
NUMBER(ctx, -(double)row->device.ctx_id)
CELL(group, "group")
NUMBER(group, -(double)row->device.group_id)
CELL(iommu, "iommu")
CELL(driver, "driver")

static void process_text(const void *data, char *text, size_t size)
{
	const struct row *row = data;

	snprintf(text, size, "%.*s [%s]", (int)sizeof(row->ctx.comm), row->ctx.comm,
		 pid_text(row->ctx.pid).s);
}

static void huge_text(const void *data, char *text, size_t size)
{
	const struct row *row = data;

	snprintf(text, size, "%s",
		 format_percent(row->ioas.huge_bytes, row->ioas.pinned_bytes).s);
}

static void last_text(const void *data, char *text, size_t size)
{
	const struct row *row = data;
	uint64_t at = row->device.last_replace_ns;

	if (!at)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%s ago",
			 format_duration(difference(row->now_ns, at)).s);
}

static enum screen_colour colour(const void *data)
{
	const struct row *row = data;

	return row->device.hwpt_id ? SCREEN_NORMAL : SCREEN_DIM;
}

static const struct top_column columns[] = {
	{ "DEVICE", 15, false, device_text, NULL },
	{ "PROCESS", 16, false, process_text, NULL },
	{ "IOAS", 4, true, ioas_text, ioas_number },
	{ "HWPT", 4, true, hwpt_text, hwpt_number },
	{ "AREAS", 5, true, areas_text, areas_number },
	{ "MAPPED", 8, true, mapped_text, mapped_number },
	{ "PINNED", 8, true, pinned_text, pinned_number },
	{ "HUGE", 5, true, huge_text, huge_number },
	{ "REPL", 5, true, replacements_text, replacements_number },
	{ "LAST", 14, true, last_text, last_number },
	{ "CTX", 5, true, ctx_text, ctx_number },
	{ "GROUP", 6, true, group_text, group_number },
	{ "IOMMU", 10, false, iommu_text, NULL },
	{ "DRIVER", 16, false, driver_text, NULL },
};

struct top_panel top_devices = {
	.columns = columns,
	.nr_columns = sizeof(columns) / sizeof(columns[0]),
	.empty = "no device is bound to a context",
	.colour = colour,
	.row_size = sizeof(struct row),
};

static bool wanted(const struct filter *filter, const struct iommufd_state_device *device,
		   const struct iommufd_state_ctx *ctx)
{
	if (filter->device && strcmp(filter->device, device->device))
		return false;
	if (filter->ctx && filter->ctx != device->ctx_id)
		return false;
	return !filter->pid || (ctx && ctx->pid == (uint32_t)filter->pid);
}

void top_devices_fill(const struct top_observation *observation)
{
	const struct state *state = &observation->state;
	const struct iommufd_state_device *device;
	const struct iommufd_state_ioas *ioas;
	const struct iommufd_state_ctx *ctx;
	struct row *rows, *row;
	size_t i;

	rows = top_panel_rows(&top_devices, state->nr_devices);
	for (row = rows, i = 0; i < state->nr_devices; i++) {
		device = &state->devices[i];
		ctx = state_ctx(state, device->ctx_id);
		if (!wanted(observation->filter, device, ctx))
			continue;
		row->device = *device;
		if (ctx)
			row->ctx = *ctx;
		ioas = device->ioas_id ? state_ioas(state, device->ctx_id, device->ioas_id) : NULL;
		if (ioas)
			row->ioas = *ioas;
		row->now_ns = observation->now_ns;
		row++;
	}
	top_devices.nr = row - rows;
	top_devices.nr_active = top_devices.nr;
}
