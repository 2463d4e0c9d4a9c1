// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned memory and its limits.  The state has what iommufd knows; the rest is from /proc.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/memlock.h"
#include "machine/pid_namespace.h"
#include "observe/capacity.h"
#include "text/difference.h"
#include "text/name.h"
#include "text/output.h"

#define PAGE 4096ULL
#define TABLE_ENTRIES 512ULL

/* Read the number after a word in a file of lines "WORD NUMBER ..."; 0 if there is none. */
static uint64_t number_in(const char *path, const char *word)
{
	size_t length = strlen(word);
	unsigned long long number = 0;
	char line[256];
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, word, length) || !strchr(" \t:", line[length]))
			continue;
		if (sscanf(line + length, "%*[: \t]%llu", &number) == 1)
			break;
	}
	fclose(file);
	return number;
}

static void read_limit(struct capacity_process *process, const struct iommufd_state_ctx *ctx)
{
	struct memlock memlock;

	process->counted_bytes = process->by_process ? 0 : ctx->user_locked_bytes;
	if (!memlock_of_ctx(ctx, &memlock))
		return;
	process->counted_bytes = memlock.used_bytes;
	process->limit_bytes = memlock.limit_bytes;
	process->limit = memlock.by_capability			  ? LIMIT_CAPABILITY :
			 memlock.limit_bytes == MEMLOCK_UNLIMITED ? LIMIT_UNLIMITED :
								    LIMIT_BYTES;
}

static void read_cgroup(struct capacity_process *process)
{
	char path[64], line[sizeof(process->cgroup)];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			name_escape(process->cgroup, sizeof(process->cgroup), line + 3);
	}
	fclose(file);
}

static struct capacity_process *find(const struct capacity *capacity,
				     const struct iommufd_state_ctx *ctx)
{
	bool by_process = ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
	size_t i;

	for (i = 0; i < capacity->nr; i++)
		if (capacity->processes[i].pid == ctx->pid &&
		    capacity->processes[i].by_process == by_process)
			return &capacity->processes[i];
	return NULL;
}

static void add(struct capacity *capacity, const struct iommufd_state_ctx *ctx)
{
	struct capacity_process *process = find(capacity, ctx);

	if (!process) {
		process = &capacity->processes[capacity->nr++];
		process->pid = ctx->pid;
		process->uid = ctx->uid;
		process->by_process = ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
		memcpy(process->comm, ctx->comm, IOMMUFD_STATE_COMM);
		read_limit(process, ctx);
		read_cgroup(process);
	}
	process->pinned_bytes += ctx->pinned_bytes;
	capacity->pinned_bytes += ctx->pinned_bytes;
}

static int compare(const void *a, const void *b)
{
	const struct capacity_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid ? 1 : x->by_process - y->by_process;
}

void capacity_read(struct capacity *capacity, const struct state *state)
{
	uint64_t released;
	size_t i;

	memset(capacity, 0, sizeof(*capacity));
	capacity->processes = calloc(state->nr_ctxs + 1, sizeof(*capacity->processes));
	if (!capacity->processes)
		out_of_memory();
	for (i = 0; i < state->nr_ctxs; i++)
		add(capacity, &state->ctxs[i]);
	qsort(capacity->processes, capacity->nr, sizeof(*capacity->processes), compare);
	/* releases between the two reads must not count against earlier acquisitions */
	released = number_in("/proc/vmstat", "nr_foll_pin_released");
	capacity->host_pinned_bytes =
		difference(number_in("/proc/vmstat", "nr_foll_pin_acquired"), released) * PAGE;
	/* the kernel sums its CPUs' counts once a second, so recent pins may not be included */
	if (capacity->host_pinned_bytes < capacity->pinned_bytes)
		capacity->host_pinned_bytes = capacity->pinned_bytes;
	capacity->page_table_bytes = number_in("/proc/vmstat", "nr_iommu_pages") * PAGE;
	capacity->memory_bytes = number_in("/proc/meminfo", "MemTotal") << 10;
	capacity->available_bytes = number_in("/proc/meminfo", "MemAvailable") << 10;
}

void capacity_free(struct capacity *capacity)
{
	free(capacity->processes);
	memset(capacity, 0, sizeof(*capacity));
}

uint64_t capacity_left(const struct capacity_process *process)
{
	uint64_t limit = process->limit_bytes / PAGE * PAGE;

	if (process->limit != LIMIT_BYTES)
		return UINT64_MAX;
	return difference(limit, process->counted_bytes);
}

uint64_t ioas_free_bytes(const struct iommufd_state_ioas *ioas)
{
	return difference(ioas->usable_bytes, ioas->mapped_bytes);
}

double ioas_fragmentation(const struct iommufd_state_ioas *ioas)
{
	uint64_t free_bytes = ioas_free_bytes(ioas);

	if (!free_bytes || ioas->largest_hole_bytes >= free_bytes)
		return 0;
	return 1 - (double)ioas->largest_hole_bytes / (double)free_bytes;
}

uint64_t ioas_page_table_bytes(const struct iommufd_state_ioas *ioas)
{
	/* the root, and at each level the tables that the memory fills */
	uint64_t small =
		difference(ioas->pinned_bytes, ioas->huge_bytes);
	uint64_t covers = PAGE * TABLE_ENTRIES, tables = 1, level;

	tables += (small + covers - 1) / covers;
	for (level = 0; level < 2; level++) {
		covers *= TABLE_ENTRIES;
		tables += (ioas->pinned_bytes + covers - 1) / covers;
	}
	return ioas->hwpts * tables * PAGE;
}

static void stop(struct fit *fit, enum fit_stop why, uint64_t wanted, uint64_t left)
{
	if (fit->stop != FIT_FITS)
		return;
	fit->stop = why;
	fit->wanted_bytes = wanted;
	fit->left_bytes = left;
}

void capacity_fit(const struct capacity *capacity, const struct state *state,
		  const struct iommufd_state_ioas *ioas, uint64_t length, struct fit *fit)
{
	const struct iommufd_state_ctx *ctx = state_ctx(state, ioas->ctx_id);
	const struct capacity_process *process = ctx ? find(capacity, ctx) : NULL;
	/* if the kernel does not choose the IOVA, any hole will do */
	uint64_t hole = ioas->source == IOMMUFD_STATE_SOURCE_OWN ? ioas->alloc_hole_bytes :
								   ioas->largest_hole_bytes;
	uint64_t pages = length / PAGE + !!(length % PAGE);

	/* in the order of the kernel's checks */
	memset(fit, 0, sizeof(*fit));
	fit->pins = ioas->hwpts;
	if (!process || ctx->flags & IOMMUFD_STATE_CTX_PROCESS_GONE)
		stop(fit, FIT_PROCESS_GONE, 0, 0);
	if (ioas->flags & IOMMUFD_STATE_IOAS_BUSY)
		stop(fit, FIT_BUSY, 0, 0);
	if (ioas->flags & IOMMUFD_STATE_IOAS_AREAS_LIMITED && !ioas->areas_left)
		stop(fit, FIT_ENTRIES, 1, 0);
	if (ioas->iova_alignment && length % ioas->iova_alignment)
		stop(fit, FIT_MISALIGNED, length, ioas->iova_alignment);
	if (length > hole)
		stop(fit,
		     ioas->largest_hole_bytes >= length &&
				     ioas->flags & IOMMUFD_STATE_IOAS_ALLOWED_RANGES ?
			     FIT_NOT_ALLOWED :
			     FIT_SPACE,
		     length, hole);
	if (!fit->pins || fit->stop != FIT_FITS)
		return;
	if (pid_is_outside(process->pid))
		stop(fit, FIT_OUTSIDE, 0, 0);
	if (pages > capacity_left(process) / PAGE)
		stop(fit, FIT_MEMLOCK, length, capacity_left(process));
	/* pinned memory cannot be reclaimed, so there must be this much more */
	if (length > difference(capacity->memory_bytes, capacity->host_pinned_bytes))
		stop(fit, FIT_MEMORY, length,
		     difference(capacity->memory_bytes, capacity->host_pinned_bytes));
}

const char *fit_stop_name(enum fit_stop stop_)
{
	static const char *const names[NR_FIT_STOPS] = {
		[FIT_MISALIGNED] = "iova_misaligned",
		[FIT_SPACE] = "iova_space_full",
		[FIT_NOT_ALLOWED] = "iova_not_allowed",
		[FIT_ENTRIES] = "dma_entry_limit",
		[FIT_MEMLOCK] = "memlock_limit",
		[FIT_MEMORY] = "no_memory",
		[FIT_PROCESS_GONE] = "process_gone",
		[FIT_BUSY] = "ioas_busy",
		[FIT_OUTSIDE] = "process_outside",
	};

	return names[stop_];
}
