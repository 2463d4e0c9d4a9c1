// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope ops: operations as they finish, a line each.
 *
 * operations.bpf.c puts records into a ring buffer.  This side takes them out when the buffer is
 * fairly full, and ten times a second anyway.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "describe/fields.h"
#include "describe/operation_line.h"
#include "observe/operations.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

#define LOOK_EVERY_NS 100000000ULL
/* Bound on records taken at once, so that a run ends even if they come faster than it prints. */
#define MOST_AT_ONCE 10000

enum {
	KEY_ERRORS = OPTION_KEY_OWN,
	KEY_SLOWER,
};

static struct {
	bool errors;
	uint64_t slower_ns;
	uint64_t wanted;
} own = { .wanted = ~0ULL };

static const struct argp_option own_options[] = {
	{ "errors", KEY_ERRORS, NULL, 0, "show only operations that failed", 1 },
	{ "slower", KEY_SLOWER, "TIME", 0, "show only operations that took at least TIME, e.g. 1ms", 1 },
	{ "operation", 'o', "NAME[,NAME]...", 0, "select operations, e.g. map,unmap", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
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
	}
	return ARGP_ERR_UNKNOWN;
}

/* The state of the printed stream. */
struct stream {
	const struct options *options;
	struct json json;
	int64_t wall_ns;
	uint64_t printed;
	unsigned int at_once;
};

static int on_operation(void *context, const struct scope_op *op)
{
	struct stream *stream = context;

	if (stream->options->count && stream->printed >= stream->options->count)
		return -ECANCELED;
	if (stream->options->json)
		fields_json_line(&stream->json, &operation_fields, op, stream->wall_ns);
	else
		operation_line(op, stream->wall_ns);
	stream->printed++;
	return ++stream->at_once < MOST_AT_ONCE ? 0 : -EAGAIN;
}

/* Print the records that have arrived.  Return whether more are wanted. */
static bool print_operations(struct stream *stream, struct operations *operations)
{
	int err;

	stream->wall_ns = wall_offset_ns();
	stream->at_once = 0;
	err = operations_poll(operations);
	return flush_output() && (err >= 0 || err == -EAGAIN) &&
	       !(stream->options->count && stream->printed >= stream->options->count);
}

static void print_lost(struct stream *stream, uint64_t lost)
{
	if (stream->options->json) {
		fields_json_line(&stream->json, &lost_fields, &lost, 0);
	} else if (lost) {
		complain("%llu operations were lost: they came too fast",
			 (unsigned long long)lost);
	}
}

/* Observe modules that were loaded later. */
static int extend(void *operations)
{
	return operations_extend(operations);
}

static int ops_main(const struct options *options)
{
	struct stream stream = { .options = options, .json = { .file = stdout } };
	const struct operations_settings settings = {
		.filter = &options->filter,
		.wanted = own.wanted,
		.errors_only = own.errors,
		.slower_ns = own.slower_ns,
	};
	struct operations operations;
	struct run run;
	int status = EXIT_FAILED;
	uint64_t look_ns;
	bool more = true;

	if (session_check_operations())
		return EXIT_FAILED;
	if (operations_open(&operations, &settings, on_operation, &stream))
		goto out_close;
	if (run_begin(&run, options) || operations_attach(&operations))
		goto out_close;
	run_follow(&run, extend, &operations);
	if (!options->json) {
		operation_heading();
		flush_output();
	}
	if (run_start(&run))
		goto out_close;
	do {
		more = print_operations(&stream, &operations);
		/* do not wait for records that are there already */
		look_ns = stream.at_once < MOST_AT_ONCE ? now_ns() + LOOK_EVERY_NS : 0;
	} while (more && run_wait(&run, operations_fd(&operations), look_ns));
	operations_detach(&operations);
	do {
		more = more && print_operations(&stream, &operations);
	} while (more && stream.at_once >= MOST_AT_ONCE);
	print_lost(&stream, operations_lost(&operations));
	status = run_finish(&run);
out_close:
	operations_close(&operations);
	return status;
}

static const struct field_table *const records[] = {
	&operation_fields,
	&lost_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "ops", "every operation as it finishes" },
	{ "ops --errors", "why did it fail?" },
	{ "ops --slower 1ms -d 0000:03:00.0", "what takes long for this device?" },
	{ "ops -o map,unmap --json -- ./program", "what a program maps, as JSON" },
	{},
};

const struct command command_ops = {
	.name = "ops",
	.summary = "Show operations as they finish",
	.description =
		"Each line is one finished operation: when it ended, how long it took, what it "
		"worked on, which process called it, and the phase that took most of the time.  "
		"For a failure, the line explains the reason with the numbers that decided it.\n\n"
		"With --json each line is one object.  Times are in nanoseconds, ret is the return "
		"value of the call, and reason and its two numbers explain a failure.  The last "
		"object is {\"lost\":N}, the number of operations that came too fast to be shown; "
		"without --json a loss is reported on standard error.\n\n"
		"A COMMAND is started once tracing is active, and the run ends with it.  "
		"Operations of other processes are shown as well.",
	.examples = examples,
	.common = OPTION_FILTERS | OPTION_COUNT | OPTION_JSON | OPTION_RUN,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = ops_main,
};
