// SPDX-License-Identifier: GPL-2.0-only
/*
 * The observation of iommuscope export.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/cost.h"
#include "export/exporter.h"
#include "machine/sysfs.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/output.h"

/* How often BPF programs and maps are measured while the kernel does not count their run time. */
#define BPF_MEASURE_EVERY_NS 60000000000ULL

/* The least time over which a rate is measured. */
#define RATE_SPAN_NS 1000000000ULL

int exporter_open(struct exporter *exporter, const struct export_settings *settings)
{
	const struct latency_settings counted = {
		.by = settings->by,
		.limit = settings->limit,
		.wanted = ~0ULL,
		.failures = true,
	};

	memset(exporter, 0, sizeof(*exporter));
	exporter->settings = settings;
	exporter->budget.share = 5;
	exporter->budget.most_ns = 500000000;
	exporter->state_reader = state_open_early();
	exporter->replacements = replacements_open(NULL);
	if (!exporter->state_reader || !exporter->replacements ||
	    replacements_attach(exporter->replacements) ||
	    inflight_open(&exporter->inflight, false, false) || inflight_attach(&exporter->inflight) ||
	    latency_open(&exporter->latency, &counted) || latency_attach(&exporter->latency))
		return -1;
	exporter->start_ns = wall_now_ns();
	return 0;
}

/* Measure the cost.  Querying each program and map takes longer than all the rest. */
static void measure_cost(struct exporter *exporter)
{
	struct export_cost *cost = &exporter->cost;
	uint64_t now = now_ns();
	char enabled[8];

	cost_of_process(cost);
	sysfs_line(enabled, sizeof(enabled), "/proc/sys/kernel/bpf_stats_enabled");
	if (exporter->bpf_measured_ns && now < exporter->bpf_measured_ns + BPF_MEASURE_EVERY_NS &&
	    strcmp(enabled, "1"))
		return;
	exporter->bpf_measured_ns = now;
	cost->bpf_bytes = cost->bpf_run_ns = cost->bpf_runs = 0;
	cost_of_object(cost, session_object(&exporter->latency.session));
	cost_of_object(cost, session_object(&exporter->inflight.session));
	cost_of_object(cost, session_object(replacements_session(exporter->replacements)));
}

static void keep_replacement(void *context, const struct replacement *replacement)
{
	struct exporter *exporter = context;

	exporter->last_replacements[exporter->nr_replacements++ % EXPORT_REPLACEMENTS] =
		*replacement;
}

/* One that fails leaves the others. */
static int extend(void *context)
{
	struct exporter *exporter = context;
	int err = latency_extend(&exporter->latency);

	err |= inflight_extend(&exporter->inflight);
	err |= replacements_extend(exporter->replacements);
	return err;
}

/* Observe modules that were loaded later.  A failure has been reported; all else goes on. */
static void look_for_modules(struct exporter *exporter)
{
	int followed = session_follow(extend, exporter);

	if (!followed)
		return;
	exporter->load_failures += followed < 0;
	printf("observing %s\n", *session_sources() ? session_sources() : "nothing");
	flush_output();
}

void exporter_watch(struct exporter *exporter)
{
	look_for_modules(exporter);
	latency_make_room(&exporter->latency, exporter->state_reader);
	replacements_read(exporter->replacements, keep_replacement, exporter);
}

static uint64_t probed_operations(const struct latency_set *set)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < set->nr; i++)
		if (session_source(set->series[i]->operation) != SCOPE_SOURCE_OWN)
			count += set->series[i]->counters.count;
	return count;
}

/* Probes of phases cost as much again as those of operations: a busy host keeps the latter. */
static void check_rate(struct exporter *exporter)
{
	uint64_t count = probed_operations(&exporter->latency.total), now = now_ns();
	uint64_t span_ns = now - exporter->probed_ns;

	if (exporter->no_phases || (exporter->probed_ns && span_ns < RATE_SPAN_NS))
		return;
	if (exporter->probed_ns &&
	    (count - exporter->probed) * 1e9 / span_ns > exporter->settings->phases_limit) {
		complain("more than %" PRIu64 " operations a second: their phases are not observed "
			 "any more", exporter->settings->phases_limit);
		session_detach_phases(&exporter->latency.session);
		exporter->no_phases = true;
	}
	exporter->probed = count;
	exporter->probed_ns = now;
}

void exporter_refresh(struct exporter *exporter)
{
	if (!token_bucket_begin(&exporter->budget))
		return;
	exporter->refreshed_ns = now_ns();
	latency_fold_shown(&exporter->latency);
	latency_read(&exporter->latency);
	latency_forget_recent(&exporter->latency);
	check_rate(exporter);
	exporter_watch(exporter);
	failures_read(&exporter->latency, &exporter->failures);
	inflight_read(&exporter->inflight);
	state_free(&exporter->state);
	/* state_read() has reported the failure; then there is no state to show */
	exporter->no_state = state_read(exporter->state_reader, &exporter->state);
	if (exporter->no_state)
		memset(&exporter->state, 0, sizeof(exporter->state));
	else
		latency_remove_gone(&exporter->latency, &exporter->state);
	measure_cost(exporter);
	token_bucket_end(&exporter->budget);
}

void exporter_close(struct exporter *exporter)
{
	state_free(&exporter->state);
	state_close(exporter->state_reader);
	failures_free(&exporter->failures);
	inflight_close(&exporter->inflight);
	if (exporter->replacements) {
		replacements_detach(exporter->replacements);
		replacements_close(exporter->replacements);
	}
	latency_close(&exporter->latency);
}
