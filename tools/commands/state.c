// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope state: what is attached to what, and what is mapped and pinned.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/run.h"
#include "describe/fields.h"
#include "describe/idle_devices.h"
#include "describe/state_text.h"
#include "observe/session.h"
#include "observe/state.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

#define CLEAR_SCREEN "\033[H\033[2J"

enum {
	KEY_TREE = OPTION_KEY_OWN,
	KEY_AREAS,
	KEY_WATCH,
	KEY_BRIEF,
};

static struct {
	bool tree;
	bool brief;
	bool watch;
	bool areas;
	uint32_t ctx;
	uint32_t ioas;
} own;

static const struct argp_option own_options[] = {
	{ "tree", KEY_TREE, NULL, 0, "show contexts with their IOASes, HWPTs and devices", 1 },
	{ "areas", KEY_AREAS, "[CTX:]IOAS", 0, "show what is mapped in an IOAS", 1 },
	{ "brief", KEY_BRIEF, NULL, 0, "show one line for each device", 1 },
	{ "watch", KEY_WATCH, NULL, 0, "repeat every interval and mark changes [default: 1s]", 1 },
	{},
};

/* "IOAS" or "CTX:IOAS" */
static bool parse_areas(const char *arg)
{
	const char *colon = strchr(arg, ':');
	char ctx[16] = "";
	uint64_t number = 0;

	if (colon) {
		snprintf(ctx, sizeof(ctx), "%.*s", (int)(colon - arg), arg);
		if (!parse_number(ctx, UINT32_MAX, &number) || !number)
			return false;
		own.ctx = number;
		arg = colon + 1;
	}
	if (!parse_number(arg, UINT32_MAX, &number) || !number)
		return false;
	own.ioas = number;
	return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_TREE:
		own.tree = true;
		return 0;
	case KEY_AREAS:
		if (!parse_areas(arg))
			argp_error(state, "%s is not an IOAS: give its id, or CTX:ID", arg);
		own.areas = true;
		return 0;
	case KEY_BRIEF:
		own.brief = true;
		return 0;
	case KEY_WATCH:
		own.watch = true;
		return 0;
	case ARGP_KEY_END:
		if (own.tree + own.areas + own.brief > 1)
			argp_error(state, "--tree, --areas and --brief exclude each other");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static bool keep_ctx(const struct iommufd_state_ctx *ctx, const struct options *options)
{
	return (!options->filter.ctx || ctx->ctx_id == options->filter.ctx) &&
	       (!options->filter.pid || ctx->pid == (uint32_t)options->filter.pid);
}

/* Reduce @state to what the user wants to see and what that refers to. */
static void filter(struct state *state, const struct options *options)
{
	const struct iommufd_state_device *device = NULL;
	size_t i, nr;

	if (options->filter.device)
		device = state_device(state, options->filter.device);
	if (!options->filter.ctx && !options->filter.pid && !options->filter.device)
		return;
#define KEEP(array, condition)                                        \
	do {                                                          \
		for (nr = 0, i = 0; i < state->nr_##array; i++)       \
			if (condition)                                \
				state->array[nr++] = state->array[i]; \
		state->nr_##array = nr;                               \
	} while (0)
#define OF_CTX(record) state_ctx(state, (record).ctx_id)
	/* contexts first: the others refer to them; devices last: @device points to one */
	KEEP(ctxs, keep_ctx(&state->ctxs[i], options) &&
			   (!options->filter.device ||
			    (device && device->ctx_id == state->ctxs[i].ctx_id)));
	KEEP(hwpts,
	     OF_CTX(state->hwpts[i]) && (!device || device->hwpt_id == state->hwpts[i].hwpt_id));
	KEEP(ioases,
	     OF_CTX(state->ioases[i]) && (!device || device->ioas_id == state->ioases[i].ioas_id));
	KEEP(accesses, OF_CTX(state->accesses[i]) &&
			       (!device || device->ioas_id == state->accesses[i].ioas_id));
	KEEP(devices, OF_CTX(state->devices[i]) &&
			      (!options->filter.device ||
			       !strcmp(state->devices[i].device, options->filter.device)));
#undef OF_CTX
#undef KEEP
}

/* Check that the context that the user gave exists.  Return 0, or -1 after a message. */
static int check(const struct state *state, const struct options *options)
{
	if (options->filter.ctx && !state_ctx(state, options->filter.ctx)) {
		complain("no such context: %u (see iommuscope state --tree)", options->filter.ctx);
		return -1;
	}
	return 0;
}

/* The document that --json writes. */
struct document {
	const struct state *state;
	const struct idle_devices *idle;
};

static const void *document_state(const void *record, size_t number)
{
	return number ? NULL : ((const struct document *)record)->state;
}

static const void *document_idle(const void *record, size_t number)
{
	return number ? NULL : ((const struct document *)record)->idle;
}

static const struct field document[] = {
	INCLUDE(taken_fields, document_state),
	INCLUDE(state_fields, document_state),
	INCLUDE(idle_devices_fields, document_idle),
};

static const struct field_table document_fields = FIELD_TABLE("state", document);

static void show(const struct state *now, const struct state *before, const struct options *options)
{
	struct json json = { .file = stdout };
	struct document document = { .state = now };
	struct idle_devices idle;

	if (!options->json) {
		if (own.tree)
			state_view_tree(now, before);
		else
			state_view_table(now, before, own.brief);
	}
	/* a device that is not in use belongs to no process or context */
	if ((options->filter.pid || options->filter.ctx) && !options->json)
		return;
	idle_devices_read(&idle, now, options->filter.device);
	document.idle = &idle;
	if (options->json)
		fields_json_line(&json, &document_fields, &document, wall_offset_ns());
	else
		idle_devices_print(&idle);
	idle_devices_free(&idle);
}

/* Show the state, as often as requested.  Return 0, or -1 after a message. */
static int watch(struct run *run, struct state_reader *reader, const struct options *options)
{
	uint64_t interval = options->interval_ns ? options->interval_ns : 1000000000;
	struct state states[2] = {};
	uint64_t next = now_ns(), shown = 0;
	int err;

	do {
		struct state *now = &states[shown % 2], *before = &states[(shown + 1) % 2];

		state_free(now);
		err = state_read(reader, now);
		if (!err && !shown)
			err = check(now, options);
		if (err)
			break;
		filter(now, options);
		if (own.watch && terminal_width() && !options->json)
			fputs(CLEAR_SCREEN, stdout);
		else if (shown && !options->json)
			putchar('\n');
		show(now, !own.watch ? NULL : shown ? before : now, options);
		shown++;
		next += interval;
		if (next < now_ns())
			next = now_ns();
	} while (flush_output() && own.watch && (!options->count || shown < options->count) &&
		 run_wait(run, -1, next));
	state_free(&states[0]);
	state_free(&states[1]);
	return err;
}

/* An IOAS with its areas, which are read while they are written out. */
struct areas {
	struct state_reader *reader;
	const struct iommufd_state_ioas *ioas;
	int *err;
};

static int write_area(const struct iommufd_state_area *area, void *data)
{
	struct json *json = data;

	json_object(json, NULL);
	fields_json(json, &area_fields, area, 0);
	json_end_object(json);
	return 0;
}

static void write_areas(const void *record, struct json *json)
{
	const struct areas *areas = record;

	*areas->err = state_read_areas(areas->reader, areas->ioas->source, areas->ioas->ctx_id,
				       areas->ioas->ioas_id, write_area, json);
}

static void get_ctx(const void *record, struct value *value)
{
	value->number = ((const struct areas *)record)->ioas->ctx_id;
}

static void get_ioas(const void *record, struct value *value)
{
	value->number = ((const struct areas *)record)->ioas->ioas_id;
}

static const struct field areas[] = {
	FIELD(ID, "ctx", .get = get_ctx, .doc = "number of the context, an open /dev/iommu"),
	FIELD(ID, "ioas", .get = get_ioas, .doc = "id of the I/O address space"),
	FIELD(VALUES, "areas", .write = write_areas, .table = &area_fields,
	      .doc = "mapped areas, in order of address"),
};

static const struct field_table areas_fields = FIELD_TABLE("areas of an address space", areas);

static int show_area(const struct iommufd_state_area *area, void *data)
{
	state_view_area(data, area);
	return 0;
}

/* Find the IOAS that the user gave.  Return NULL after a message. */
static const struct iommufd_state_ioas *find_ioas(const struct state *state,
						  const struct options *options)
{
	uint32_t ctx = own.ctx ? own.ctx : options->filter.ctx;
	const struct iommufd_state_ioas *found = NULL;
	size_t i;

	for (i = 0; i < state->nr_ioases; i++) {
		const struct iommufd_state_ioas *ioas = &state->ioases[i];

		if (ioas->ioas_id != own.ioas || (ctx && ioas->ctx_id != ctx) ||
		    !state_ctx(state, ioas->ctx_id))
			continue;
		if (found) {
			complain("several contexts have an IOAS %u: give %u:%u, %u:%u, ...",
				 own.ioas, found->ctx_id, own.ioas, ioas->ctx_id, own.ioas);
			return NULL;
		}
		found = ioas;
	}
	if (!found && ctx)
		complain("no such IOAS in context %u: %u (see iommuscope state --tree)", ctx,
			 own.ioas);
	else if (!found)
		complain("no such IOAS: %u (see iommuscope state --tree)", own.ioas);
	return found;
}

/* Show what is mapped in an IOAS.  Return 0, or -1 after a message. */
static int show_areas(struct state_reader *reader, const struct options *options)
{
	struct json json = { .file = stdout };
	int err = -1;
	struct areas areas = { .reader = reader, .err = &err };
	struct table table;
	struct state state;

	if (state_read(reader, &state))
		return -1;
	filter(&state, options);
	areas.ioas = find_ioas(&state, options);
	if (!areas.ioas)
		goto out_free;
	if (options->json) {
		fields_json_line(&json, &areas_fields, &areas, 0);
		goto out_free;
	}
	state_view_areas(&table);
	err = state_read_areas(reader, areas.ioas->source, areas.ioas->ctx_id,
			       areas.ioas->ioas_id, show_area, &table);
	if (table.nr_rows)
		table_print(&table);
	else if (!err)
		printf("nothing is mapped in ioas %u of ctx %u\n", areas.ioas->ioas_id,
		       areas.ioas->ctx_id);
out_free:
	state_free(&state);
	return err;
}

static int state_main(const struct options *options)
{
	struct state_reader *reader;
	struct run run;
	int status = EXIT_FAILED;

	if (options->interval_ns || options->count || options->duration_ns)
		own.watch = true;
	if (session_check_state())
		return EXIT_FAILED;
	reader = state_open();
	if (!reader)
		return EXIT_FAILED;
	if (own.areas) {
		status = show_areas(reader, options) ? EXIT_FAILED : 0;
		goto out_close;
	}
	/* A single look needs no signals, and a context can outlive the process that opened it. */
	if (!own.watch) {
		status = watch(NULL, reader, options) ? EXIT_FAILED : 0;
		goto out_close;
	}
	if (run_begin(&run, options) || run_start(&run))
		goto out_close;
	status = watch(&run, reader, options) ? EXIT_FAILED : 0;
	if (!status)
		status = run_finish(&run);
out_close:
	state_close(reader);
	return status;
}

static const struct field_table *const records[] = {
	&document_fields,
	&areas_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "state", "every device that is bound to an iommufd" },
	{ "state --tree", "what is attached to what" },
	{ "state -d 0000:01:00.0 --watch", "one device, with changes marked" },
	{ "state --areas 3:1", "what is mapped in IOAS 1 of ctx 3" },
	{ "state --json", "everything, as JSON" },
	{},
};

const struct command command_state = {
	.name = "state",
	.summary = "Show what is attached to what, and what is mapped and pinned",
	.description =
		"For each device bound to an iommufd, state shows its driver, group and IOMMU, "
		"the ctx (open /dev/iommu) and its process, the HWPT and IOAS that translate it, "
		"how much is mapped and pinned, in how many extents (contiguous runs of memory), "
		"and how often its translation was replaced.  Devices that are bound to a VFIO "
		"driver but not in use follow; if their group cannot be used, the reason is "
		"shown.\n\n"
		"--watch marks what is new with '+', what changed with '*', and what is gone "
		"with '-'.",
	.examples = examples,
	.common = OPTION_DEVICE | OPTION_PID | OPTION_CTX | OPTION_INTERVAL | OPTION_COUNT |
		  OPTION_DURATION | OPTION_JSON | OPTION_READY,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = state_main,
};
