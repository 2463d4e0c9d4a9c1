// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of the kernel's own iommufd whose every call is known.
 *
 *	upstream-load BDF WORK [ARGUMENT]...
 *
 * It binds a device that vfio-pci has, prints "pid PID", does the work, and prints for each call
 * "NAME IOVA LENGTH ERROR": the requested range, and the name of the errno value, or 0. The range
 * of a call that is not on memory is zero.
 *
 *	pairs N [BYTES]		maps and unmaps
 *	bytes BYTES		one large map, a second page table filled from it, and one unmap
 *	tables			copies, page tables, moves of the device between them, and the
 *				undoing of all of it
 *	compat			maps and unmaps by the interface of a type1 container
 *	errors			failures, and the calls that set them up
 *	memlock LIMIT WANTED	as uid 1000 under a RLIMIT_MEMLOCK of LIMIT bytes
 *	switching N		moves of the device between two page tables, with concurrent maps
 *				and unmaps
 *	waiting BYTES		a map of untouched memory, and concurrent unmaps of the same
 *				context
 *	time N BYTES		pairs, without a line for each: the time of a call in nanoseconds
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/iommufd.h>
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
#include <time.h>
#include <unistd.h>

#define PAGE 4096ULL
#define BASE (1ULL << 32)
#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

static int iommu, device;
static uint32_t device_id, first_ioas;
static bool quiet;

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "upstream-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int report(const char *call, uint64_t iova, uint64_t length, int ret)
{
	int error = ret ? errno : 0;

	if (!quiet)
		printf("%s %" PRIu64 " %" PRIu64 " %s\n", call, iova, length,
		       error ? strerrorname_np(error) : "0");
	return error;
}

static int map_flags(uint32_t ioas, void *memory, uint64_t iova, uint64_t length, uint32_t flags)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	return report("map", iova, length, ioctl(iommu, IOMMU_IOAS_MAP, &map));
}

static int map(void *memory, uint64_t iova, uint64_t length)
{
	return map_flags(first_ioas, memory, iova, length, MAP_FLAGS);
}

static int unmap(uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = first_ioas,
		.iova = iova,
		.length = length,
	};
	int ret = ioctl(iommu, IOMMU_IOAS_UNMAP, &unmap);

	return report("unmap", iova, unmap.length, ret);
}

static int copy(uint32_t to, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_copy copied = {
		.size = sizeof(copied),
		.flags = MAP_FLAGS,
		.dst_ioas_id = to,
		.src_ioas_id = first_ioas,
		.length = length,
		.dst_iova = iova,
		.src_iova = iova,
	};

	return report("copy", iova, length, ioctl(iommu, IOMMU_IOAS_COPY, &copied));
}

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (report("ioas_alloc", 0, 0, ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc)))
		die("ioas_alloc");
	return alloc.out_ioas_id;
}

static uint32_t hwpt_alloc(uint32_t dev, uint32_t ioas)
{
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .dev_id = dev, .pt_id = ioas };

	report("hwpt_alloc", 0, 0, ioctl(iommu, IOMMU_HWPT_ALLOC, &alloc));
	return alloc.out_hwpt_id;
}

static int destroy(uint32_t id)
{
	struct iommu_destroy gone = { .size = sizeof(gone), .id = id };

	return report("destroy", 0, 0, ioctl(iommu, IOMMU_DESTROY, &gone));
}

/* @name: VFIO attaches an already attached device by a replacement */
static int attach(const char *name, uint32_t id)
{
	struct vfio_device_attach_iommufd_pt to = { .argsz = sizeof(to), .pt_id = id };

	return report(name, 0, 0, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &to));
}

static void detach(void)
{
	struct vfio_device_detach_iommufd_pt from = { .argsz = sizeof(from) };

	report("detach", 0, 0, ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &from));
}

static char *memory_of(uint64_t length, bool there)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("memory");
	madvise(memory, length, MADV_NOHUGEPAGE);
	if (there)
		memset(memory, 1, length);
	return memory;
}

static int open_device(const char *bdf)
{
	char path[128], name[32] = "";
	FILE *list;

	snprintf(path, sizeof(path), "ls /sys/bus/pci/devices/%s/vfio-dev", bdf);
	list = popen(path, "re");
	if (!list || fscanf(list, "%31s", name) != 1)
		die(path);
	pclose(list);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void set_up(const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };

	device = open_device(bdf);
	iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (device < 0 || iommu < 0)
		die(bdf);
	bind.iommufd = iommu;
	if (report("bind", 0, 0, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind)))
		die("bind");
	device_id = bind.out_devid;
	first_ioas = ioas_alloc();
	if (attach("attach", first_ioas))
		die("attach");
}

static void pairs(unsigned int nr, uint64_t length)
{
	char *memory = memory_of(length, true);

	while (nr--) {
		map(memory, BASE, length);
		unmap(BASE, length);
	}
}

static void much(uint64_t length)
{
	uint32_t hwpt;

	map(memory_of(length, true), BASE, length);
	hwpt = hwpt_alloc(device_id, first_ioas);
	destroy(hwpt);
	unmap(BASE, length);
}

static void tables(void)
{
	uint32_t other, hwpt;

	map(memory_of(64 * PAGE, true), BASE, 64 * PAGE);
	other = ioas_alloc();
	copy(other, BASE, 64 * PAGE);
	hwpt = hwpt_alloc(device_id, first_ioas);
	attach("replace", hwpt);
	attach("replace", other);
	attach("replace", first_ioas);
	destroy(hwpt);
	destroy(other);
	unmap(BASE, 64 * PAGE);
	detach();
}

static void compat(void)
{
	struct iommu_vfio_ioas set = {
		.size = sizeof(set),
		.ioas_id = first_ioas,
		.op = IOMMU_VFIO_IOAS_SET,
	};
	struct vfio_iommu_type1_dma_map mapped = {
		.argsz = sizeof(mapped),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory_of(16 * PAGE, true),
		.iova = BASE,
		.size = 16 * PAGE,
	};
	struct vfio_iommu_type1_dma_unmap unmapped = {
		.argsz = sizeof(unmapped),
		.iova = BASE,
		.size = 16 * PAGE,
	};

	if (ioctl(iommu, IOMMU_VFIO_IOAS, &set))
		die("IOMMU_VFIO_IOAS");
	report("map", BASE, 16 * PAGE, ioctl(iommu, VFIO_IOMMU_MAP_DMA, &mapped));
	report("unmap", BASE, 16 * PAGE, ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &unmapped));
}

static void errors(void)
{
	char *memory = memory_of(16 * PAGE, true);

	map(memory, BASE, 4 * PAGE);
	map(memory, BASE + PAGE, PAGE);
	unmap(BASE + PAGE, PAGE);
	map(memory, 0xfee00000, PAGE);
	map(memory, BASE + 16 * PAGE + 1, PAGE);
	map(memory, BASE + 16 * PAGE, 0);
	map_flags(first_ioas, memory, BASE + 16 * PAGE, PAGE, MAP_FLAGS | 1 << 7);
	map_flags(4711, memory, BASE + 16 * PAGE, PAGE, MAP_FLAGS);
	unmap(BASE + 1024 * PAGE, PAGE);
	munmap(memory + 8 * PAGE, PAGE);
	map(memory, BASE + 16 * PAGE, 16 * PAGE);
	hwpt_alloc(4711, first_ioas);
	destroy(4711);
	destroy(first_ioas);
	attach("replace", 4711);
	unmap(BASE, 4 * PAGE);
}

static void memlock(uint64_t allowed, uint64_t wanted)
{
	struct rlimit limit = { allowed, allowed };
	char *memory = memory_of(wanted, true);

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgroups(0, NULL) || setgid(1000) || setuid(1000))
		die("memlock");
	map(memory, BASE, allowed / 4);
	map(memory + allowed / 4, 2 * BASE, wanted - allowed / 4);
	unmap(BASE, allowed / 4);
}

static void *map_slowly(void *length)
{
	uint64_t bytes = *(uint64_t *)length;

	map(memory_of(bytes, false), 2 * BASE, bytes);
	return NULL;
}

static void waiting(uint64_t length)
{
	char *memory = memory_of(PAGE, true);
	pthread_t thread;

	if (pthread_create(&thread, NULL, map_slowly, &length))
		die("thread");
	while (pthread_tryjoin_np(thread, NULL)) {
		map(memory, BASE, PAGE);
		unmap(BASE, PAGE);
	}
	unmap(2 * BASE, length);
}

static volatile bool ended;

static void *pairs_until_ended(void *memory)
{
	while (!ended) {
		map(memory, 2 * BASE, 64 * PAGE);
		unmap(2 * BASE, 64 * PAGE);
	}
	return NULL;
}

static void switching(unsigned int nr)
{
	char *memory = memory_of(64 * PAGE, true);
	uint32_t other = ioas_alloc();
	pthread_t thread;

	map(memory, BASE, 64 * PAGE);
	copy(other, BASE, 64 * PAGE);
	if (pthread_create(&thread, NULL, pairs_until_ended, memory))
		die("thread");
	while (nr--)
		attach("replace", nr & 1 ? other : first_ioas);
	ended = true;
	pthread_join(thread, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void measure(unsigned int nr, uint64_t length)
{
	uint64_t best = UINT64_MAX, start, took;
	int round;

	quiet = true;
	pairs(200, length);
	for (round = 0; round < 5; round++) {
		char *memory = memory_of(length, true);
		unsigned int i;

		start = now_ns();
		for (i = 0; i < nr; i++) {
			map(memory, BASE, length);
			unmap(BASE, length);
		}
		took = (now_ns() - start) / nr / 2;
		munmap(memory, length);
		if (took < best)
			best = took;
	}
	printf("call %" PRIu64 " ns\n", best);
}

int main(int argc, char **argv)
{
	const char *work = argc > 2 ? argv[2] : "";
	uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
	uint64_t second = argc > 4 ? strtoull(argv[4], NULL, 0) : PAGE;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("pid %d\n", (int)getpid());
	if (*work)
		set_up(argv[1]);
	if (!strcmp(work, "pairs"))
		pairs(first, second);
	else if (!strcmp(work, "bytes"))
		much(first);
	else if (!strcmp(work, "tables"))
		tables();
	else if (!strcmp(work, "compat"))
		compat();
	else if (!strcmp(work, "errors"))
		errors();
	else if (!strcmp(work, "memlock"))
		memlock(first, second);
	else if (!strcmp(work, "switching"))
		switching(first);
	else if (!strcmp(work, "waiting"))
		waiting(first);
	else if (!strcmp(work, "time"))
		measure(first, second);
	else
		return 2;
	return 0;
}
