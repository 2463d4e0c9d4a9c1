// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope capacity: how near the limits?
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "observe/capacity.h"
#include "observe/session.h"
#include "observe/state.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

enum {
	KEY_FIT = OPTION_KEY_OWN,
};

static uint64_t fit_bytes;

static const struct argp_option own_options[] = {
	{ "fit", KEY_FIT, "SIZE", 0, "would a map of SIZE, as 64G, fit now, and what stops it", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key != KEY_FIT)
		return ARGP_ERR_UNKNOWN;
	if (!parse_size(arg, &fit_bytes) || !fit_bytes)
		argp_error(state, "%s is not a size, as 64G or 512M", arg);
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

static void user_name(uint32_t uid, char name[32])
{
	const struct passwd *passwd = getpwuid(uid);

	if (passwd)
		snprintf(name, 32, "%s", passwd->pw_name);
	else
		snprintf(name, 32, "%u", uid);
}

static struct text limit_text(const struct capacity_process *process)
{
	struct text text;

	switch (process->limit) {
	case LIMIT_BYTES:
		return format_size(process->limit_bytes);
	case LIMIT_UNLIMITED:
		snprintf(text.s, sizeof(text.s), "unlimited");
		return text;
	case LIMIT_CAPABILITY:
		snprintf(text.s, sizeof(text.s), "CAP_IPC_LOCK");
		return text;
	default:
		snprintf(text.s, sizeof(text.s), "ended");
		return text;
	}
}

/* Red where less than a tenth is left, yellow where less than a third. */
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
	struct table table = {
		.columns = 8,
		.heads = { "PROCESS", "PID", "USER", "COUNTS BY", "PINNED", "COUNTED", "LIMIT",
			   "LEFT" },
		.right = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7,
	};
	char user[32];
	size_t i;

	for (i = 0; i < capacity->nr; i++) {
		const struct capacity_process *process = &capacity->processes[i];

		if (!wanted(options, process->pid))
			continue;
		user_name(process->uid, user);
		table_row(&table, limit_colour(process));
		table_set(&table, 0, "%s", process->comm);
		table_set(&table, 1, "%u", process->pid);
		table_set(&table, 2, "%s", user);
		table_set(&table, 3, "%s", process->by_process ? "process" : "user");
		table_set(&table, 4, "%s", format_size(process->pinned_bytes).s);
		table_set(&table, 5, "%s", format_size(process->counted_bytes).s);
		table_set(&table, 6, "%s", limit_text(process).s);
		if (process->limit == LIMIT_BYTES)
			table_set(&table, 7, "%s", format_size(capacity_left(process)).s);
		else
			table_set(&table, 7, "-");
	}
	if (table.nr_rows)
		table_print(&table);
}

/* Sums of what processes have in common; @key tells two that belong together. */
struct sum {
	const struct capacity_process *first;
	uint64_t pinned_bytes;
	uint64_t locked_bytes;
};

static bool same_user(const struct capacity_process *a, const struct capacity_process *b)
{
	return a->uid == b->uid;
}

static bool same_cgroup(const struct capacity_process *a, const struct capacity_process *b)
{
	return !strcmp(a->cgroup, b->cgroup);
}

/* Sum up by what @same tells; returns how many sums, the caller frees them. */
static size_t sum_up(const struct capacity *capacity, const struct options *options,
		     bool (*same)(const struct capacity_process *a,
				  const struct capacity_process *b),
		     struct sum **sums)
{
	size_t nr = 0, i, j;

	*sums = calloc(capacity->nr + 1, sizeof(**sums));
	if (!*sums)
		out_of_memory();
	for (i = 0; i < capacity->nr; i++) {
		const struct capacity_process *process = &capacity->processes[i];

		if (!wanted(options, process->pid))
			continue;
		for (j = 0; j < nr && !same((*sums)[j].first, process);)
			j++;
		if (j == nr)
			(*sums)[nr++].first = process;
		(*sums)[j].pinned_bytes += process->pinned_bytes;
		/* every process of a user that counts by user tells the same number */
		if (!process->by_process)
			(*sums)[j].locked_bytes = process->counted_bytes;
	}
	return nr;
}

static void show_sums(const struct capacity *capacity, const struct options *options)
{
	struct table users = {
		.columns = 3,
		.heads = { "USER", "PINNED", "LOCKED IN ALL" },
		.right = 1 << 1 | 1 << 2,
	};
	struct table cgroups = {
		.columns = 2,
		.heads = { "CGROUP", "PINNED" },
		.right = 1 << 1,
	};
	struct sum *sums;
	char user[32];
	size_t nr, i;

	nr = sum_up(capacity, options, same_user, &sums);
	for (i = 0; i < nr; i++) {
		user_name(sums[i].first->uid, user);
		table_row(&users, COLOUR_NONE);
		table_set(&users, 0, "%s", user);
		table_set(&users, 1, "%s", format_size(sums[i].pinned_bytes).s);
		table_set(&users, 2, "%s", format_size(sums[i].locked_bytes).s);
	}
	free(sums);
	nr = sum_up(capacity, options, same_cgroup, &sums);
	for (i = 0; i < nr; i++) {
		table_row(&cgroups, COLOUR_NONE);
		table_set(&cgroups, 0, "%s",
			  *sums[i].first->cgroup ? sums[i].first->cgroup : "(ended)");
		table_set(&cgroups, 1, "%s", format_size(sums[i].pinned_bytes).s);
	}
	free(sums);
	if (users.nr_rows) {
		putchar('\n');
		table_print(&users);
		putchar('\n');
		table_print(&cgroups);
	}
}

static void show_ioases(const struct state *state, const struct options *options)
{
	struct table table = {
		.columns = 9,
		.heads = { "CTX", "IOAS", "AREAS", "SPACE", "USED", "FREE", "LARGEST HOLE",
			   "FRAGMENTED", "TABLES" },
		.right = ~0U,
	};
	size_t i;

	for (i = 0; i < state->nr_ioases; i++) {
		const struct iommufd_state_ioas *ioas = &state->ioases[i];
		bool busy = ioas->flags & IOMMUFD_STATE_IOAS_BUSY;

		if (!ioas_wanted(options, state, ioas))
			continue;
		table_row(&table, COLOUR_NONE);
		table_set(&table, 0, "%u", ioas->ctx_id);
		table_set(&table, 1, "%u", ioas->ioas_id);
		table_set(&table, 2, "%s", format_count(ioas->areas).s);
		table_set(&table, 3, "%s", busy ? "busy" : format_size(ioas->usable_bytes).s);
		table_set(&table, 4, "%s", format_size(ioas->mapped_bytes).s);
		if (!busy) {
			table_set(&table, 5, "%s", format_size(ioas_free_bytes(ioas)).s);
			table_set(&table, 6, "%s", format_size(ioas->largest_hole_bytes).s);
			table_set(&table, 7, "%.1f %%", 100 * ioas_fragmentation(ioas));
		}
		table_set(&table, 8, "%s",
			  ioas->hwpts ? format_size(ioas_page_table_bytes(ioas)).s : "-");
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
		snprintf(text, size, "does not fit: not a multiple of the %s that its IOMMU maps",
			 format_size(fit->left_bytes).s);
		break;
	case FIT_SPACE:
		snprintf(text, size, "does not fit: the largest free range of IOVAs is %s", left.s);
		break;
	case FIT_NOT_ALLOWED:
		snprintf(text, size,
			 "does not fit: the largest free range in the allowed IOVAs is %s", left.s);
		break;
	case FIT_MEMLOCK:
		snprintf(text, size, "does not fit: %s of RLIMIT_MEMLOCK are left, %s are wanted",
			 left.s, want.s);
		break;
	case FIT_MEMORY:
		snprintf(text, size,
			 "does not fit: the host has no more than %s that is not pinned", left.s);
		break;
	case FIT_BUSY:
		snprintf(text, size, "not known: its process maps and unmaps all the time");
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
	printf("\nHost: %s pinned through iommufd, %s pinned in all, of %s\n",
	       format_size(capacity->pinned_bytes).s, format_size(capacity->host_pinned_bytes).s,
	       format_size(capacity->memory_bytes).s);
	if (capacity->page_table_bytes)
		printf("IOMMU page tables of the host take %s\n",
		       format_size(capacity->page_table_bytes).s);
}

static void json_process(struct json *json, const struct capacity_process *process)
{
	static const char *const limits[] = {
		[LIMIT_UNKNOWN] = "unknown",
		[LIMIT_BYTES] = "bytes",
		[LIMIT_UNLIMITED] = "unlimited",
		[LIMIT_CAPABILITY] = "cap_ipc_lock",
	};

	json_object(json, NULL);
	json_u64(json, "pid", process->pid);
	json_string(json, "process", process->comm);
	json_u64(json, "uid", process->uid);
	json_string(json, "cgroup", process->cgroup);
	json_string(json, "rlimit_mode", process->by_process ? "process" : "user");
	json_u64(json, "pinned_bytes", process->pinned_bytes);
	json_u64(json, "counted_bytes", process->counted_bytes);
	json_string(json, "limit", limits[process->limit]);
	if (process->limit == LIMIT_BYTES) {
		json_u64(json, "limit_bytes", process->limit_bytes);
		json_u64(json, "left_bytes", capacity_left(process));
	} else {
		json_null(json, "limit_bytes");
		json_null(json, "left_bytes");
	}
	json_end_object(json);
}

/* While the process maps and unmaps all the time, its IOVA space is not known. */
static void json_space(struct json *json, const char *key, const struct iommufd_state_ioas *ioas,
		       uint64_t value)
{
	if (ioas->flags & IOMMUFD_STATE_IOAS_BUSY)
		json_null(json, key);
	else
		json_u64(json, key, value);
}

static void json_ioas(struct json *json, const struct capacity *capacity, const struct state *state,
		      const struct iommufd_state_ioas *ioas, bool *all)
{
	struct fit fit;

	json_object(json, NULL);
	json_u64(json, "ctx", ioas->ctx_id);
	json_u64(json, "ioas", ioas->ioas_id);
	json_u64(json, "areas", ioas->areas);
	json_space(json, "aperture_first", ioas, ioas->aperture_first);
	json_space(json, "aperture_last", ioas, ioas->aperture_last);
	json_space(json, "usable_bytes", ioas, ioas->usable_bytes);
	json_u64(json, "used_bytes", ioas->mapped_bytes);
	json_space(json, "free_bytes", ioas, ioas_free_bytes(ioas));
	json_space(json, "largest_hole_bytes", ioas, ioas->largest_hole_bytes);
	json_space(json, "alloc_hole_bytes", ioas, ioas->alloc_hole_bytes);
	if (ioas->flags & IOMMUFD_STATE_IOAS_BUSY)
		json_null(json, "fragmentation");
	else
		json_double(json, "fragmentation", ioas_fragmentation(ioas));
	json_u64(json, "page_table_at_least_bytes", ioas_page_table_bytes(ioas));
	if (fit_bytes) {
		capacity_fit(capacity, state, ioas, fit_bytes, &fit);
		*all &= fit.stop == FIT_FITS;
		json_object(json, "fit");
		json_u64(json, "size_bytes", fit_bytes);
		json_bool(json, "fits", fit.stop == FIT_FITS);
		json_bool(json, "pins", fit.pins);
		if (fit.stop == FIT_FITS) {
			json_null(json, "stopped_by");
		} else {
			json_string(json, "stopped_by", fit_stop_name(fit.stop));
			json_u64(json, "wanted_bytes", fit.wanted_bytes);
			json_u64(json, "left_bytes", fit.left_bytes);
		}
		json_end_object(json);
	}
	json_end_object(json);
}

static void json_sums(struct json *json, const struct capacity *capacity,
		      const struct options *options)
{
	struct sum *sums;
	size_t nr, i;

	nr = sum_up(capacity, options, same_user, &sums);
	json_array(json, "users");
	for (i = 0; i < nr; i++) {
		json_object(json, NULL);
		json_u64(json, "uid", sums[i].first->uid);
		json_u64(json, "pinned_bytes", sums[i].pinned_bytes);
		json_u64(json, "locked_bytes", sums[i].locked_bytes);
		json_end_object(json);
	}
	json_end_array(json);
	free(sums);
	nr = sum_up(capacity, options, same_cgroup, &sums);
	json_array(json, "cgroups");
	for (i = 0; i < nr; i++) {
		json_object(json, NULL);
		json_string(json, "cgroup", sums[i].first->cgroup);
		json_u64(json, "pinned_bytes", sums[i].pinned_bytes);
		json_end_object(json);
	}
	json_end_array(json);
	free(sums);
}

static bool show_json(const struct capacity *capacity, const struct state *state,
		      const struct options *options)
{
	struct json json = { .file = stdout };
	bool all = true;
	size_t i;

	json_object(&json, NULL);
	json_object(&json, "host");
	json_u64(&json, "pinned_bytes", capacity->pinned_bytes);
	json_u64(&json, "host_pinned_bytes", capacity->host_pinned_bytes);
	json_u64(&json, "iommu_page_table_bytes", capacity->page_table_bytes);
	json_u64(&json, "memory_bytes", capacity->memory_bytes);
	json_u64(&json, "available_bytes", capacity->available_bytes);
	json_end_object(&json);
	json_array(&json, "processes");
	for (i = 0; i < capacity->nr; i++)
		if (wanted(options, capacity->processes[i].pid))
			json_process(&json, &capacity->processes[i]);
	json_end_array(&json);
	json_sums(&json, capacity, options);
	json_array(&json, "ioases");
	for (i = 0; i < state->nr_ioases; i++)
		if (ioas_wanted(options, state, &state->ioases[i]))
			json_ioas(&json, capacity, state, &state->ioases[i], &all);
	json_end_array(&json);
	json_end_object(&json);
	json_end(&json);
	return all;
}

/* Is there something to tell of?  Return 0, or -1 after it has said what is not there. */
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
		complain("there is no IOAS to map into: start the program that maps first");
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

	if (session_check_module())
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
			printf("no iommufd is open\n");
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

static const struct command_example examples[] = {
	{ "capacity", "who pins how much, and how near the limits" },
	{ "capacity --fit 64G -p 4711", "could that process map 64 GiB now?" },
	{ "capacity --json", "for another program" },
	{},
};

const struct command command_capacity = {
	.name = "capacity",
	.summary = "Show pinned memory against its limits, and room in I/O address spaces",
	.description =
		"It shows the memory that processes have pinned through iommufd, what of it counts "
		"against RLIMIT_MEMLOCK (by process, or by user for all processes of the user "
		"together), the limit, and what is left; the same by user and cgroup; and for each "
		"IOAS the IOVA space, how much of it is used, the largest hole, how fragmented what "
		"is free is (1 - largest hole / free), and how much page tables take at least.\n\n"
		"With --fit it tells for each IOAS whether a map of SIZE would fit now, where the "
		"kernel chooses the IOVA, and what stops it otherwise.  The exit status is 0 if it "
		"fits in all IOASes that are shown, 1 if not.",
	.examples = examples,
	.common = OPTION_PID | OPTION_CTX | OPTION_JSON,
	.options = own_options,
	.parse = parse,
	.run = capacity_main,
};
