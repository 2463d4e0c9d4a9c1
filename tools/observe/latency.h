/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters and histograms of latency.bpf.c, summed over the CPUs.
 *
 * A struct latency reads the maps of a running BPF object.  Each reading adds the difference to the
 * previous one to two sets of series: one for the whole run, one since the last report.
 */
#ifndef IOMMUSCOPE_OBSERVE_LATENCY_H
#define IOMMUSCOPE_OBSERVE_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/latency.h"
#include "observe/latency/labels.h"
#include "observe/session.h"
#include "text/histogram.h"

struct filter;
struct ios_latency;
struct state;
struct state_reader;

/* Room for a label. */
#define LATENCY_LABEL_LEN 256
/* How often to call latency_make_room(). */
#define LATENCY_ROOM_EVERY_NS 1000000000ULL

/* Read at least this often: a bucket of 32 bits must not wrap twice between readings. */
#define LATENCY_READ_EVERY_NS 30000000000ULL

/**
 * struct latency_counters - what was counted of operations
 * @count: all of them
 * @errors: failed ones
 * @bytes: bytes of the successful ones
 * @pages: pages of the successful ones
 */
struct latency_counters {
	uint64_t count;
	uint64_t errors;
	uint64_t bytes;
	uint64_t pages;
};

/**
 * struct latency_series - operations of one kind under one label
 * @label: their device, IOAS, process or cgroup; "" for all
 * @operation: enum scope_operation
 * @source: enum scope_source
 * @ended: what the label names is gone
 * @shown: its user has seen these counts; see latency_mark_shown()
 * @folded: is being added to LATENCY_OTHERS
 * @counters: numbers of operations and of failures, bytes, pages
 * @nr_phases: number of phases of this kind of operation
 * @histograms: the whole operation first, then its phases
 */
struct latency_series {
	char *label;
	unsigned int operation;
	unsigned int source;
	bool ended;
	bool shown;
	bool folded;
	struct latency_counters counters;
	unsigned int nr_phases;
	struct histogram histograms[];
};

/**
 * struct latency_set - series, at most one for each label and operation
 * @series: sorted by label, then by time spent, longest first
 * @nr: number of series
 * @index: the series by label and operation
 */
struct latency_set {
	struct latency_series **series;
	size_t nr;
	void *index;
};

/**
 * struct latency_settings - what to count, and how
 * @filter: what to observe, or NULL for all
 * @by: what operations are split by
 * @limit: most labels; all others count as LATENCY_OTHERS
 * @wanted: a bit for each enum scope_operation
 * @slowest: number of slowest calls of each kind kept with their stacks, at most SCOPE_SLOWEST_MAX
 * @no_phases: do not time phases where that takes probes
 * @failures: count failures by their reason, for failures_read()
 */
struct latency_settings {
	const struct filter *filter;
	enum scope_dimension by;
	unsigned int limit;
	uint64_t wanted;
	unsigned int slowest;
	bool no_phases;
	bool failures;
};

/**
 * struct latency - a running observation
 * @session: its BPF programs
 * @skeleton: their maps and variables
 * @device: the device that is filtered by, or NULL
 * @limit: most labels at a time
 * @total: everything so far
 * @recent: everything since latency_forget_recent()
 * @unseen: the phases that cannot be observed
 * @snapshots: last reading of each entry of the maps
 * @labels: the labels of entries of the maps
 * @removed: number of values of the dimension whose entries were removed
 * @crowded_at: values that had got entries when latency_make_room() last made room
 */
struct latency {
	struct session session;
	struct ios_latency *skeleton;
	const char *device;
	unsigned int limit;
	struct latency_set total;
	struct latency_set recent;
	char unseen[128];
	void *snapshots;
	struct latency_labels labels;
	uint64_t removed;
	uint64_t crowded_at;
};

/**
 * latency_phase() - get the phase of a histogram of a series
 * @series: the series
 * @index: index of the histogram, from 1
 *
 * Return: enum scope_phase.
 */
unsigned int latency_phase(const struct latency_series *series, unsigned int index);

/**
 * latency_open() - load the programs
 * @latency: filled in; end it with latency_close() in any case
 * @settings: what to count
 *
 * Return: 0, or -1 after a message.
 */
int latency_open(struct latency *latency, const struct latency_settings *settings);

/**
 * latency_attach() - start counting
 * @latency: the observation
 *
 * Return: 0, or -1 after a message.
 */
int latency_attach(struct latency *latency);

/**
 * latency_extend() - count operations of modules that were loaded later, too
 * @latency: the observation, attached
 *
 * For session_follow().
 *
 * Return: 0, or -1 after a message.
 */
int latency_extend(struct latency *latency);

/**
 * latency_detach() - stop counting; the results can still be read
 * @latency: the observation
 */
void latency_detach(struct latency *latency);

/**
 * latency_read() - read the counters
 * @latency: the observation
 */
void latency_read(struct latency *latency);

/**
 * latency_remove_gone() - give entries back whose process, cgroup or IOAS is gone
 * @latency: the observation, just read
 * @state: contexts and IOASes that exist; NULL if that is not known, then IOASes keep their entries
 *
 * What they counted stays, under their label.  If there are very many such labels, the least busy
 * are folded into LATENCY_OTHERS.
 */
void latency_remove_gone(struct latency *latency, const struct state *state);

/**
 * latency_make_room() - latency_remove_gone(), if few labels are left
 * @latency: the observation
 * @given: reads the state; NULL to open another reader, which needs the privilege to load programs
 *
 * Call it every LATENCY_ROOM_EVERY_NS.  It also reads, and determines the state where needed.
 */
void latency_make_room(struct latency *latency, struct state_reader *given);

/**
 * latency_mark_shown() - the counts of all series have been shown
 * @latency: the observation
 */
void latency_mark_shown(struct latency *latency);

/**
 * latency_fold_shown() - fold ended labels into LATENCY_OTHERS whose last counts have been shown
 * @latency: the observation; read it afterwards, which sorts the series
 */
void latency_fold_shown(struct latency *latency);

/**
 * latency_forget_recent() - start the next report
 * @latency: the observation
 */
void latency_forget_recent(struct latency *latency);

/**
 * latency_overflowed() - operations that count as (others), beyond the limit
 * @latency: the observation
 *
 * Return: their number so far.
 */
uint64_t latency_overflowed(const struct latency *latency);

/**
 * latency_missed() - operations that may be missing because a probe was not run
 * @latency: the observation
 *
 * Return: upper bound of their number.
 */
uint64_t latency_missed(const struct latency *latency);

/**
 * latency_unseen() - the phases that cannot be observed on this kernel
 * @latency: the observation
 *
 * Return: a description, "" if there are none.
 */
const char *latency_unseen(const struct latency *latency);

/**
 * latency_close() - end the observation and free everything
 * @latency: the observation, or zeroes
 */
void latency_close(struct latency *latency);

#endif
