// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of trace events as 'iommuscope report' writes them.
 */
#include "commands/report_fields.h"
#include "describe/fields.h"

static const char *moment_name(enum moment moment)
{
	static const char *const names[] = {
		[MOMENT_END] = "end",
		[MOMENT_BEGIN] = "begin",
		[MOMENT_UNFINISHED] = "unfinished",
		[MOMENT_REPLACEMENT] = "replacement",
		[MOMENT_LOST] = "lost",
	};

	return names[moment];
}

static const void *event_record(const void *record, size_t number)
{
	return number ? NULL : ((const struct report_event *)record)->op;
}

/* The details of an operation, which the event of a replacement does not have. */
static const void *event_details(const void *record, size_t number)
{
	const struct report_event *event = record;

	return number || event->replacement ? NULL : event->op;
}

static const void *event_replacement(const void *record, size_t number)
{
	return number ? NULL : ((const struct report_event *)record)->replacement;
}

static void get_event(const void *record, struct value *value)
{
	value->text = moment_name(((const struct report_event *)record)->moment);
}

enum {
	UNFINISHED = 1 << 0,
};

static unsigned int event_kinds(const void *record)
{
	return ((const struct report_event *)record)->moment == MOMENT_UNFINISHED ? UNFINISHED : 0;
}

static void get_event_dur(const void *record, struct value *value)
{
	value->number = ((const struct report_event *)record)->op->dur_ns;
}

#define EVENT_NAME                             \
	FIELD(TEXT, "event", .get = get_event, \
	      .doc = "kind of the event: `begin`, `end`, `unfinished`, `replacement`, `lost`")

static const struct field row[] = {
	EVENT_NAME,
	INCLUDE(operation_moment_fields, event_record),
	INCLUDE(operation_name_fields, event_record),
	INCLUDE(operation_common_fields, event_record),
	INCLUDE(operation_detail_fields, event_details),
	INCLUDE(replacement_own_fields, event_replacement),
};

const struct field_table report_row_fields = FIELD_TABLE("row of a trace", row);

static const struct field begin[] = {
	EVENT_NAME,
	INCLUDE(begin_fields, event_record),
	FIELD(DURATION, "dur_ns", .get = get_event_dur, .kinds = UNFINISHED,
	      .doc = "how long it took, or has taken so far"),
};

const struct field_table report_begin_fields =
	FIELD_TABLE("start in a trace", begin, .kinds = event_kinds);

static const struct field gap[] = {
	EVENT_NAME,
	MEMBER(DATE, "time", struct report_event, at_ns, .doc = OPERATION_TIME_DOC),
	MEMBER(TIME, "time_ns", struct report_event, at_ns, .doc = "the same moment as `time`"),
	MEMBER(NUMBER, "lost", struct report_event, lost,
	       .doc = "number of records lost because they came too fast"),
};

const struct field_table report_gap_fields = FIELD_TABLE("events lost", gap);
