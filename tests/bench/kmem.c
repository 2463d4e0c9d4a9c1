// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a mapping in kernel memory, besides the mapped memory.
 *
 * Model: a snapshot adds up all free pages, on the buddy lists and on each CPU's own lists. So
 * everything that the kernel took is visible, whether slab, vmalloc or bare pages, and no
 * allocator can hide it. The buffer exists before the first snapshot, so pinned memory does not
 * count. The kernel itself counts the IOMMU driver's page tables (SecPageTables). They are shown
 * separately, because the hardware determines their size.
 */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

struct snapshot {
	long long free_kib;
	long long iommu_tables_kib;
	long long slab_kib;
	long long vmalloc_kib;
	long long page_tables_kib;
};

/*
 * Empty slabs that an allocator keeps for later belong to no object: they are given back, since
 * otherwise memory freed earlier would pay for memory allocated now. And deltas of per-CPU
 * counters must reach the global ones before those are read.
 */
static void settle(void)
{
	glob_t caches;
	size_t i;

	usleep(200000);
	if (!glob("/sys/kernel/slab/kmalloc-*/shrink", 0, NULL, &caches)) {
		for (i = 0; i < caches.gl_pathc; i++)
			write_ulong(caches.gl_pathv[i], 1);
		globfree(&caches);
	}
	write_ulong("/proc/sys/vm/stat_refresh", 1);
}

/**
 * pinned_pages() - pages that long-term users have pinned, in the whole system
 */
long long pinned_pages(void)
{
	long long acquired = -1, released = -1;
	char line[256];
	FILE *f;

	write_ulong("/proc/sys/vm/stat_refresh", 1);
	f = fopen("/proc/vmstat", "r");
	if (!f)
		die("/proc/vmstat");
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "nr_foll_pin_acquired %lld", &acquired);
		sscanf(line, "nr_foll_pin_released %lld", &released);
	}
	fclose(f);
	errno = 0;
	if (acquired < 0 || released < 0)
		die("/proc/vmstat does not count pins");
	return acquired - released;
}

static long long free_pages_kib(void)
{
	long long pages = 0, value;
	char line[256];
	FILE *f = fopen("/proc/zoneinfo", "r");

	if (!f)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " nr_free_pages %lld", &value) == 1 ||
		    sscanf(line, " count: %lld", &value) == 1)
			pages += value;
	}
	fclose(f);
	return pages * (long long)(PAGE / KIB);
}

static void take_snapshot(struct snapshot *snap)
{
	const struct {
		const char *name;
		long long *value;
	} wanted[] = {
		{ "SecPageTables:", &snap->iommu_tables_kib },
		{ "Slab:", &snap->slab_kib },
		{ "VmallocUsed:", &snap->vmalloc_kib },
		{ "PageTables:", &snap->page_tables_kib },
	};
	char line[256], name[64];
	size_t i, found = 0;
	long long value;
	FILE *f;

	settle();
	snap->free_kib = free_pages_kib();
	f = fopen("/proc/meminfo", "r");
	if (!f)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lld", name, &value) != 2)
			continue;
		for (i = 0; i < ARRAY_SIZE(wanted); i++) {
			if (strcmp(name, wanted[i].name))
				continue;
			*wanted[i].value = value;
			found++;
		}
	}
	fclose(f);
	errno = 0;
	if (found != ARRAY_SIZE(wanted))
		die("/proc/meminfo lacks a line this benchmark needs");
}

/**
 * case_kernel_memory() - kernel memory that a mapped buffer takes, and that its unmap gives back
 * @o: the origin of the pass
 * @s: the session
 * @kind: kind of memory
 * @size: bytes to map
 */
void case_kernel_memory(const struct origin *o, struct session *s, enum memory_kind kind,
			size_t size)
{
	struct snapshot before, mapped, after;
	struct buffer b;

	if (kind == MEM_HUGETLB)
		reserve_hugetlb(size);
	buffer_create(&b, kind, size);
	ioas_renew(s);
	/* what a first map sets up for all later ones does not count for this mapping */
	ioas_map(s, b.va, HUGE_PAGE, IOVA_BASE);
	ioas_unmap(s, IOVA_BASE, HUGE_PAGE);

	take_snapshot(&before);
	ioas_map(s, b.va, size, IOVA_BASE);
	take_snapshot(&mapped);
	ioas_unmap(s, IOVA_BASE, size);
	take_snapshot(&after);

	print_origin(o, "kernel_memory");
	printf(",\"memory\":\"%s\",\"bytes\":%zu,\"runs\":%zu,\"taken_kib\":%lld,"
	       "\"iommu_tables_kib\":%lld,\"slab_kib\":%lld,\"vmalloc_kib\":%lld,"
	       "\"page_tables_kib\":%lld,\"kept_after_unmap_kib\":%lld}\n",
	       memory_name(kind), size, buffer_runs(&b), before.free_kib - mapped.free_kib,
	       mapped.iommu_tables_kib - before.iommu_tables_kib, mapped.slab_kib - before.slab_kib,
	       mapped.vmalloc_kib - before.vmalloc_kib,
	       mapped.page_tables_kib - before.page_tables_kib, before.free_kib - after.free_kib);
	fflush(stdout);
	buffer_destroy(&b);
	if (kind == MEM_HUGETLB)
		reserve_hugetlb(0);
}

/**
 * case_area_memory() - kernel memory that small areas take, each with a map call of its own
 * @o: the origin of the pass
 * @s: the session
 * @b: a buffer of 4 KiB pages
 * @areas: how many areas of one page to map
 */
void case_area_memory(const struct origin *o, struct session *s, const struct buffer *b,
		      size_t areas)
{
	struct snapshot before, mapped;
	size_t i, pages = b->size / PAGE;

	ioas_renew(s);
	take_snapshot(&before);
	for (i = 0; i < areas; i++)
		ioas_map(s, b->va + (i % pages) * PAGE, PAGE, IOVA_BASE + i * PAGE);
	take_snapshot(&mapped);
	ioas_unmap_all(s);

	print_origin(o, "area_memory");
	printf(",\"areas\":%zu,\"taken_kib\":%lld,\"iommu_tables_kib\":%lld}\n", areas,
	       before.free_kib - mapped.free_kib,
	       mapped.iommu_tables_kib - before.iommu_tables_kib);
	fflush(stdout);
}
