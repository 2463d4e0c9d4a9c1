/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of iommufd as JSON.
 */
#ifndef IOMMUSCOPE_DESCRIBE_STATE_JSON_H
#define IOMMUSCOPE_DESCRIBE_STATE_JSON_H

#include <stdint.h>

struct iommufd_state_area;
struct iommufd_state_ctx;
struct iommufd_state_device;
struct iommufd_state_hwpt;
struct iommufd_state_ioas;
struct json;
struct state;

/**
 * state_json() - write the arrays of a state into the object that is open
 * @json: the writer
 * @state: the state
 *
 * They are "contexts", "devices", "hwpts", "ioases" and "accesses".
 */
void state_json(struct json *json, const struct state *state);

/**
 * state_json_area() - write an area
 * @json: the writer
 * @area: the area
 */
void state_json_area(struct json *json, const struct iommufd_state_area *area);

/**
 * memory_name() - what sort of memory is behind an area: "anonymous"
 * @memory: enum iommufd_state_memory
 *
 * Return: the name.
 */
const char *memory_name(uint32_t memory);

#endif
