/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of series: one series for each label and operation.
 *
 * A set is an array, which readers see, and an index of it by label and operation.  Labels of
 * processes come and go, so a series can end: nothing will count under its label any more.  Ended
 * series are kept until they are folded into those of LATENCY_OTHERS.
 */
#ifndef IOMMUSCOPE_OBSERVE_LATENCY_SERIES_H
#define IOMMUSCOPE_OBSERVE_LATENCY_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/lists.h"

struct latency_series;
struct latency_set;

/* The label of operations without a label of their own. */
#define LATENCY_OTHERS "(others)"

/**
 * latency_phases_of_class() - number of phases of operations of a class
 * @class: the class
 *
 * Return: the number.
 */
unsigned int latency_phases_of_class(enum scope_class class);

/**
 * latency_series_of() - find or add a series
 * @set: the set
 * @label: its label
 * @operation: enum scope_operation
 *
 * Return: the series.  It has not ended.
 */
struct latency_series *latency_series_of(struct latency_set *set, const char *label,
					 unsigned int operation);

/**
 * latency_set_rename() - move all series of a label to another label
 * @set: the set
 * @from: the label
 * @to: the other label; what it has counted is added
 */
void latency_set_rename(struct latency_set *set, const char *from, const char *to);

/**
 * latency_set_end() - mark the series of a label as ended
 * @set: the set
 * @label: the label
 */
void latency_set_end(struct latency_set *set, const char *label);

/**
 * latency_set_fold() - add ended series to those of LATENCY_OTHERS, and remove them
 * @set: the set
 * @most: number of ended series to keep; the busiest labels keep theirs
 * @shown_only: fold only those that have been shown
 */
void latency_set_fold(struct latency_set *set, size_t most, bool shown_only);

/**
 * latency_set_sort() - sort the array for readers
 * @set: the set
 */
void latency_set_sort(struct latency_set *set);

/**
 * latency_set_free() - remove all series
 * @set: the set
 */
void latency_set_free(struct latency_set *set);

#endif
