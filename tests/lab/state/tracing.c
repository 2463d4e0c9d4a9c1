// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of the kernel's tracer: its settings, instances and probes, and whether its buffer is
 * empty.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define TRACING "/sys/kernel/tracing"

static const char *const settings[] = {
	"current_tracer", "dynamic_events", "enabled_functions", "kprobe_events", "set_event",
	"set_event_notrace_pid", "set_event_pid", "set_ftrace_filter", "set_ftrace_notrace",
	"set_ftrace_notrace_pid", "set_ftrace_pid", "set_graph_function", "synthetic_events",
	"trace_clock", "trace_options", "tracing_cpumask", "tracing_max_latency", "tracing_on",
	"tracing_thresh", "uprobe_events",
};

/* The events that tests filter: those of our subsystem and of the kernel's IOMMU layer. */
static const char *const systems[] = { "iommu", "iommufd", "vfio", "intel_iommu" };

static void each_instance(struct state *state, const char *folder, const char *name)
{
	state_add(state, "", "tracing instance %s/%s", folder, name);
}

static void each_event(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/filter", folder, name);
	state_add_file(state, path, "filter of event %s/%s", folder, name);
	snprintf(path, sizeof(path), "%s/%s/trigger", folder, name);
	state_add_file(state, path, "trigger of event %s/%s", folder, name);
}

/* "7 (expanded: 1408)" before the first use equals "1410" after it: whole pages of records. */
static void add_buffer_size(struct state *state)
{
	char size[64], *expanded;

	if (!state_read(TRACING "/buffer_size_kb", size, sizeof(size)))
		return;
	expanded = strstr(size, "expanded: ");
	if (expanded)
		memmove(size, expanded + 10, strlen(expanded + 10) + 1);
	snprintf(size, sizeof(size), "about %lu", strtoul(size, NULL, 10) / 16 * 16);
	state_add(state, size, "setting " TRACING "/buffer_size_kb");
}

static void each_cpu(struct state *state, const char *folder, const char *name)
{
	char path[PATH_MAX], stats[512], *behind;

	snprintf(path, sizeof(path), "%s/%s/stats", folder, name);
	if (!state_read(path, stats, sizeof(stats)))
		return;
	/* "entries: N overrun: ..." */
	behind = strstr(stats, " overrun");
	if (behind)
		*behind = '\0';
	state_add(state, stats, "tracing buffer of %s", name);
}

void state_tracing(struct state *state)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), TRACING "/%s", settings[i]);
		state_add_file(state, path, "setting %s", path);
	}
	add_buffer_size(state);
	state_each(TRACING "/per_cpu", each_cpu, state);
	state_each(TRACING "/instances", each_instance, state);
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		snprintf(path, sizeof(path), TRACING "/events/%s", systems[i]);
		state_each(path, each_event, state);
	}
	state_add_file(state, "/sys/kernel/debug/kprobes/list", "kprobes");
}
