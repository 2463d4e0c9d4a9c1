// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope replace: replacements, and what they did to running DMA.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/replace_drill.h"
#include "commands/run.h"
#include "describe/fields.h"
#include "describe/names.h"
#include "describe/replacement_text.h"
#include "describe/replacement_timeline.h"
#include "machine/devices.h"
#include "machine/obstacles.h"
#include "machine/pid_namespace.h"
#include "observe/replacement.h"
#include "observe/session.h"
#include "probe/host_watch.h"
#include "probe/sources.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

enum {
	KEY_TIMELINE = OPTION_KEY_OWN,
	KEY_WATCH,
	KEY_DRILL,
	KEY_FAULTS,
};

static struct {
	bool timeline;
	bool faults;
	const char *watch;
	const char *drill;
} own;

static const struct argp_option own_options[] = {
	{ "timeline", KEY_TIMELINE, NULL, 0,
	  "show the next replacement as a time line; with -n, the next N", 1 },
	{ "faults", KEY_FAULTS, NULL, 0, "show only replacements with faults; totals cover all", 1 },
	{ "watch-device", KEY_WATCH, "DEVICE", 0, "select one device, as -d does", 1 },
	{ "drill", KEY_DRILL, "DEVICE", 0,
	  "switch this unused device N times between two HWPTs: is its IOMMU hitless? [default: -n 100]", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_TIMELINE:
		own.timeline = true;
		return 0;
	case KEY_FAULTS:
		own.faults = true;
		return 0;
	case KEY_WATCH:
		own.watch = arg;
		return 0;
	case KEY_DRILL:
		own.drill = arg;
		return 0;
	case ARGP_KEY_END:
		if ((own.timeline || own.faults) && own.drill)
			argp_error(state, "--%s and --drill exclude each other",
				   own.timeline ? "timeline" : "faults");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The state of the printed stream. */
struct stream {
	const struct options *options;
	struct json json;
	int64_t wall_ns;
	uint64_t wanted;
	uint64_t printed;
};

#define PROCESS_COLUMNS 18
#define DEVICE_COLUMNS 14
#define HWPT_COLUMNS 9
#define NUMBER_COLUMNS 8

static void print_heading(void)
{
	static const char *const times[] = { "TOTAL", "FILL", "SWITCH", "WINDOW", "FAULTS" };
	size_t i;

	printf("%s%-17s", colour_on(COLOUR_BOLD), "TIME");
	print_left("PROCESS", PROCESS_COLUMNS);
	print_left(" DEVICE", DEVICE_COLUMNS + 1);
	print_left(" OLD→NEW", HWPT_COLUMNS + 1);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		print_right(times[i], NUMBER_COLUMNS);
	printf("  VERDICT%s\n", colour_off());
}

static enum colour colour_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_hitless:
		return COLOUR_GREEN;
	case VERDICT_blocked:
	case VERDICT_unknown:
		return COLOUR_YELLOW;
	case VERDICT_rolled_back:
	case VERDICT_stranded:
	case VERDICT_refused:
		return COLOUR_RED;
	default:
		return COLOUR_NONE;
	}
}

static void print_time(uint64_t ns)
{
	print_right(ns ? format_duration(ns).s : "-", NUMBER_COLUMNS);
}

static void print_line(const struct stream *stream, const struct replacement *replacement)
{
	const struct scope_replacement *facts = &replacement->facts;
	char text[512];

	printf("%s%s%s  ", colour_on(COLOUR_DIM),
	       format_clock(facts->start_ns + stream->wall_ns).s, colour_off());
	snprintf(text, sizeof(text), "%s [%s]", facts->comm, pid_text(facts->tgid).s);
	print_left(text, PROCESS_COLUMNS);
	putchar(' ');
	print_left(facts->device, DEVICE_COLUMNS);
	putchar(' ');
	snprintf(text, sizeof(text), "%u → %u", facts->old_hwpt, facts->hwpt);
	print_left(text, HWPT_COLUMNS);
	print_time(facts->dur_ns);
	print_time(facts->phase_ns[SCOPE_REPLACE_fill]);
	print_time(facts->phase_ns[SCOPE_REPLACE_switch]);
	if (replacement->window_known)
		print_right(facts->windows ? format_duration(facts->window_ns).s : "none",
			    NUMBER_COLUMNS);
	else
		print_right(replacement->verdict == VERDICT_unknown ? "?" : "-", NUMBER_COLUMNS);
	print_right(replacement_faults(replacement).s, NUMBER_COLUMNS);
	replacement_words(replacement, text, sizeof(text));
	printf("  %s%s%s", colour_on(colour_of(replacement->verdict)), text, colour_off());
	if (facts->ret < 0) {
		replacement_why(replacement, text, sizeof(text));
		printf(": %s: %s", error_name(facts->ret), text);
	}
	if (replacement->waits.count)
		printf("; %u calls waited, %s at most", replacement->waits.count,
		       format_duration(replacement->waits.longest_ns).s);
	putchar('\n');
}

static void on_replacement(void *context, const struct replacement *replacement)
{
	struct stream *stream = context;
	struct described_replacement described;

	if (stream->wanted && stream->printed >= stream->wanted)
		return;
	if (own.faults && !replacement->facts.faults_in_window && !replacement->facts.faults_after)
		return;
	stream->printed++;
	if (stream->options->json) {
		replacement_describe(&described, replacement);
		fields_json_line(&stream->json, &replacement_fields, &described, stream->wall_ns);
	} else if (own.timeline) {
		timeline_print(replacement, stream->wall_ns);
	} else {
		print_line(stream, replacement);
	}
}

static void total_row(struct table *table, const struct replacement_total *total)
{
	const uint64_t *verdicts = total->verdicts;
	unsigned int column = 0, i;
	static const double percentiles[] = { 50, 90, 99 };

	table_row(table, COLOUR_NONE);
	table_set(table, column++, "%s", *total->label ? total->label : "(no name)");
	table_set(table, column++, "%s", format_count(total->count).s);
	table_set(table, column++, "%s", format_count(verdicts[VERDICT_hitless]).s);
	table_set(table, column++, "%s", format_count(verdicts[VERDICT_blocked]).s);
	table_set(table, column++, "%s",
		  format_count(verdicts[VERDICT_rolled_back] + verdicts[VERDICT_stranded] +
			       verdicts[VERDICT_refused]).s);
	table_set(table, column++, "%s", format_count(verdicts[VERDICT_unknown]).s);
	for (i = 0; i < 3; i++)
		table_set(table, column++, "%s", !total->window.count ? "?" :
			  !total->window.max ? "none" :
			  format_duration(histogram_percentile(&total->window, percentiles[i])).s);
	table_set(table, column++, "%s", !total->window.count ? "?" :
		  !total->window.max ? "none" : format_duration(total->window.max).s);
	table_set(table, column, "%s", total_faults(total).s);
}

static void print_totals(const struct replacement_totals *totals, const char *label)
{
	struct table table = {
		.columns = 11,
		.heads = { label, "COUNT", "HITLESS", "BLOCKED", "FAILED", "UNKNOWN", "WINDOW P50",
			   "P90", "P99", "MAX", "FAULTS" },
		.right = 0x7fe,
	};
	size_t i;

	for (i = 0; i < totals->nr; i++)
		total_row(&table, &totals->totals[i]);
	table_print(&table);
}

static void print_end(struct stream *stream, const struct replacements *replacements)
{
	uint64_t lost = replacements_lost(replacements);

	if (stream->options->json) {
		fields_json_line(&stream->json, &replacement_totals_fields, replacements,
				 stream->wall_ns);
		return;
	}
	if (lost)
		complain("%llu replacements were lost: they came too fast",
			 (unsigned long long)lost);
	if (own.timeline)
		return;
	if (!replacements_by_device(replacements)->nr) {
		printf("no replacement was seen\n");
		return;
	}
	putchar('\n');
	print_totals(replacements_by_device(replacements), "DEVICE");
	putchar('\n');
	print_totals(replacements_by_driver(replacements), "IOMMU DRIVER");
}

static bool read_more(struct stream *stream, struct replacements *replacements)
{
	stream->wall_ns = wall_offset_ns();
	replacements_read(replacements, on_replacement, stream);
	return flush_output() && !(stream->wanted && stream->printed >= stream->wanted);
}

/* Observe modules that were loaded later. */
static int extend(void *replacements)
{
	return replacements_extend(replacements);
}

static int watch(const struct options *options)
{
	struct stream stream = {
		.options = options,
		.json = { .file = stdout },
		.wanted = options->count ? options->count : own.timeline,
	};
	struct replacements *replacements;
	int status = EXIT_FAILED;
	struct run run;
	bool more;

	replacements = replacements_open(&options->filter);
	if (!replacements)
		return EXIT_FAILED;
	if (run_begin(&run, options) || replacements_attach(replacements))
		goto out_close;
	run_follow(&run, extend, replacements);
	if (!options->json && !own.timeline) {
		print_heading();
		flush_output();
	}
	if (run_start(&run))
		goto out_close;
	do {
		more = read_more(&stream, replacements);
	} while (more && run_wait(&run, -1, now_ns() + REPLACEMENTS_READ_EVERY_NS));
	if (more)
		replacements_drain(replacements, on_replacement, &stream);
	replacements_detach(replacements);
	print_end(&stream, replacements);
	status = run_finish(&run);
out_close:
	replacements_close(replacements);
	return status;
}

static int replace_main(const struct options *given)
{
	struct options options = *given;
	char device[DEVICE_NAME_SIZE];
	const char *wanted = own.drill ? own.drill : own.watch;

	if (wanted) {
		if (!find_device(wanted, device)) {
			complain("no such device: %s (see /sys/bus/pci/devices)", wanted);
			return EXIT_FAILED;
		}
		options.filter.device = device;
	}
	if (session_check())
		return EXIT_FAILED;
	if (!(sources_here() & (SOURCE_BIT(SOURCE_OWN) | SOURCE_BIT(SOURCE_UPSTREAM)))) {
		complain("no iommufd is loaded, and VFIO's type1 container never replaces a translation");
		return EXIT_FAILED;
	}
	/* our modules show replacements all the same, but not their windows */
	if (session_observes(SOURCE_OWN) && !functions_observable())
		obstacle_complain(OBSTACLE_FTRACE);
	return own.drill ? drill(&options) : watch(&options);
}

static const struct field_table *const records[] = {
	&replacement_fields,
	&replacement_totals_fields,
	&drill_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "replace", "every replacement, and totals at the end" },
	{ "replace -d 0000:03:00.0 --json", "the replacements of one device, as JSON" },
	{ "replace --faults", "only those that caused faults" },
	{ "replace --timeline", "the next replacement as a time line" },
	{ "replace --drill 0000:03:00.0", "is the IOMMU of this host hitless?" },
	{},
};

const struct command command_replace = {
	.name = "replace",
	.summary = "Show what replacing a translation did to running DMA",
	.description =
		"A device that is attached can be switched to another translation.  At every "
		"instant it should see either the old or the new one; whether it does depends on "
		"the IOMMU driver.  Each line is one replacement for one device: the process, the "
		"old and the new HWPT, how long it took in total, to fill the new HWPT and inside "
		"the IOMMU driver, the window without translation, faults, and the verdict.\n\n"
		"Verdicts: hitless: the driver was watched and the device always had a "
		"translation.  blocked: the device had none for the length of the window.  "
		"failed, rolled back: the device still has its old translation.  unknown: this "
		"driver cannot be watched, so the window is not known.  Faults are counted from "
		"the switch until one second after the replacement, so each line appears a second "
		"late.  '-' means that no fault was reported, but this IOMMU or its log may not "
		"report them; '?' means that faults could not be watched.\n\n"
		"--drill opens an unused device through its VFIO node, switches it between two "
		"identical HWPTs, and shows the percentiles of the window.\n\n"
		"With --json each line is one object; the last one has the totals and the number "
		"of replacements that were lost.",
	.examples = examples,
	.common = OPTION_FILTERS | OPTION_COUNT | OPTION_JSON | OPTION_RUN,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = replace_main,
};
