// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommuscope export observes.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "exporter.h"
#include "latency.skel.h"
#include "lifetime.h"
#include "output.h"
#include "session.h"

/* The share of the time that refreshing may take: one in so many. */
#define REFRESH_SHARE 5

int exporter_open(struct exporter *exporter, const struct export_settings *settings)
{
	struct timespec now;

	memset(exporter, 0, sizeof(*exporter));
	exporter->settings = settings;
	exporter->latency_programs = latency_bpf__open();
	if (!exporter->latency_programs) {
		complain("cannot open the BPF programs: %s", strerror(errno));
		return -1;
	}
	latency_prepare(exporter->latency_programs, settings->by, settings->limit);
	if (session_load(exporter->latency_programs->skeleton))
		return -1;
	latency_begin(&exporter->latency, exporter->latency_programs, settings->by);
	if (session_attach(exporter->latency_programs->obj))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	exporter->start_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return 0;
}

void exporter_refresh(struct exporter *exporter)
{
	uint64_t now = now_ns();

	if (exporter->refreshes &&
	    now - exporter->refreshed_ns < REFRESH_SHARE * exporter->refresh_took_ns)
		return;
	latency_read(&exporter->latency);
	latency_forget_recent(&exporter->latency);
	exporter->refreshed_ns = now;
	exporter->refresh_took_ns = now_ns() - now;
	exporter->refreshes++;
}

void exporter_close(struct exporter *exporter)
{
	if (!exporter->latency_programs)
		return;
	if (exporter->latency.skeleton)
		latency_end(&exporter->latency);
	session_detach(exporter->latency_programs->obj);
	latency_bpf__destroy(exporter->latency_programs);
}
