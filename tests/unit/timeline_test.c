// SPDX-License-Identifier: GPL-2.0-only
/* The timeline: which slices are drawn, and where. */
#include <stdio.h>
#include <stdlib.h>

#include "trace/timeline.h"
#include "trace/unfinished.h"
#include "unit.h"

static char *text;
static size_t size;
static FILE *file;

static struct timeline *begin(void)
{
	static const struct trace_info info = { .start_ns = 1000, .host = "here" };

	file = open_memstream(&text, &size);
	CHECK(file);
	return timeline_new(file, &info);
}

static void end(struct timeline *timeline)
{
	timeline_finish(timeline);
	fclose(file);
}

static struct scope_op operation(unsigned int which, uint64_t start, uint64_t dur)
{
	return (struct scope_op){
		.operation = which, .start_ns = start, .dur_ns = dur, .tgid = 7, .tid = 8,
		.comm = "vm",
	};
}

TEST(timeline, phases_are_inside_of_their_operation)
{
	struct scope_op map = operation(SCOPE_OPERATION_iommufd_map, 2500, 1000);
	struct timeline *timeline = begin();

	map.phase_ns[SCOPE_PHASE_wait] = 100;
	map.phase_ns[SCOPE_PHASE_pin] = 700;
	timeline_operation(timeline, &map, false);
	end(timeline);
	CHECK(strstr(text, "{\"ph\":\"X\",\"pid\":7,\"tid\":8,\"ts\":1.500,\"dur\":1.000,"
			   "\"name\":\"map\""));
	CHECK(strstr(text, "\"ts\":1.500,\"dur\":0.100,\"name\":\"wait\""));
	CHECK(strstr(text, "\"ts\":1.600,\"dur\":0.700,\"name\":\"pin\""));
	free(text);
}

TEST(timeline, operations_inside_of_others_take_the_place_of_a_phase)
{
	struct scope_op inner = operation(SCOPE_OPERATION_iommufd_attach, 1200, 500);
	struct scope_op outer = operation(SCOPE_OPERATION_vfio_attach, 1100, 700);
	struct timeline *timeline = begin();

	outer.phase_ns[SCOPE_PHASE_vfio_wait] = 60;
	outer.phase_ns[SCOPE_PHASE_vfio_iommufd] = 500;
	outer.phase_ns[SCOPE_PHASE_vfio_driver] = 90;
	timeline_operation(timeline, &inner, false);
	timeline_operation(timeline, &outer, false);
	end(timeline);
	CHECK(strstr(text, "\"ts\":0.100,\"dur\":0.060,\"name\":\"wait\""));
	CHECK(strstr(text, "\"ts\":0.700,\"dur\":0.090,\"name\":\"driver\""));
	CHECK(!strstr(text, "\"name\":\"iommufd\""));
	free(text);
}

TEST(timeline, what_would_cross_goes_beside)
{
	struct scope_op first = operation(SCOPE_OPERATION_iommufd_attach, 1100, 200);
	struct scope_op second = operation(SCOPE_OPERATION_iommufd_attach, 1200, 200);
	struct timeline *timeline = begin();

	strcpy(first.device, "0000:03:00.0");
	strcpy(second.device, "0000:03:00.0");
	second.tid = 9;
	second.ret = -16;
	timeline_operation(timeline, &first, false);
	timeline_operation(timeline, &second, true);
	timeline_lost(timeline, 1300, 5);
	end(timeline);
	CHECK(strstr(text, "\"name\":\"device 0000:03:00.0\""));
	CHECK(strstr(text, "\"name\":\"0000:03:00.0 (2)\""));
	CHECK(strstr(text, "\"name\":\"attach: EBUSY (unfinished)\""));
	CHECK(strstr(text, "\"name\":\"5 events lost\""));
	free(text);
}

TEST(timeline, windows_and_faults_are_reported)
{
	struct replacement replacement = {
		.facts = {
			.start_ns = 2000, .dur_ns = 900, .window_start_ns = 2100, .window_ns = 300,
			.windows = 1, .moves = 1, .flags = SCOPE_REPLACEMENT_MOVED,
			.device = "0000:03:00.0", .nr_faults = 1,
			.faults = { { .ns = 2200, .iova = 4096, .flags = SCOPE_FAULT_IN_WINDOW } },
		},
		.verdict = VERDICT_blocked, .window_known = true, .faults = FAULTS_known,
	};
	struct timeline *timeline = begin();

	timeline_replacement(timeline, &replacement);
	end(timeline);
	CHECK(strstr(text, "\"name\":\"translation of 0000:03:00.0\""));
	CHECK(strstr(text, "\"ts\":1.100,\"dur\":0.300,\"name\":\"no translation\""));
	CHECK(strstr(text, "\"ts\":1.200,\"s\":\"t\",\"name\":\"fault\""));
	CHECK(strstr(text, "\"verdict\":\"blocked\""));
	free(text);
}

static unsigned int nr_unfinished;

static void count(void *context, const struct scope_op *op)
{
	CHECK_EQ(op->tid, *(unsigned int *)context);
	nr_unfinished++;
}

TEST(timeline, begins_end_with_their_thread_s_next_end)
{
	struct scope_op map = operation(SCOPE_OPERATION_iommufd_map, 1000, 0), end;
	struct unfinished set = {};
	unsigned int tid = 9;

	unfinished_begin(&set, &map);
	map.tid = 9;
	unfinished_begin(&set, &map);
	/* neither another subsystem's end nor an older one ends it */
	end = operation(SCOPE_OPERATION_vfio_attach, 1100, 10);
	end.tid = 9;
	unfinished_end(&set, &end);
	end = operation(SCOPE_OPERATION_iommufd_map, 900, 10);
	end.tid = 9;
	unfinished_end(&set, &end);
	end = operation(SCOPE_OPERATION_iommufd_map, 1000, 10);
	unfinished_end(&set, &end);
	unfinished_take(&set, count, &tid);
	CHECK_EQ(nr_unfinished, 1);
	unfinished_take(&set, count, &tid);
	CHECK_EQ(nr_unfinished, 1);
}
