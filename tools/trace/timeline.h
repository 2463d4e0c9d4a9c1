/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as a timeline, in the trace-event format that Perfetto and chrome://tracing open.
 *
 * A process is shown as a process with a track for each thread; a device is shown as a process with
 * the operations on it.  Slices on a track nest: an operation of vfio contains the operations of
 * iommufd that it consists of, and each operation contains its phases.  If two slices would cross,
 * e.g. on the track of a device that two threads work on, the later one goes to a second track.
 *
 * Events may come in the order in which operations end.  The timeline keeps only what later slices
 * can cross.
 */
#ifndef IOMMUSCOPE_TRACE_TIMELINE_H
#define IOMMUSCOPE_TRACE_TIMELINE_H

#include <stdio.h>

#include "trace/trace_file.h"

struct timeline;

/**
 * timeline_new() - start a timeline
 * @file: the output
 * @info: description of the recording
 *
 * Return: the timeline.
 */
struct timeline *timeline_new(FILE *file, const struct trace_info *info);

/**
 * timeline_operation() - draw an operation
 * @timeline: the timeline
 * @op: the operation
 * @unfinished: it did not end; its length is the time observed
 */
void timeline_operation(struct timeline *timeline, const struct scope_op *op,
			bool unfinished);

/**
 * timeline_replacement() - draw what a replacement did to a device's DMA
 * @timeline: the timeline
 * @replacement: the replacement
 *
 * Each device has a separate track for that: it shows the replacement, the window without
 * translation inside it, and faults as marks.
 */
void timeline_replacement(struct timeline *timeline, const struct replacement *replacement);

/**
 * timeline_lost() - mark that events are missing
 * @timeline: the timeline
 * @at_ns: CLOCK_MONOTONIC
 * @lost: number of lost events
 */
void timeline_lost(struct timeline *timeline, uint64_t at_ns, uint64_t lost);

/**
 * timeline_finish() - end a timeline, and free it
 * @timeline: the timeline
 */
void timeline_finish(struct timeline *timeline);

#endif
