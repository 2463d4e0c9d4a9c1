/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of iommufd as text: a table of devices, a tree, a list of areas.
 */
#ifndef IOMMUSCOPE_DESCRIBE_STATE_TEXT_H
#define IOMMUSCOPE_DESCRIBE_STATE_TEXT_H

#include <stdbool.h>

#include "text/fields.h"

struct iommufd_state_area;
struct iommufd_state_ctx;
struct iommufd_state_device;
struct iommufd_state_ioas;
struct state;
struct table;

/**
 * struct device_line - a device with its address space and context
 * @device: the device
 * @ioas: its address space, NULL if there is none
 * @ctx: its context, NULL if it is gone
 */
struct device_line {
	const struct iommufd_state_device *device;
	const struct iommufd_state_ioas *ioas;
	const struct iommufd_state_ctx *ctx;
};

/* If several of the three have a key, the first one counts. */
extern const struct field_table device_line_fields;

/**
 * state_view_table() - print a table of devices
 * @now: the current state
 * @before: the previous state; what changed since is marked; NULL: no marks
 * @brief: one line for each device
 */
void state_view_table(const struct state *now, const struct state *before, bool brief);

/**
 * state_view_tree() - print contexts and their contents
 * @now: the current state
 * @before: the previous state; NULL: no marks
 */
void state_view_tree(const struct state *now, const struct state *before);

/**
 * state_view_area() - add an area to a table, made by state_view_areas()
 * @table: the table
 * @area: the area
 */
void state_view_area(struct table *table, const struct iommufd_state_area *area);

/**
 * state_view_areas() - start a table of areas
 * @table: the table
 */
void state_view_areas(struct table *table);

#endif
