/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of iommufd as the kernel reports it: contexts, devices, HWPTs, IOASes, accesses, areas.
 *
 * It comes from all sources of the host: from our module's iterators, and from walks (walks.h)
 * through VFIO's containers and the kernel's own iommufd.  Numbers of contexts are unique over all
 * sources.
 *
 *	reader = state_open()			after session_check() or session_check_state()
 *	state_read(reader, &state)		any number of times
 *	...
 *	state_free(&state)
 *	state_close(reader)
 *
 * The records are the kernel's; tracepoints/iommufd_state.h describes their fields.  Each record
 * is consistent in itself, but they are copied one after the other while the system runs: the
 * object that an id in a record refers to may be gone, or not be copied yet.  So the look-up
 * functions can return NULL for any id.  Arrays are sorted by context and object id.
 */
#ifndef IOMMUSCOPE_OBSERVE_STATE_H
#define IOMMUSCOPE_OBSERVE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "tracepoints/iommufd_state.h"

struct state_reader;

/**
 * struct state - a copy of the state
 * @taken_ns: CLOCK_MONOTONIC when the copy started
 * @ctxs: open /dev/iommu
 * @nr_ctxs: number of contexts
 * @devices: devices bound to a context
 * @nr_devices: number of devices
 * @hwpts: hardware page tables
 * @nr_hwpts: number of HWPTs
 * @ioases: I/O address spaces
 * @nr_ioases: number of IOASes
 * @accesses: in-kernel users of IOASes
 * @nr_accesses: number of accesses
 */
struct state {
	uint64_t taken_ns;
	struct iommufd_state_ctx *ctxs;
	size_t nr_ctxs;
	struct iommufd_state_device *devices;
	size_t nr_devices;
	struct iommufd_state_hwpt *hwpts;
	size_t nr_hwpts;
	struct iommufd_state_ioas *ioases;
	size_t nr_ioases;
	struct iommufd_state_access *accesses;
	size_t nr_accesses;
};

/**
 * state_open_early() - state_open() for callers that wait for sources to come
 *
 * Return: the reader.
 */
struct state_reader *state_open_early(void);

/**
 * state_open() - prepare to read state
 *
 * Sources that appear later are found then.
 *
 * Return: the reader, or NULL after a message, also if there is no source at all.
 */
struct state_reader *state_open(void);

/**
 * state_close() - free what state_open() returned
 * @reader: the reader, or NULL
 */
void state_close(struct state_reader *reader);

/**
 * state_read() - copy the current state
 * @reader: the reader
 * @state: overwritten; free it with state_free()
 *
 * Return: 0, or -1 after a message; then there is nothing to free.
 */
int state_read(struct state_reader *reader, struct state *state);

/**
 * state_free() - free a copy
 * @state: the copy, empty afterwards
 */
void state_free(struct state *state);

/**
 * state_read_areas() - copy the areas of an IOAS, in order of IOVA
 * @reader: the reader
 * @source: enum iommufd_state_source of the IOAS
 * @ctx: number of its context
 * @ioas: its id
 * @each: called with each area and @data; a nonzero return value ends the walk
 * @data: for @each
 *
 * Areas that are mapped or unmapped meanwhile may be missing.  No area appears twice.
 *
 * Return: 0, what @each returned, or -1 after a message.
 */
int state_read_areas(struct state_reader *reader, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data);

/**
 * state_ctx() - look up a context
 * @state: the copy
 * @ctx: its number
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_ctx *state_ctx(const struct state *state, uint32_t ctx);

/**
 * state_ioas() - look up an IOAS
 * @state: the copy
 * @ctx: number of its context
 * @ioas: its id
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_ioas *state_ioas(const struct state *state, uint32_t ctx, uint32_t ioas);

/**
 * state_hwpt() - look up an HWPT
 * @state: the copy
 * @ctx: number of its context
 * @hwpt: its id
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_hwpt *state_hwpt(const struct state *state, uint32_t ctx, uint32_t hwpt);

/**
 * state_device() - look up a device by its name
 * @state: the copy
 * @name: its name
 *
 * Return: the record, or NULL for a device that is not bound to a context.
 */
const struct iommufd_state_device *state_device(const struct state *state, const char *name);

#endif
