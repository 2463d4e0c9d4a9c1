/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommuscope export observes, whoever asks for it.
 *
 * The programs count in the kernel all the time.  exporter_refresh() reads what they have counted;
 * what serves requests then finds it here.  Refreshing may take a fifth of the time at most: who
 * asks again sooner gets what was read last, however many ask.
 */
#ifndef IOMMUSCOPE_EXPORTER_H
#define IOMMUSCOPE_EXPORTER_H

#include <stdint.h>

#include "latency.h"

struct latency_bpf;

/**
 * struct export_settings - what the command line says
 * @by: what operations are told apart by, besides their kind
 * @limit: how many operations of a device (...) are told apart on each CPU
 */
struct export_settings {
	enum scope_dimension by;
	unsigned int limit;
};

/**
 * struct exporter - a running observation
 * @settings: what the command line says
 * @latency_programs: counts operations and their times
 * @latency: what they have counted
 * @start_ns: CLOCK_REALTIME at which everything was observed
 * @refreshed_ns: CLOCK_MONOTONIC at which the last refresh began
 * @refresh_took_ns: how long it took
 * @refreshes: how many there were
 */
struct exporter {
	const struct export_settings *settings;
	struct latency_bpf *latency_programs;
	struct latency latency;
	uint64_t start_ns;
	uint64_t refreshed_ns;
	uint64_t refresh_took_ns;
	uint64_t refreshes;
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
 * exporter_close() - end the observation
 * @exporter: the observation
 */
void exporter_close(struct exporter *exporter);

#endif
