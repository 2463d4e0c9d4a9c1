// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of the map of each class are one struct scope_counters and 1 + phases histograms.
 * So one function, which knows the number of phases, reads all classes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/latency.skel.h"
#include "bpf/latency_probed.skel.h"
#include "bpf/slowest.h"
#include "observe/attachments.h"
#include "observe/filter.h"
#include "observe/latency.h"
#include "observe/latency/series.h"
#include "observe/state.h"
#include "text/output.h"

/* How many series of labels that have ended are kept, for each label that --limit allows. */
#define ENDED_OF_LABEL 8
/* the cpu in the key of a snapshot of an overflow entry */
#define CPU_OVERFLOW (~0U)

/* An entry of a map, whatever its class. */
struct latency_entry {
	struct scope_counters counters;
	struct scope_histogram histograms[];
};

#define ENTRY_SIZE(nr_phases)                                                                      \
	(sizeof(struct latency_entry) + (1 + (nr_phases)) * sizeof(struct scope_histogram))

_Static_assert(sizeof(struct scope_memory_latency) % 8 == 0,
	       "the kernel lays the CPUs' entries out one behind the other");
_Static_assert(sizeof(struct scope_memory_latency) == ENTRY_SIZE(SCOPE_NR_MEMORY_PHASES),
	       "memory entries are as struct latency_entry says");
_Static_assert(sizeof(struct scope_translation_latency) ==
	       ENTRY_SIZE(1 + SCOPE_NR_TRANSLATION_PHASES),
	       "translation entries are as struct latency_entry says");
_Static_assert(sizeof(struct scope_object_latency) == ENTRY_SIZE(1),
	       "object entries are as struct latency_entry says");
_Static_assert(sizeof(struct scope_overflow) == ENTRY_SIZE(0),
	       "overflow entries are as struct latency_entry says");
_Static_assert(sizeof(struct scope_vfio_latency) == ENTRY_SIZE(SCOPE_NR_VFIO_PHASES),
	       "vfio entries are as struct latency_entry says");

struct snapshot {
	struct scope_latency_key key;
	struct latency_entry entry;
};

static struct bpf_map *map_of_class(struct ios_latency *skeleton, enum scope_class class)
{
	switch (class) {
	case SCOPE_CLASS_MEMORY:
		return skeleton->maps.ios_memory_latency;
	case SCOPE_CLASS_TRANSLATION:
		return skeleton->maps.ios_translation_latency;
	case SCOPE_CLASS_OBJECT:
		return skeleton->maps.ios_object_latency;
	default:
		return skeleton->maps.ios_vfio_latency;
	}
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		out_of_memory();
	return memory;
}

unsigned int latency_phase(const struct latency_series *series, unsigned int index)
{
	enum scope_class class = scope_operation_class(series->operation);
	unsigned int phase;

	for (phase = 0; phase < SCOPE_NR_PHASES; phase++)
		if (scope_has_phase(class, phase) && !--index)
			break;
	return phase;
}

/* Are all maps and unmaps counted, in the entries that always exist? */
static bool counts_plainly(const struct ios_latency *skeleton)
{
	const __u64 frequent = 1ULL << SCOPE_OPERATION_iommufd_map |
			       1ULL << SCOPE_OPERATION_iommufd_unmap |
			       1ULL << SCOPE_OPERATION_type1_map |
			       1ULL << SCOPE_OPERATION_type1_unmap;

	return skeleton->rodata->by == SCOPE_BY_NONE &&
	       !(skeleton->rodata->keep & SCOPE_KEEP_SLOWEST) &&
	       (skeleton->rodata->wanted & frequent) == frequent &&
	       !skeleton->rodata->filter.tgid && !skeleton->rodata->filter.ctx &&
	       !skeleton->rodata->filter.cgroup && !skeleton->rodata->filter.by_device;
}

/* Size the maps and set the knobs; the filter is set already. */
static void prepare(struct ios_latency *skeleton, const struct latency_settings *settings)
{
	unsigned int operations[SCOPE_NR_CLASSES] = {}, i;
	unsigned int cpus = libbpf_num_possible_cpus(), labels = 1;
	enum scope_class class;

	if (settings->by != SCOPE_BY_NONE) {
		cpus = cpus < SCOPE_STRIPES ? cpus : SCOPE_STRIPES;
		labels = settings->limit;
	}
	bpf_map__set_max_entries(skeleton->maps.ios_labels, labels);
	for (i = 0; i < SCOPE_NR_OPERATIONS; i++)
		operations[scope_operation_class(i)]++;
	for (class = 0; class < SCOPE_NR_CLASSES; class++)
		bpf_map__set_max_entries(map_of_class(skeleton, class),
					 cpus * operations[class] * labels);
	for (i = 0; i < SCOPE_SMALL_NS; i++)
		*(__u8 *)&skeleton->rodata->small_buckets[i] = scope_bucket(i);
	if (settings->slowest) {
		skeleton->rodata->keep |= SCOPE_KEEP_SLOWEST;
		skeleton->rodata->slowest_kept = settings->slowest;
		bpf_map__set_max_entries(skeleton->maps.ios_slowest_sent, SCOPE_NR_OPERATIONS);
		bpf_map__set_max_entries(skeleton->maps.ios_slowest_stacks, SCOPE_SLOWEST_ROOM);
	}
	if (settings->failures)
		skeleton->rodata->keep |= SCOPE_KEEP_FAILURES;
	skeleton->rodata->wanted = settings->wanted;
	skeleton->rodata->by = settings->by;
	skeleton->rodata->plain = counts_plainly(skeleton);
}

int latency_open(struct latency *latency, const struct latency_settings *settings)
{
	memset(latency, 0, sizeof(*latency));
	latency->labels.by = settings->by;
	latency->limit = settings->limit;
	latency->device = settings->filter ? settings->filter->device : NULL;
	latency->skeleton =
		SESSION_OPEN(&latency->session, latency, SESSION_RECORDS, settings->filter);
	if (!latency->skeleton || SESSION_ADD_PROBED(&latency->session, latency))
		return -1;
	latency->session.no_phases = settings->no_phases;
	latency->labels.devices_map = latency->skeleton->maps.ios_devices;
	latency->labels.attachments_map = latency->skeleton->maps.ios_attachments;
	latency->labels.processes_map = latency->skeleton->maps.ios_processes;
	prepare(latency->skeleton, settings);
	if (session_load(&latency->session))
		return -1;
	session_unseen(&latency->session, latency->unseen, sizeof(latency->unseen));
	return 0;
}

static void know_attachments(struct latency *latency)
{
	if (session_has_types() && (latency->labels.by == SCOPE_BY_DEVICE || latency->device))
		attachments_know(&latency->session, latency->device);
}

int latency_attach(struct latency *latency)
{
	if (session_attach(&latency->session))
		return -1;
	know_attachments(latency);
	return 0;
}

int latency_extend(struct latency *latency)
{
	int err = SESSION_EXTEND(&latency->session, latency, SESSION_RECORDS,
				 session_has_probed());

	session_unseen(&latency->session, latency->unseen, sizeof(latency->unseen));
	know_attachments(latency);
	return err;
}

void latency_detach(struct latency *latency)
{
	session_detach(&latency->session);
}

/* The label of an entry. */
static const char *label_of(struct latency *latency, const struct scope_latency_key *key)
{
	char before[LATENCY_LABEL_LEN];
	const char *label;

	if (key->cpu == CPU_OVERFLOW)
		return LATENCY_OTHERS;
	label = latency_labels_find(&latency->labels, key->dimension, before, sizeof(before));
	if (*before) {
		latency_set_rename(&latency->total, before, label);
		latency_set_rename(&latency->recent, before, label);
	}
	return label;
}

static uint64_t operations_in(const struct latency_entry *entry)
{
	return entry->counters.successes + entry->counters.errors;
}

/* Add the difference of @now and @last; entries have all of @nr_phases or none. */
static void add_difference(struct latency_series *series, unsigned int nr_phases,
			   const struct latency_entry *now, const struct latency_entry *last)
{
	uint64_t errors = now->counters.errors - last->counters.errors;
	const struct scope_histogram *from, *before;
	struct histogram *to;
	unsigned int i, b;
	uint32_t more;

	series->counters.count += now->counters.successes - last->counters.successes + errors;
	series->counters.errors += errors;
	series->counters.bytes += now->counters.bytes - last->counters.bytes;
	series->counters.pages += now->counters.pages - last->counters.pages;
	for (i = 0; i <= nr_phases; i++) {
		from = &now->histograms[i];
		before = &last->histograms[i];
		to = &series->histograms[i];
		to->sum += from->sum - before->sum;
		for (b = 0; b < SCOPE_NR_BUCKETS; b++) {
			more = from->buckets[b] - before->buckets[b];
			to->buckets[b] += more;
			to->count += more;
		}
	}
}

/* The kernel's maximum covers the whole run; a recent one is known by its last bucket. */
static void set_maxima(struct latency_series *series, unsigned int nr_phases,
		       const struct latency_entry *now, bool recent)
{
	struct histogram *to;
	uint64_t max, bound;
	unsigned int i;

	for (i = 0; i <= nr_phases; i++) {
		to = &series->histograms[i];
		max = now->histograms[i].max;
		bound = histogram_bound(to);
		if (recent && bound < max && to->buckets[SCOPE_NR_BUCKETS - 1] == 0)
			max = bound;
		if (max > to->max)
			to->max = max;
	}
}

static int compare_snapshots(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* Process an entry that was read into @now, which belongs to the caller. */
static void add_entry(struct latency *latency, struct snapshot *now, unsigned int nr_phases)
{
	size_t size = offsetof(struct snapshot, entry) + ENTRY_SIZE(nr_phases);
	const struct scope_latency_key *key = &now->key;
	struct latency_series *series;
	struct snapshot *last;
	const char *label;
	void *found;

	if (!operations_in(&now->entry))
		return;
	found = tsearch(now, &latency->snapshots, compare_snapshots);
	if (!found)
		out_of_memory();
	last = *(struct snapshot **)found;
	if (last == now) {
		/* a new entry: all of it is recent */
		last = allocate(size);
		last->key = *key;
		*(struct snapshot **)found = last;
	}
	label = label_of(latency, key);
	series = latency_series_of(&latency->total, label, key->operation);
	add_difference(series, nr_phases, &now->entry, &last->entry);
	set_maxima(series, nr_phases, &now->entry, false);
	if (operations_in(&now->entry) != operations_in(&last->entry)) {
		series = latency_series_of(&latency->recent, label, key->operation);
		add_difference(series, nr_phases, &now->entry, &last->entry);
		set_maxima(series, nr_phases, &now->entry, true);
	}
	memcpy(last, now, size);
}

static void read_class(struct latency *latency, enum scope_class class, struct snapshot *now)
{
	struct bpf_map *map = map_of_class(latency->skeleton, class);
	unsigned int nr_phases = latency_phases_of_class(class);
	struct scope_latency_key *previous = NULL;

	while (!bpf_map__get_next_key(map, previous, &now->key, sizeof(now->key))) {
		previous = &now->key;
		if (!bpf_map__lookup_elem(map, &now->key, sizeof(now->key), &now->entry,
					  ENTRY_SIZE(nr_phases), 0))
			add_entry(latency, now, nr_phases);
	}
}

/* Read the entries of frequent operations; each look-up returns those of all CPUs. */
static void read_frequent(struct latency *latency, struct snapshot *now)
{
	static const unsigned int operations[SCOPE_NR_FREQUENT] = {
		[SCOPE_FREQUENT_MAP] = SCOPE_OPERATION_iommufd_map,
		[SCOPE_FREQUENT_UNMAP] = SCOPE_OPERATION_iommufd_unmap,
		[SCOPE_FREQUENT_TYPE1_MAP] = SCOPE_OPERATION_type1_map,
		[SCOPE_FREQUENT_TYPE1_UNMAP] = SCOPE_OPERATION_type1_unmap,
	};
	size_t size = ENTRY_SIZE(SCOPE_NR_MEMORY_PHASES);
	int cpus = libbpf_num_possible_cpus(), cpu;
	char *entries = allocate(cpus * size);
	__u32 index;

	for (index = 0; index < SCOPE_NR_FREQUENT; index++) {
		if (bpf_map__lookup_elem(latency->skeleton->maps.ios_frequent, &index,
					 sizeof(index), entries, cpus * size, 0))
			continue;
		for (cpu = 0; cpu < cpus; cpu++) {
			now->key = (struct scope_latency_key){
				.cpu = cpu, .operation = operations[index],
			};
			memcpy(&now->entry, entries + cpu * size, size);
			add_entry(latency, now, SCOPE_NR_MEMORY_PHASES);
		}
	}
	free(entries);
}

static void read_overflow(struct latency *latency, struct snapshot *now)
{
	struct bpf_map *map = latency->skeleton->maps.ios_overflow;
	__u32 operation;

	if (!latency_overflowed(latency))
		return;
	memset(&now->key, 0, sizeof(now->key));
	now->key.cpu = CPU_OVERFLOW;
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		now->key.operation = operation;
		if (!bpf_map__lookup_elem(map, &operation, sizeof(operation), &now->entry,
					  ENTRY_SIZE(0), 0))
			add_entry(latency, now, 0);
	}
}

void latency_read(struct latency *latency)
{
	struct snapshot *now;
	enum scope_class class;

	now = allocate(offsetof(struct snapshot, entry) + ENTRY_SIZE(SCOPE_NR_PHASES));
	latency_labels_begin_reading(&latency->labels);
	for (class = 0; class < SCOPE_NR_CLASSES; class++)
		read_class(latency, class, now);
	if (latency->labels.by == SCOPE_BY_NONE)
		read_frequent(latency, now);
	read_overflow(latency, now);
	free(now);
	latency_set_sort(&latency->total);
	latency_set_sort(&latency->recent);
}

/* A search for values of the dimension that are gone; @now is room for an entry. */
struct removal {
	struct latency *latency;
	struct snapshot *now;
	unsigned int nr;
};

/* Count what an entry has got since it was read, and remove it. */
static void remove_entry(struct latency *latency, const struct scope_latency_key *key,
			 struct snapshot *now)
{
	enum scope_class class = scope_operation_class(key->operation);
	struct bpf_map *map = map_of_class(latency->skeleton, class);
	unsigned int nr_phases = latency_phases_of_class(class);
	struct snapshot *last;
	void *found;

	now->key = *key;
	found = tfind(now, &latency->snapshots, compare_snapshots);
	if (!found)
		return;
	last = *(struct snapshot **)found;
	if (!bpf_map__lookup_and_delete_elem(map, key, sizeof(*key), &now->entry,
					     ENTRY_SIZE(nr_phases), 0))
		add_entry(latency, now, nr_phases);
	tdelete(last, &latency->snapshots, compare_snapshots);
	free(last);
}

/* A value of the dimension is gone: its entries are free for others. */
static void remove_value(void *context, uint64_t value, const char *label, bool ended)
{
	struct scope_latency_key key = { .dimension = value };
	struct removal *removal = context;
	struct latency *latency = removal->latency;
	__u32 tgid = value;

	for (key.operation = 0; key.operation < SCOPE_NR_OPERATIONS; key.operation++)
		for (key.cpu = 0; key.cpu < SCOPE_STRIPES; key.cpu++)
			remove_entry(latency, &key, removal->now);
	bpf_map__delete_elem(latency->skeleton->maps.ios_labels, &value, sizeof(value), 0);
	if (latency->labels.by == SCOPE_BY_PROCESS)
		bpf_map__delete_elem(latency->skeleton->maps.ios_processes, &tgid, sizeof(tgid), 0);
	if (ended)
		latency_set_end(&latency->total, label);
	removal->nr++;
}

void latency_remove_gone(struct latency *latency, const struct state *state)
{
	struct removal removal = { .latency = latency };

	if (latency->labels.by == SCOPE_BY_NONE)
		return;
	removal.now = allocate(offsetof(struct snapshot, entry) + ENTRY_SIZE(SCOPE_NR_PHASES));
	latency_labels_gone(&latency->labels, state, remove_value, &removal);
	free(removal.now);
	if (!removal.nr)
		return;
	latency->removed += removal.nr;
	latency_set_fold(&latency->total, ENDED_OF_LABEL * latency->limit, false);
	latency_set_sort(&latency->total);
	latency_set_sort(&latency->recent);
}

/* Is little room left, and less than last time? */
static bool is_crowded(const struct latency *latency)
{
	uint64_t added = latency->skeleton->bss->labels_added;

	return latency->labels.by != SCOPE_BY_NONE && added != latency->crowded_at &&
	       added - latency->removed >= latency->limit - latency->limit / 4;
}

void latency_make_room(struct latency *latency, struct state_reader *given)
{
	bool needs_state = latency->labels.by == SCOPE_BY_DEVICE ||
			   latency->labels.by == SCOPE_BY_IOAS;
	struct state_reader *reader = given;
	struct state state;

	if (!is_crowded(latency))
		return;
	latency->crowded_at = latency->skeleton->bss->labels_added;
	latency_read(latency);
	if (needs_state && !given)
		reader = state_open();
	if (needs_state && reader && !state_read(reader, &state)) {
		latency_remove_gone(latency, &state);
		state_free(&state);
	} else {
		latency_remove_gone(latency, NULL);
	}
	if (!given)
		state_close(reader);
}

void latency_mark_shown(struct latency *latency)
{
	size_t i;

	for (i = 0; i < latency->total.nr; i++)
		latency->total.series[i]->shown = true;
}

void latency_fold_shown(struct latency *latency)
{
	latency_set_fold(&latency->total, 0, true);
}

void latency_forget_recent(struct latency *latency)
{
	latency_set_free(&latency->recent);
}

uint64_t latency_overflowed(const struct latency *latency)
{
	return latency->skeleton->bss->overflowed;
}

const char *latency_unseen(const struct latency *latency)
{
	return latency->unseen;
}

uint64_t latency_missed(const struct latency *latency)
{
	return session_missed(&latency->session);
}

void latency_close(struct latency *latency)
{
	session_close(&latency->session);
	latency->skeleton = NULL;
	latency_set_free(&latency->total);
	latency_set_free(&latency->recent);
	tdestroy(latency->snapshots, free);
	latency_labels_free(&latency->labels);
}
