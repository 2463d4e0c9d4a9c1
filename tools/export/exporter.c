// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommuscope export observes.
 */
#include <errno.h>
#include <string.h>

#include "bpf/latency.skel.h"
#include "bpf/stuck.skel.h"
#include "export/cost.h"
#include "export/exporter.h"
#include "machine/sysfs.h"
#include "observe/attachments.h"
#include "observe/session.h"
#include "text/clock.h"
#include "text/output.h"

/* How often the memory of BPF programs and maps is measured, while the kernel does not time them. */
#define BPF_MEASURE_EVERY_NS 60000000000ULL

static int open_latency(struct exporter *exporter)
{
	const struct export_settings *settings = exporter->settings;

	exporter->latency_programs = latency_bpf__open_opts(session_open_options());
	if (!exporter->latency_programs) {
		complain("cannot open the BPF programs: %s", strerror(errno));
		return -1;
	}
	exporter->latency_programs->rodata->keep |= SCOPE_KEEP_FAILURES;
	latency_prepare(exporter->latency_programs, settings->by, settings->limit);
	if (session_load(exporter->latency_programs->skeleton))
		return -1;
	latency_begin(&exporter->latency, exporter->latency_programs, settings->by);
	if (session_attach(exporter->latency_programs->obj))
		return -1;
	attachments_know(exporter->latency_programs->obj, NULL);
	return 0;
}

int exporter_open(struct exporter *exporter, const struct export_settings *settings)
{
	memset(exporter, 0, sizeof(*exporter));
	exporter->settings = settings;
	exporter->budget.share = 5;
	exporter->budget.most_ns = 500000000;
	exporter->state_reader = state_open();
	exporter->replacements = replacements_open(NULL);
	if (!exporter->state_reader || !exporter->replacements ||
	    replacements_attach(exporter->replacements) || inflight_open(&exporter->inflight) ||
	    open_latency(exporter))
		return -1;
	exporter->start_ns = wall_now_ns();
	return 0;
}

/* Asking the kernel for each program and map takes longer than all the rest. */
static void measure_cost(struct exporter *exporter)
{
	struct export_cost *cost = &exporter->cost;
	uint64_t now = now_ns();
	char enabled[8];

	cost_of_process(cost);
	sysfs_line(enabled, sizeof(enabled), "/proc/sys/kernel/bpf_stats_enabled");
	if (now < exporter->bpf_measured_ns + BPF_MEASURE_EVERY_NS && strcmp(enabled, "1"))
		return;
	exporter->bpf_measured_ns = now;
	cost->bpf_bytes = cost->bpf_run_ns = cost->bpf_runs = 0;
	cost_of_object(cost, exporter->latency_programs->obj);
	cost_of_object(cost, exporter->inflight.skeleton->obj);
	cost_of_object(cost, replacements_object(exporter->replacements));
}

static void keep_replacement(void *context, const struct replacement *replacement)
{
	struct exporter *exporter = context;

	exporter->last_replacements[exporter->nr_replacements++ % EXPORT_REPLACEMENTS] =
		*replacement;
}

void exporter_watch(struct exporter *exporter)
{
	replacements_read(exporter->replacements, keep_replacement, exporter);
}

void exporter_refresh(struct exporter *exporter)
{
	if (!token_bucket_begin(&exporter->budget))
		return;
	exporter->refreshed_ns = now_ns();
	latency_read(&exporter->latency);
	latency_forget_recent(&exporter->latency);
	exporter_watch(exporter);
	failures_read(exporter->latency_programs, &exporter->failures);
	inflight_read(&exporter->inflight);
	state_free(&exporter->state);
	/* it has said what failed; then there is no state to show */
	if (state_read(exporter->state_reader, &exporter->state))
		memset(&exporter->state, 0, sizeof(exporter->state));
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
	if (!exporter->latency_programs)
		return;
	if (exporter->latency.skeleton)
		latency_end(&exporter->latency);
	session_detach(exporter->latency_programs->obj);
	latency_bpf__destroy(exporter->latency_programs);
}
