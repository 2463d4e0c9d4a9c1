// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of VFIO's type1 container whose every call is known.
 *
 *	type1-load BDF WORK [ARGUMENT]...
 *
 * It adds the group of a device bound to vfio-pci to a container, prints "pid PID", does the
 * work, and prints for each call on memory "map IOVA LENGTH PAGES ERROR" or "unmap ...": the
 * requested range, the number of pages pinned or unpinned, and the name of the errno value, or 0.
 *
 *	pairs N [BYTES]		maps and unmaps
 *	areas N			N areas, and one unmap of all
 *	errors			one failure of each kind, and the calls that set it up
 *	memlock LIMIT WANTED	as uid 1000 under a RLIMIT_MEMLOCK of LIMIT bytes
 *	full			as many areas as a container may have, and one more
 *	threads N PAIRS		N threads in one container, each with its own range
 *	waiting BYTES		a map of untouched memory, and a concurrent one, which has to wait
 *				for the first
 *	time N BYTES		pairs, without a line for each: for each line of its standard input,
 *				the time of one in nanoseconds, always of the same memory
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ULL
#define BASE (1ULL << 32)
#define MOST_THREADS 16

static int container, group, device;
static bool quiet;

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "type1-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void report(const char *call, uint64_t iova, uint64_t length, uint64_t pages, int error)
{
	if (!quiet)
		printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", call, iova, length,
		       error ? 0 : pages, error ? strerrorname_np(error) : "0");
}

static int map_flags(void *memory, uint64_t iova, uint64_t length, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = length,
	};
	int error = ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? errno : 0;

	report("map", iova, length, length / PAGE, error);
	return error;
}

static int map(void *memory, uint64_t iova, uint64_t length)
{
	return map_flags(memory, iova, length, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
}

/* @pages: how many pages it must unpin */
static int unmap(uint64_t iova, uint64_t length, uint64_t pages)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = length,
	};
	int error = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? errno : 0;

	report("unmap", iova, error ? length : unmap.size, pages, error);
	return error;
}

static char *memory_of(uint64_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("memory");
	madvise(memory, length, MADV_NOHUGEPAGE);
	memset(memory, 1, length);
	return memory;
}

static void set_up(const char *bdf)
{
	char path[128], link[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		die(path);
	link[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (container < 0 || group < 0)
		die(path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("VFIO_SET_IOMMU");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
}

static void pairs(uint64_t nr, uint64_t length, uint64_t iova)
{
	char *memory = memory_of(length);

	while (nr--) {
		map(memory, iova, length);
		unmap(iova, length, length / PAGE);
	}
	munmap(memory, length);
}

static void areas(uint64_t nr)
{
	char *memory = memory_of(PAGE);
	uint64_t i;

	for (i = 0; i < nr; i++)
		map(memory, BASE + 2 * i * PAGE, PAGE);
	unmap(BASE, 2 * nr * PAGE, nr);
}

static void errors(void)
{
	char *memory = memory_of(16 * PAGE);
	struct vfio_iommu_type1_dma_map *nowhere = NULL;

	map(memory, BASE, 4 * PAGE);
	map(memory, BASE + PAGE, PAGE);
	unmap(BASE + PAGE, PAGE, 0);
	map(memory, 0xfee00000, PAGE);
	map(memory + 1, 2 * BASE, PAGE);
	map(memory, 2 * BASE, 0);
	map(memory, -PAGE, 2 * PAGE);
	map_flags(memory, 2 * BASE, PAGE, 1 << 7);
	map_flags(memory, 2 * BASE, PAGE, 0);
	munmap(memory + 8 * PAGE, PAGE);
	map(memory, 2 * BASE, 16 * PAGE);
	if (!ioctl(container, VFIO_IOMMU_MAP_DMA, nowhere))
		die("a map without an argument");
	report("map", 0, 0, 0, errno);
	unmap(BASE, 4 * PAGE, 4);
}

static void memlock(uint64_t allowed, uint64_t wanted)
{
	struct rlimit limit = { .rlim_cur = allowed, .rlim_max = allowed };
	char *memory = memory_of(wanted);

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgroups(0, NULL) || setgid(1000) || setuid(1000))
		die("uid 1000");
	map(memory, BASE, allowed / 4);
	map(memory, 2 * BASE, wanted);
	unmap(BASE, allowed / 4, allowed / 4 / PAGE);
}

static void full(void)
{
	char *memory = memory_of(PAGE);
	uint64_t i;

	quiet = true;
	for (i = 0; !map(memory, BASE + 2 * i * PAGE, PAGE); i++)
		;
	quiet = false;
	printf("areas %" PRIu64 "\n", i);
	report("map", BASE + 2 * i * PAGE, PAGE, 0, ENOSPC);
}

static uint64_t pairs_of_thread;

static void *thread_pairs(void *number)
{
	pairs(pairs_of_thread, 2 * PAGE, BASE * (1 + (uintptr_t)number));
	return NULL;
}

static void threads(uint64_t nr, uint64_t each)
{
	pthread_t list[MOST_THREADS];
	uintptr_t i;

	pairs_of_thread = each;
	for (i = 0; i < nr && i < MOST_THREADS; i++)
		if (pthread_create(&list[i], NULL, thread_pairs, (void *)i))
			die("thread");
	while (i--)
		pthread_join(list[i], NULL);
}

static uint64_t long_map;
static long long_tid;

static void *map_long(void *memory)
{
	pthread_setname_np(pthread_self(), "long-mapper");
	__atomic_store_n(&long_tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	map(memory, BASE, long_map);
	return NULL;
}

/* Is the other thread in its ioctl? */
static bool maps_already(void)
{
	long tid = __atomic_load_n(&long_tid, __ATOMIC_ACQUIRE), call = -1;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/syscall", tid);
	file = tid ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	/* "running" while it runs: then its number of system calls means nothing */
	if (fscanf(file, "%ld", &call) != 1)
		call = -1;
	fclose(file);
	return call == SYS_ioctl;
}

static void waiting(uint64_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *little = memory_of(PAGE);
	pthread_t thread;
	int i;

	if (memory == MAP_FAILED)
		die("memory");
	madvise(memory, length, MADV_NOHUGEPAGE);
	long_map = length;
	if (pthread_create(&thread, NULL, map_long, memory))
		die("thread");
	for (i = 0; i < 100 && !maps_already(); i++)
		usleep(1000);
	pthread_setname_np(pthread_self(), "waiting-mapper");
	map(little, 1024 * BASE, PAGE);
	pthread_join(thread, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void time_pairs(uint64_t nr, uint64_t length)
{
	char *memory = memory_of(length);
	uint64_t i, start;
	char line[16];

	quiet = true;
	while (fgets(line, sizeof(line), stdin)) {
		for (i = 0; i < nr / 10 + 1; i++)
			if (map(memory, BASE, length) || unmap(BASE, length, 0))
				die("pair");
		start = now_ns();
		for (i = 0; i < nr; i++)
			if (map(memory, BASE, length) || unmap(BASE, length, 0))
				die("pair");
		printf("pair_ns %" PRIu64 "\n", (now_ns() - start) / nr);
	}
}

int main(int argc, char **argv)
{
	const char *work = argc > 2 ? argv[2] : "";
	uint64_t a = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
	uint64_t b = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3) {
		fputs("usage: type1-load BDF WORK [ARGUMENT]...\n", stderr);
		return 2;
	}
	set_up(argv[1]);
	printf("pid %d\n", getpid());
	if (!strcmp(work, "pairs"))
		pairs(a, b ? b : PAGE, BASE);
	else if (!strcmp(work, "areas"))
		areas(a);
	else if (!strcmp(work, "errors"))
		errors();
	else if (!strcmp(work, "memlock"))
		memlock(a, b);
	else if (!strcmp(work, "full"))
		full();
	else if (!strcmp(work, "threads"))
		threads(a, b);
	else if (!strcmp(work, "waiting"))
		waiting(a);
	else if (!strcmp(work, "time"))
		time_pairs(a, b ? b : PAGE);
	else
		return 2;
	return 0;
}
