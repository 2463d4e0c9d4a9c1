// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of iommufd, copied by programs of state.bpf.c; state_walk.h tells how.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/state.skel.h"
#include "bpf/state_walk.h"
#include "observe/kfuncs.h"
#include "observe/session.h"
#include "observe/state.h"
#include "text/clock.h"
#include "text/name.h"
#include "text/output.h"

_Static_assert(SCOPE_STATE_SLOT >= IOMMUFD_STATE_MAX_SIZE, "a record fits its slot");

/**
 * struct state_reader - the programs, loaded
 * @session: their session
 * @skeleton: their maps and variables
 * @slots: its array, mapped
 */
struct state_reader {
	struct session session;
	struct ios_state *skeleton;
	const char (*slots)[SCOPE_STATE_SLOT];
};

#define SLOTS_SIZE ((size_t)SCOPE_STATE_SLOTS * SCOPE_STATE_SLOT)

struct state_reader *state_open(void)
{
	struct state_reader *reader = calloc(1, sizeof(*reader));
	void *slots;

	if (!reader)
		out_of_memory();
	if (kfuncs_init())
		goto out_close;
	reader->skeleton = SESSION_OPEN(&reader->session, state, SESSION_MODULES, NULL);
	if (!reader->skeleton || session_load(&reader->session))
		goto out_close;
	slots = mmap(NULL, SLOTS_SIZE, PROT_READ, MAP_SHARED,
		     bpf_map__fd(reader->skeleton->maps.ios_slots), 0);
	if (slots == MAP_FAILED) {
		complain("cannot map the records of state: %s", strerror(errno));
		goto out_close;
	}
	reader->slots = slots;
	return reader;
out_close:
	state_close(reader);
	return NULL;
}

void state_close(struct state_reader *reader)
{
	if (!reader)
		return;
	if (reader->slots)
		munmap((void *)reader->slots, SLOTS_SIZE);
	session_close(&reader->session);
	free(reader);
}

/* Run the program once.  Return 0, or -1 after it has said what failed. */
static int run(struct state_reader *reader, struct scope_state_walk *walk)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = walk,
			    .ctx_size_in = sizeof(*walk));
	int err;

	walk->nr = 0;
	walk->full = 0;
	err = bpf_prog_test_run_opts(bpf_program__fd(reader->skeleton->progs.ios_state), &options);
	if (!err)
		err = (int)options.retval;
	if (err)
		complain("cannot read the state of iommufd: %s", strerror(-err));
	return err ? -1 : 0;
}

/* What a record begins with; a context has no object id. */
struct head {
	uint32_t size;
	uint32_t ctx_id;
	uint32_t object_id;
};

/* Copy a record as far as both sides know it. */
static void take(void *record, size_t size, const char *slot)
{
	uint32_t known = ((const struct head *)(const void *)slot)->size;

	memset(record, 0, size);
	memcpy(record, slot, known < size ? known : size);
}

/*
 * Read all records of a kind.  Return them, with their number in @nr, or NULL after it has said
 * what failed.
 */
static void *read_all(struct state_reader *reader, enum scope_state_kind kind, size_t size,
		      size_t *nr)
{
	struct scope_state_walk walk = { .kind = kind };
	char *records = NULL;
	unsigned int i;

	*nr = 0;
	do {
		const struct head *last;

		if (run(reader, &walk)) {
			free(records);
			return NULL;
		}
		/* one more than needed, so that none is no failure */
		records = reallocarray(records, *nr + walk.nr + 1, size);
		if (!records)
			out_of_memory();
		for (i = 0; i < walk.nr; i++)
			take(records + (*nr)++ * size, size, reader->slots[i]);
		if (!walk.full)
			break;
		last = (const void *)(records + (*nr - 1) * size);
		walk.ctx = kind == SCOPE_STATE_ctx ? last->ctx_id + 1 : last->ctx_id;
		walk.object = last->object_id + 1;
	} while (1);
	return records;
}

static void clean_names(struct state *state)
{
	size_t i;

	for (i = 0; i < state->nr_ctxs; i++)
		NAME_CLEAN(state->ctxs[i].comm);
	for (i = 0; i < state->nr_devices; i++) {
		NAME_CLEAN(state->devices[i].device);
		NAME_CLEAN(state->devices[i].driver);
	}
}

int state_read(struct state_reader *reader, struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->taken_ns = now_ns();
#define READ(array, kind) \
	(state->array =   \
		 read_all(reader, SCOPE_STATE_##kind, sizeof(*state->array), &state->nr_##array))
	if (READ(ctxs, ctx) && READ(devices, device) && READ(hwpts, hwpt) && READ(ioases, ioas) &&
	    READ(accesses, access)) {
		clean_names(state);
		return 0;
	}
#undef READ
	state_free(state);
	return -1;
}

void state_free(struct state *state)
{
	free(state->ctxs);
	free(state->devices);
	free(state->hwpts);
	free(state->ioases);
	free(state->accesses);
	memset(state, 0, sizeof(*state));
}

int state_read_areas(struct state_reader *reader, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data)
{
	struct scope_state_walk walk = { .kind = SCOPE_STATE_area, .ctx = ctx, .object = ioas };
	struct iommufd_state_area area;
	unsigned int i;
	int err;

	do {
		if (run(reader, &walk))
			return -1;
		for (i = 0; i < walk.nr; i++) {
			take(&area, sizeof(area), reader->slots[i]);
			err = each(&area, data);
			if (err)
				return err;
			walk.iova = area.iova + area.length;
		}
	} while (walk.full);
	return 0;
}

/* Find a record in an array that is sorted by context and id. */
static const void *find(const void *array, size_t nr, size_t size, uint32_t ctx, uint32_t id)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct head *head = (const void *)((const char *)array + middle * size);

		if (head->ctx_id < ctx || (head->ctx_id == ctx && head->object_id < id))
			low = middle + 1;
		else if (head->ctx_id == ctx && head->object_id == id)
			return head;
		else
			high = middle;
	}
	return NULL;
}

const struct iommufd_state_ctx *state_ctx(const struct state *state, uint32_t ctx)
{
	size_t low = 0, high = state->nr_ctxs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (state->ctxs[middle].ctx_id == ctx)
			return &state->ctxs[middle];
		if (state->ctxs[middle].ctx_id < ctx)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct iommufd_state_ioas *state_ioas(const struct state *state, uint32_t ctx, uint32_t ioas)
{
	return find(state->ioases, state->nr_ioases, sizeof(*state->ioases), ctx, ioas);
}

const struct iommufd_state_hwpt *state_hwpt(const struct state *state, uint32_t ctx, uint32_t hwpt)
{
	return find(state->hwpts, state->nr_hwpts, sizeof(*state->hwpts), ctx, hwpt);
}

const struct iommufd_state_device *state_device(const struct state *state, const char *name)
{
	size_t i;

	for (i = 0; i < state->nr_devices; i++)
		if (!strcmp(state->devices[i].device, name))
			return &state->devices[i];
	return NULL;
}
