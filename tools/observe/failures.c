// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failed operations by kind and reason.
 */
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/latency.skel.h"
#include "observe/failures.h"
#include "observe/finished.h"
#include "observe/latency.h"
#include "text/output.h"

static struct failure *failure_of(struct failures *failures, const struct scope_failure_key *key)
{
	struct failure *failure;
	size_t i;

	for (i = 0; i < failures->nr; i++) {
		failure = &failures->list[i];
		if (failure->operation == key->operation && failure->reason == key->reason)
			return failure;
	}
	failures->list =
		reallocarray(failures->list, failures->nr + 1, sizeof(*failures->list));
	if (!failures->list)
		out_of_memory();
	failure = &failures->list[failures->nr++];
	memset(failure, 0, sizeof(*failure));
	failure->operation = key->operation;
	failure->reason = key->reason;
	return failure;
}

static uint64_t end_of(const struct failure *failure)
{
	return failure->last.start_ns + failure->last.dur_ns;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = end_of(a), y = end_of(b);

	return x > y ? -1 : x < y;
}

void failures_read(const struct latency *latency, struct failures *failures)
{
	struct bpf_map *map = latency->skeleton->maps.ios_failures;
	struct scope_failure_key key, *previous = NULL;
	struct scope_failure entry;
	struct failure *failure;
	size_t i;

	/* keep the previous record of an entry that a CPU is just writing */
	for (i = 0; i < failures->nr; i++)
		failures->list[i].count = 0;
	while (!bpf_map__get_next_key(map, previous, &key, sizeof(key))) {
		previous = &key;
		if (bpf_map__lookup_elem(map, &key, sizeof(key), &entry, sizeof(entry), 0))
			continue;
		failure = failure_of(failures, &key);
		failure->count += entry.count;
		if (entry.last_count == entry.count &&
		    entry.last.start_ns + entry.last.dur_ns >= end_of(failure))
			finished_operation(&failure->last, &entry.last, sizeof(entry.last));
	}
	if (failures->nr)
		qsort(failures->list, failures->nr, sizeof(*failures->list), compare);
}

uint64_t failures_lost(const struct latency *latency)
{
	return latency->skeleton->bss->failures_lost;
}

void failures_free(struct failures *failures)
{
	free(failures->list);
	memset(failures, 0, sizeof(*failures));
}
