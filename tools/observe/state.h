/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of iommufd as the kernel tells it: contexts, devices, HWPTs, IOASes, accesses, areas.
 *
 * It comes from all sources that the host has: our module's iterators, and walks (walks.h) through VFIO's
 * containers and the kernel's own iommufd.  Numbers of contexts are unique over all of them.
 *
 *	reader = state_open()			after session_check() or session_check_state()
 *	state_read(reader, &state)		as often as wanted
 *	...
 *	state_free(&state)
 *	state_close(reader)
 *
 * The records are the kernel's, tracepoints/iommufd_state.h tells their fields.  Each is consistent
 * in itself, but they are copied one after the other while everything goes on: what a record
 * refers to by its id may be gone, or not be there yet.  So the functions that look up may return
 * NULL for any id.  Arrays are sorted by context and object id.
 */
#ifndef IOMMUSCOPE_OBSERVE_STATE_H
#define IOMMUSCOPE_OBSERVE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "tracepoints/iommufd_state.h"

struct state_reader;

/**
 * struct state - what there is at a moment
 * @taken_ns: CLOCK_MONOTONIC when the copy began
 * @ctxs: open /dev/iommu
 * @nr_ctxs: how many
 * @devices: devices bound to a context
 * @nr_devices: how many
 * @hwpts: hardware page tables
 * @nr_hwpts: how many
 * @ioases: I/O address spaces
 * @nr_ioases: how many
 * @accesses: in-kernel users of IOASes
 * @nr_accesses: how many
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
 * state_open() - prepare to read state
 *
 * Sources that come later are found as they come.
 *
 * Return: the reader, or NULL after it has said what failed, or that there is no source at all.
 */
struct state_reader *state_open(void);

/**
 * state_close() - end what state_open() began
 * @reader: the reader, or NULL
 */
void state_close(struct state_reader *reader);

/**
 * state_read() - copy what there is now
 * @reader: the reader
 * @state: filled in, whatever was in it; free it with state_free()
 *
 * Return: 0, or -1 after it has said what failed; then there is nothing to free.
 */
int state_read(struct state_reader *reader, struct state *state);

/**
 * state_free() - free a copy
 * @state: the copy, empty afterwards
 */
void state_free(struct state *state);

/**
 * state_read_areas() - copy areas of an IOAS, in the order of their IOVAs
 * @reader: the reader
 * @source: enum iommufd_state_source of the IOAS
 * @ctx: number of its context
 * @ioas: its id
 * @each: called with each area and @data; ends the walk by returning nonzero
 * @data: for @each
 *
 * Areas that are mapped or unmapped meanwhile may or may not be seen, none is seen twice.
 *
 * Return: 0, what @each returned, or -1 after it has said what failed.
 */
int state_read_areas(struct state_reader *reader, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data);

/**
 * state_ctx() - look a context up
 * @state: the copy
 * @ctx: its number
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_ctx *state_ctx(const struct state *state, uint32_t ctx);

/**
 * state_ioas() - look an IOAS up
 * @state: the copy
 * @ctx: number of its context
 * @ioas: its id
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_ioas *state_ioas(const struct state *state, uint32_t ctx, uint32_t ioas);

/**
 * state_hwpt() - look an HWPT up
 * @state: the copy
 * @ctx: number of its context
 * @hwpt: its id
 *
 * Return: the record or NULL.
 */
const struct iommufd_state_hwpt *state_hwpt(const struct state *state, uint32_t ctx, uint32_t hwpt);

/**
 * state_device() - look a device up by its name
 * @state: the copy
 * @name: its name
 *
 * Return: the record or NULL, for a device that is not bound to a context.
 */
const struct iommufd_state_device *state_device(const struct state *state, const char *name);

#endif
