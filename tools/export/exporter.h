/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observation of iommuscope export, independent of how it is served.
 *
 * The programs count in the kernel all the time.  exporter_refresh() reads their counters for
 * those that serve requests.  Refreshing may take at most a fifth of the time, plus half a second
 * that can be saved up; requests beyond that get the previous reading.
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

/* Number of the last replacements that are kept. */
#define EXPORT_REPLACEMENTS 32
/* How often to call exporter_watch(). */
#define EXPORT_WATCH_EVERY_NS 1000000000ULL

/**
 * struct export_settings - settings from the command line
 * @by: what operations are split by, in addition to their kind
 * @limit: most labels at a time
 * @max_objects: most contexts, devices and IOASes, each, with metrics of their own
 * @processes: label contexts with their process
 * @stuck_after_ns: operations in flight for longer are stuck
 * @phases_limit: probed operations a second above which their phases are not observed
 */
struct export_settings {
	enum scope_dimension by;
	unsigned int limit;
	unsigned int max_objects;
	bool processes;
	uint64_t stuck_after_ns;
	uint64_t phases_limit;
};

/**
 * struct export_cost - cost of the exporter itself
 * @cpu_ns: CPU time of the process
 * @resident_bytes: its memory
 * @bpf_bytes: memory of its BPF maps and programs
 * @bpf_run_ns: run time of its BPF programs, counted while kernel.bpf_stats_enabled is 1
 * @bpf_runs: number of their runs, likewise
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
 * @settings: settings from the command line
 * @latency: operations and their times
 * @failures: failed operations by reason
 * @inflight: operations in flight
 * @replacements: effects of replacements on DMA
 * @last_replacements: the last ones; @nr_replacements modulo EXPORT_REPLACEMENTS is the next slot
 * @nr_replacements: number of replacements so far
 * @state_reader: reads @state
 * @state: contexts, devices and address spaces
 * @no_state: they could not be read
 * @cost: cost of the exporter itself
 * @bpf_measured_ns: CLOCK_MONOTONIC when the BPF part of @cost was measured, 0 for never
 * @probed: probed operations at @probed_ns
 * @probed_ns: CLOCK_MONOTONIC when they were counted, 0 for never
 * @no_phases: there were too many of them, and their phases are observed no more
 * @load_failures: how often the programs for modules that came later could not be loaded
 * @http: counters of the server, NULL without one
 * @start_ns: CLOCK_REALTIME when the observation was complete
 * @refreshed_ns: CLOCK_MONOTONIC at the start of the last refresh
 * @budget: time budget for refreshing
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
	bool no_state;
	struct export_cost cost;
	uint64_t bpf_measured_ns;
	uint64_t probed;
	uint64_t probed_ns;
	bool no_phases;
	uint64_t load_failures;
	const struct server_counters *http;
	uint64_t start_ns;
	uint64_t refreshed_ns;
	struct token_bucket budget;
	uint64_t scrape_took_ns;
};

/**
 * exporter_open() - start the observation
 * @exporter: filled in; end it with exporter_close() in any case
 * @settings: settings from the command line
 *
 * Return: 0, or -1 after a message.
 */
int exporter_open(struct exporter *exporter, const struct export_settings *settings);

/**
 * exporter_refresh() - read the counters, unless that was just done
 * @exporter: the observation
 */
void exporter_refresh(struct exporter *exporter);

/**
 * exporter_watch() - read events that the kernel keeps only for a while, and look for new modules
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
