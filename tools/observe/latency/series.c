// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of series: one series for each label and operation.  series.h describes the model.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "observe/latency.h"
#include "observe/latency/series.h"
#include "text/output.h"

static const unsigned int phases_of_class[SCOPE_NR_CLASSES] = {
	[SCOPE_CLASS_MEMORY] = SCOPE_NR_MEMORY_PHASES,
	[SCOPE_CLASS_TRANSLATION] = 1 + SCOPE_NR_TRANSLATION_PHASES,
	[SCOPE_CLASS_OBJECT] = 1,
	[SCOPE_CLASS_VFIO] = SCOPE_NR_VFIO_PHASES,
};

unsigned int latency_phases_of_class(enum scope_class class)
{
	return phases_of_class[class];
}

/* Order of the index. */
static int compare_keys(const void *a, const void *b)
{
	const struct latency_series *x = a, *y = b;

	if (x->operation != y->operation)
		return x->operation < y->operation ? -1 : 1;
	return strcmp(x->label, y->label);
}

static struct latency_series *find(const struct latency_set *set, const char *label,
				   unsigned int operation)
{
	const struct latency_series wanted = { .label = (char *)label, .operation = operation };
	struct latency_series **found = tfind(&wanted, &set->index, compare_keys);

	return found ? *found : NULL;
}

struct latency_series *latency_series_of(struct latency_set *set, const char *label,
					 unsigned int operation)
{
	struct latency_series *series = find(set, label, operation);
	unsigned int nr_phases;

	if (series) {
		series->ended = series->shown = false;
		return series;
	}
	nr_phases = phases_of_class[scope_operation_class(operation)];
	series = calloc(1, sizeof(*series) + (1 + nr_phases) * sizeof(series->histograms[0]));
	if (!series)
		out_of_memory();
	series->label = strdup(label);
	series->operation = operation;
	series->source = session_source(operation);
	series->nr_phases = nr_phases;
	set->series = reallocarray(set->series, set->nr + 1, sizeof(*set->series));
	if (!set->series || !series->label || !tsearch(series, &set->index, compare_keys))
		out_of_memory();
	set->series[set->nr++] = series;
	return series;
}

/* Add a series to that of another label, and free it.  The caller removes it from the array. */
static void move(struct latency_set *set, struct latency_series *series, const char *to)
{
	struct latency_series *other = latency_series_of(set, to, series->operation);
	unsigned int h;

	other->counters.count += series->counters.count;
	other->counters.errors += series->counters.errors;
	other->counters.bytes += series->counters.bytes;
	other->counters.pages += series->counters.pages;
	for (h = 0; h <= series->nr_phases; h++)
		histogram_add(&other->histograms[h], &series->histograms[h]);
	tdelete(series, &set->index, compare_keys);
	free(series->label);
	free(series);
}

void latency_set_rename(struct latency_set *set, const char *from, const char *to)
{
	struct latency_series *series;
	size_t i;

	for (i = 0; i < set->nr; i++) {
		series = set->series[i];
		if (strcmp(series->label, from))
			continue;
		/* that can append to the array */
		move(set, series, to);
		set->series[i--] = set->series[--set->nr];
	}
}

void latency_set_end(struct latency_set *set, const char *label)
{
	struct latency_series *series;
	unsigned int operation;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		series = find(set, label, operation);
		if (!series)
			continue;
		series->ended = true;
		/* what was shown was not the last of it */
		series->shown = false;
	}
}

static uint64_t operations_of(const struct latency_set *set, const char *label)
{
	const struct latency_series *series;
	unsigned int operation;
	uint64_t sum = 0;

	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		series = find(set, label, operation);
		sum += series ? series->counters.count : 0;
	}
	return sum;
}

/* A series that can be folded, and how many operations its label has in all. */
struct candidate {
	struct latency_series *series;
	uint64_t operations;
};

/* The least busy labels first, each with all of its series. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->operations != y->operations)
		return x->operations < y->operations ? -1 : 1;
	return strcmp(x->series->label, y->series->label);
}

/* The ended series, those first that are folded first. */
static struct candidate *candidates_in(const struct latency_set *set, bool shown_only, bool busiest,
				       size_t *nr)
{
	struct candidate *candidates = calloc(set->nr + 1, sizeof(*candidates));
	struct latency_series *series;
	size_t i;

	if (!candidates)
		out_of_memory();
	*nr = 0;
	for (i = 0; i < set->nr; i++) {
		series = set->series[i];
		if (series->ended && (series->shown || !shown_only))
			candidates[(*nr)++].series = series;
	}
	for (i = 0; busiest && i < *nr; i++)
		candidates[i].operations = operations_of(set, candidates[i].series->label);
	qsort(candidates, *nr, sizeof(*candidates), compare_candidates);
	return candidates;
}

void latency_set_fold(struct latency_set *set, size_t most, bool shown_only)
{
	struct candidate *candidates;
	size_t nr, i, kept = 0;

	candidates = candidates_in(set, shown_only, most, &nr);
	nr = nr > most ? nr - most : 0;
	for (i = 0; i < nr; i++)
		candidates[i].series->folded = true;
	for (i = 0; i < set->nr; i++)
		if (!set->series[i]->folded)
			set->series[kept++] = set->series[i];
	set->nr = kept;
	for (i = 0; i < nr; i++)
		move(set, candidates[i].series, LATENCY_OTHERS);
	free(candidates);
}

/* Order for readers. */
static int compare_series(const void *a, const void *b)
{
	const struct latency_series *x = *(struct latency_series *const *)a;
	const struct latency_series *y = *(struct latency_series *const *)b;
	int order = strcmp(x->label, y->label);

	if (order)
		return order;
	if (x->histograms[0].sum != y->histograms[0].sum)
		return x->histograms[0].sum > y->histograms[0].sum ? -1 : 1;
	return (int)x->operation - (int)y->operation;
}

void latency_set_sort(struct latency_set *set)
{
	if (set->nr)
		qsort(set->series, set->nr, sizeof(*set->series), compare_series);
}

static void keep_node(void *node)
{
	(void)node;
}

void latency_set_free(struct latency_set *set)
{
	size_t i;

	tdestroy(set->index, keep_node);
	set->index = NULL;
	for (i = 0; i < set->nr; i++) {
		free(set->series[i]->label);
		free(set->series[i]);
	}
	free(set->series);
	set->series = NULL;
	set->nr = 0;
}
