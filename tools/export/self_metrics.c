// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "export/exporter.h"
#include "export/self_metrics.h"
#include "export/server.h"
#include "probe/host_watch.h"
#include "probe/sources.h"
#include "text/exposition.h"
#include "version.h"

static void write_u64(struct exposition *text, const struct metric *metric, uint64_t value)
{
	exposition_family(text, metric);
	exposition_u64(text, NULL, value);
}

static void write_seconds(struct exposition *text, const struct metric *metric, uint64_t ns)
{
	exposition_family(text, metric);
	exposition_seconds(text, NULL, ns);
}

static void write_lost(struct exposition *text, const char *source, uint64_t count)
{
	struct labels labels = {};

	labels_add(&labels, "source", source);
	exposition_u64(text, &labels, count);
}

static void write_http(struct exposition *text, const struct server_counters *http)
{
	static const struct metric requests = { "iommufd_exporter_http_requests", METRIC_COUNTER,
						NULL, "Answers by HTTP status." };
	static const struct metric connections = { "iommufd_exporter_http_connections",
						   METRIC_GAUGE, NULL,
						   "Clients that are connected." };
	static const struct metric dropped = {
		"iommufd_exporter_http_dropped_connections", METRIC_COUNTER, NULL,
		"Connections that were closed because they were slow."
	};
	struct labels labels;
	unsigned int code;

	exposition_family(text, &requests);
	for (code = 0; code < sizeof(http->requests) / sizeof(http->requests[0]); code++) {
		if (!http->requests[code])
			continue;
		memset(&labels, 0, sizeof(labels));
		labels_number(&labels, "code", code);
		exposition_u64(text, &labels, http->requests[code]);
	}
	write_u64(text, &connections, http->connections);
	write_u64(text, &dropped, http->dropped);
}

static void write_cost(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric cpu = { "iommufd_exporter_cpu_seconds", METRIC_COUNTER,
					   "seconds", "CPU time that the exporter took." };
	static const struct metric resident = { "iommufd_exporter_resident_memory_bytes",
						METRIC_GAUGE, "bytes",
						"Memory that the exporter takes." };
	static const struct metric memory = { "iommufd_exporter_bpf_memory_bytes", METRIC_GAUGE,
					      "bytes", "Memory that its BPF programs and maps take." };
	static const struct metric run = {
		"iommufd_exporter_bpf_run_seconds", METRIC_COUNTER, "seconds",
		"Time its BPF programs ran, counted while kernel.bpf_stats_enabled is 1."
	};
	static const struct metric runs = {
		"iommufd_exporter_bpf_runs", METRIC_COUNTER, NULL,
		"How often its BPF programs ran, counted while kernel.bpf_stats_enabled is 1."
	};
	static const struct metric scrape = {
		"iommufd_exporter_scrape_duration_seconds", METRIC_GAUGE, "seconds",
		"How long the scrape before this one took, reading and writing."
	};
	const struct export_cost *cost = &exporter->cost;

	write_seconds(text, &cpu, cost->cpu_ns);
	write_u64(text, &resident, cost->resident_bytes);
	write_u64(text, &memory, cost->bpf_bytes);
	write_seconds(text, &run, cost->bpf_run_ns);
	write_u64(text, &runs, cost->bpf_runs);
	write_seconds(text, &scrape, exporter->scrape_took_ns);
}

static void write_sources(struct exposition *text)
{
	static const struct metric observed = {
		"iommufd_exporter_source_observed", METRIC_GAUGE, NULL,
		"1 for a source that is observed, 0 for one that is not loaded or cannot be observed."
	};
	struct labels labels;
	unsigned int source;

	exposition_family(text, &observed);
	for (source = 0; source < NR_SOURCES; source++) {
		memset(&labels, 0, sizeof(labels));
		labels_add(&labels, "source", source_name(source));
		exposition_u64(text, &labels, session_observes(source));
	}
}

void export_own_metrics(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric build = { "iommufd_exporter_build", METRIC_INFO, NULL,
					     "The exporter." };
	static const struct metric start = { "iommufd_exporter_start_time_seconds", METRIC_GAUGE,
					     "seconds",
					     "When it began to count, since 1970-01-01." };
	static const struct metric lost = { "iommufd_lost_events", METRIC_COUNTER, NULL,
					    "Events lost because there was no room." };
	static const struct metric unlabelled = {
		"iommufd_exporter_unlabelled_operations", METRIC_COUNTER, NULL,
		"Operations counted as (others), beyond the limit of labels."
	};
	static const struct metric phases = {
		"iommufd_exporter_phases_observed", METRIC_GAUGE, NULL,
		"1 while phases are observed, 0 once there were too many operations for that."
	};
	static const struct metric functions = {
		"iommufd_exporter_functions_observed", METRIC_GAUGE, NULL,
		"1, or 0 while ftrace is off: then only our modules can be observed."
	};
	static const struct metric state = {
		"iommufd_exporter_state_observed", METRIC_GAUGE, NULL,
		"1, or 0 while devices, contexts and their memory cannot be read."
	};
	static const struct metric failures = {
		"iommufd_exporter_load_failures", METRIC_COUNTER, NULL,
		"How often programs for modules that were loaded later could not be loaded."
	};
	struct labels labels = {};

	exposition_family(text, &lost);
	write_lost(text, "failures", failures_lost(&exporter->latency));
	write_lost(text, "replacements", replacements_lost(exporter->replacements));
	write_lost(text, "running", inflight_lost(&exporter->inflight));

	labels_add(&labels, "version", IOMMUSCOPE_VERSION);
	exposition_family(text, &build);
	exposition_u64(text, &labels, 1);
	write_seconds(text, &start, exporter->start_ns);
	write_cost(text, exporter);
	write_u64(text, &unlabelled, latency_overflowed(&exporter->latency));
	write_u64(text, &phases, !exporter->no_phases);
	write_u64(text, &functions, functions_observable());
	write_u64(text, &state, !exporter->no_state);
	write_sources(text);
	write_u64(text, &failures, exporter->load_failures);
	if (exporter->http)
		write_http(text, exporter->http);
}
