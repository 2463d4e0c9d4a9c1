/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of other sources than our module: VFIO's type1 containers, and the kernel's own iommufd.
 * state.h describes the state, and bpf/walks/walk.h how it is copied.
 *
 * Each look searches for the sources, so a module may come and go.  The programs of a source are
 * loaded when it is first found; they hold no reference to it, and do not run while it is
 * unloaded.
 */
#ifndef IOMMUSCOPE_OBSERVE_WALKS_H
#define IOMMUSCOPE_OBSERVE_WALKS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/state_walk.h"
#include "tracepoints/iommufd_state.h"

struct walks;

/* Called with each record; the kind decides the type of the record. */
typedef void (*walks_function)(void *context, enum scope_state_kind kind, const void *record);

/**
 * walks_open() - prepare the walks
 *
 * Return: the walks.
 */
struct walks *walks_open(void);

/**
 * walks_close() - free what walks_open() returned
 * @walks: the walks, or NULL
 */
void walks_close(struct walks *walks);

/**
 * walks_sources() - find the sources of this host that need a walk
 * @own: the loaded iommufd is ours
 *
 * Return: a bit 1 << enum iommufd_state_source for each.
 */
unsigned int walks_sources(bool own);

/**
 * walks_prepare() - load the programs
 * @walks: the walks
 * @sources: result of walks_sources()
 *
 * Return: 0, or -1 after a message.
 */
int walks_prepare(struct walks *walks, unsigned int sources);

/**
 * walks_read() - copy the current state, except areas
 * @walks: the walks
 * @sources: result of walks_sources()
 * @add: called with each record, in any order; duplicates are possible
 * @context: its first argument
 *
 * A source whose programs cannot be loaded is skipped; that is reported once.
 *
 * Return: 0, or -1 after a message.
 */
int walks_read(struct walks *walks, unsigned int sources, walks_function add, void *context);

/**
 * walks_read_areas() - copy areas, in order of IOVA
 * @walks: the walks
 * @source: enum iommufd_state_source of the context
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @each: called with each area and @data; a nonzero return value ends the walk
 * @data: for @each
 *
 * Return: 0, what @each returned, or -1 after a message.
 */
int walks_read_areas(struct walks *walks, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data);

#endif
