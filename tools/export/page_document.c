// SPDX-License-Identifier: GPL-2.0-only
/*
 * The document that the page reads.
 *
 * It belongs to the page of the same build and is no interface for others; these have /metrics and
 * the tool's --json.  Strings are as short as a reading once a second wants them, histograms are
 * pairs of a bucket's smallest value and its count.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "describe/names.h"
#include "describe/operation.h"
#include "describe/replacement_text.h"
#include "export/exporter.h"
#include "export/page_document.h"
#include "machine/memlock.h"
#include "observe/replacement.h"
#include "text/clock.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"
#include "version.h"

/* More of them nobody reads on one page. */
#define MAX_FAILURES 12
#define MAX_REPLACEMENTS 8

static void write_histogram(struct json *json, const struct histogram *histogram)
{
	unsigned int i;

	json_u64(json, "count", histogram->count);
	json_u64(json, "sum_ns", histogram->sum);
	json_u64(json, "max_ns", histogram->max);
	json_array(json, "buckets");
	for (i = 0; i < SCOPE_NR_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		json_array(json, NULL);
		json_u64(json, NULL, scope_bucket_low(i));
		json_u64(json, NULL, histogram->buckets[i]);
		json_end_array(json);
	}
	json_end_array(json);
}

static void write_operation(struct json *json, const struct latency_series *series)
{
	const struct histogram *histogram;
	unsigned int i;

	json_object(json, NULL);
	json_string(json, "subsystem", operation_subsystem(series->operation));
	json_string(json, "operation", operation_name(series->operation));
	json_u64(json, "errors", series->counters.errors);
	json_u64(json, "bytes", series->counters.bytes);
	write_histogram(json, &series->histograms[0]);
	json_array(json, "phases");
	for (i = 1; i <= series->nr_phases; i++) {
		histogram = &series->histograms[i];
		if (!histogram->count)
			continue;
		json_object(json, NULL);
		json_string(json, "phase", phase_name(latency_phase(series, i)));
		write_histogram(json, histogram);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

/* Add up the series of an operation, which --by has told apart. */
static struct latency_series *sum_series(const struct latency_set *set, unsigned int operation)
{
	struct latency_series *sum = NULL;
	const struct latency_series *one;
	unsigned int h;
	size_t s, size;

	for (s = 0; s < set->nr; s++) {
		one = set->series[s];
		if (one->operation != operation)
			continue;
		if (!sum) {
			size = sizeof(*one) + (1 + one->nr_phases) * sizeof(one->histograms[0]);
			sum = malloc(size);
			if (!sum)
				out_of_memory();
			memcpy(sum, one, size);
			continue;
		}
		sum->counters.errors += one->counters.errors;
		sum->counters.bytes += one->counters.bytes;
		for (h = 0; h <= sum->nr_phases; h++)
			histogram_add(&sum->histograms[h], &one->histograms[h]);
	}
	return sum;
}

static void write_operations(struct json *json, const struct latency_set *set)
{
	struct latency_series *sum;
	unsigned int operation;

	json_array(json, "operations");
	for (operation = 0; operation < SCOPE_NR_OPERATIONS; operation++) {
		sum = sum_series(set, operation);
		if (!sum)
			continue;
		write_operation(json, sum);
		free(sum);
	}
	json_end_array(json);
}

/* Who reads this, and since when it counts: another instance counts from zero. */
static void write_host(struct json *json, const struct exporter *exporter, uint64_t now)
{
	char text[sizeof(struct utsname)];
	struct utsname names;

	uname(&names);
	json_u64(json, "version", 1);
	snprintf(text, sizeof(text), "%" PRIx64 "-%d", exporter->start_ns, getpid());
	json_string(json, "instance", text);
	json_string(json, "host", names.nodename);
	snprintf(text, sizeof(text), "%s %s", names.sysname, names.release);
	json_string(json, "kernel", text);
	json_string(json, "tool", IOMMUSCOPE_VERSION);
	json_u64(json, "time_ns", now);
	json_u64(json, "uptime_ns", now > exporter->start_ns ? now - exporter->start_ns : 0);
}

static void write_cost(struct json *json, const struct export_cost *cost)
{
	json_object(json, "cost");
	json_u64(json, "cpu_ns", cost->cpu_ns);
	json_u64(json, "memory_bytes", cost->resident_bytes);
	json_end_object(json);
}

/* State */

static void write_ctxs(struct json *json, const struct state *state)
{
	const struct iommufd_state_ctx *ctx;
	size_t i;

	json_array(json, "ctxs");
	for (i = 0; i < state->nr_ctxs; i++) {
		ctx = &state->ctxs[i];
		json_object(json, NULL);
		json_u64(json, "ctx", ctx->ctx_id);
		json_u64(json, "pid", ctx->pid);
		json_u64(json, "uid", ctx->uid);
		json_string(json, "process", ctx->comm);
		json_u64(json, "pinned_bytes", ctx->pinned_bytes);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_devices(struct json *json, const struct state *state, int64_t wall)
{
	const struct iommufd_state_device *device;
	const struct iommufd_state_hwpt *hwpt;
	size_t i;

	json_array(json, "devices");
	for (i = 0; i < state->nr_devices; i++) {
		device = &state->devices[i];
		hwpt = state_hwpt(state, device->ctx_id, device->hwpt_id);
		json_object(json, NULL);
		json_string(json, "device", device->device);
		json_string(json, "driver", device->driver);
		json_string(json, "iommu", device->iommu);
		json_string(json, "iommu_driver", device->iommu_driver);
		json_u64(json, "group", device->group_id);
		json_u64(json, "ctx", device->ctx_id);
		json_bool(json, "attached", device->flags & IOMMUFD_STATE_DEVICE_ATTACHED);
		json_u64(json, "hwpt", device->hwpt_id);
		json_u64(json, "ioas", device->ioas_id);
		json_string(json, "domain_type", hwpt ? domain_type_name(hwpt->domain_type) : "");
		json_u64(json, "replacements", device->replacements);
		json_i64(json, "last_replace_time_ns", device->last_replace_ns ?
			 (int64_t)device->last_replace_ns + wall : 0);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_ioases(struct json *json, const struct state *state)
{
	const struct iommufd_state_ioas *ioas;
	size_t i;

	json_array(json, "ioases");
	for (i = 0; i < state->nr_ioases; i++) {
		ioas = &state->ioases[i];
		json_object(json, NULL);
		json_u64(json, "ctx", ioas->ctx_id);
		json_u64(json, "ioas", ioas->ioas_id);
		json_u64(json, "areas", ioas->areas);
		json_u64(json, "mapped_bytes", ioas->mapped_bytes);
		json_u64(json, "pinned_bytes", ioas->pinned_bytes);
		json_u64(json, "extents", ioas->extents);
		json_u64(json, "huge_bytes", ioas->huge_bytes);
		/* not known while its process maps and unmaps all the time */
		if (ioas->flags & IOMMUFD_STATE_IOAS_BUSY) {
			json_null(json, "usable_bytes");
			json_null(json, "largest_hole_bytes");
		} else {
			json_u64(json, "usable_bytes", ioas->usable_bytes);
			json_u64(json, "largest_hole_bytes", ioas->largest_hole_bytes);
		}
		json_end_object(json);
	}
	json_end_array(json);
}

/* A limit for each context: programs of one user may have different ones. */
static void write_memlock(struct json *json, const struct state *state)
{
	const struct iommufd_state_ctx *ctx;
	struct memlock memlock;
	size_t i;

	json_array(json, "memlock");
	for (i = 0; i < state->nr_ctxs; i++) {
		ctx = &state->ctxs[i];
		if (!memlock_of_ctx(ctx, &memlock))
			continue;
		json_object(json, NULL);
		json_u64(json, "ctx", ctx->ctx_id);
		json_string(json, "mode", memlock.by_process ? "process" : "user");
		json_u64(json, "used_bytes", memlock.used_bytes);
		if (memlock.limit_bytes == MEMLOCK_UNLIMITED)
			json_null(json, "limit_bytes");
		else
			json_u64(json, "limit_bytes", memlock.limit_bytes);
		json_end_object(json);
	}
	json_end_array(json);
}

/* What happened last */

static void write_failures(struct json *json, const struct failures *failures, int64_t wall)
{
	const struct failure *failure;
	char text[512], line[600];
	size_t i;

	json_array(json, "failures");
	for (i = 0; i < failures->nr && i < MAX_FAILURES; i++) {
		failure = &failures->list[i];
		operation_failure(&failure->last, text, sizeof(text));
		snprintf(line, sizeof(line), "%s: %s", error_name(failure->last.ret), text);
		json_object(json, NULL);
		json_string(json, "operation", operation_title(failure->operation));
		json_string(json, "reason", reason_name(failure->operation, failure->reason));
		json_i64(json, "time_ns",
			 (int64_t)(failure->last.start_ns + failure->last.dur_ns) + wall);
		json_u64(json, "count", failure->count);
		json_string(json, "text", line);
		json_end_object(json);
	}
	json_end_array(json);
}

/* The last one first. */
static void write_replacements(struct json *json, const struct exporter *exporter, int64_t wall)
{
	uint64_t i, nr = exporter->nr_replacements;

	json_array(json, "replacements");
	for (i = 1; i <= nr && i <= EXPORT_REPLACEMENTS && i <= MAX_REPLACEMENTS; i++)
		replacement_json(&exporter->last_replacements[(nr - i) % EXPORT_REPLACEMENTS],
				 json, wall);
	json_end_array(json);
}

static void write_stuck(struct json *json, const struct exporter *exporter, uint64_t now)
{
	const struct inflight_operation *operation;
	const struct scope_begun *begun;
	char text[256];
	size_t i;

	json_array(json, "stuck");
	for (i = 0; i < exporter->inflight.nr; i++) {
		operation = &exporter->inflight.list[i];
		begun = &operation->begun;
		/* the longest come first */
		if (now < begun->start_ns + exporter->settings->stuck_after_ns)
			break;
		if (scope_operation_class(begun->operation) == SCOPE_CLASS_MEMORY)
			snprintf(text, sizeof(text), "%s of %s at 0x%" PRIx64 ", ioas %u, ctx %u",
				 operation_title(begun->operation), format_size(begun->length).s,
				 (uint64_t)begun->iova, begun->ioas, begun->ctx);
		else
			snprintf(text, sizeof(text), "%s of %s",
				 operation_title(begun->operation), begun->device);
		json_object(json, NULL);
		json_u64(json, "tid", operation->tid);
		json_u64(json, "dur_ns", now - begun->start_ns);
		json_string(json, "text", text);
		json_string(json, "phase", begun->phase < SCOPE_NR_PHASES ?
			    phase_text(begun->phase) : "");
		json_end_object(json);
	}
	json_end_array(json);
}

void page_document(struct exporter *exporter, FILE *file)
{
	struct json json = { .file = file };
	uint64_t now, mono;
	int64_t wall;

	exporter_refresh(exporter);
	mono = now_ns();
	now = wall_now_ns();
	wall = (int64_t)(now - mono);
	json_object(&json, NULL);
	write_host(&json, exporter, now);
	write_operations(&json, &exporter->latency.total);
	json_u64(&json, "overflowed", latency_overflowed(&exporter->latency));
	json_u64(&json, "lost",
		 inflight_lost(&exporter->inflight) + replacements_lost(exporter->replacements));
	write_ctxs(&json, &exporter->state);
	write_devices(&json, &exporter->state, wall);
	write_ioases(&json, &exporter->state);
	write_memlock(&json, &exporter->state);
	write_replacements(&json, exporter, wall);
	write_failures(&json, &exporter->failures, wall);
	write_stuck(&json, exporter, mono);
	write_cost(&json, &exporter->cost);
	json_end_object(&json);
	json_end(&json);
}
