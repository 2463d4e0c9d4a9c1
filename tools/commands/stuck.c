// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope stuck: operations that have been in flight for long.
 *
 * stuck.bpf.c lists the threads that are in an operation or in any ioctl.  The list is taken
 * several times within the time that counts as long.  A thread is stuck if every look finds
 * it in the same call, an ioctl on one of our nodes, and it has caused no event in between: it has
 * been in that call since before the first look.  The times of an operation that announced its
 * start are known.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "describe/fields.h"
#include "describe/ioctl_args.h"
#include "describe/names.h"
#include "describe/operation.h"
#include "machine/pid_namespace.h"
#include "observe/inflight.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/difference.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

/* How often the list is taken within the time that counts as long. */
#define LOOKS 5
#define MAX_STACK 32

enum {
	KEY_LONGER = OPTION_KEY_OWN,
	KEY_NO_STACK,
};

static struct {
	uint64_t longer_ns;
	bool no_stack;
} own = { .longer_ns = 1000000000 };

static const struct argp_option own_options[] = {
	{ "longer", KEY_LONGER, "TIME", 0, "show operations in flight for at least TIME [default: 1s]", 1 },
	{ "no-stack", KEY_NO_STACK, NULL, 0, "do not show kernel stacks", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_LONGER:
		if (!parse_duration(arg, &own.longer_ns) || own.longer_ns < 1000000)
			argp_error(state, "%s is not a time of at least 1ms", arg);
		return 0;
	case KEY_NO_STACK:
		own.no_stack = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/**
 * struct suspect - a thread that may be stuck
 * @thread: the thread as the last look found it
 * @since_ns: when a look first found it so, or when its operation started
 * @exact: @since_ns is when the operation started; otherwise it started earlier
 * @looks: how many looks found it so
 */
struct suspect {
	struct scope_thread thread;
	uint64_t since_ns;
	bool exact;
	unsigned int looks;
};

struct suspects {
	struct suspect *list;
	size_t nr;
};

static bool same_call(const struct scope_thread *a, const struct scope_thread *b)
{
	if (a->begun.start_ns || b->begun.start_ns)
		return a->begun.start_ns == b->begun.start_ns;
	return a->event_ns == b->event_ns && a->fd == b->fd && a->request == b->request &&
	       a->argument == b->argument && a->ip == b->ip && a->sp == b->sp;
}

static const struct suspect *find(const struct suspects *suspects, __u32 tid)
{
	size_t i;

	for (i = 0; i < suspects->nr; i++)
		if (suspects->list[i].thread.tid == tid)
			return &suspects->list[i];
	return NULL;
}

static void add(struct suspects *to, const struct suspects *before,
		const struct scope_thread *thread)
{
	const struct suspect *known = find(before, thread->tid);
	struct suspect *suspect;

	to->list = reallocarray(to->list, to->nr + 1, sizeof(*to->list));
	if (!to->list)
		out_of_memory();
	suspect = &to->list[to->nr++];
	suspect->thread = *thread;
	suspect->exact = thread->begun.start_ns != 0;
	suspect->since_ns = suspect->exact ? thread->begun.start_ns : now_ns();
	suspect->looks = 1;
	if (known && same_call(&known->thread, thread)) {
		suspect->looks += known->looks;
		suspect->since_ns = known->since_ns;
	}
}

/* A look in progress. */
struct look {
	const struct options *options;
	const struct suspects *before;
	struct suspects now;
};

static void on_thread(void *context, const struct scope_thread *thread)
{
	struct look *look = context;
	char device[SCOPE_DEVICE_LEN];

	if (look->options->filter.pid && thread->tgid != (__u32)look->options->filter.pid)
		return;
	if (thread->begun.start_ns || ioctl_file(thread->tgid, thread->fd, device))
		add(&look->now, look->before, thread);
}

/* Take the list of threads once more.  Return 0, or -1 after a message. */
static int look(struct suspects *suspects, struct inflight *inflight, const struct options *options)
{
	struct look look = { .options = options, .before = suspects };

	if (inflight_threads(inflight, on_thread, &look)) {
		free(look.now.list);
		return -1;
	}
	free(suspects->list);
	*suspects = look.now;
	return 0;
}

/* Describe a suspect as other commands do.  Return whether it is an operation. */
static bool describe(const struct suspect *suspect, struct inflight_op *inflight, uint64_t now)
{
	const struct scope_thread *thread = &suspect->thread;
	struct scope_op *op = &inflight->op;
	enum ioctl_file file;

	memset(inflight, 0, sizeof(*inflight));
	op->tgid = thread->tgid;
	op->tid = thread->tid;
	op->uid = thread->uid;
	memcpy(op->comm, thread->comm, sizeof(op->comm));
	if (thread->begun.start_ns) {
		inflight_describe(inflight, &thread->begun, now);
		return true;
	}
	inflight->dur_at_least = true;
	inflight->phase = SCOPE_PHASE_UNKNOWN;
	file = ioctl_file(thread->tgid, thread->fd, op->device);
	if (!ioctl_args_decode(file, thread->tgid, thread->request, thread->argument, op))
		return false;
	op->start_ns = suspect->since_ns;
	op->dur_ns = difference(now, suspect->since_ns);
	return true;
}

/* The lines of the kernel's stack of a thread, without the addresses; NULL-ended. */
static unsigned int read_stack(__u32 tgid, __u32 tid, char lines[MAX_STACK][128])
{
	unsigned int nr = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stack", tgid, tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (nr < MAX_STACK && fscanf(file, " [<%*[^>]>] %127[^\n]", lines[nr]) == 1)
		nr++;
	fclose(file);
	return nr;
}

static void print_suspect(const struct suspect *suspect, const struct inflight_op *inflight)
{
	const struct scope_op *op = &inflight->op;
	bool named = inflight->phase < SCOPE_NR_PHASES;
	char what[256], lines[MAX_STACK][128];
	unsigned int nr, i;

	operation_what(op, what, sizeof(what));
	printf("%s%s%s %s of %s, by %s [%s", inflight->dur_at_least ? "more than " : "",
	       colour_on(COLOUR_BOLD), format_duration(op->dur_ns).s,
	       operation_title(op->operation), what, op->comm, pid_text(op->tgid).s);
	if (op->tid != op->tgid)
		printf(", thread %s", pid_text(op->tid).s);
	printf("] uid %u%s\n", op->uid, colour_off());
	if (inflight->phase != SCOPE_PHASE_UNKNOWN)
		printf("    in phase %s for %s%s%s\n", phase_name(inflight->phase),
		       format_duration(inflight->phase_dur_ns).s, named ? ": " : "",
		       named ? phase_text(inflight->phase) : "");
	else
		printf("    started before iommuscope, so its phases are not known\n");
	if (suspect->thread.running)
		printf("    running on a CPU: the stack shows where it last waited\n");
	if (own.no_stack)
		return;
	nr = read_stack(op->tgid, op->tid, lines);
	for (i = 0; i < nr; i++)
		printf("%s      %s%s\n", colour_on(COLOUR_DIM), lines[i], colour_off());
}

/* The document that --json writes: the suspects that are stuck. */
struct document {
	const struct suspects *suspects;
	const struct options *options;
	uint64_t now_ns;
};

/* A suspect that is stuck. */
struct stuck {
	const struct suspect *suspect;
	struct inflight_op inflight;
};

/* Return whether a suspect is stuck and wanted; if so, describe it in @stuck. */
static bool is_stuck(struct stuck *stuck, const struct document *document,
		     const struct suspect *suspect)
{
	const char *device = document->options->filter.device;

	if (suspect->exact ? difference(document->now_ns, suspect->since_ns) < own.longer_ns :
			     suspect->looks < LOOKS)
		return false;
	if (!describe(suspect, &stuck->inflight, document->now_ns))
		return false;
	stuck->suspect = suspect;
	return !device || !strcmp(device, stuck->inflight.op.device);
}

static const void *stuck_inflight(const void *record, size_t number)
{
	return number ? NULL : &((const struct stuck *)record)->inflight;
}

static void get_on_cpu(const void *record, struct value *value)
{
	value->number = ((const struct stuck *)record)->suspect->thread.running;
}

static void write_stack(const void *record, struct json *json)
{
	const struct scope_op *operation = &((const struct stuck *)record)->inflight.op;
	char lines[MAX_STACK][128];
	unsigned int nr, i;

	nr = own.no_stack ? 0 : read_stack(operation->tgid, operation->tid, lines);
	for (i = 0; i < nr; i++)
		json_string(json, NULL, lines[i]);
}

static const struct field stuck[] = {
	INCLUDE(inflight_fields, stuck_inflight),
	FIELD(FLAG, "on_cpu", .get = get_on_cpu,
	      .doc = "it is running: the stack shows where it last waited"),
	FIELD(VALUES, "stack", .write = write_stack,
	      .doc = "kernel stack, innermost function first"),
};

static const struct field_table stuck_fields = FIELD_TABLE("stuck operation", stuck);

static const void *nth_stuck(const void *record, size_t number)
{
	const struct document *document = record;
	static struct stuck stuck;
	size_t i;

	for (i = 0; i < document->suspects->nr; i++)
		if (is_stuck(&stuck, document, &document->suspects->list[i]) && !number--)
			return &stuck;
	return NULL;
}

static const struct field document[] = {
	MEMBER(DATE, "time", struct document, now_ns, .doc = OPERATION_TIME_DOC),
	MEMBER(TIME, "time_ns", struct document, now_ns, .doc = "the same moment as `time`"),
	FIELD(LIST, "stuck", .table = &stuck_fields, .element = nth_stuck,
	      .doc = "operations in flight, longest first"),
};

static const struct field_table document_fields = FIELD_TABLE("stuck operations", document);

/* Unknown starts first: as far as we know these are the longest.  Then by time. */
static int compare(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;

	if (x->exact != y->exact)
		return x->exact ? 1 : -1;
	return x->since_ns < y->since_ns ? -1 : x->since_ns > y->since_ns;
}

static void report(struct suspects *suspects, const struct options *options)
{
	struct document document = { suspects, options, now_ns() };
	struct json json = { .file = stdout };
	unsigned int shown = 0;
	struct stuck stuck;
	size_t i;

	qsort(suspects->list, suspects->nr, sizeof(*suspects->list), compare);
	if (options->json) {
		fields_json_line(&json, &document_fields, &document, wall_offset_ns());
		return;
	}
	for (i = 0; i < suspects->nr; i++) {
		if (!is_stuck(&stuck, &document, &suspects->list[i]))
			continue;
		print_suspect(stuck.suspect, &stuck.inflight);
		shown++;
	}
	if (!shown)
		printf("no operation has been in flight for %s or longer\n",
		       format_duration(own.longer_ns).s);
}

/* Look and report until the run ends, or once. */
static int observe(struct run *run, struct inflight *inflight, const struct options *options)
{
	uint64_t every = own.longer_ns / (LOOKS - 1) + 1, next_report, reports = 0;
	struct suspects suspects = {};
	unsigned int looks = 0;
	bool on = true;
	int err = 0;

	next_report = now_ns();
	while (on) {
		err = look(&suspects, inflight, options);
		if (err)
			break;
		if (++looks >= LOOKS && now_ns() >= next_report) {
			report(&suspects, options);
			reports++;
			if (!flush_output() || !options->interval_ns ||
			    (options->count && reports >= options->count))
				break;
			next_report = now_ns() + options->interval_ns;
		}
		on = run_wait(run, -1, now_ns() + every);
	}
	free(suspects.list);
	return err;
}

/* Observe modules that were loaded later. */
static int extend(void *inflight)
{
	return inflight_extend(inflight);
}

static int stuck_main(const struct options *given)
{
	struct options options = *given;
	struct inflight inflight;
	struct run run;
	int status = EXIT_FAILED;
	uint64_t lost;

	if (options.count && !options.interval_ns)
		options.interval_ns = 1000000000;
	if (session_check_operations())
		return EXIT_FAILED;
	/* of what started before it, a single look learns no phase */
	if (inflight_open(&inflight, true, options.interval_ns))
		goto out_close;
	if (run_begin(&run, &options) || inflight_attach(&inflight) || run_start(&run))
		goto out_close;
	run_follow(&run, extend, &inflight);
	if (observe(&run, &inflight, &options))
		goto out_close;
	inflight_detach(&inflight);
	lost = inflight_lost(&inflight);
	if (lost)
		complain("%" PRIu64 " operations started without room to track them and may be missing",
			 lost);
	status = run_finish(&run);
out_close:
	inflight_close(&inflight);
	return status;
}

static const struct field_table *const records[] = {
	&document_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "stuck", "which operations hang?" },
	{ "stuck --longer 100ms -i 1", "look once a second" },
	{ "stuck -p 4711 --json", "one process, as JSON" },
	{},
};

const struct command command_stuck = {
	.name = "stuck",
	.summary = "Show operations that have been in flight for long",
	.description =
		"Shows operations that have not ended, longest first: the calling process, what "
		"they work on, since when, the current phase, and the kernel stack of the thread.  "
		"It looks for TIME, then reports; with an interval it continues until "
		"interrupted.\n\n"
		"An operation that started before the tool is found as well, because its thread "
		"does not return from its ioctl.  Its start and its phase are not known.",
	.examples = examples,
	.common = OPTION_DEVICE | OPTION_PID | OPTION_INTERVAL | OPTION_COUNT | OPTION_DURATION |
		  OPTION_JSON | OPTION_READY,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = stuck_main,
};
