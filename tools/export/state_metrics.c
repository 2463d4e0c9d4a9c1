// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each kind of object has a table of metrics with functions that return the values.  At most
 * --max-objects objects get their own samples; sums cover all objects.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "describe/names.h"
#include "export/exporter.h"
#include "export/state_metrics.h"
#include "machine/memlock.h"
#include "machine/pid_namespace.h"
#include "text/difference.h"
#include "text/exposition.h"
#include "text/output.h"

static size_t shown(const struct exporter *exporter, size_t nr)
{
	return nr < exporter->settings->max_objects ? nr : exporter->settings->max_objects;
}

/* Sums */

static uint64_t page_table_bytes(void)
{
	unsigned long long pages = 0;
	char line[128];
	FILE *file;

	file = fopen("/proc/vmstat", "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_iommu_pages %llu", &pages) == 1)
			break;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_sum(struct exposition *text, const struct metric *metric, uint64_t value)
{
	exposition_family(text, metric);
	exposition_u64(text, NULL, value);
}

static void write_sums(struct exposition *text, const struct state *state)
{
	static const struct metric contexts = { "iommufd_contexts", METRIC_GAUGE, NULL,
						"Open /dev/iommu, and containers." };
	static const struct metric devices = { "iommufd_devices", METRIC_GAUGE, NULL,
					       "Devices bound to a context." };
	static const struct metric mapped = { "iommufd_mapped_bytes", METRIC_GAUGE, "bytes",
					      "Bytes mapped, in all IOASes." };
	static const struct metric pinned = {
		"iommufd_pinned_bytes", METRIC_GAUGE, "bytes",
		"Memory pinned through all contexts, each page of a context once."
	};
	static const struct metric tables = { "iommufd_page_table_bytes", METRIC_GAUGE, "bytes",
					      "Memory that page tables of IOMMUs take." };
	uint64_t mapped_bytes = 0, pinned_bytes = 0;
	size_t i;

	for (i = 0; i < state->nr_ioases; i++)
		mapped_bytes += state->ioases[i].mapped_bytes;
	for (i = 0; i < state->nr_ctxs; i++)
		pinned_bytes += state->ctxs[i].pinned_bytes;
	write_sum(text, &contexts, state->nr_ctxs);
	write_sum(text, &devices, state->nr_devices);
	write_sum(text, &mapped, mapped_bytes);
	write_sum(text, &pinned, pinned_bytes);
	write_sum(text, &tables, page_table_bytes());
}

static void write_left_out(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric left_out = { "iommufd_exporter_left_out", METRIC_GAUGE, NULL,
						"Objects without metrics of their own." };
	const struct state *state = &exporter->state;
	const struct {
		const char *what;
		size_t nr;
	} kinds[] = {
		{ "contexts", state->nr_ctxs },
		{ "devices", state->nr_devices },
		{ "ioases", state->nr_ioases },
	};
	struct labels labels;
	size_t i;

	exposition_family(text, &left_out);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		memset(&labels, 0, sizeof(labels));
		labels_add(&labels, "what", kinds[i].what);
		exposition_u64(text, &labels, kinds[i].nr - shown(exporter, kinds[i].nr));
	}
}

/* Contexts */

static void write_contexts(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric info = { "iommufd_context", METRIC_INFO, NULL,
					    "An open /dev/iommu." };
	static const struct metric pinned = { "iommufd_context_pinned_bytes", METRIC_GAUGE, "bytes",
					      "Memory pinned through it, each page once." };
	const struct state *state = &exporter->state;
	const struct iommufd_state_ctx *ctx;
	struct labels labels;
	char name[32];
	size_t i;

	exposition_family(text, &info);
	for (i = 0; i < shown(exporter, state->nr_ctxs); i++) {
		ctx = &state->ctxs[i];
		memset(&labels, 0, sizeof(labels));
		labels_number(&labels, "ctx", ctx->ctx_id);
		labels_number(&labels, "uid", ctx->uid);
		labels_add(&labels, "source", state_source_name(ctx->source));
		if (exporter->settings->processes) {
			labels_add(&labels, "pid", pid_text(ctx->pid).s);
			snprintf(name, sizeof(name), "%.*s", (int)sizeof(ctx->comm), ctx->comm);
			labels_add(&labels, "process", name);
		}
		exposition_u64(text, &labels, 1);
	}
	exposition_family(text, &pinned);
	for (i = 0; i < shown(exporter, state->nr_ctxs); i++) {
		memset(&labels, 0, sizeof(labels));
		labels_number(&labels, "ctx", state->ctxs[i].ctx_id);
		exposition_u64(text, &labels, state->ctxs[i].pinned_bytes);
	}
}

struct ctx_memlock {
	bool known;
	struct memlock memlock;
};

/* Read the locked memory of each context once, not for each metric. */
static struct ctx_memlock *read_memlocks(const struct exporter *exporter)
{
	size_t i, nr = shown(exporter, exporter->state.nr_ctxs);
	const struct iommufd_state_ctx *ctxs = exporter->state.ctxs;
	struct ctx_memlock *list = calloc(nr + 1, sizeof(*list));

	if (!list)
		out_of_memory();
	for (i = 0; i < nr; i++) {
		/* a process can have many contexts in a row */
		if (i && ctxs[i].pid == ctxs[i - 1].pid && ctxs[i].flags == ctxs[i - 1].flags)
			list[i] = list[i - 1];
		else
			list[i].known = memlock_of_ctx(&ctxs[i], &list[i].memlock);
	}
	return list;
}

static void write_memlock(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric used = { "iommufd_memlock_used_bytes", METRIC_GAUGE, "bytes",
					    "What counts against RLIMIT_MEMLOCK." };
	static const struct metric limit = { "iommufd_memlock_limit_bytes", METRIC_GAUGE, "bytes",
					     "RLIMIT_MEMLOCK of the process." };
	struct ctx_memlock *list = read_memlocks(exporter);
	const struct state *state = &exporter->state;
	const struct memlock *memlock;
	struct labels labels;
	unsigned int which;
	size_t i;

	for (which = 0; which < 2; which++) {
		exposition_family(text, which ? &limit : &used);
		for (i = 0; i < shown(exporter, state->nr_ctxs); i++) {
			if (!list[i].known)
				continue;
			memlock = &list[i].memlock;
			memset(&labels, 0, sizeof(labels));
			labels_number(&labels, "ctx", state->ctxs[i].ctx_id);
			labels_number(&labels, "uid", state->ctxs[i].uid);
			labels_add(&labels, "mode", rlimit_mode_name(memlock->by_process));
			if (!which)
				exposition_u64(text, &labels, memlock->used_bytes);
			else if (memlock->limit_bytes == MEMLOCK_UNLIMITED)
				exposition_infinity(text, &labels);
			else
				exposition_u64(text, &labels, memlock->limit_bytes);
		}
	}
	free(list);
}

/* Address spaces */

#define IOAS_VALUE(name, expression)                                                               \
	static uint64_t ioas_##name(const struct iommufd_state_ioas *ioas)                         \
	{                                                                                          \
		return expression;                                                                 \
	}

IOAS_VALUE(areas, ioas->areas)
IOAS_VALUE(mapped, ioas->mapped_bytes)
IOAS_VALUE(pinned, ioas->pinned_bytes)
IOAS_VALUE(extents, ioas->extents)
IOAS_VALUE(huge, ioas->huge_bytes)
IOAS_VALUE(hole, ioas->largest_hole_bytes)
IOAS_VALUE(free, difference(ioas->usable_bytes, ioas->mapped_bytes))

static void write_ioases(struct exposition *text, const struct exporter *exporter)
{
	static const struct {
		struct metric metric;
		uint64_t (*value)(const struct iommufd_state_ioas *ioas);
		bool of_space;
		bool of_own;
	} metrics[] = {
		{ { "iommufd_ioas_areas", METRIC_GAUGE, NULL, "Areas mapped." }, ioas_areas, false, false },
		{ { "iommufd_ioas_mapped_bytes", METRIC_GAUGE, "bytes",
		    "IOVA space that is mapped." }, ioas_mapped, false, false },
		{ { "iommufd_ioas_pinned_bytes", METRIC_GAUGE, "bytes",
		    "Memory pinned for its areas." }, ioas_pinned, false, false },
		{ { "iommufd_ioas_extents", METRIC_GAUGE, NULL,
		    "Physically contiguous runs of that memory." }, ioas_extents, false, true },
		{ { "iommufd_ioas_huge_bytes", METRIC_GAUGE, "bytes",
		    "Of that memory, what lies in whole 2 MiB." }, ioas_huge, false, true },
		{ { "iommufd_ioas_iova_free_bytes", METRIC_GAUGE, "bytes",
		    "Usable IOVA space that is not mapped." }, ioas_free, true, false },
		{ { "iommufd_ioas_iova_largest_hole_bytes", METRIC_GAUGE, "bytes",
		    "Largest free range of IOVAs." }, ioas_hole, true, false },
	};
	const struct state *state = &exporter->state;
	struct labels labels;
	size_t m, i;

	for (m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		exposition_family(text, &metrics[m].metric);
		for (i = 0; i < shown(exporter, state->nr_ioases); i++) {
			/* not known while its process keeps mapping and unmapping */
			if (metrics[m].of_space &&
			    state->ioases[i].flags & IOMMUFD_STATE_IOAS_BUSY)
				continue;
			/* only our modules report it */
			if (metrics[m].of_own &&
			    state->ioases[i].source != IOMMUFD_STATE_SOURCE_OWN)
				continue;
			memset(&labels, 0, sizeof(labels));
			labels_number(&labels, "ctx", state->ioases[i].ctx_id);
			labels_number(&labels, "ioas", state->ioases[i].ioas_id);
			exposition_u64(text, &labels, metrics[m].value(&state->ioases[i]));
		}
	}
}

/* Devices */

static void write_device_infos(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric info = { "iommufd_device", METRIC_INFO, NULL,
					    "A bound device and what translates for it." };
	const struct state *state = &exporter->state;
	const struct iommufd_state_device *device;
	const struct iommufd_state_hwpt *hwpt;
	struct labels labels;
	size_t i;

	exposition_family(text, &info);
	for (i = 0; i < shown(exporter, state->nr_devices); i++) {
		device = &state->devices[i];
		hwpt = state_hwpt(state, device->ctx_id, device->hwpt_id);
		memset(&labels, 0, sizeof(labels));
		labels_add(&labels, "device", device->device);
		labels_add(&labels, "driver", device->driver);
		labels_number(&labels, "group", device->group_id);
		labels_add(&labels, "iommu", device->iommu);
		labels_add(&labels, "iommu_driver", device->iommu_driver);
		labels_add(&labels, "source", state_source_name(device->source));
		labels_add(&labels, "domain_type",
			   hwpt ? domain_type_name(hwpt->domain_type) : "none");
		exposition_u64(text, &labels, 1);
	}
}

static void write_attachments(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric attachment = { "iommufd_device_attachment", METRIC_INFO, NULL,
						  "What a device is attached to." };
	const struct state *state = &exporter->state;
	const struct iommufd_state_device *device;
	struct labels labels;
	size_t i;

	exposition_family(text, &attachment);
	for (i = 0; i < shown(exporter, state->nr_devices); i++) {
		device = &state->devices[i];
		if (!(device->flags & IOMMUFD_STATE_DEVICE_ATTACHED))
			continue;
		memset(&labels, 0, sizeof(labels));
		labels_add(&labels, "device", device->device);
		labels_number(&labels, "ctx", device->ctx_id);
		labels_number(&labels, "ioas", device->ioas_id);
		labels_number(&labels, "hwpt", device->hwpt_id);
		exposition_u64(text, &labels, 1);
	}
}

static void write_devices(struct exposition *text, const struct exporter *exporter)
{
	static const struct metric attached = { "iommufd_device_attached", METRIC_GAUGE, NULL,
						"1 if it is attached, 0 if its DMA is blocked." };
	static const struct metric mapped = { "iommufd_device_mapped_bytes", METRIC_GAUGE, "bytes",
					      "Bytes mapped in its IOAS." };
	static const struct metric pinned = { "iommufd_device_pinned_bytes", METRIC_GAUGE, "bytes",
					      "Memory pinned for its IOAS." };
	static const struct metric *const metrics[] = { &attached, &mapped, &pinned };
	const struct state *state = &exporter->state;
	const struct iommufd_state_device *device;
	const struct iommufd_state_ioas *ioas;
	uint64_t values[3];
	struct labels labels;
	size_t m, i;

	for (m = 0; m < 3; m++) {
		exposition_family(text, metrics[m]);
		for (i = 0; i < shown(exporter, state->nr_devices); i++) {
			device = &state->devices[i];
			ioas = state_ioas(state, device->ctx_id, device->ioas_id);
			memset(&labels, 0, sizeof(labels));
			labels_add(&labels, "device", device->device);
			values[0] = device->flags & IOMMUFD_STATE_DEVICE_ATTACHED ? 1 : 0;
			values[1] = ioas ? ioas->mapped_bytes : 0;
			values[2] = ioas ? ioas->pinned_bytes : 0;
			exposition_u64(text, &labels, values[m]);
		}
	}
}

void export_state_metrics(struct exposition *text, const struct exporter *exporter)
{
	write_sums(text, &exporter->state);
	write_left_out(text, exporter);
	write_contexts(text, exporter);
	write_memlock(text, exporter);
	write_ioases(text, exporter);
	write_device_infos(text, exporter);
	write_attachments(text, exporter);
	write_devices(text, exporter);
}
