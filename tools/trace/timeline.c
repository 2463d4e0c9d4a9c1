// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events as a timeline.
 *
 * A lane remembers the outermost slices drawn on it; these are disjoint and in order of time.  A
 * new slice fits if each of them is before it, after it, or inside it; those inside it are then
 * forgotten.  The lane also forgets the oldest slices in time: then a slice that started before
 * their end no longer fits on the lane.
 */
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/replacement_text.h"
#include "machine/pid_namespace.h"
#include "text/json.h"
#include "text/output.h"
#include "trace/timeline.h"

#define MAX_SPANS 4096
/* Process ids of devices and thread ids of further lanes start beyond the ids of the kernel. */
#define FIRST_OWN_ID 10000000

struct span {
	uint64_t start;
	uint64_t end;
};

struct lane {
	uint32_t id;
	struct span *spans;
	size_t nr;
	size_t room;
	uint64_t floor;
};

/**
 * struct track - a thread, or a device
 * @pid: the process it belongs to
 * @tid: the thread, 0 for a device
 * @name: name of the device
 * @title: its title
 * @lanes: the first is its own, the others hold slices that would cross
 * @nr_lanes: number of lanes
 */
struct track {
	uint32_t pid;
	uint32_t tid;
	char name[SCOPE_DEVICE_LEN];
	char title[64];
	struct lane *lanes;
	size_t nr_lanes;
};

/**
 * struct timeline - a timeline in progress
 * @json: the writer
 * @start_ns: CLOCK_MONOTONIC of time zero
 * @next_id: next id that the kernel does not use
 * @threads: tracks of threads, a tree
 * @devices: tracks of devices, a tree
 * @translations: tracks of the effects of replacements on devices, a tree
 * @processes: process ids that already have a name, a tree
 */
struct timeline {
	struct json json;
	uint64_t start_ns;
	uint32_t next_id;
	void *threads;
	void *devices;
	void *translations;
	void *processes;
};

/* ------------------------------------------------------------------ tracks */

static int compare_threads(const void *a, const void *b)
{
	const struct track *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int compare_devices(const void *a, const void *b)
{
	const struct track *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_pids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void name(struct timeline *timeline, const char *what, uint32_t pid, uint32_t tid,
		 const char *text, const char *number)
{
	struct json *json = &timeline->json;
	char full[96];

	snprintf(full, sizeof(full), "%s%s", text, number);
	json_object(json, NULL);
	json_string(json, "ph", "M");
	json_string(json, "name", what);
	json_u64(json, "pid", pid);
	if (tid)
		json_u64(json, "tid", tid);
	json_object(json, "args");
	json_string(json, "name", full);
	json_end_object(json);
	json_end_object(json);
}

static struct lane *add_lane(struct timeline *timeline, struct track *track)
{
	char number[16] = "";
	struct lane *lane;

	track->lanes = reallocarray(track->lanes, track->nr_lanes + 1, sizeof(*track->lanes));
	if (!track->lanes)
		out_of_memory();
	lane = &track->lanes[track->nr_lanes];
	memset(lane, 0, sizeof(*lane));
	lane->id = track->tid && !track->nr_lanes ? track->tid : timeline->next_id++;
	if (track->nr_lanes++)
		snprintf(number, sizeof(number), " (%zu)", track->nr_lanes);
	name(timeline, "thread_name", track->pid, lane->id, track->title, number);
	return lane;
}

static struct track *find_track(void **tree, const struct track *wanted,
				int (*compare)(const void *a, const void *b), bool *fresh)
{
	struct track *track, **known = tfind(wanted, tree, compare);

	*fresh = !known;
	if (known)
		return *known;
	track = malloc(sizeof(*track));
	if (!track)
		out_of_memory();
	*track = *wanted;
	if (!tsearch(track, tree, compare))
		out_of_memory();
	return track;
}

static void name_process(struct timeline *timeline, uint32_t pid, const char *text)
{
	uint32_t *entry;

	if (tfind(&pid, &timeline->processes, compare_pids))
		return;
	entry = malloc(sizeof(*entry));
	if (!entry)
		out_of_memory();
	*entry = pid;
	if (!tsearch(entry, &timeline->processes, compare_pids))
		out_of_memory();
	name(timeline, "process_name", pid, 0, text, "");
}

static struct track *thread_track(struct timeline *timeline, const struct scope_op *op)
{
	struct track wanted = { .pid = op->tgid, .tid = op->tid }, *track;
	bool fresh;

	snprintf(wanted.title, sizeof(wanted.title), "%s", op->comm);
	track = find_track(&timeline->threads, &wanted, compare_threads, &fresh);
	if (fresh)
		name_process(timeline, op->tgid, op->comm);
	return track;
}

static struct track *device_track(struct timeline *timeline, const char *device)
{
	struct track wanted = {}, *track;
	char text[64];
	bool fresh;

	snprintf(wanted.name, sizeof(wanted.name), "%s", device);
	snprintf(wanted.title, sizeof(wanted.title), "%s", device);
	track = find_track(&timeline->devices, &wanted, compare_devices, &fresh);
	if (fresh) {
		track->pid = timeline->next_id++;
		snprintf(text, sizeof(text), "device %s", device);
		name_process(timeline, track->pid, text);
	}
	return track;
}

/* The track beside the device's own, in the same process. */
static struct track *translation_track(struct timeline *timeline, const char *device)
{
	uint32_t pid = device_track(timeline, device)->pid;
	struct track wanted = {};
	bool fresh;

	wanted.pid = pid;
	snprintf(wanted.name, sizeof(wanted.name), "%s", device);
	snprintf(wanted.title, sizeof(wanted.title), "translation of %s", device);
	return find_track(&timeline->translations, &wanted, compare_devices, &fresh);
}

/* ------------------------------------------------------------------ lanes */

/*
 * Put a slice on a lane if it fits.  @inner is set to the span of the slices inside it; its end is
 * 0 if there are none.
 */
static bool place(struct lane *lane, struct span slice, struct span *inner)
{
	size_t behind = lane->nr, keep;

	*inner = (struct span){};
	if (slice.start < lane->floor)
		return false;
	while (behind && lane->spans[behind - 1].start >= slice.end)
		behind--;
	for (keep = behind; keep && lane->spans[keep - 1].start >= slice.start; keep--) {
		if (lane->spans[keep - 1].end > slice.end)
			return false;
		inner->start = lane->spans[keep - 1].start;
		if (!inner->end)
			inner->end = lane->spans[keep - 1].end;
	}
	if (keep && lane->spans[keep - 1].end > slice.start)
		return false;
	if (lane->nr == lane->room) {
		lane->room = lane->room ? 2 * lane->room : 64;
		lane->spans = reallocarray(lane->spans, lane->room, sizeof(*lane->spans));
		if (!lane->spans)
			out_of_memory();
	}
	memmove(lane->spans + keep + 1, lane->spans + behind,
		(lane->nr - behind) * sizeof(*lane->spans));
	lane->spans[keep] = slice;
	lane->nr += keep + 1 - behind;
	if (lane->nr == MAX_SPANS) {
		lane->nr -= MAX_SPANS / 2;
		lane->floor = lane->spans[MAX_SPANS / 2 - 1].end;
		memmove(lane->spans, lane->spans + MAX_SPANS / 2, lane->nr * sizeof(*lane->spans));
	}
	return true;
}

static const struct lane *find_lane(struct timeline *timeline, struct track *track,
				    struct span slice, struct span *inner)
{
	struct lane *lane;
	size_t i;

	for (i = 0; i < track->nr_lanes; i++)
		if (place(&track->lanes[i], slice, inner))
			return &track->lanes[i];
	lane = add_lane(timeline, track);
	place(lane, slice, inner);
	return lane;
}

/* ------------------------------------------------------------------ slices */

static void begin_event(struct timeline *timeline, const char *phase, uint32_t pid, uint32_t tid,
			uint64_t at_ns)
{
	struct json *json = &timeline->json;

	json_object(json, NULL);
	json_string(json, "ph", phase);
	json_u64(json, "pid", pid);
	json_u64(json, "tid", tid);
	json_micros(json, "ts", (int64_t)(at_ns - timeline->start_ns));
}

static void draw_phase(struct timeline *timeline, const struct track *track,
		       const struct lane *lane, unsigned int phase, uint64_t at_ns, uint64_t dur_ns)
{
	begin_event(timeline, "X", track->pid, lane->id, at_ns);
	json_micros(&timeline->json, "dur", dur_ns);
	json_string(&timeline->json, "name", phase_name(phase));
	json_string(&timeline->json, "cat", "phase");
	json_end_object(&timeline->json);
}

/*
 * Draw the phases one after the other, in the order of their list.  Only the sum of each phase is
 * known, so the positions are not exact.  If other operations are inside this one, the phases go
 * before and after them; the phase that consists of these operations is not drawn.
 */
static void draw_phases(struct timeline *timeline, const struct track *track,
			const struct lane *lane, const struct scope_op *op,
			struct span slice, struct span inner)
{
	uint64_t at = slice.start, limit = inner.end ? inner.start : slice.end;
	unsigned int i;
	uint64_t ns;

	for (i = 0; i < SCOPE_NR_PHASES; i++) {
		ns = op->phase_ns[i];
		if (!ns || (inner.end && i == SCOPE_PHASE_vfio_iommufd))
			continue;
		if (ns > limit - at && limit != slice.end) {
			at = inner.end;
			limit = slice.end;
		}
		if (ns > limit - at)
			continue;
		draw_phase(timeline, track, lane, i, at, ns);
		at += ns;
	}
}

static void json_args(struct json *json, const struct scope_op *op, bool unfinished)
{
	char text[512];
	unsigned int i;

	json_object(json, "args");
	operation_what(op, text, sizeof(text));
	json_string(json, "what", text);
	if (unfinished)
		json_bool(json, "unfinished", true);
	if (op->ret < 0) {
		operation_why(op, text, sizeof(text));
		json_string(json, "error", error_name(op->ret));
		json_string(json, "reason", reason_name(op->operation, op->reason));
		json_string(json, "message", text);
	}
	json_string(json, "process", op->comm);
	if (!pid_is_outside(op->tgid))
		json_u64(json, "pid", op->tgid);
	if (op->ctx)
		json_u64(json, "ctx", op->ctx);
	if (op->length) {
		snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)op->iova);
		json_string(json, "iova", text);
		json_u64(json, "length_bytes", op->length);
	}
	for (i = 0; i < SCOPE_NR_PHASES; i++) {
		if (!op->phase_ns[i])
			continue;
		snprintf(text, sizeof(text), "%s_ns", phase_name(i));
		json_u64(json, text, op->phase_ns[i]);
	}
	json_end_object(json);
}

static void draw(struct timeline *timeline, struct track *track, const struct scope_op *op,
		 bool unfinished)
{
	struct span slice = { op->start_ns, op->start_ns + op->dur_ns }, inner;
	const struct lane *lane = find_lane(timeline, track, slice, &inner);
	struct json *json = &timeline->json;
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s%s", operation_title(op->operation),
		 op->ret < 0 ? ": " : "", op->ret < 0 ? error_name(op->ret) : "",
		 unfinished ? " (unfinished)" : "");
	begin_event(timeline, "X", track->pid, lane->id, slice.start);
	json_micros(json, "dur", op->dur_ns);
	json_string(json, "name", text);
	json_string(json, "cat", operation_subsystem(op->operation));
	if (op->ret < 0)
		json_string(json, "cname", "terrible");
	json_args(json, op, unfinished);
	json_end_object(json);
	draw_phases(timeline, track, lane, op, slice, inner);
}

void timeline_operation(struct timeline *timeline, const struct scope_op *op,
			bool unfinished)
{
	draw(timeline, thread_track(timeline, op), op, unfinished);
	if (*op->device)
		draw(timeline, device_track(timeline, op->device), op, unfinished);
}

static void draw_window(struct timeline *timeline, const struct track *track,
			const struct lane *lane, const struct scope_replacement *facts)
{
	uint64_t end = facts->start_ns + facts->dur_ns, ns = facts->window_ns;
	struct json *json = &timeline->json;

	/* still open at the end; of several windows, only the first start and the sum are known */
	if (facts->flags & SCOPE_REPLACEMENT_BLOCKED || facts->window_start_ns + ns > end)
		ns = end > facts->window_start_ns ? end - facts->window_start_ns : 0;
	if (facts->window_start_ns < facts->start_ns)
		return;
	begin_event(timeline, "X", track->pid, lane->id, facts->window_start_ns);
	json_micros(json, "dur", ns);
	json_string(json, "name", "no translation");
	json_string(json, "cat", "window");
	json_string(json, "cname", "terrible");
	json_object(json, "args");
	json_u64(json, "window_ns", facts->window_ns);
	json_u64(json, "windows", facts->windows);
	json_end_object(json);
	json_end_object(json);
}

static void draw_faults(struct timeline *timeline, const struct track *track,
			const struct lane *lane, const struct scope_replacement *facts)
{
	struct json *json = &timeline->json;
	unsigned int i;
	char text[32];

	for (i = 0; i < facts->nr_faults && i < SCOPE_FAULT_MARKS; i++) {
		const struct scope_fault_mark *fault = &facts->faults[i];

		begin_event(timeline, "i", track->pid, lane->id, fault->ns);
		json_string(json, "s", "t");
		json_string(json, "name", "fault");
		json_string(json, "cat", "fault");
		json_object(json, "args");
		json_string(json, "fault_text", fault_words(fault, facts->driver));
		snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)fault->iova);
		json_string(json, "iova", text);
		json_bool(json, "in_window", fault->flags & SCOPE_FAULT_IN_WINDOW);
		json_end_object(json);
		json_end_object(json);
	}
}

void timeline_replacement(struct timeline *timeline, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	struct span slice = { facts->start_ns, facts->start_ns + facts->dur_ns }, inner;
	struct json *json = &timeline->json;
	const struct lane *lane;
	struct track *track;
	char text[256];

	if (!*facts->device)
		return;
	track = translation_track(timeline, facts->device);
	lane = find_lane(timeline, track, slice, &inner);
	replacement_words(replacement, text, sizeof(text));
	begin_event(timeline, "X", track->pid, lane->id, slice.start);
	json_micros(json, "dur", facts->dur_ns);
	json_string(json, "name", text);
	json_string(json, "cat", "replacement");
	json_object(json, "args");
	json_string(json, "verdict", verdict_name(replacement->verdict));
	json_u64(json, "old_hwpt", facts->old_hwpt);
	json_u64(json, "hwpt", facts->hwpt);
	if (replacement->faults == FAULTS_known) {
		json_u64(json, "faults_in_window", facts->faults_in_window);
		json_u64(json, "faults_after", facts->faults_after);
	} else {
		json_string(json, "faults_unknown", fault_sight_name(replacement->faults));
	}
	json_string(json, "process", facts->comm);
	json_end_object(json);
	json_end_object(json);
	if (facts->windows)
		draw_window(timeline, track, lane, facts);
	draw_faults(timeline, track, lane, facts);
}

void timeline_lost(struct timeline *timeline, uint64_t at_ns, uint64_t lost)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " events lost", lost);
	begin_event(timeline, "i", 0, 0, at_ns);
	json_string(&timeline->json, "s", "g");
	json_string(&timeline->json, "name", text);
	json_end_object(&timeline->json);
}

/* ------------------------------------------------------------------ the whole */

struct timeline *timeline_new(FILE *file, const struct trace_info *info)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));
	struct json *json;

	if (!timeline)
		out_of_memory();
	json = &timeline->json;
	json->file = file;
	timeline->start_ns = info->start_ns;
	timeline->next_id = FIRST_OWN_ID;
	json_object(json, NULL);
	json_string(json, "displayTimeUnit", "ns");
	json_object(json, "otherData");
	json_string(json, "host", info->host);
	json_string(json, "kernel", info->kernel);
	json_string(json, "tool", info->tool);
	json_u64(json, "start_time_ns", info->start_ns + (uint64_t)info->wall_ns);
	json_end_object(json);
	json_array(json, "traceEvents");
	return timeline;
}

static void free_track(void *entry)
{
	struct track *track = entry;
	size_t i;

	for (i = 0; i < track->nr_lanes; i++)
		free(track->lanes[i].spans);
	free(track->lanes);
	free(track);
}

void timeline_finish(struct timeline *timeline)
{
	json_end_array(&timeline->json);
	json_end_object(&timeline->json);
	json_end(&timeline->json);
	tdestroy(timeline->threads, free_track);
	tdestroy(timeline->devices, free_track);
	tdestroy(timeline->translations, free_track);
	tdestroy(timeline->processes, free);
	free(timeline);
}
