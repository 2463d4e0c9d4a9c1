// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload like that of guests with devices.
 *
 *	guest-load [-m MIB] [-s SECONDS] [-k SECONDS] DEVICE...
 *
 * DEVICE is the address of a PCI device bound to vfio-pci, or "mock". Each has an address space
 * of its own with the memory of a guest: MIB of untouched 4 KiB pages, and the same amount of
 * transparent huge pages and of hugetlb. For SECONDS [default: 3] it is mapped and unmapped
 * repeatedly, with many small maps in between; with -k it is then mapped once more and kept.
 * Afterwards the host's reservation of hugetlb pages is restored. Prints a line "device NAME:
 * MAPS maps, BYTES bytes, CHURN small maps" for each device, and "kept" once everything is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "e2e/lib/vfio.h"
#include "lib/iommu.h"

#define MAX_DEVICES 8
/* every IOMMU has these IOVAs: the mock's aperture ends at 2 GiB */
#define FIRST_IOVA MB(256)
#define MOST_MIB 256
#define CHURN_IOVA MB(1792)
#define CHURN_BYTES KB(16)
#define CHURN_MAPS 64
/* the reserved pages, and these plus the surplus that programs hold */
#define HUGETLB_PAGES "/proc/sys/vm/nr_hugepages"
#define HUGETLB_TOTAL "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

enum kind {
	KIND_SMALL,
	KIND_TRANSPARENT,
	KIND_HUGETLB,
	NR_KINDS,
};

/**
 * struct guest - a device and its memory
 * @name: as on the command line
 * @space: the address space with its memory
 * @device: the device, unless it is a mock
 * @memory: by kind
 * @maps: successful maps of such memory
 * @churn: successful small maps
 */
struct guest {
	const char *name;
	struct vfio_space space;
	struct vfio_dev device;
	void *memory[NR_KINDS];
	unsigned long maps;
	unsigned long churn;
};

static struct guest guests[MAX_DEVICES];
static unsigned int nr_guests;
static size_t bytes = MB(16);

static void __attribute__((noreturn)) die(const char *what, int err)
{
	fprintf(stderr, "guest-load: %s: %s\n", what, strerror(-err));
	exit(1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static unsigned long count_hugetlb(const char *path)
{
	unsigned long nr;
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "%lu", &nr) != 1)
		die(path, file ? -EIO : -errno);
	fclose(file);
	return nr;
}

static void reserve_hugetlb(unsigned long nr)
{
	FILE *file = fopen(HUGETLB_PAGES, "we");

	if (!file || fprintf(file, "%lu", nr) < 0 || fclose(file))
		die(HUGETLB_PAGES, -errno);
}

/*
 * The host's reservation is only increased until we have the memory, and then restored. Our pages
 * become surplus, which the kernel frees when we end, however we end. A growing reservation takes
 * over surplus before it allocates pages, so it has to grow from the total.
 */
static char *get_hugetlb(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	unsigned long before = count_hugetlb(HUGETLB_PAGES);
	int err;
	char *va;

	reserve_hugetlb(count_hugetlb(HUGETLB_TOTAL) + bytes / HUGE);
	va = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	err = va == MAP_FAILED ? -errno : 0;
	reserve_hugetlb(before);
	if (err)
		die("hugetlb pages", err);
	return va;
}

static char *get_memory(enum kind kind)
{
	char *va;

	if (kind == KIND_HUGETLB)
		return get_hugetlb();
	va = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (va == MAP_FAILED)
		die("memory", -errno);
	va = (char *)(((uintptr_t)va + HUGE - 1) & ~(HUGE - 1));
	madvise(va, bytes, kind == KIND_SMALL ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	return va;
}

static void open_guest(struct guest *guest, const char *name)
{
	struct test_device mock;
	int err;

	guest->name = name;
	err = vfio_space_open(&guest->space, VFIO_API_NODE);
	if (err)
		die("/dev/iommu", err);
	err = strcmp(name, "mock") ? vfio_open(&guest->device, name, &guest->space) :
				     mock_domain(guest->space.fd, guest->space.ioas, &mock);
	if (err)
		die(name, err);
}

static uint64_t iova_of(enum kind kind)
{
	return FIRST_IOVA + kind * MB(MOST_MIB);
}

static void map_memory(struct guest *guest)
{
	unsigned int kind;
	int err;

	for (kind = 0; kind < NR_KINDS; kind++) {
		err = vfio_map(&guest->space, guest->memory[kind], bytes, iova_of(kind), true);
		if (err)
			die("map", err);
		guest->maps++;
	}
}

static void unmap_memory(struct guest *guest)
{
	unsigned int kind;
	int err;

	for (kind = 0; kind < NR_KINDS; kind++) {
		err = vfio_unmap(&guest->space, iova_of(kind), bytes);
		if (err)
			die("unmap", err);
	}
	/* the next round starts like a guest whose memory was never touched */
	madvise(guest->memory[KIND_SMALL], bytes, MADV_DONTNEED);
}

static void churn(struct guest *guest)
{
	unsigned int i;
	int err;

	for (i = 0; i < CHURN_MAPS; i++) {
		err = vfio_map(&guest->space, guest->memory[KIND_HUGETLB], CHURN_BYTES, CHURN_IOVA, true);
		if (err)
			die("small map", err);
		err = vfio_unmap(&guest->space, CHURN_IOVA, CHURN_BYTES);
		if (err)
			die("small unmap", err);
		guest->churn++;
	}
}

static bool number(const char *text, unsigned long most, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	return *text && !*end && *value <= most;
}

int main(int argc, char **argv)
{
	unsigned long run = 3, keep = 0, mib = 16;
	unsigned int i, kind;
	double end;
	int opt;

	while ((opt = getopt(argc, argv, "m:s:k:")) != -1) {
		if ((opt == 'm' && number(optarg, MOST_MIB, &mib)) ||
		    (opt == 's' && number(optarg, 86400, &run)) ||
		    (opt == 'k' && number(optarg, 86400, &keep)))
			continue;
		optind = argc;
	}
	if (optind >= argc || argc - optind > MAX_DEVICES || !mib || mib % 2) {
		fprintf(stderr,
			"usage: guest-load [-m MIB] [-s SECONDS] [-k SECONDS] DEVICE...\n");
		return 2;
	}
	bytes = MB(mib);
	nr_guests = argc - optind;
	for (i = 0; i < nr_guests; i++) {
		open_guest(&guests[i], argv[optind + i]);
		for (kind = 0; kind < NR_KINDS; kind++)
			guests[i].memory[kind] = get_memory(kind);
	}
	end = seconds() + run;
	while (seconds() < end)
		for (i = 0; i < nr_guests; i++) {
			map_memory(&guests[i]);
			churn(&guests[i]);
			unmap_memory(&guests[i]);
		}
	for (i = 0; i < nr_guests; i++)
		printf("device %s: %lu maps, %llu bytes, %lu small maps\n", guests[i].name,
		       guests[i].maps, (unsigned long long)guests[i].maps * bytes, guests[i].churn);
	if (keep) {
		for (i = 0; i < nr_guests; i++)
			map_memory(&guests[i]);
		printf("kept\n");
		fflush(stdout);
		sleep(keep);
	}
	return fflush(stdout) ? 1 : 0;
}
