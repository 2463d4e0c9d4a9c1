// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload of known calls: map and unmap memory, where every EVERY-th call fails.
 *
 *	map-load [-m] [-w] COUNT LENGTH [EVERY]
 *
 * With -m a mock device is attached to the IOAS, so that memory is pinned and mapped into a page
 * table; then it prints "device NAME" first. Prints "map COUNT ERRORS BYTES" and "unmap COUNT
 * ERRORS BYTES". With -w the last area stays, and the program ends with its standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommu.h"

#define IOVA 0x10000000ULL

struct calls {
	unsigned long count;
	unsigned long errors;
	unsigned long long bytes;
};

static void die(const char *what)
{
	fprintf(stderr, "map-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

__attribute__((noinline)) static void call(int fd, struct calls *calls, unsigned long request,
					   void *arg, unsigned long long bytes)
{
	calls->count++;
	if (ioctl(fd, request, arg))
		calls->errors++;
	else
		calls->bytes += bytes;
}

/*
 * Separate functions, to be found in stacks. A libc without frame pointers hides the caller of
 * ioctl(), so these two call it.
 */
__attribute__((noinline)) static void map_area(int fd, struct calls *calls,
					       struct iommu_ioas_map *in)
{
	call(fd, calls, IOMMU_IOAS_MAP, in, in->length);
}

__attribute__((noinline)) static void
unmap_area(int fd, struct calls *calls, struct iommu_ioas_unmap *out, unsigned long long length)
{
	call(fd, calls, IOMMU_IOAS_UNMAP, out, length);
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	unsigned long long count, length, every, i;
	struct calls map = {}, unmap = {};
	struct test_device device;
	bool mock = false, waits = false;
	void *memory;
	int fd;

	for (; argc > 1 && *argv[1] == '-'; argv++, argc--) {
		mock |= !strcmp(argv[1], "-m");
		waits |= !strcmp(argv[1], "-w");
	}
	if (argc < 3) {
		fprintf(stderr, "Usage: map-load [-m] [-w] COUNT LENGTH [EVERY]\n");
		return 2;
	}
	count = strtoull(argv[1], NULL, 0);
	length = strtoull(argv[2], NULL, 0);
	every = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/iommu");
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("memory");
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		die("IOMMU_IOAS_ALLOC");
	if (mock) {
		errno = -mock_domain(fd, alloc.out_ioas_id, &device);
		if (errno)
			die("mock device");
		printf("device %u\n", device.index);
		fflush(stdout);
	}
	for (i = 0; i < count; i++) {
		struct iommu_ioas_map in = {
			.size = sizeof(in),
			.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
				 IOMMU_IOAS_MAP_WRITEABLE,
			.ioas_id = alloc.out_ioas_id,
			.user_va = (uintptr_t)memory,
			.length = length,
			.iova = IOVA,
		};
		struct iommu_ioas_unmap out = {
			.size = sizeof(out),
			.ioas_id = alloc.out_ioas_id,
			.iova = IOVA,
			.length = length,
		};

		/* a failing call uses an IOAS that does not exist, and maps nothing */
		if (every && i % every == every - 1) {
			in.ioas_id += 4711;
			map_area(fd, &map, &in);
			continue;
		}
		map_area(fd, &map, &in);
		if (!waits || i < count - 1)
			unmap_area(fd, &unmap, &out, length);
	}
	printf("map %lu %lu %llu\n", map.count, map.errors, map.bytes);
	printf("unmap %lu %lu %llu\n", unmap.count, unmap.errors, unmap.bytes);
	fflush(stdout);
	while (waits && getchar() != EOF)
		;
	close(fd);
	return ferror(stdout) ? 1 : 0;
}
