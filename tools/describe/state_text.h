/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of iommufd for people: a table of devices, a tree, a list of areas.
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
 * struct device_line - a device with what stands behind it
 * @device: the device
 * @ioas: its address space, NULL if there is none
 * @ctx: its context, NULL if that is gone
 */
struct device_line {
	const struct iommufd_state_device *device;
	const struct iommufd_state_ioas *ioas;
	const struct iommufd_state_ctx *ctx;
};

/* A key that several of the three have is that of the first that has it. */
extern const struct field_table device_line_fields;

/**
 * state_view_table() - print a table of devices
 * @now: what there is
 * @before: what there was: what changed since is marked; NULL: no marks
 * @brief: one line for each device
 */
void state_view_table(const struct state *now, const struct state *before, bool brief);

/**
 * state_view_tree() - print contexts with what is in them
 * @now: what there is
 * @before: what there was; NULL: no marks
 */
void state_view_tree(const struct state *now, const struct state *before);

/**
 * state_view_area() - add an area to a table, made by state_view_areas()
 * @table: the table
 * @area: the area
 */
void state_view_area(struct table *table, const struct iommufd_state_area *area);

/**
 * state_view_areas() - begin a table of areas
 * @table: the table
 */
void state_view_areas(struct table *table);

#endif
