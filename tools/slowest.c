// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slowest operations of each kind and their stacks.
 *
 * A struct slow_call is in the ranking of the whole run, in that of its round, or in both; it counts in
 * how many.  A ranking has a list for each kind of operation, the slowest first, which is never longer
 * than what is kept.  What the kernel sends before it has noticed a new round still belongs to the old one,
 * so three rankings are filled: of the run, of the round that is being reported, and of the one
 * that is under way.
 */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "json.h"
#include "latency.h"
#include "latency.skel.h"
#include "lifetime.h"
#include "names.h"
#include "operation.h"
#include "output.h"
#include "slowest.h"
#include "stacks.h"

/* Operations taken at once: those that come faster than they get names must not hold up the rest. */
#define MOST_AT_ONCE 1000

/**
 * struct slow_call - an operation with its stacks
 * @rankings: in how many rankings it is
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC as it was told
 * @record: the operation
 * @ended: its process had ended before the names of the user's frames could be known
 * @kernel_named: the kernel's frames have their names
 * @nr_kernel: frames of the kernel
 * @nr_own: how many of them do not belong to the operation but to its observation
 * @nr_user: frames of the user
 * @frames: the kernel's frames, then the user's; each part has the innermost first
 */
struct slow_call {
	unsigned int rankings;
	int64_t wall_ns;
	struct scope_record record;
	bool ended;
	bool kernel_named;
	size_t nr_kernel;
	size_t nr_own;
	size_t nr_user;
	struct frame frames[];
};

struct ranking {
	struct slow_call *calls[SCOPE_NR_OPERATIONS][SCOPE_SLOWEST_MAX];
	unsigned int nr[SCOPE_NR_OPERATIONS];
};

struct slowest {
	struct latency_bpf *skeleton;
	struct ring_buffer *sent;
	struct stacks *stacks;
	unsigned int kept;
	unsigned int at_once;
	struct ranking total;
	struct ranking recent;
	struct ranking under_way;
};

void slowest_prepare(struct latency_bpf *skeleton, unsigned int kept)
{
	skeleton->rodata->keep |= SCOPE_KEEP_SLOWEST;
	skeleton->rodata->slowest_kept = kept;
	bpf_map__set_max_entries(skeleton->maps.slowest_sent, SCOPE_NR_OPERATIONS);
	bpf_map__set_max_entries(skeleton->maps.slowest_stacks, SCOPE_SLOWEST_ROOM);
}

/* Rankings */

static bool is_among(const struct slowest *slowest, const struct ranking *ranking,
		     const struct scope_record *record)
{
	unsigned int nr = ranking->nr[record->operation];

	return nr < slowest->kept ||
	       record->dur_ns > ranking->calls[record->operation][nr - 1]->record.dur_ns;
}

static void release(struct slow_call *call)
{
	if (--call->rankings)
		return;
	stacks_free_frames(call->frames, call->nr_kernel + call->nr_user);
	free(call);
}

/* Put a call in its place; the least one may have to go for it. */
static void rank(const struct slowest *slowest, struct ranking *ranking, struct slow_call *call)
{
	struct slow_call **calls = ranking->calls[call->record.operation];
	unsigned int *nr = &ranking->nr[call->record.operation], place;

	if (!is_among(slowest, ranking, &call->record))
		return;
	if (*nr == slowest->kept)
		release(calls[--*nr]);
	for (place = (*nr)++; place; place--) {
		if (calls[place - 1]->record.dur_ns >= call->record.dur_ns)
			break;
		calls[place] = calls[place - 1];
	}
	calls[place] = call;
	call->rankings++;
}

static void forget_ranking(struct ranking *ranking)
{
	unsigned int operation, i;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++)
		for (i = 0; i < ranking->nr[operation]; i++)
			release(ranking->calls[operation][i]);
	memset(ranking->nr, 0, sizeof(ranking->nr));
}

/* What is sent */

static size_t frames_of(int bytes)
{
	return bytes > 0 ? bytes / sizeof(uint64_t) : 0;
}

static size_t record_size(unsigned int operation)
{
	switch (scope_operation_class(operation)) {
	case SCOPE_CLASS_OBJECT:
		return SCOPE_OBJECT_RECORD;
	case SCOPE_CLASS_MEMORY:
		return SCOPE_MEMORY_RECORD;
	default:
		return sizeof(struct scope_record);
	}
}

static struct slow_call *call_of(struct slowest *slowest, const struct scope_slow *slow)
{
	size_t nr_kernel = frames_of(slow->kernel_bytes), nr_user = frames_of(slow->user_bytes), i;
	struct slow_call *call;

	call = calloc(1, sizeof(*call) + (nr_kernel + nr_user) * sizeof(call->frames[0]));
	if (!call)
		out_of_memory();
	operation_from(&call->record, &slow->record, record_size(slow->record.operation));
	call->wall_ns = wall_offset_ns();
	call->nr_kernel = nr_kernel;
	call->nr_user = nr_user;
	for (i = 0; i < nr_kernel; i++)
		call->frames[i].address = slow->kernel[i];
	for (i = 0; i < nr_user; i++)
		call->frames[nr_kernel + i].address = slow->user[i];
	call->ended = !stacks_user(slowest->stacks, call->record.tgid, slow->process_start_ns,
				   call->frames + nr_kernel, nr_user);
	return call;
}

static int on_slow(void *context, void *data, size_t size)
{
	struct slowest *slowest = context;
	const struct scope_slow *slow = data;
	struct ranking *round = &slowest->under_way;
	struct slow_call *call;

	if (size < sizeof(*slow) || slow->record.operation >= SCOPE_NR_OPERATIONS)
		return 0;
	if (slow->round != slowest->skeleton->bss->slowest_round)
		round = &slowest->recent;
	if (is_among(slowest, &slowest->total, &slow->record) ||
	    is_among(slowest, round, &slow->record)) {
		call = call_of(slowest, slow);
		/* it stays for as long as it is ranked */
		call->rankings = 1;
		rank(slowest, &slowest->total, call);
		rank(slowest, round, call);
		release(call);
	}
	return ++slowest->at_once < MOST_AT_ONCE ? 0 : -EAGAIN;
}

struct slowest *slowest_begin(struct latency_bpf *skeleton)
{
	struct slowest *slowest = calloc(1, sizeof(*slowest));

	if (!slowest)
		out_of_memory();
	slowest->skeleton = skeleton;
	slowest->kept = skeleton->rodata->slowest_kept;
	slowest->sent = ring_buffer__new(bpf_map__fd(skeleton->maps.slowest_stacks), on_slow,
					 slowest, NULL);
	if (!slowest->sent)
		complain("cannot map the ring buffer: %s", strerror(errno));
	else
		slowest->stacks = stacks_begin();
	if (!slowest->stacks) {
		slowest_end(slowest);
		return NULL;
	}
	return slowest;
}

int slowest_fd(const struct slowest *slowest)
{
	return ring_buffer__epoll_fd(slowest->sent);
}

void slowest_read(struct slowest *slowest)
{
	slowest->at_once = 0;
	ring_buffer__consume(slowest->sent);
}

void slowest_next_round(struct slowest *slowest)
{
	struct ranking over = slowest->under_way;

	/* nothing is in here: it has been reported and forgotten */
	slowest->under_way = slowest->recent;
	slowest->recent = over;
	slowest->skeleton->bss->slowest_round++;
	slowest_read(slowest);
}

void slowest_forget_recent(struct slowest *slowest)
{
	forget_ranking(&slowest->recent);
}

void slowest_end(struct slowest *slowest)
{
	if (!slowest)
		return;
	forget_ranking(&slowest->total);
	forget_ranking(&slowest->recent);
	forget_ranking(&slowest->under_way);
	ring_buffer__free(slowest->sent);
	stacks_end(slowest->stacks);
	free(slowest);
}

/* Reports */

static const struct ranking *reported(const struct slowest *slowest, bool interval)
{
	return interval ? &slowest->recent : &slowest->total;
}

static void name_kernel(struct slowest *slowest, struct slow_call *call)
{
	if (call->kernel_named)
		return;
	call->nr_own = stacks_kernel(slowest->stacks, call->frames, call->nr_kernel);
	call->kernel_named = true;
}

static bool same_stacks(const struct slow_call *a, const struct slow_call *b)
{
	size_t i;

	if (a->record.tgid != b->record.tgid || a->nr_kernel != b->nr_kernel ||
	    a->nr_user != b->nr_user || a->ended != b->ended)
		return false;
	for (i = 0; i < a->nr_kernel + a->nr_user; i++)
		if (a->frames[i].address != b->frames[i].address)
			return false;
	return true;
}

/* A line that is cut where the terminal ends.  Names are whatever a program's author, or its user, chose. */
static void print_line(enum colour colour, char *text)
{
	int width = terminal_width();
	char *c;

	for (c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	printf("%s%.*s%s\n", colour_on(colour), width ? width : (int)strlen(text), text,
	       colour_off());
}

/* A text of words, wrapped where the terminal ends. */
static void print_words(enum colour colour, const char *text)
{
	int width = terminal_width(), indent = 0;
	size_t length;

	if (!width)
		width = 10000;
	while ((length = text_line(text, width - indent))) {
		printf("%*s%s%.*s%s\n", indent, "", colour_on(colour), (int)length, text,
		       colour_off());
		text += length;
		text += strspn(text, " ");
		indent = 4;
	}
}

static void print_call(const struct slow_call *call)
{
	const struct scope_record *record = &call->record;
	char what[256], line[1024], thread[32] = "";
	unsigned int phase;
	uint64_t ns;

	operation_what(record, what, sizeof(what));
	if (record->tid != record->tgid)
		snprintf(thread, sizeof(thread), ", thread %u", record->tid);
	snprintf(line, sizeof(line), "%s %s of %s, by %s [%u%s] uid %u",
		 format_duration(record->dur_ns).s, operation_title(record->operation), what,
		 record->comm, record->tgid, thread, record->uid);
	print_words(COLOUR_BOLD, line);
	phase = operation_phase(record, &ns);
	printf("    at %s", format_clock(record->start_ns + record->dur_ns + call->wall_ns).s);
	if (phase < SCOPE_NR_PHASES)
		printf(", %s of it in phase %s", format_percent(ns, record->dur_ns).s,
		       phase_name(phase));
	putchar('\n');
	if (record->ret < 0) {
		operation_why(record, what, sizeof(what));
		snprintf(line, sizeof(line), "    failed, %s: %s", error_name(record->ret), what);
		print_words(COLOUR_RED, line);
	}
}

static void print_frame(const struct frame *frame)
{
	const char *module = frame->module, *slash = module ? strrchr(module, '/') : NULL;
	char line[512], where[256] = "";

	if (slash)
		module = slash + 1;
	if (module && strcmp(module, "kernel"))
		snprintf(where, sizeof(where), " [%s]", module);
	if (frame->symbol)
		snprintf(line, sizeof(line), "      %s+0x%" PRIx64 "%s", frame->symbol,
			 frame->offset, where);
	else if (module)
		snprintf(line, sizeof(line), "      %s+0x%" PRIx64, module, frame->offset);
	else
		snprintf(line, sizeof(line), "      0x%" PRIx64, frame->address);
	print_line(COLOUR_DIM, line);
}

static void print_stacks(const struct slow_call *call)
{
	size_t i;

	for (i = call->nr_own; i < call->nr_kernel; i++)
		print_frame(&call->frames[i]);
	if (call->nr_user)
		printf("    called by %s [%u]%s\n", call->record.comm, call->record.tgid,
		       call->ended ? ", which has ended: the names are not known" : "");
	for (i = 0; i < call->nr_user; i++)
		print_frame(&call->frames[call->nr_kernel + i]);
}

/* Those of one kind; whose stacks are the same stand together, with the slowest of them. */
static void print_operation(struct slowest *slowest, struct slow_call *const *calls,
			    unsigned int nr)
{
	uint32_t printed = 0;
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		if (printed & 1U << i)
			continue;
		for (j = i; j < nr; j++) {
			if (!same_stacks(calls[i], calls[j]))
				continue;
			print_call(calls[j]);
			printed |= 1U << j;
		}
		name_kernel(slowest, calls[i]);
		print_stacks(calls[i]);
	}
}

void slowest_table(struct slowest *slowest, bool interval)
{
	const struct ranking *ranking = reported(slowest, interval);
	uint64_t lost = slowest->skeleton->bss->slowest_lost;
	unsigned int operation;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		if (!ranking->nr[operation])
			continue;
		printf("\n%sslowest %s%s\n", colour_on(COLOUR_BOLD), operation_title(operation),
		       colour_off());
		print_operation(slowest, ranking->calls[operation], ranking->nr[operation]);
	}
	if (lost)
		printf("%" PRIu64 " slow operations are missing: they came too fast\n", lost);
}

static void json_frames(struct json *json, const char *space, const struct frame *frames, size_t nr)
{
	char address[32];
	size_t i;

	for (i = 0; i < nr; i++) {
		json_object(json, NULL);
		json_string(json, "space", space);
		if (frames[i].symbol)
			json_string(json, "symbol", frames[i].symbol);
		else
			json_null(json, "symbol");
		if (frames[i].module)
			json_string(json, "module", frames[i].module);
		else
			json_null(json, "module");
		json_u64(json, "offset", frames[i].offset);
		/* as a number, many readers would round it */
		snprintf(address, sizeof(address), "0x%" PRIx64, frames[i].address);
		json_string(json, "address", address);
		json_end_object(json);
	}
}

static void json_call(struct slowest *slowest, struct slow_call *call, struct json *json)
{
	name_kernel(slowest, call);
	json_object(json, NULL);
	operation_json_fields(&call->record, json, call->wall_ns);
	json_bool(json, "process_ended", call->ended);
	json_array(json, "frames");
	json_frames(json, "kernel", call->frames + call->nr_own, call->nr_kernel - call->nr_own);
	json_frames(json, "user", call->frames + call->nr_kernel, call->nr_user);
	json_end_array(json);
	json_end_object(json);
}

void slowest_json(struct slowest *slowest, bool interval, struct json *json)
{
	const struct ranking *ranking = reported(slowest, interval);
	unsigned int operation, i;

	json_array(json, "slowest");
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++)
		for (i = 0; i < ranking->nr[operation]; i++)
			json_call(slowest, ranking->calls[operation][i], json);
	json_end_array(json);
	json_u64(json, "slowest_lost", slowest->skeleton->bss->slowest_lost);
}
