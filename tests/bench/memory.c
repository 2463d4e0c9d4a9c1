// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of each kind of memory, and a look at how they lie physically.
 *
 * Model: a buffer is a private mapping, created touched (or deliberately untouched) and never
 * moved. The kernel's choice is checked: a buffer of huge pages that does not consist of them is
 * an error, because its figures would have the wrong name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define NR_HUGEPAGES	"/proc/sys/vm/nr_hugepages"
#define FREE_HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

/**
 * memory_name() - the name of a kind in the output
 * @kind: the kind
 */
const char *memory_name(enum memory_kind kind)
{
	static const char *const names[MEM_KINDS] = {
		[MEM_4K] = "4k",
		[MEM_SCATTERED] = "4k_scattered",
		[MEM_THP] = "thp",
		[MEM_HUGETLB] = "hugetlb",
	};

	return names[kind];
}

/**
 * random_u64() - xorshift64*: the same sequence in every run, so that runs are comparable
 */
uint64_t random_u64(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15ULL;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1dULL;
}

/**
 * reserve_hugetlb() - make sure that enough hugetlb memory is free
 * @bytes: how much
 */
void reserve_hugetlb(size_t bytes)
{
	unsigned long want = bytes / HUGE_PAGE;
	unsigned long free = read_ulong(FREE_HUGEPAGES);

	errno = 0;
	if (free < want)
		write_ulong(NR_HUGEPAGES, read_ulong(NR_HUGEPAGES) + want - free);
	else if (free > want)
		write_ulong(NR_HUGEPAGES, read_ulong(NR_HUGEPAGES) - (free - want));
	if (read_ulong(FREE_HUGEPAGES) < want)
		die("cannot reserve %lu huge pages: more memory is needed", want);
}

/**
 * buffer_create_untouched() - address space of a kind without its memory
 * @b: the buffer to set up
 * @kind: kind of memory that its faults shall give
 * @size: bytes, a multiple of 2 MiB
 */
void buffer_create_untouched(struct buffer *b, enum memory_kind kind, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	size_t slack = 0;
	uint8_t *va;

	errno = 0;
	if (kind == MEM_HUGETLB)
		flags |= MAP_HUGETLB;
	else
		slack = HUGE_PAGE;
	va = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (va == MAP_FAILED)
		die("mmap of %zu MiB of %s", (size_t)(size / MIB), memory_name(kind));
	if (slack) {
		uint8_t *aligned = (uint8_t *)(((uintptr_t)va + slack - 1) & ~(slack - 1));

		if (aligned > va)
			munmap(va, (size_t)(aligned - va));
		if (aligned < va + slack)
			munmap(aligned + size, (size_t)(va + slack - aligned));
		va = aligned;
		if (madvise(va, size, kind == MEM_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
			die("madvise of %s", memory_name(kind));
	}
	*b = (struct buffer){ .kind = kind, .va = va, .size = size };
}

static void touch_in_order(struct buffer *b)
{
	size_t step = b->kind == MEM_4K ? PAGE : HUGE_PAGE;
	size_t at;

	for (at = 0; at < b->size; at += step)
		b->va[at] = 1;
}

/*
 * The allocator returns pages in nearly ascending runs; touching them in random order scatters
 * them.
 */
static void touch_at_random(struct buffer *b)
{
	size_t count = b->size / PAGE;
	uint32_t *order = malloc(count * sizeof(*order));
	size_t i, j;

	if (!order)
		die("no memory for %zu indexes", count);
	for (i = 0; i < count; i++) {
		j = random_u64() % (i + 1);
		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	for (i = 0; i < count; i++)
		b->va[order[i] * PAGE] = 1;
	free(order);
}

/**
 * buffer_create() - a buffer with all its memory present
 * @b: the buffer to set up
 * @kind: kind of memory
 * @size: bytes, a multiple of 2 MiB
 */
void buffer_create(struct buffer *b, enum memory_kind kind, size_t size)
{
	size_t runs;

	buffer_create_untouched(b, kind, size);
	if (kind == MEM_SCATTERED)
		touch_at_random(b);
	else
		touch_in_order(b);

	errno = 0;
	runs = buffer_runs(b);
	if ((kind == MEM_THP || kind == MEM_HUGETLB) && runs > size / HUGE_PAGE)
		die("%s memory has %zu physical runs: the kernel had too few huge pages left",
		    memory_name(kind), runs);
	if (kind == MEM_SCATTERED && runs < size / PAGE / 2)
		die("scattered memory is not: %zu runs", runs);
}

/**
 * buffer_destroy() - give a buffer's memory back
 * @b: the buffer
 */
void buffer_destroy(struct buffer *b)
{
	munmap(b->va, b->size);
	*b = (struct buffer){};
}

/**
 * buffer_runs() - the number of physically contiguous runs of a buffer
 * @b: a buffer with all its memory present
 *
 * Needs CAP_SYS_ADMIN: without it no frame numbers are visible.
 */
size_t buffer_runs(const struct buffer *b)
{
	uint64_t entry[512], expected = 0;
	size_t page, count = b->size / PAGE, runs = 0, i;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/pagemap");
	for (page = 0; page < count; page += ARRAY_SIZE(entry)) {
		off_t at = (off_t)(((uintptr_t)b->va / PAGE + page) * sizeof(entry[0]));

		if (pread(fd, entry, sizeof(entry), at) != (ssize_t)sizeof(entry))
			die("/proc/self/pagemap: short read");
		for (i = 0; i < ARRAY_SIZE(entry); i++) {
			uint64_t pfn = entry[i] & PAGEMAP_PFN;

			errno = 0;
			if (!(entry[i] & PAGEMAP_PRESENT) || !pfn)
				die("page %zu of %s is not there (or not shown: run as root)",
				    page + i, memory_name(b->kind));
			if (pfn != expected)
				runs++;
			expected = pfn + 1;
		}
	}
	close(fd);
	return runs;
}
