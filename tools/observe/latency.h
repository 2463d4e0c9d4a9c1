/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What latency.bpf.c has counted, added up over the CPUs.
 *
 * A struct latency reads the maps of a running BPF object.  Each reading adds what has come since
 * the one before to two sets of series: one for the whole run, one since the last report.
 */
#ifndef IOMMUSCOPE_OBSERVE_LATENCY_H
#define IOMMUSCOPE_OBSERVE_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/latency.h"
#include "observe/session.h"
#include "text/histogram.h"

struct filter;
struct ios_latency;

/* Read at least that often: a bucket of 32 bits must not wrap twice unseen. */
#define LATENCY_READ_EVERY_NS 30000000000ULL

/**
 * struct latency_series - operations of one kind under one label
 * @label: what they have in common: a device, an IOAS, a process, a cgroup; "" for all
 * @operation: enum scope_operation
 * @source: enum scope_source
 * @counters: how many, how many failed, bytes, pages
 * @nr_phases: how many phases this kind of operation has
 * @histograms: the whole operation first, then its phases
 */
struct latency_series {
	char *label;
	unsigned int operation;
	unsigned int source;
	struct scope_counters counters;
	unsigned int nr_phases;
	struct histogram histograms[];
};

/**
 * struct latency_set - series, at most one for each label and operation
 * @series: sorted by label, then by the time spent, the longest first
 * @nr: how many
 */
struct latency_set {
	struct latency_series **series;
	size_t nr;
};

/**
 * struct latency_settings - what to count, and how
 * @filter: what to observe, or NULL for all
 * @by: by what operations are told apart
 * @limit: how many pairs of operation and label each class may have on a CPU
 * @wanted: a bit for each enum scope_operation
 * @slowest: how many of the slowest of each kind are kept with their stacks, at most SCOPE_SLOWEST_MAX
 * @no_phases: where operations are probed, do not look into them
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
 * @by: by what operations are told apart
 * @total: everything so far
 * @recent: what has come since latency_forget_recent()
 * @unseen: the phases that are not seen
 * @snapshots: last reading of each entry of the maps
 * @labels: names of dimensions that are known, since processes end
 */
struct latency {
	struct session session;
	struct ios_latency *skeleton;
	const char *device;
	enum scope_dimension by;
	struct latency_set total;
	struct latency_set recent;
	char unseen[128];
	void *snapshots;
	void *labels;
};

/**
 * latency_phase() - which phase a histogram of a series is of
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
 * Return: 0, or -1 after it has said what failed.
 */
int latency_open(struct latency *latency, const struct latency_settings *settings);

/**
 * latency_attach() - begin to count
 * @latency: the observation
 *
 * Return: 0, or -1 after it has said what failed.
 */
int latency_attach(struct latency *latency);

/**
 * latency_detach() - count no more; what was counted can still be read
 * @latency: the observation
 */
void latency_detach(struct latency *latency);

/**
 * latency_read() - read what has been counted
 * @latency: the observation
 */
void latency_read(struct latency *latency);

/**
 * latency_forget_recent() - a report has been made: begin the next one
 * @latency: the observation
 */
void latency_forget_recent(struct latency *latency);

/**
 * latency_overflowed() - operations whose label found no room
 * @latency: the observation
 *
 * Return: how many there were so far.
 */
uint64_t latency_overflowed(const struct latency *latency);

/**
 * latency_missed() - operations that may not have been counted, since a probe was not run
 * @latency: the observation
 *
 * Return: how many at most.
 */
uint64_t latency_missed(const struct latency *latency);

/**
 * latency_unseen() - the phases that are not seen on this kernel
 * @latency: the observation
 *
 * Return: in words, "" if there are none.
 */
const char *latency_unseen(const struct latency *latency);

/**
 * latency_close() - end the observation and free everything
 * @latency: the observation, or zeroes
 */
void latency_close(struct latency *latency);

#endif
