// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope report: show a trace file.
 *
 * It reads the file once, from the start to where it becomes unreadable, and hands each wanted
 * event to a format.  If the file ends too early, everything up to that point is shown, the early
 * end is reported, and the command fails.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/report_fields.h"
#include "describe/fields.h"
#include "describe/names.h"
#include "describe/operation.h"
#include "describe/operation_line.h"
#include "describe/replacement_text.h"
#include "machine/pid_namespace.h"
#include "observe/replacement.h"
#include "text/difference.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"
#include "trace/timeline.h"
#include "trace/trace_file.h"
#include "trace/unfinished.h"

enum {
	KEY_ERRORS = OPTION_KEY_OWN,
	KEY_SLOWER,
	KEY_BEGINS,
	KEY_TRACE_EVENT,
	KEY_INFO,
};

static struct {
	const char *file;
	const char *device;
	uint64_t pid;
	bool errors;
	uint64_t slower_ns;
	uint64_t wanted;
	bool begins;
	bool trace_event;
	bool info;
} own = { .wanted = ~0ULL };

static const struct argp_option own_options[] = {
	{ "device", 'd', "DEVICE", 0, "select events of one device", 1 },
	{ "pid", 'p', "PID", 0, "select one process", 1 },
	{ "errors", KEY_ERRORS, NULL, 0, "show only operations that failed", 1 },
	{ "slower", KEY_SLOWER, "TIME", 0, "show only operations that took at least TIME, e.g. 1ms", 1 },
	{ "operation", 'o', "NAME[,NAME]...", 0, "select operations, e.g. map,unmap", 1 },
	{ "begins", KEY_BEGINS, NULL, 0, "show the starts of operations that have ended, too", 2 },
	{ "trace-event", KEY_TRACE_EVENT, NULL, 0,
	  "write a timeline for ui.perfetto.dev", 2 },
	{ "info", KEY_INFO, NULL, 0, "describe the file and show no events", 2 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		own.device = arg;
		return 0;
	case 'p':
		if (!parse_number(arg, INT_MAX, &own.pid) || !own.pid)
			argp_error(state, "%s is not a process id", arg);
		return 0;
	case KEY_ERRORS:
		own.errors = true;
		return 0;
	case KEY_SLOWER:
		if (!parse_duration(arg, &own.slower_ns))
			argp_error(state, "%s is not a time: give seconds, or 250us, 1ms", arg);
		return 0;
	case 'o':
		own.wanted = operations_parse(arg, state);
		return 0;
	case KEY_BEGINS:
		own.begins = true;
		return 0;
	case KEY_TRACE_EVENT:
		own.trace_event = true;
		return 0;
	case KEY_INFO:
		own.info = true;
		return 0;
	case ARGP_KEY_ARG:
		if (own.file)
			argp_error(state, "one file at a time: %s", arg);
		own.file = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/**
 * struct report - a report in progress
 * @options: the user's options
 * @info: what the file says about its recording
 * @format: how events are shown
 * @json: writer of JSON
 * @timeline: writer of the timeline
 * @under_way: operations that have started and not ended so far
 * @shown: operations shown
 * @operations: operations that ended, shown or not
 * @begins: operations that started
 * @replacements: devices whose translation was replaced
 * @lost: events lost
 * @last_ns: time of the latest event
 */
struct report {
	const struct options *options;
	const struct trace_info *info;
	const struct format *format;
	struct json json;
	struct timeline *timeline;
	struct unfinished under_way;
	uint64_t shown;
	uint64_t operations;
	uint64_t begins;
	uint64_t replacements;
	uint64_t lost;
	uint64_t last_ns;
};

/**
 * struct format - how to show a trace
 * @begin: called before anything else, or NULL
 * @operation: shows an operation
 * @replacement: shows a replacement, or NULL
 * @lost: shows that events are missing
 * @end: called at the end, or NULL
 */
struct format {
	void (*begin)(struct report *report);
	void (*operation)(struct report *report, const struct scope_op *op,
			  enum moment moment);
	void (*replacement)(struct report *report, const struct replacement *replacement);
	void (*lost)(struct report *report, uint64_t at_ns, uint64_t lost);
	void (*end)(struct report *report);
};

/* Text */

static void text_begin(struct report *report)
{
	operation_heading();
	(void)report;
}

static void text_operation(struct report *report, const struct scope_op *op,
			   enum moment moment)
{
	int64_t wall_ns = report->info->wall_ns;
	char what[256];

	if (moment == MOMENT_END) {
		operation_line(op, wall_ns);
		return;
	}
	operation_what(op, what, sizeof(what));
	line_time(op->start_ns + wall_ns);
	printf("%*s%s of %s starts", 12, "", operation_title(op->operation), what);
	if (moment == MOMENT_UNFINISHED)
		printf("%s and does not end within the trace, %s later%s", colour_on(COLOUR_YELLOW),
		       format_duration(op->dur_ns).s, colour_off());
	printf(" (%s [%s])\n", op->comm, pid_text(op->tgid).s);
}

static void text_replacement(struct report *report, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	char words[256];

	replacement_words(replacement, words, sizeof(words));
	line_time(facts->start_ns + facts->dur_ns + report->info->wall_ns);
	printf("%*s%s, hwpt %u to %u: %s%s%s (%s [%s])\n", 12, "", facts->device, facts->old_hwpt,
	       facts->hwpt,
	       colour_on(replacement->verdict == VERDICT_hitless ? COLOUR_GREEN : COLOUR_YELLOW),
	       words, colour_off(), facts->comm, pid_text(facts->tgid).s);
}

static void text_lost(struct report *report, uint64_t at_ns, uint64_t lost)
{
	line_time(at_ns + report->info->wall_ns);
	printf("%*s%s%" PRIu64 " events were lost here%s\n", 12, "", colour_on(COLOUR_RED), lost,
	       colour_off());
}

static const struct format text_format = {
	.begin = text_begin,
	.operation = text_operation,
	.replacement = text_replacement,
	.lost = text_lost,
};

/* JSON and CSV: operations as `ops` writes them; in JSON, other events have "event" first */

static void json_operation(struct report *report, const struct scope_op *op,
			   enum moment moment)
{
	struct report_event event = { .moment = moment, .op = op };

	if (moment == MOMENT_END)
		fields_json_line(&report->json, &operation_fields, op, report->info->wall_ns);
	else
		fields_json_line(&report->json, &report_begin_fields, &event,
				 report->info->wall_ns);
}

/* the object of `replace --json`: it has a verdict, but no operation */
static void json_replacement(struct report *report, const struct replacement *replacement)
{
	struct described_replacement described;

	replacement_describe(&described, replacement);
	fields_json_line(&report->json, &replacement_fields, &described, report->info->wall_ns);
}

static void json_lost(struct report *report, uint64_t at_ns, uint64_t lost)
{
	struct report_event event = { .moment = MOMENT_LOST, .at_ns = at_ns, .lost = lost };

	fields_json_line(&report->json, &report_gap_fields, &event, report->info->wall_ns);
}

/* The last object is the same as that of `ops`. */
static void json_finish(struct report *report)
{
	fields_json_line(&report->json, &lost_fields, &report->lost, 0);
}

static const struct format json_format = {
	.operation = json_operation,
	.replacement = json_replacement,
	.lost = json_lost,
	.end = json_finish,
};

static void csv_begin(struct report *report)
{
	fields_csv_heading(stdout, &report_row_fields);
	(void)report;
}

static void csv_operation(struct report *report, const struct scope_op *op,
			  enum moment moment)
{
	struct report_event event = { .moment = moment, .op = op };

	fields_csv(stdout, &report_row_fields, &event, report->info->wall_ns);
}

static void csv_replacement(struct report *report, const struct replacement *replacement)
{
	struct described_replacement described;
	struct report_event event = {
		.moment = MOMENT_REPLACEMENT,
		.op = &described.operation,
		.replacement = replacement,
	};

	replacement_describe(&described, replacement);
	fields_csv(stdout, &report_row_fields, &event, report->info->wall_ns);
}

/* a row cannot express a loss */
static void csv_lost(struct report *report, uint64_t at_ns, uint64_t lost)
{
	complain("%" PRIu64 " events are missing at time_ns %" PRIu64, lost,
		 at_ns + (uint64_t)report->info->wall_ns);
}

static const struct format csv_format = {
	.begin = csv_begin,
	.operation = csv_operation,
	.replacement = csv_replacement,
	.lost = csv_lost,
};

/* Timeline */

static void timeline_begin(struct report *report)
{
	report->timeline = timeline_new(stdout, report->info);
}

static void timeline_draw(struct report *report, const struct scope_op *op,
			  enum moment moment)
{
	/* the start of an operation that ended is the left side of its slice */
	if (moment != MOMENT_BEGIN)
		timeline_operation(report->timeline, op, moment == MOMENT_UNFINISHED);
}

static void timeline_switch(struct report *report, const struct replacement *replacement)
{
	timeline_replacement(report->timeline, replacement);
}

static void timeline_gap(struct report *report, uint64_t at_ns, uint64_t lost)
{
	timeline_lost(report->timeline, at_ns, lost);
}

static void timeline_end(struct report *report)
{
	timeline_finish(report->timeline);
}

static const struct format timeline_format = {
	.begin = timeline_begin,
	.operation = timeline_draw,
	.replacement = timeline_switch,
	.lost = timeline_gap,
	.end = timeline_end,
};

/* Description of the file: only its sums are shown */

static void no_operation(struct report *report, const struct scope_op *op,
			 enum moment moment)
{
	(void)report;
	(void)op;
	(void)moment;
}

static void no_gap(struct report *report, uint64_t at_ns, uint64_t lost)
{
	(void)report;
	(void)at_ns;
	(void)lost;
}

static uint64_t span_of(const struct report *report)
{
	uint64_t start_ns = report->info->start_ns;

	return difference(report->last_ns, start_ns);
}

static void get_span(const void *record, struct value *value)
{
	value->number = span_of(record);
}

static const void *info_of(const void *record, size_t number)
{
	return number ? NULL : ((const struct report *)record)->info;
}

static const struct field recording[] = {
	MEMBER(NUMBER, "format", struct trace_info, version, .doc = "version of the format"),
	MEMBER(TEXT, "tool", struct trace_info, tool, .doc = "version of the iommuscope"),
	MEMBER(TEXT, "host", struct trace_info, host, .doc = "name of the machine"),
	MEMBER(TEXT, "kernel", struct trace_info, kernel, .doc = "release of its kernel"),
	MEMBER(TIME, "start_time_ns", struct trace_info, start_ns, .doc = "when the recording started"),
};

static const struct field_table recording_fields = FIELD_TABLE("recording", recording);

static const struct field info_sums[] = {
	INCLUDE(recording_fields, info_of),
	FIELD(DURATION, "span_ns", .get = get_span, .doc = "time that it covers"),
	MEMBER(NUMBER, "operations", struct report, operations, .doc = "operations that ended"),
	MEMBER(NUMBER, "begins", struct report, begins, .doc = "operations that started"),
	MEMBER(NUMBER, "replacements", struct report, replacements,
	       .doc = "how often the translation was replaced"),
	MEMBER(NUMBER, "lost", struct report, lost,
	       .doc = "number of records lost because they came too fast"),
};

static const struct field_table info_fields = FIELD_TABLE("trace file", info_sums);

static void info_end(struct report *report)
{
	const struct trace_info *info = report->info;

	if (report->options->json) {
		fields_json_line(&report->json, &info_fields, report, info->wall_ns);
		return;
	}
	printf("recorded on %s, Linux %s, with iommuscope %s (format %u)\n", info->host,
	       info->kernel, info->tool, info->version);
	printf("%" PRIu64 " operations and %" PRIu64 " start events in %s, %" PRIu64 " events lost\n",
	       report->operations, report->begins, format_duration(span_of(report)).s,
	       report->lost);
}

static const struct format info_format = {
	.operation = no_operation,
	.lost = no_gap,
	.end = info_end,
};

/* The file */

static bool is_wanted(const struct scope_op *op, enum moment moment)
{
	if (!(own.wanted & 1ULL << op->operation))
		return false;
	if (own.pid && op->tgid != own.pid)
		return false;
	if (own.device && strcmp(own.device, op->device))
		return false;
	if (own.errors && (moment == MOMENT_BEGIN || op->ret >= 0))
		return false;
	return moment == MOMENT_BEGIN || op->dur_ns >= own.slower_ns;
}

static void show(struct report *report, const struct scope_op *op, enum moment moment)
{
	if (!is_wanted(op, moment))
		return;
	report->format->operation(report, op, moment);
	report->shown++;
}

static void show_unfinished(void *context, const struct scope_op *op)
{
	struct report *report = context;
	struct scope_op copy = *op;

	copy.dur_ns = difference(report->last_ns, op->start_ns);
	show(report, &copy, MOMENT_UNFINISHED);
}

static void show_replacement(struct report *report, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;

	report->replacements++;
	if (!report->format->replacement ||
	    !(own.wanted & 1ULL << SCOPE_OPERATION_iommufd_replace) ||
	    (own.pid && facts->tgid != own.pid) ||
	    (own.device && strcmp(own.device, facts->device)) ||
	    (own.errors && facts->ret >= 0) || facts->dur_ns < own.slower_ns)
		return;
	report->format->replacement(report, replacement);
}

static void take(struct report *report, const struct trace_event *event)
{
	const struct scope_op *op = &event->op;
	uint64_t ns = 0;

	switch (event->kind) {
	case TRACE_REPLACEMENT:
		show_replacement(report, &event->replacement);
		break;
	case TRACE_BEGIN:
		ns = op->start_ns;
		report->begins++;
		unfinished_begin(&report->under_way, op);
		if (own.begins)
			show(report, op, MOMENT_BEGIN);
		break;
	case TRACE_OPERATION:
		ns = op->start_ns + op->dur_ns;
		report->operations++;
		unfinished_end(&report->under_way, op);
		show(report, op, MOMENT_END);
		break;
	case TRACE_LOST:
		report->lost += event->lost;
		report->format->lost(report, event->at_ns, event->lost);
		ns = event->at_ns;
		break;
	}
	if (ns > report->last_ns)
		report->last_ns = ns;
}

static long get(void *context, void *data, size_t size)
{
	size_t got = fread(data, 1, size, context);

	return got < size && ferror(context) ? -1 : (long)got;
}

/* Show everything that can be read. */
static void show_all(struct report *report, struct trace_reader *reader)
{
	const struct options *options = report->options;
	struct trace_event event;
	bool all = true;

	if (report->format->begin)
		report->format->begin(report);
	while (trace_next(reader, &event)) {
		take(report, &event);
		if (options->count && report->shown >= options->count) {
			all = false;
			break;
		}
	}
	if (all)
		unfinished_take(&report->under_way, show_unfinished, report);
	if (report->format->end)
		report->format->end(report);
}

static const struct format *choose(const struct options *options)
{
	if (own.info)
		return &info_format;
	if (own.trace_event)
		return &timeline_format;
	if (options->json)
		return &json_format;
	return options->csv ? &csv_format : &text_format;
}

static int report_main(const struct options *options)
{
	struct report report = { .options = options, .json = { .file = stdout } };
	struct trace_reader *reader;
	enum trace_state state;
	char words[256];
	FILE *file;

	if (!own.file)
		own.file = "iommuscope.trace";
	file = strcmp(own.file, "-") ? fopen(own.file, "re") : stdin;
	if (!file) {
		complain("cannot read %s: %s", own.file, strerror(errno));
		return EXIT_FAILED;
	}
	reader = trace_reader_new(get, file);
	report.info = trace_reader_info(reader);
	report.format = choose(options);
	state = trace_reader_state(reader, words, sizeof(words));
	if (state == TRACE_GOOD) {
		show_all(&report, reader);
		state = trace_reader_state(reader, words, sizeof(words));
	}
	flush_output();
	if (state != TRACE_GOOD)
		complain("%s: %s", own.file, words);
	if (trace_reader_unknown(reader))
		complain("%s: %" PRIu64 " events are of kinds that this iommuscope does not know",
			 own.file, trace_reader_unknown(reader));
	trace_reader_free(reader);
	if (file != stdin)
		fclose(file);
	return state == TRACE_GOOD ? 0 : EXIT_FAILED;
}

static const struct field_table *const records[] = {
	&operation_fields, &report_begin_fields, &replacement_fields, &report_gap_fields,
	&lost_fields,	   &info_fields,	 &report_row_fields,  NULL,
};

static const struct command_example examples[] = {
	{ "report", "iommuscope.trace as text" },
	{ "report night.trace --errors", "what failed in the night" },
	{ "report --trace-event >trace.json", "a timeline for ui.perfetto.dev or chrome://tracing" },
	{ "report --csv -o map --slower 1ms", "slow maps, for a spreadsheet" },
	{},
};

const struct command command_report = {
	.name = "report",
	.summary = "Show what was recorded",
	.description =
		"Shows a FILE that 'iommuscope record' wrote; - is standard input [default: "
		"iommuscope.trace].  It lists each operation in the format of 'iommuscope ops', "
		"then the operations that started and did not end within the trace.\n\n"
		"--json writes the objects of 'iommuscope ops --json'; other events have the key "
		"\"event\", and replacements also the keys of 'iommuscope replace --json'.\n\n"
		"--csv writes one row for each operation, with the keys as columns, and one row "
		"for each device whose translation was replaced: the event \"replacement\", the "
		"verdict, the window and the faults.  A number that is not known is an empty "
		"cell.\n\n"
		"--trace-event writes a timeline.  Each thread and each device has a track with "
		"operations and their phases as slices; a device whose translation was replaced "
		"has another track with the windows without translation and with faults.  Only "
		"the sum of each phase is known, so phases are drawn one after the other, in the "
		"order in which an operation first enters them.\n\n"
		"A file that was cut off, e.g. because the recording was killed, is shown as far "
		"as it goes; the exit status is then 1.",
	.examples = examples,
	.arguments = "[FILE]",
	.common = OPTION_COUNT | OPTION_JSON | OPTION_CSV,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = report_main,
};
