/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as a timeline, in the trace-event format that Perfetto and chrome://tracing open.
 *
 * A process is a process there, with a track a thread; a device is one as well, with what was done
 * to it.  On a track slices nest: an operation of vfio is around those of iommufd that it is made
 * of, and each is around its phases.  Where two slices would cross, as on the track of a device
 * that two threads work on, the later one goes to a second track beside it.
 *
 * Events may come in the order in which operations end; nothing is kept but what later slices may
 * cross.
 */
#ifndef IOMMUSCOPE_TRACE_TIMELINE_H
#define IOMMUSCOPE_TRACE_TIMELINE_H

#include <stdio.h>

#include "trace/trace_file.h"

struct timeline;

/**
 * timeline_new() - begin a timeline
 * @file: where it goes
 * @info: what is known of the recording
 *
 * Return: the timeline.
 */
struct timeline *timeline_new(FILE *file, const struct trace_info *info);

/**
 * timeline_operation() - draw an operation
 * @timeline: the timeline
 * @op: the operation
 * @unfinished: it did not end; its length is what was seen of it
 */
void timeline_operation(struct timeline *timeline, const struct scope_op *op,
			bool unfinished);

/**
 * timeline_replacement() - draw what a replacement did to a device's DMA
 * @timeline: the timeline
 * @replacement: the replacement
 *
 * Each device has a track of its own for that: the replacement, the window without translation inside of
 * it, and faults as marks.
 */
void timeline_replacement(struct timeline *timeline, const struct replacement *replacement);

/**
 * timeline_lost() - mark that events are missing
 * @timeline: the timeline
 * @at_ns: CLOCK_MONOTONIC
 * @lost: how many
 */
void timeline_lost(struct timeline *timeline, uint64_t at_ns, uint64_t lost);

/**
 * timeline_finish() - end a timeline, and free it
 * @timeline: the timeline
 */
void timeline_finish(struct timeline *timeline);

#endif
