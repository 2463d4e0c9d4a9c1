/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of what is not ours: VFIO's type1 containers, the kernel's own iommufd.  state.h describes what state is, and
 * bpf/walks/walk.h how it is copied.
 *
 * A source is looked for at each look, so that a module may come and go: its programs are loaded when it is
 * first seen, hold nothing of it, and are not run while it is away.
 */
#ifndef IOMMUSCOPE_OBSERVE_WALKS_H
#define IOMMUSCOPE_OBSERVE_WALKS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/state_walk.h"
#include "tracepoints/iommufd_state.h"

struct walks;

/* Called with each record; what it is has its type from the kind. */
typedef void (*walks_function)(void *context, enum scope_state_kind kind, const void *record);

/**
 * walks_open() - prepare to look
 *
 * Return: the walks.
 */
struct walks *walks_open(void);

/**
 * walks_close() - end what walks_open() began
 * @walks: the walks, or NULL
 */
void walks_close(struct walks *walks);

/**
 * walks_sources() - which sources are there that take a walk?
 * @own: iommufd is ours
 *
 * Return: a bit 1 << enum iommufd_state_source for each.
 */
unsigned int walks_sources(bool own);

/**
 * walks_prepare() - load the programs, while there is the privilege to
 * @walks: the walks
 * @sources: what walks_sources() said
 *
 * Return: 0, or -1 after it has said what failed.
 */
int walks_prepare(struct walks *walks, unsigned int sources);

/**
 * walks_read() - copy what there is now, but for areas
 * @walks: the walks
 * @sources: what walks_sources() said
 * @add: called with each record, in no order; one may come twice
 * @context: its first argument
 *
 * A source whose programs cannot be loaded is left out; that is said once.
 *
 * Return: 0, or -1 after it has said what failed.
 */
int walks_read(struct walks *walks, unsigned int sources, walks_function add, void *context);

/**
 * walks_read_areas() - copy areas, in the order of their IOVAs
 * @walks: the walks
 * @source: enum iommufd_state_source of the context
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @each: called with each area and @data; ends the walk by returning nonzero
 * @data: for @each
 *
 * Return: 0, what @each returned, or -1 after it has said what failed.
 */
int walks_read_areas(struct walks *walks, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data);

#endif
