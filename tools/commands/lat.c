// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope lat: where the time goes, by operation and phase.
 *
 * latency.bpf.c counts in the kernel.  This side only reads: once an interval and at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "describe/fields.h"
#include "describe/latency_text.h"
#include "describe/names.h"
#include "observe/latency.h"
#include "observe/session.h"
#include "observe/slowest.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/output.h"

#define DEFAULT_LIMIT 256
#define MAX_LIMIT 65536
#define DEFAULT_STACKS 5

enum {
	KEY_BY = OPTION_KEY_OWN,
	KEY_HIST,
	KEY_LIMIT,
	KEY_STACKS,
	KEY_NO_PHASES,
};

static struct {
	enum scope_dimension by;
	bool histograms;
	unsigned int limit;
	unsigned int stacks;
	bool no_phases;
	uint64_t wanted;
} own = { .limit = DEFAULT_LIMIT, .wanted = ~0ULL };

static const struct argp_option own_options[] = {
	{ "by", KEY_BY, "WHAT", 0, "split operations by device, ioas, process or cgroup", 1 },
	{ "hist", KEY_HIST, NULL, 0, "show histograms", 1 },
	{ "operation", 'o', "NAME[,NAME]...", 0, "select operations, e.g. map,unmap", 1 },
	{ "no-phases", KEY_NO_PHASES, NULL, 0,
	  "do not time phases where that takes probes; that halves the overhead", 1 },
	{ "limit", KEY_LIMIT, "N", 0,
	  "track at most N labels at a time with --by; the rest count as (others) [default: 256]", 1 },
	{ "stacks", KEY_STACKS, "N", OPTION_ARG_OPTIONAL,
	  "show the stacks of the N slowest calls of each operation, at most 20 [default: 5]", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	uint64_t number;

	switch (key) {
	case KEY_BY:
		own.by = dimension_parse(arg, state);
		return 0;
	case KEY_HIST:
		own.histograms = true;
		return 0;
	case 'o':
		own.wanted = operations_parse(arg, state);
		return 0;
	case KEY_LIMIT:
		if (!parse_number(arg, MAX_LIMIT, &number) || !number)
			argp_error(state, "%s is not a limit: 1 to %d", arg, MAX_LIMIT);
		own.limit = number;
		return 0;
	case KEY_NO_PHASES:
		own.no_phases = true;
		return 0;
	case KEY_STACKS:
		number = DEFAULT_STACKS;
		if (arg && (!parse_number(arg, SCOPE_SLOWEST_MAX, &number) || !number))
			argp_error(state, "%s is not a number of stacks: 1 to %d", arg,
				   SCOPE_SLOWEST_MAX);
		own.stacks = number;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The reports so far and when the next one is due. */
struct reporting {
	const struct options *options;
	struct latency latency;
	struct slowest *slowest;
	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t reports;
};

static void report(struct reporting *reporting, bool interval, uint64_t now)
{
	const struct options *options = reporting->options;
	struct lat_report report = {
		.set = interval ? &reporting->latency.recent : &reporting->latency.total,
		.by = dimension_name(own.by),
		.span_ns = now - (interval ? reporting->last_ns : reporting->start_ns),
		.interval = interval,
		.histograms = own.histograms,
		.overflowed = latency_overflowed(&reporting->latency),
		.unseen = latency_unseen(&reporting->latency),
		.missed = latency_missed(&reporting->latency),
		.slowest = reporting->slowest,
		.time_ns = now,
		.wall_ns = wall_offset_ns(),
	};

	if (options->json)
		lat_report_json(&report);
	else if (options->csv)
		lat_report_csv(&report, !reporting->reports);
	else
		lat_report_table(&report);
	reporting->reports++;
	reporting->last_ns = now;
	latency_forget_recent(&reporting->latency);
	if (reporting->slowest)
		slowest_forget_recent(reporting->slowest);
}

/* Report until the run has ended. */
static void observe(struct reporting *reporting, struct run *run)
{
	const struct options *options = reporting->options;
	uint64_t interval = options->interval_ns, next, read_next, room_next, wake;
	struct slowest *slowest = reporting->slowest;
	int fd = session_fd(&reporting->latency.session);

	next = interval ? reporting->start_ns + interval : UINT64_MAX;
	read_next = reporting->start_ns + LATENCY_READ_EVERY_NS;
	room_next = own.by ? reporting->start_ns + LATENCY_ROOM_EVERY_NS : UINT64_MAX;
	for (;;) {
		wake = next < read_next ? next : read_next;
		if (!run_wait(run, fd, wake < room_next ? wake : room_next))
			break;
		if (slowest)
			slowest_read(slowest);
		if (now_ns() >= room_next) {
			latency_make_room(&reporting->latency, NULL);
			room_next = now_ns() + LATENCY_ROOM_EVERY_NS;
		}
		if (now_ns() >= read_next || now_ns() >= next) {
			latency_read(&reporting->latency);
			read_next = now_ns() + LATENCY_READ_EVERY_NS;
		}
		if (now_ns() < next)
			continue;
		if (slowest)
			slowest_next_round(slowest);
		report(reporting, true, now_ns());
		if (!flush_output() || (options->count && reporting->reports >= options->count))
			break;
		/* skip the intervals that were missed */
		while (next <= now_ns())
			next += interval;
	}
}

/* Observe modules that were loaded later. */
static int extend(void *latency)
{
	return latency_extend(latency);
}

static int lat_main(const struct options *given)
{
	struct options options = *given;
	struct reporting reporting = { .options = &options };
	const struct latency_settings settings = {
		.filter = &options.filter,
		.by = own.by,
		.limit = own.limit,
		.wanted = own.wanted,
		.slowest = own.stacks,
		.no_phases = own.no_phases,
	};
	struct run run;
	int status = EXIT_FAILED;
	uint64_t end_ns;

	/* a number of reports needs an interval */
	if (options.count && !options.interval_ns)
		options.interval_ns = 1000000000;
	if (own.stacks && options.csv) {
		complain("--stacks does not work with --csv: use --json");
		return EXIT_USAGE;
	}
	if (session_check_operations())
		return EXIT_FAILED;
	if (latency_open(&reporting.latency, &settings))
		goto out_close;
	if (own.stacks) {
		reporting.slowest = slowest_begin(&reporting.latency);
		if (!reporting.slowest)
			goto out_close;
	}
	if (run_begin(&run, &options) || latency_attach(&reporting.latency))
		goto out_close;
	run_follow(&run, extend, &reporting.latency);
	reporting.start_ns = now_ns();
	reporting.last_ns = reporting.start_ns;
	if (run_start(&run))
		goto out_close;
	observe(&reporting, &run);
	end_ns = now_ns();
	latency_detach(&reporting.latency);
	latency_read(&reporting.latency);
	if (reporting.slowest)
		slowest_read(reporting.slowest);
	report(&reporting, false, end_ns);
	status = run_finish(&run);
out_close:
	slowest_end(reporting.slowest);
	latency_close(&reporting.latency);
	return status;
}

static const struct field_table *const records[] = {
	&lat_report_fields,
	&lat_row_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "lat", "until Ctrl-C: count, rate and latency of each operation and phase" },
	{ "lat --by device -i 5", "every 5 seconds, device by device" },
	{ "lat -o map --hist --duration 10", "the latency histograms of map and its phases" },
	{ "lat --stacks -o map --duration 10", "the slowest maps, with their callers' stacks" },
	{ "lat --by process --json -- ./start-guest", "what a program costs, as JSON" },
	{},
};

const struct command command_lat = {
	.name = "lat",
	.summary = "Show latency by operation and phase",
	.description =
		"For each operation, lat shows the count, the rate, the bytes mapped or unmapped, "
		"the throughput, and percentiles of the latency: half of the calls took at most "
		"P50, and so on.  The phases are listed below each operation with their share of "
		"its time.  On a wide terminal, NS/PAGE is the time per page pinned or unpinned.\n\n"
		"The kernel does the counting; percentiles are accurate to 1/16.  With an "
		"interval, each report covers the time since the previous one; the last report "
		"covers the whole run.\n\n"
		"With --by device, an operation on memory counts for every device that is attached "
		"to its IOAS, or was attached while the tool ran.  Operations beyond the --limit "
		"count as (others).\n\n"
		"With --stacks, the slowest calls of each operation follow the table, with kernel "
		"and user stacks; identical stacks are shown once.  This needs libbcc "
		"(apt install libbpfcc).  User stacks are unwound by frame pointers, so the stack "
		"of a program built without them is short.\n\n"
		"With --json each report is one object.  Its histograms are raw buckets: pairs of "
		"the smallest latency in nanoseconds and the count.  With --csv there is one line "
		"for each operation and phase.",
	.examples = examples,
	.common = OPTION_FILTERS | OPTION_INTERVAL | OPTION_COUNT | OPTION_JSON | OPTION_CSV |
		  OPTION_RUN,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = lat_main,
};
