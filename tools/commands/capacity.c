// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope capacity: how close is pinned memory to its limits?
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "describe/fields.h"
#include "machine/pid_namespace.h"
#include "observe/capacity.h"
#include "observe/session.h"
#include "observe/state.h"
#include "text/clock.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

enum {
	KEY_FIT = OPTION_KEY_OWN,
};

static uint64_t fit_bytes;

static const struct argp_option own_options[] = {
	{ "fit", KEY_FIT, "SIZE", 0, "check whether a map of SIZE, e.g. 64G, fits now; if not, why", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key != KEY_FIT)
		return ARGP_ERR_UNKNOWN;
	if (!parse_size(arg, &fit_bytes) || !fit_bytes)
		argp_error(state, "%s is not a size, e.g. 64G or 512M", arg);
	return 0;
}

static bool wanted(const struct options *options, uint32_t pid)
{
	return !options->filter.pid || (uint32_t)options->filter.pid == pid;
}

static bool ioas_wanted(const struct options *options, const struct state *state,
			const struct iommufd_state_ioas *ioas)
{
	const struct iommufd_state_ctx *ctx = state_ctx(state, ioas->ctx_id);

	return ctx && wanted(options, ctx->pid) &&
	       (!options->filter.ctx || options->filter.ctx == ctx->ctx_id);
}

static const char *user_name(uint32_t uid, char name[32])
{
	const struct passwd *passwd = getpwuid(uid);

	if (passwd)
		snprintf(name, 32, "%s", passwd->pw_name);
	else
		snprintf(name, 32, "%u", uid);
	return name;
}

/* Red if less than a tenth is left, yellow if less than a third. */
static enum colour limit_colour(const struct capacity_process *process)
{
	if (process->limit != LIMIT_BYTES)
		return COLOUR_NONE;
	if (capacity_left(process) < process->limit_bytes / 10)
		return COLOUR_RED;
	return capacity_left(process) < process->limit_bytes / 3 ? COLOUR_YELLOW : COLOUR_NONE;
}

static void show_processes(const struct capacity *capacity, const struct options *options)
{
	static const struct column columns[] = {
		{ "PROCESS", "process" },
		{ "PID", "pid" },
		{ "USER", "uid" },
		{ "COUNTS BY", "rlimit_mode" },
		{ "PINNED", "pinned_bytes" },
		{ "COUNTED", "locked_bytes" },
		{ "LIMIT", "limit_bytes" },
		{ "LEFT", "left_bytes" },
	};
	enum { USER = 2, LIMIT = 6, NR = sizeof(columns) / sizeof(columns[0]) };
	static const char *const limits[] = {
		[LIMIT_UNKNOWN] = "ended",
		[LIMIT_UNLIMITED] = "unlimited",
		[LIMIT_CAPABILITY] = "CAP_IPC_LOCK",
	};
	const struct capacity_process *process;
	struct table table;
	char user[32];
	size_t i;

	fields_columns(&table, &capacity_process_fields, columns, NR);
	table.right &= ~(1U << USER);
	for (i = 0; i < capacity->nr; i++) {
		process = &capacity->processes[i];
		if (!wanted(options, process->pid))
			continue;
		fields_row(&table, limit_colour(process), &capacity_process_fields, columns, NR,
			   process);
		table_set(&table, USER, "%s", user_name(process->uid, user));
		if (process->limit == LIMIT_UNKNOWN && pid_is_outside(process->pid))
			table_set(&table, LIMIT, "-");
		else if (process->limit != LIMIT_BYTES)
			table_set(&table, LIMIT, "%s", limits[process->limit]);
	}
	if (table.nr_rows)
		table_print(&table);
}

/* A sum over the processes of a user or of a cgroup; @first is one of them. */
struct sum {
	const struct capacity_process *first;
	uint64_t pinned_bytes;
	uint64_t locked_bytes;
	bool counts;
};

static bool same_user(const struct capacity_process *a, const struct capacity_process *b)
{
	return a->uid == b->uid;
}

static bool same_cgroup(const struct capacity_process *a, const struct capacity_process *b)
{
	return !strcmp(a->cgroup, b->cgroup);
}

struct sums {
	struct sum *list;
	size_t nr;
};

/* Sum up the processes that @same groups together; the caller frees the list. */
static struct sums sum_up(const struct capacity *capacity, const struct options *options,
			  bool (*same)(const struct capacity_process *a,
				       const struct capacity_process *b))
{
	struct sums sums = { calloc(capacity->nr + 1, sizeof(*sums.list)), 0 };
	size_t i, j;

	if (!sums.list)
		out_of_memory();
	for (i = 0; i < capacity->nr; i++) {
		const struct capacity_process *process = &capacity->processes[i];

		if (!wanted(options, process->pid))
			continue;
		for (j = 0; j < sums.nr && !same(sums.list[j].first, process);)
			j++;
		if (j == sums.nr)
			sums.list[sums.nr++].first = process;
		sums.list[j].pinned_bytes += process->pinned_bytes;
		/* accounting by user: every process of the user has the same number */
		if (!process->by_process) {
			sums.list[j].locked_bytes = process->counted_bytes;
			sums.list[j].counts = true;
		}
	}
	return sums;
}

static void get_uid(const void *record, struct value *value)
{
	value->number = ((const struct sum *)record)->first->uid;
}

static void get_cgroup(const void *record, struct value *value)
{
	value->text = ((const struct sum *)record)->first->cgroup;
	value->known = *value->text;
}

static bool counts_for_user(const void *record)
{
	return ((const struct sum *)record)->counts;
}

static const struct field user_sum[] = {
	FIELD(NUMBER, "uid", .get = get_uid, .doc = "user"),
	MEMBER(BYTES, "pinned_bytes", struct sum, pinned_bytes, .doc = "memory that is pinned"),
	MEMBER(BYTES, "user_locked_bytes", struct sum, locked_bytes, .known = counts_for_user,
	       .unknown = "memory is counted by process only",
	       .doc = "total of the user that counts against `RLIMIT_MEMLOCK`"),
};

static const struct field_table user_fields = FIELD_TABLE("user that pins", user_sum);

static const struct field cgroup_sum[] = {
	FIELD(TEXT, "cgroup", .get = get_cgroup,
	      .unknown = "the process has ended, or is outside of the tool's PID namespace",
	      .doc = "path of the cgroup"),
	MEMBER(BYTES, "pinned_bytes", struct sum, pinned_bytes, .doc = "memory that is pinned"),
};

static const struct field_table cgroup_fields = FIELD_TABLE("cgroup that pins", cgroup_sum);

static void show_users(const struct sums *users)
{
	static const struct column columns[] = {
		{ "USER", "uid" },
		{ "PINNED", "pinned_bytes" },
		{ "LOCKED TOTAL", "user_locked_bytes" },
	};
	struct table table;
	char user[32];
	size_t i;

	fields_columns(&table, &user_fields, columns, 3);
	table.right &= ~1U;
	for (i = 0; i < users->nr; i++) {
		fields_row(&table, COLOUR_NONE, &user_fields, columns, 3, &users->list[i]);
		table_set(&table, 0, "%s", user_name(users->list[i].first->uid, user));
	}
	putchar('\n');
	table_print(&table);
}

static void show_cgroups(const struct sums *cgroups)
{
	static const struct column columns[] = {
		{ "CGROUP", "cgroup" },
		{ "PINNED", "pinned_bytes" },
	};
	struct table table;
	size_t i;

	fields_columns(&table, &cgroup_fields, columns, 2);
	for (i = 0; i < cgroups->nr; i++) {
		fields_row(&table, COLOUR_NONE, &cgroup_fields, columns, 2, &cgroups->list[i]);
		if (!*cgroups->list[i].first->cgroup)
			table_set(&table, 0,
				  pid_is_outside(cgroups->list[i].first->pid) ? "(not known)" :
										"(ended)");
	}
	putchar('\n');
	table_print(&table);
}

static void show_sums(const struct capacity *capacity, const struct options *options)
{
	struct sums users = sum_up(capacity, options, same_user);
	struct sums cgroups = sum_up(capacity, options, same_cgroup);

	if (users.nr) {
		show_users(&users);
		show_cgroups(&cgroups);
	}
	free(users.list);
	free(cgroups.list);
}

static void show_ioases(const struct state *state, const struct options *options)
{
	static const struct column columns[] = {
		{ "CTX", "ctx" },
		{ "IOAS", "ioas" },
		{ "AREAS", "areas" },
		{ "SPACE", "usable_bytes" },
		{ "USED", "mapped_bytes" },
		{ "FREE", "free_bytes" },
		{ "LARGEST HOLE", "largest_hole_bytes" },
		{ "FRAGMENTED", "fragmentation" },
		{ "TABLES", "page_table_at_least_bytes" },
	};
	const unsigned int nr = sizeof(columns) / sizeof(columns[0]);
	enum { SPACE = 3 };
	struct table table;
	size_t i;

	fields_columns(&table, &ioas_fields, columns, nr);
	for (i = 0; i < state->nr_ioases; i++) {
		if (!ioas_wanted(options, state, &state->ioases[i]))
			continue;
		fields_row(&table, COLOUR_NONE, &ioas_fields, columns, nr, &state->ioases[i]);
		if (state->ioases[i].flags & IOMMUFD_STATE_IOAS_BUSY)
			table_set(&table, SPACE, "busy");
	}
	if (table.nr_rows) {
		putchar('\n');
		table_print(&table);
	}
}

static void fit_text(const struct fit *fit, char *text, size_t size)
{
	struct text want = format_size(fit->wanted_bytes);
	struct text left = format_size_as(fit->left_bytes, fit->wanted_bytes);

	switch (fit->stop) {
	case FIT_FITS:
		snprintf(text, size, "fits%s",
			 fit->pins ? "" : "; nothing is pinned until a device is attached");
		break;
	case FIT_MISALIGNED:
		snprintf(text, size, "does not fit: not a multiple of %s, the smallest page of its IOMMU",
			 format_size(fit->left_bytes).s);
		break;
	case FIT_SPACE:
		snprintf(text, size, "does not fit: the largest free range of IOVAs is %s", left.s);
		break;
	case FIT_NOT_ALLOWED:
		snprintf(text, size,
			 "does not fit: the largest free range in the allowed IOVAs is %s", left.s);
		break;
	case FIT_ENTRIES:
		snprintf(text, size,
			 "does not fit: it has as many areas as the dma_entry_limit of "
			 "vfio_iommu_type1 allows");
		break;
	case FIT_MEMLOCK:
		snprintf(text, size, "does not fit: RLIMIT_MEMLOCK leaves %s, the map needs %s",
			 left.s, want.s);
		break;
	case FIT_MEMORY:
		snprintf(text, size,
			 "does not fit: the host has only %s of memory that is not pinned", left.s);
		break;
	case FIT_BUSY:
		snprintf(text, size, "not known: its process keeps mapping and unmapping");
		break;
	case FIT_OUTSIDE:
		snprintf(text, size,
			 "not known: its process is outside of this PID namespace, and so is its limit");
		break;
	default:
		snprintf(text, size, "does not fit: the process that set it up has ended");
	}
}

static bool show_fits(const struct capacity *capacity, const struct state *state,
		      const struct options *options)
{
	bool all = true;
	char text[160];
	struct fit fit;
	size_t i;

	printf("\n%sA map of %s now%s\n", colour_on(COLOUR_BOLD), format_size(fit_bytes).s,
	       colour_off());
	for (i = 0; i < state->nr_ioases; i++) {
		const struct iommufd_state_ioas *ioas = &state->ioases[i];

		if (!ioas_wanted(options, state, ioas))
			continue;
		capacity_fit(capacity, state, ioas, fit_bytes, &fit);
		fit_text(&fit, text, sizeof(text));
		printf("%s  ctx %u, ioas %u: %s%s\n",
		       colour_on(fit.stop == FIT_FITS ? COLOUR_GREEN : COLOUR_RED), ioas->ctx_id,
		       ioas->ioas_id, text, colour_off());
		all &= fit.stop == FIT_FITS;
	}
	return all;
}

static void show_host(const struct capacity *capacity)
{
	printf("\nHost: %s pinned through iommufd and VFIO, %s in total, of %s\n",
	       format_size(capacity->pinned_bytes).s, format_size(capacity->host_pinned_bytes).s,
	       format_size(capacity->memory_bytes).s);
	if (capacity->page_table_bytes)
		printf("The IOMMU page tables of the host take %s\n",
		       format_size(capacity->page_table_bytes).s);
}

/* JSON */

/* The document that --json writes.  The answers to --fit are computed while it is written. */
struct document {
	const struct capacity *capacity;
	const struct state *state;
	const struct options *options;
	struct sums users;
	struct sums cgroups;
	bool *all_fit;
};

/* An IOAS and whether a map would fit into it. */
struct room {
	const struct iommufd_state_ioas *ioas;
	struct fit fit;
};

enum {
	ASKED = 1 << 0,
	STOPPED = 1 << 1,
};

static unsigned int fit_kinds(const void *record)
{
	return ((const struct room *)record)->fit.stop == FIT_FITS ? ASKED : ASKED | STOPPED;
}

static unsigned int room_kinds(const void *record)
{
	(void)record;
	return fit_bytes ? ASKED : 0;
}

static const void *room_ioas(const void *record, size_t number)
{
	return number ? NULL : ((const struct room *)record)->ioas;
}

static void get_fit_bytes(const void *record, struct value *value)
{
	(void)record;
	value->number = fit_bytes;
}

static void get_fits(const void *record, struct value *value)
{
	value->number = ((const struct room *)record)->fit.stop == FIT_FITS;
}

static void get_reason(const void *record, struct value *value)
{
	value->text = fit_stop_name(((const struct room *)record)->fit.stop);
	value->known = value->text;
}

static const struct field fit[] = {
	FIELD(BYTES, "length_bytes", .get = get_fit_bytes, .doc = "length of the range"),
	FIELD(FLAG, "fits", .get = get_fits, .doc = "it would fit now"),
	MEMBER(FLAG, "pins", struct room, fit.pins, .doc = "it pins memory"),
	FIELD(TEXT, "reason", .get = get_reason, .unknown = "it succeeded",
	      .doc = "name of the reason"),
	MEMBER(BYTES, "wanted_bytes", struct room, fit.wanted_bytes, .kinds = STOPPED,
	       .doc = "amount it needs of what stops it"),
	MEMBER(BYTES, "left_bytes", struct room, fit.left_bytes, .kinds = STOPPED,
	       .doc = "amount that is left"),
};

static const struct field_table fit_fields =
	FIELD_TABLE("answer to --fit", fit, .kinds = fit_kinds);

static const struct field room[] = {
	INCLUDE(ioas_fields, room_ioas),
	FIELD(OBJECT, "fit", .table = &fit_fields, .element = field_itself, .kinds = ASKED,
	      .doc = "whether a map would fit; only with --fit"),
};

static const struct field_table room_fields =
	FIELD_TABLE("room in an address space", room, .kinds = room_kinds);

static const void *nth_room(const void *record, size_t number)
{
	const struct document *document = record;
	static struct room room;
	size_t i;

	for (i = 0; i < document->state->nr_ioases; i++)
		if (ioas_wanted(document->options, document->state, &document->state->ioases[i]) &&
		    !number--)
			break;
	if (i == document->state->nr_ioases)
		return NULL;
	room.ioas = &document->state->ioases[i];
	if (fit_bytes) {
		capacity_fit(document->capacity, document->state, room.ioas, fit_bytes, &room.fit);
		*document->all_fit &= room.fit.stop == FIT_FITS;
	}
	return &room;
}

static const void *nth_process(const void *record, size_t number)
{
	const struct document *document = record;
	const struct capacity *capacity = document->capacity;
	size_t i;

	for (i = 0; i < capacity->nr; i++)
		if (wanted(document->options, capacity->processes[i].pid) && !number--)
			return &capacity->processes[i];
	return NULL;
}

static const void *nth_user(const void *record, size_t number)
{
	const struct sums *users = &((const struct document *)record)->users;

	return number < users->nr ? &users->list[number] : NULL;
}

static const void *nth_cgroup(const void *record, size_t number)
{
	const struct sums *cgroups = &((const struct document *)record)->cgroups;

	return number < cgroups->nr ? &cgroups->list[number] : NULL;
}

static const void *document_capacity(const void *record, size_t number)
{
	return number ? NULL : ((const struct document *)record)->capacity;
}

static const struct field host[] = {
	MEMBER(BYTES, "pinned_bytes", struct capacity, pinned_bytes,
	       .doc = "memory that is pinned"),
	MEMBER(BYTES, "host_pinned_bytes", struct capacity, host_pinned_bytes,
	       .doc = "memory that the kernel has pinned for any purpose"),
	MEMBER(BYTES, "iommu_page_table_bytes", struct capacity, page_table_bytes,
	       .unknown = "the kernel does not report it", .doc = "memory of all IOMMU page tables"),
	MEMBER(BYTES, "memory_bytes", struct capacity, memory_bytes, .doc = "memory of the host"),
	MEMBER(BYTES, "available_bytes", struct capacity, available_bytes,
	       .doc = "memory of the host that is available"),
};

static const struct field_table host_fields = FIELD_TABLE("host", host);

static const void *document_taken(const void *record, size_t number)
{
	return number ? NULL : ((const struct document *)record)->state;
}

static const struct field document[] = {
	INCLUDE(taken_fields, document_taken),
	FIELD(OBJECT, "host_memory", .table = &host_fields, .element = document_capacity,
	      .doc = "memory of the host and how much of it is pinned"),
	FIELD(LIST, "processes", .table = &capacity_process_fields, .element = nth_process,
	      .doc = "processes that pin memory"),
	FIELD(LIST, "users", .table = &user_fields, .element = nth_user, .doc = "sums by user"),
	FIELD(LIST, "cgroups", .table = &cgroup_fields, .element = nth_cgroup,
	      .doc = "sums by cgroup"),
	FIELD(LIST, "ioases", .table = &room_fields, .element = nth_room,
	      .doc = "I/O address spaces"),
};

static const struct field_table document_fields = FIELD_TABLE("capacity", document);

static bool show_json(const struct capacity *capacity, const struct state *state,
		      const struct options *options)
{
	bool all_fit = true;
	struct document document = {
		.capacity = capacity,
		.state = state,
		.options = options,
		.users = sum_up(capacity, options, same_user),
		.cgroups = sum_up(capacity, options, same_cgroup),
		.all_fit = &all_fit,
	};
	struct json json = { .file = stdout };

	fields_json_line(&json, &document_fields, &document, wall_offset_ns());
	free(document.users.list);
	free(document.cgroups.list);
	return all_fit;
}

/* Check that there is something to show.  Return 0, or -1 after a message. */
static int check(const struct state *state, const struct options *options)
{
	size_t i, nr = 0;

	if (options->filter.ctx && !state_ctx(state, options->filter.ctx)) {
		complain("no such context: %u (see iommuscope state --tree)", options->filter.ctx);
		return -1;
	}
	for (i = 0; i < state->nr_ioases; i++)
		nr += ioas_wanted(options, state, &state->ioases[i]);
	if (fit_bytes && !nr) {
		complain("there is no IOAS to map into: first start the program that maps");
		return -1;
	}
	return 0;
}

static int capacity_main(const struct options *options)
{
	struct state_reader *reader;
	struct capacity capacity;
	int status = EXIT_FAILED;
	struct state state;
	bool fits = true;

	if (session_check_state())
		return EXIT_FAILED;
	reader = state_open();
	if (!reader || state_read(reader, &state))
		goto out_close;
	if (check(&state, options))
		goto out_free;
	capacity_read(&capacity, &state);
	if (options->json) {
		fits = show_json(&capacity, &state, options);
	} else {
		if (!capacity.nr)
			printf("no iommufd or container is open\n");
		show_processes(&capacity, options);
		show_sums(&capacity, options);
		show_ioases(&state, options);
		show_host(&capacity);
		if (fit_bytes)
			fits = show_fits(&capacity, &state, options);
	}
	capacity_free(&capacity);
	status = fits ? 0 : EXIT_FAILED;
out_free:
	state_free(&state);
out_close:
	state_close(reader);
	return status;
}

static const struct field_table *const records[] = {
	&document_fields,
	NULL,
};

static const struct command_example examples[] = {
	{ "capacity", "what is pinned, and how close it is to the limits" },
	{ "capacity --fit 64G -p 4711", "could that process map 64 GiB now?" },
	{ "capacity --json", "as JSON" },
	{},
};

const struct command command_capacity = {
	.name = "capacity",
	.summary = "Show pinned memory against its limits, and free space in I/O address spaces",
	.description =
		"Shows the memory that processes have pinned through iommufd or VFIO containers, "
		"how much of it counts against RLIMIT_MEMLOCK, the limit, and what is left.  Memory "
		"counts by process, or by user: then all processes of the user share one total.  "
		"The sums by user and by cgroup follow.  For each IOAS it shows the IOVA space, how "
		"much of it is used, the largest hole, the fragmentation of the free space "
		"(1 - largest hole / free), and the least memory that its page tables take.\n\n"
		"With --fit it shows for each IOAS whether a map of SIZE at an IOVA chosen by the "
		"kernel would fit now, and if not, why.  The exit status is 0 if the map fits in "
		"every IOAS shown, 1 if not.",
	.examples = examples,
	.common = OPTION_PID | OPTION_CTX | OPTION_JSON,
	.options = own_options,
	.parse = parse,
	.records = records,
	.run = capacity_main,
};
