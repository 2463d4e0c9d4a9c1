// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of all sources.  Programs of state.bpf.c copy the state of our module; state_walk.h
 * describes how.  The state of other sources comes from walks.c, and is merged in.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/state.skel.h"
#include "bpf/state_walk.h"
#include "machine/obstacles.h"
#include "machine/sysfs.h"
#include "observe/kfuncs.h"
#include "observe/pids/pids.h"
#include "observe/session.h"
#include "observe/state.h"
#include "observe/walks.h"
#include "text/clock.h"
#include "text/name.h"
#include "text/output.h"

_Static_assert(SCOPE_STATE_SLOT >= IOMMUFD_STATE_MAX_SIZE, "a record fits its slot");

/**
 * struct state_reader - reads the state of all sources
 * @session: the session of our module's programs, without a skeleton if they are not loaded
 * @skeleton: their maps and variables
 * @slots: its array, mapped
 * @looked: /dev/iommu existed at the last look, and @own was set for it
 * @own: it belongs to our module
 * @walks: reads the other sources
 * @blocked: its programs cannot be loaded because the JIT is off, which has been reported
 * @loaded: they are loaded, which a change of settings does not undo
 */
struct state_reader {
	struct session session;
	struct ios_state *skeleton;
	const char (*slots)[SCOPE_STATE_SLOT];
	bool looked;
	bool own;
	struct walks *walks;
	bool blocked;
	bool loaded;
};

#define SLOTS_SIZE ((size_t)SCOPE_STATE_SLOTS * SCOPE_STATE_SLOT)

/* Load the programs for our module.  Return 0, or -1 after a message. */
static int open_own(struct state_reader *reader)
{
	void *slots;

	if (reader->slots)
		return 0;
	session_close(&reader->session);
	if (kfuncs_init())
		return -1;
	reader->skeleton = SESSION_OPEN(&reader->session, state, SESSION_MODULES, NULL);
	if (!reader->skeleton || session_load(&reader->session))
		return -1;
	slots = mmap(NULL, SLOTS_SIZE, PROT_READ, MAP_SHARED,
		     bpf_map__fd(reader->skeleton->maps.ios_slots), 0);
	if (slots == MAP_FAILED) {
		complain("cannot map the records of state: %s", strerror(errno));
		return -1;
	}
	reader->slots = slots;
	return 0;
}

/* Is the JIT off?  Then report it once.  It can be switched on later. */
static bool is_blocked(struct state_reader *reader)
{
	bool blocked = !reader->loaded && obstacle_here(OBSTACLE_JIT);

	if (blocked && !reader->blocked)
		obstacle_complain(OBSTACLE_JIT);
	reader->blocked = blocked;
	return blocked;
}

/* Find the sources of this host: a bit 1 << enum iommufd_state_source for each. */
static unsigned int sources(struct state_reader *reader)
{
	bool iommufd = sysfs_exists("/sys/module/iommufd") && session_knows_module("iommufd");

	/* our programs, once loaded, keep our module loaded */
	if (iommufd && !reader->looked)
		reader->own = kfuncs_are_there();
	reader->looked = iommufd;
	return walks_sources(reader->own) |
	       (iommufd && reader->own ? 1U << IOMMUFD_STATE_SOURCE_OWN : 0);
}

struct state_reader *state_open_early(void)
{
	struct state_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		out_of_memory();
	pids_note();
	reader->walks = walks_open();
	return reader;
}

struct state_reader *state_open(void)
{
	struct state_reader *reader = state_open_early();
	unsigned int here = sources(reader);

	if (!here) {
		complain("nothing to show: neither VFIO's type1 (modprobe vfio-pci) nor an iommufd is loaded");
		goto out_close;
	}
	if (is_blocked(reader))
		goto out_close;
	if ((!(here & 1U << IOMMUFD_STATE_SOURCE_OWN) || !open_own(reader)) &&
	    !walks_prepare(reader->walks, here))
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
	walks_close(reader->walks);
	free(reader);
}

/* Run the program once.  Return 0, or -1 after a message. */
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

/* The start of every record; a context has no object id. */
struct head {
	uint32_t size;
	uint32_t ctx_id;
	uint32_t object_id;
};

/* Copy the part of a record that both sides know. */
static void take(void *record, size_t size, const char *slot)
{
	uint32_t known = ((const struct head *)(const void *)slot)->size;

	memset(record, 0, size);
	memcpy(record, slot, known < size ? known : size);
}

/*
 * Read all records of a kind.  Return them, with their number in @nr, or NULL after a message.
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
		/* one more than needed, so that an empty array is not NULL */
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

/* Names and numbers of processes as the tool shows them. */
static void clean_names(struct state *state)
{
	size_t i;

	pids_read();
	for (i = 0; i < state->nr_ctxs; i++) {
		state->ctxs[i].pid = pids_here(state->ctxs[i].pid);
		NAME_CLEAN(state->ctxs[i].comm);
	}
	for (i = 0; i < state->nr_devices; i++) {
		NAME_CLEAN(state->devices[i].device);
		NAME_CLEAN(state->devices[i].driver);
	}
}

/* Add a record that a walk found. */
static void add_record(void *context, enum scope_state_kind kind, const void *record)
{
	struct state *state = context;

	switch (kind) {
#define ADD(name, array)                                                                  \
	case SCOPE_STATE_##name:                                                          \
		state->array = reallocarray(state->array, state->nr_##array + 1,          \
					    sizeof(*state->array));                       \
		if (!state->array)                                                        \
			out_of_memory();                                                  \
		memcpy(&state->array[state->nr_##array++], record, sizeof(*state->array)); \
		break
		ADD(ctx, ctxs);
		ADD(device, devices);
		ADD(hwpt, hwpts);
		ADD(ioas, ioases);
		ADD(access, accesses);
#undef ADD
	case SCOPE_STATE_area:
		break;
	}
}

static int compare_ctxs(const void *a, const void *b)
{
	const struct iommufd_state_ctx *x = a, *y = b;

	return x->ctx_id < y->ctx_id ? -1 : x->ctx_id > y->ctx_id;
}

static int compare_objects(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	if (x->ctx_id != y->ctx_id)
		return x->ctx_id < y->ctx_id ? -1 : 1;
	return x->object_id < y->object_id ? -1 : x->object_id > y->object_id;
}

/* Devices of a container have no ids. */
static int compare_devices(const void *a, const void *b)
{
	const struct iommufd_state_device *x = a, *y = b;
	int order = compare_objects(a, b);

	return order ? order : strncmp(x->device, y->device, sizeof(x->device));
}

/* Sort records and drop duplicates.  Return how many are left. */
static size_t sort(void *records, size_t nr, size_t size,
		   int (*compare)(const void *, const void *))
{
	char *list = records;
	size_t i, left = 0;

	if (!nr)
		return 0;
	qsort(list, nr, size, compare);
	for (i = 1; i < nr; i++)
		if (compare(list + left * size, list + i * size) && ++left != i)
			memcpy(list + left * size, list + i * size, size);
	return left + 1;
}

/* Before 6.8 a page table does not know its driver; an attached device does. */
static void name_drivers(struct state *state)
{
	struct iommufd_state_hwpt *hwpt;
	size_t i;

	for (i = 0; i < state->nr_devices; i++) {
		const struct iommufd_state_device *device = &state->devices[i];

		hwpt = (void *)state_hwpt(state, device->ctx_id, device->hwpt_id);
		if (hwpt && !*hwpt->iommu_driver)
			memcpy(hwpt->iommu_driver, device->iommu_driver,
			       sizeof(hwpt->iommu_driver));
	}
}

/* Count links between the records of the kernel's own iommufd. */
static void count_links(struct state *state)
{
	size_t i, j;

	for (i = 0; i < state->nr_hwpts; i++) {
		const struct iommufd_state_hwpt *hwpt = &state->hwpts[i];
		struct iommufd_state_ioas *ioas =
			(void *)state_ioas(state, hwpt->ctx_id, hwpt->ioas_id);

		if (ioas && ioas->source == IOMMUFD_STATE_SOURCE_UPSTREAM)
			ioas->hwpts++;
	}
	for (i = 0; i < state->nr_accesses; i++) {
		const struct iommufd_state_access *access = &state->accesses[i];
		struct iommufd_state_ioas *ioas =
			(void *)state_ioas(state, access->ctx_id, access->ioas_id);

		if (ioas && ioas->source == IOMMUFD_STATE_SOURCE_UPSTREAM)
			ioas->accesses++;
	}
	for (i = 0; i < state->nr_devices; i++) {
		struct iommufd_state_device *device = &state->devices[i];
		struct iommufd_state_hwpt *hwpt =
			(void *)state_hwpt(state, device->ctx_id, device->hwpt_id);

		if (device->source != IOMMUFD_STATE_SOURCE_UPSTREAM)
			continue;
		for (j = 0; j < state->nr_devices; j++)
			device->group_devices += state->devices[j].hwpt_id &&
						 state->devices[j].group_id == device->group_id;
		if (!hwpt)
			continue;
		hwpt->devices++;
		device->ioas_id = hwpt->ioas_id;
	}
}

static int read_own(struct state_reader *reader, struct state *state)
{
#define READ(array, kind) \
	(state->array =   \
		 read_all(reader, SCOPE_STATE_##kind, sizeof(*state->array), &state->nr_##array))
	return !open_own(reader) && READ(ctxs, ctx) && READ(devices, device) && READ(hwpts, hwpt) &&
			       READ(ioases, ioas) && READ(accesses, access) ?
		       0 :
		       -1;
#undef READ
}

static int read_others(struct state_reader *reader, unsigned int here, struct state *state)
{
	if (walks_read(reader->walks, here, add_record, state))
		return -1;
#define SORT(array, compare) \
	state->nr_##array = sort(state->array, state->nr_##array, sizeof(*state->array), compare)
	SORT(ctxs, compare_ctxs);
	SORT(devices, compare_devices);
	SORT(hwpts, compare_objects);
	SORT(ioases, compare_objects);
	SORT(accesses, compare_objects);
#undef SORT
	name_drivers(state);
	count_links(state);
	return 0;
}

int state_read(struct state_reader *reader, struct state *state)
{
	const unsigned int own = 1U << IOMMUFD_STATE_SOURCE_OWN;
	unsigned int here = sources(reader);

	memset(state, 0, sizeof(*state));
	state->taken_ns = now_ns();
	if (here && is_blocked(reader))
		return -1;
	if ((!(here & own) || !read_own(reader, state)) &&
	    (!(here & ~own) || !read_others(reader, here, state))) {
		clean_names(state);
		reader->loaded |= here != 0;
		return 0;
	}
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

int state_read_areas(struct state_reader *reader, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data)
{
	struct scope_state_walk walk = { .kind = SCOPE_STATE_area, .ctx = ctx, .object = ioas };
	struct iommufd_state_area area;
	unsigned int i;
	int err;

	if (source != IOMMUFD_STATE_SOURCE_OWN)
		return walks_read_areas(reader->walks, source, ctx, ioas, each, data);
	do {
		if (run(reader, &walk))
			return -1;
		for (i = 0; i < walk.nr; i++) {
			take(&area, sizeof(area), reader->slots[i]);
			area.pid = pids_here(area.pid);
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
