// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/pid_namespace.h"
#include "machine/processes.h"
#include "observe/latency.h"
#include "observe/state.h"
#include "text/name.h"
#include "text/output.h"

#define NO_DEVICE ", no device"

/*
 * @absent: an IOAS was not there in the previous call of latency_labels_gone()
 * @reading: when it was last looked up
 */
struct label {
	uint64_t value;
	uint64_t reading;
	bool absent;
	char text[LATENCY_LABEL_LEN];
};

static int compare_labels(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static int compare_attachments(const void *a, const void *b)
{
	const struct scope_attachment *x = a, *y = b;

	if (x->ioas != y->ioas)
		return x->ioas < y->ioas ? -1 : 1;
	return strncmp(x->device, y->device, sizeof(x->device));
}

/* Copy the devices of all IOASes: a look-up in the kernel for each label would take too long. */
static void read_attachments(struct latency_labels *labels)
{
	const struct bpf_map *map = labels->attachments_map;
	struct scope_attachment key, *previous = NULL;
	size_t room = bpf_map__max_entries(map);

	if (!labels->attachments)
		labels->attachments = calloc(room, sizeof(key));
	if (!labels->attachments)
		out_of_memory();
	labels->nr_attachments = 0;
	while (labels->nr_attachments < room &&
	       !bpf_map__get_next_key(map, previous, &key, sizeof(key))) {
		labels->attachments[labels->nr_attachments++] = key;
		previous = &key;
	}
	qsort(labels->attachments, labels->nr_attachments, sizeof(key), compare_attachments);
}

void latency_labels_begin_reading(struct latency_labels *labels)
{
	labels->reading++;
	if (labels->by == SCOPE_BY_DEVICE)
		read_attachments(labels);
}

static void device_of_number(const struct latency_labels *labels, uint64_t number, char *text, size_t size)
{
	const struct bpf_map *map = labels->devices_map;
	char name[SCOPE_DEVICE_LEN], *previous = NULL;
	uint64_t value;

	snprintf(text, size, "?");
	while (!bpf_map__get_next_key(map, previous, name, sizeof(name))) {
		previous = name;
		if (bpf_map__lookup_elem(map, name, sizeof(name), &value, sizeof(value), 0) ||
		    value != number)
			continue;
		snprintf(text, size, "%.*s", (int)sizeof(name), name);
		return;
	}
}

static void ioas_name(uint64_t ioas, char *text, size_t size)
{
	snprintf(text, size, "ctx %u ioas %u", (unsigned int)(ioas >> 32), (unsigned int)ioas);
}

/* Write all devices that are or were attached to an IOAS, or else the IOAS itself. */
static void devices_of_ioas(const struct latency_labels *labels, uint64_t ioas, char *text, size_t size)
{
	const struct scope_attachment *one = labels->attachments;
	const struct scope_attachment *end = one + labels->nr_attachments;
	size_t used = 0;

	*text = '\0';
	for (; one < end && used < size; one++)
		if (one->ioas == ioas)
			used += snprintf(text + used, size - used, "%s%.*s", used ? " " : "",
					 (int)sizeof(one->device), one->device);
	if (used)
		return;
	ioas_name(ioas, text, size);
	strcat(text, NO_DEVICE);
}

static void process_of_id(const struct latency_labels *labels, uint64_t tgid, char *text, size_t size)
{
	char comm[SCOPE_COMM_LEN];
	__u32 key = tgid;

	if (bpf_map__lookup_elem(labels->processes_map, &key, sizeof(key), comm,
				 sizeof(comm), 0))
		process_name(tgid, comm, sizeof(comm));
	snprintf(text, size, "%.*s [%s]", (int)sizeof(comm), comm, pid_text(key).s);
}

static void find_text(const struct latency_labels *labels, uint64_t value, char *text, size_t size)
{
	switch (labels->by) {
	case SCOPE_BY_NONE:
		*text = '\0';
		return;
	case SCOPE_BY_DEVICE:
		if (value & SCOPE_DIMENSION_DEVICE)
			device_of_number(labels, value & ~SCOPE_DIMENSION_DEVICE, text, size);
		else if ((unsigned int)value)
			devices_of_ioas(labels, value, text, size);
		else
			snprintf(text, size, "(no device)");
		break;
	case SCOPE_BY_IOAS:
		if ((unsigned int)value)
			ioas_name(value, text, size);
		else
			snprintf(text, size, "(no ioas)");
		break;
	case SCOPE_BY_PROCESS:
		process_of_id(labels, value, text, size);
		break;
	case SCOPE_BY_CGROUP:
		cgroup_path(value, text, size);
		break;
	}
	name_clean(text, size);
}

const char *latency_labels_find(struct latency_labels *labels, uint64_t value, char *before, size_t size)
{
	struct label wanted = { .value = value }, *label;
	void *found = tfind(&wanted, &labels->tree, compare_labels);

	*before = '\0';
	if (!found) {
		label = calloc(1, sizeof(*label));
		if (!label)
			out_of_memory();
		label->value = value;
		label->reading = labels->reading;
		if (!tsearch(label, &labels->tree, compare_labels))
			out_of_memory();
		labels->nr++;
		find_text(labels, value, label->text, sizeof(label->text));
		return label->text;
	}
	label = *(struct label **)found;
	if (labels->by != SCOPE_BY_DEVICE || label->reading == labels->reading)
		return label->text;
	label->reading = labels->reading;
	snprintf(before, size, "%s", label->text);
	find_text(labels, value, label->text, sizeof(label->text));
	if (!strcmp(before, label->text) || !strstr(before, NO_DEVICE))
		*before = '\0';
	return label->text;
}

/*
 * A search for labels that are gone.
 * @there: the IOASes and contexts that exist, as values of a dimension; sorted
 * @list: what is gone, found before the tree changes
 */
struct search {
	const struct latency_labels *labels;
	uint64_t *there;
	size_t nr_there;
	struct label **list;
	size_t nr;
};

static int compare_values(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void note_state(struct search *search, const struct state *state)
{
	size_t i;

	search->there = calloc(state->nr_ctxs + state->nr_ioases + 1, sizeof(*search->there));
	if (!search->there)
		out_of_memory();
	for (i = 0; i < state->nr_ctxs; i++)
		search->there[search->nr_there++] = (uint64_t)state->ctxs[i].ctx_id << 32;
	for (i = 0; i < state->nr_ioases; i++)
		search->there[search->nr_there++] = (uint64_t)state->ioases[i].ctx_id << 32 |
						    state->ioases[i].ioas_id;
	/* what belongs to no context */
	search->nr_there++;
	qsort(search->there, search->nr_there, sizeof(*search->there), compare_values);
}

static bool is_gone(const struct search *search, struct label *label)
{
	bool before = label->absent;

	switch (search->labels->by) {
	case SCOPE_BY_PROCESS:
		return !process_exists(label->value);
	case SCOPE_BY_CGROUP:
		return !cgroup_exists(label->value);
	case SCOPE_BY_DEVICE:
	case SCOPE_BY_IOAS:
		if (!search->there || label->value & SCOPE_DIMENSION_DEVICE)
			return false;
		label->absent = !bsearch(&label->value, search->there, search->nr_there,
					 sizeof(label->value), compare_values);
		return before && label->absent;
	default:
		return false;
	}
}

/* Can only this value have the label?  Devices outlive their IOASes, and share them. */
static bool is_sole(const struct latency_labels *labels, const struct label *label)
{
	return *label->text != '(' &&
	       (labels->by != SCOPE_BY_DEVICE || strstr(label->text, NO_DEVICE));
}

static void note_gone(const void *node, VISIT visit, void *closure)
{
	struct label *label = *(struct label *const *)node;
	struct search *search = closure;

	if ((visit == postorder || visit == leaf) && is_gone(search, label))
		search->list[search->nr++] = label;
}

void latency_labels_gone(struct latency_labels *labels, const struct state *state,
		 void (*gone)(void *context, uint64_t value, const char *label, bool ended),
		 void *context)
{
	struct search search = { .labels = labels };
	struct label *label;
	size_t i;

	search.list = calloc(labels->nr + 1, sizeof(*search.list));
	if (!search.list)
		out_of_memory();
	if (state)
		note_state(&search, state);
	twalk_r(labels->tree, note_gone, &search);
	for (i = 0; i < search.nr; i++) {
		label = search.list[i];
		gone(context, label->value, label->text, is_sole(labels, label));
		tdelete(label, &labels->tree, compare_labels);
		free(label);
		labels->nr--;
	}
	free(search.list);
	free(search.there);
}

void latency_labels_free(struct latency_labels *labels)
{
	tdestroy(labels->tree, free);
	free(labels->attachments);
	labels->tree = NULL;
	labels->attachments = NULL;
	labels->nr = 0;
}
