/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommuscope export observes, whoever asks for it.
 *
 * The programs count in the kernel all the time.  exporter_refresh() reads what they have counted;
 * what serves requests then finds it here.  Refreshing may take a fifth of the time at most, beyond
 * half a second that may be saved up: if more is asked for, some get what was read last.
 */
#ifndef IOMMUSCOPE_EXPORT_EXPORTER_H
#define IOMMUSCOPE_EXPORT_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/failures.h"
#include "observe/inflight.h"
#include "observe/latency.h"
#include "observe/replacement.h"
#include "observe/state.h"
#include "text/token_bucket.h"

struct server_counters;

/* So many of the last replacements are kept. */
#define EXPORT_REPLACEMENTS 32
/* How often exporter_watch() wants to be called. */
#define EXPORT_WATCH_EVERY_NS 1000000000ULL

/**
 * struct export_settings - what the command line says
 * @by: what operations are told apart by, besides their kind
 * @limit: how many operations of a device (...) are told apart on each CPU
 * @max_objects: how many contexts, devices and IOASes of each have metrics of their own
 * @processes: name the processes of contexts
 * @stuck_after_ns: operations under way for longer are stuck
 */
struct export_settings {
	enum scope_dimension by;
	unsigned int limit;
	unsigned int max_objects;
	bool processes;
	uint64_t stuck_after_ns;
};

/**
 * struct export_cost - what the exporter itself takes
 * @cpu_ns: CPU time of the process
 * @resident_bytes: its memory
 * @bpf_bytes: memory of its BPF maps and programs
 * @bpf_run_ns: time its BPF programs ran, counted while kernel.bpf_stats_enabled is 1
 * @bpf_runs: how often, likewise
 */
struct export_cost {
	uint64_t cpu_ns;
	uint64_t resident_bytes;
	uint64_t bpf_bytes;
	uint64_t bpf_run_ns;
	uint64_t bpf_runs;
};

/**
 * struct exporter - a running observation
 * @settings: what the command line says
 * @latency: operations and their times
 * @failures: failed operations by reason
 * @inflight: operations under way
 * @replacements: what replacements did to DMA
 * @last_replacements: the last ones; @nr_replacements modulo EXPORT_REPLACEMENTS is the next place
 * @nr_replacements: how many there were
 * @state_reader: reads @state
 * @state: contexts, devices and address spaces
 * @cost: what all that takes
 * @bpf_measured_ns: CLOCK_MONOTONIC at which the BPF part of @cost was measured, 0 for never
 * @http: what the server counts, NULL without one
 * @start_ns: CLOCK_REALTIME at which everything was observed
 * @refreshed_ns: CLOCK_MONOTONIC at which the last refresh began
 * @budget: how long refreshing may take
 * @scrape_took_ns: how long the last scrape took, refresh included
 */
struct exporter {
	const struct export_settings *settings;
	struct latency latency;
	struct failures failures;
	struct inflight inflight;
	struct replacements *replacements;
	struct replacement last_replacements[EXPORT_REPLACEMENTS];
	uint64_t nr_replacements;
	struct state_reader *state_reader;
	struct state state;
	struct export_cost cost;
	uint64_t bpf_measured_ns;
	const struct server_counters *http;
	uint64_t start_ns;
	uint64_t refreshed_ns;
	struct token_bucket budget;
	uint64_t scrape_took_ns;
};

/**
 * exporter_open() - begin to observe
 * @exporter: filled in; end it with exporter_close() in any case
 * @settings: what the command line says
 *
 * Return: 0, or -1 after it has said what failed.
 */
int exporter_open(struct exporter *exporter, const struct export_settings *settings);

/**
 * exporter_refresh() - read what has been counted, unless that was just done
 * @exporter: the observation
 */
void exporter_refresh(struct exporter *exporter);

/**
 * exporter_watch() - take what the kernel keeps for a while only
 * @exporter: the observation
 *
 * Call it every EXPORT_WATCH_EVERY_NS.
 */
void exporter_watch(struct exporter *exporter);

/**
 * exporter_close() - end the observation
 * @exporter: the observation
 */
void exporter_close(struct exporter *exporter);

#endif
