// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload of known replacements: mock devices of one group do DMA while their translation is
 * replaced by another with the same mappings.
 *
 *	replace-load COUNT [DEVICES [GAP_US [FAIL]]]
 *	replace-load -w COUNT
 *
 * GAP_US: how long each device has no translation in between. FAIL: the IOMMU refuses this
 * device, counted from 1. Prints "replaced COUNT failed COUNT", and for each device "NAME COUNTER
 * VALUE..." with the mock's own counters. At the end it replaces once by the current HWPT, and
 * once by one that does not exist.
 *
 * With -w each replacement slowly fills a new HWPT, while a thread called "mapper" maps into the
 * IOAS that fills it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu.h"

#define IOVA MB(16)
#define LENGTH MB(1)
#define MAX_DEVICES 8
#define GROUP 77

static void need(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "replace-load: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void add_device(int fd, struct test_device *device, const char *gap)
{
	struct iommu_test_mock how = { .device_add = { .group = GROUP } };

	need(device_add(fd, &how, device), "add a device");
	need(device_knob(device, "replace_gap_us", gap), "replace_gap_us");
}

static void print_counters(const struct test_device *device)
{
	static const char *const names[] = { "accesses", "faults",	   "gap_faults", "gaps",
					     "gap_ns",	 "longest_gap_ns", "attaches" };
	unsigned int i;
	uint64_t value;

	printf("iommufd-mock.%u", device->index);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		need(device_stat(device, names[i], &value), names[i]);
		printf(" %s %llu", names[i], (unsigned long long)value);
	}
	putchar('\n');
}

/* The objects of the mapper. */
static struct {
	int fd;
	uint32_t ioas[2];
	void *memory;
	atomic_bool stop;
} mapper;

static void *map_and_unmap(void *unused)
{
	unsigned int i;

	(void)unused;
	pthread_setname_np(pthread_self(), "mapper");
	for (i = 0; !atomic_load(&mapper.stop); i++) {
		need(ioas_map_at(mapper.fd, mapper.ioas[i % 2], mapper.memory, PAGE, MB(512)),
		     "map");
		need(ioas_unmap(mapper.fd, mapper.ioas[i % 2], MB(512), PAGE), "unmap");
	}
	return NULL;
}

/* Each mapping of the IOMMU takes a while, and the IOASes have some. */
static int replace_while_mapping(int fd, unsigned long count)
{
	struct iommu_test_mock how = {};
	struct test_device device;
	unsigned long i, k;
	pthread_t thread;

	mapper.fd = fd;
	mapper.memory = memory(PAGE);
	need(device_add(fd, &how, &device), "add a device");
	for (i = 0; i < 2; i++) {
		need(ioas_alloc(fd, &mapper.ioas[i]), "IOAS");
		for (k = 0; k < 16; k++)
			need(ioas_map_at(fd, mapper.ioas[i], memory(PAGE), PAGE, IOVA + k * PAGE),
			     "map");
	}
	need(device_attach(fd, &device, mapper.ioas[0]), "attach");
	need(mock_knob("map_ns", "500000"), "map_ns");
	need(-pthread_create(&thread, NULL, map_and_unmap, NULL), "thread");
	for (i = 1; i <= count; i++)
		need(device_replace(fd, &device, mapper.ioas[i % 2]), "replace");
	atomic_store(&mapper.stop, true);
	pthread_join(thread, NULL);
	need(mock_knob("map_ns", "0"), "map_ns");
	printf("replaced %lu failed 0\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0, i, replaced = 0, failed = 0;
	unsigned long nr = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	const char *gap = argc > 3 ? argv[3] : "0";
	unsigned long fail = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;
	struct test_device devices[MAX_DEVICES];
	uint32_t ioas, hwpts[2];
	char dma[64], error[16];
	int fd, rc;

	if (argc == 3 && !strcmp(argv[1], "-w") && atoi(argv[2]) > 0) {
		fd = iommu_open();
		need(fd < 0 ? fd : 0, "/dev/iommu");
		return replace_while_mapping(fd, atoi(argv[2]));
	}
	if (!count || !nr || nr > MAX_DEVICES || fail > nr) {
		fprintf(stderr, "usage: replace-load COUNT [DEVICES [GAP_US [FAIL]]] | -w COUNT\n");
		return 2;
	}
	fd = iommu_open();
	need(fd < 0 ? fd : 0, "/dev/iommu");
	need(ioas_alloc(fd, &ioas), "IOAS");
	need(ioas_map_at(fd, ioas, memory(LENGTH), LENGTH, IOVA), "map");
	for (i = 0; i < nr; i++)
		add_device(fd, &devices[i], gap);
	for (i = 0; i < 2; i++)
		need(hwpt_alloc(fd, devices[0].idev, ioas, 0, &hwpts[i]), "HWPT");
	snprintf(dma, sizeof(dma), "start 0x%llx 0x%llx r 20", (unsigned long long)IOVA,
		 (unsigned long long)LENGTH);
	for (i = 0; i < nr; i++) {
		need(device_attach(fd, &devices[i], hwpts[0]), "attach");
		need(device_knob(&devices[i], "dma", dma), "dma");
	}
	if (fail) {
		snprintf(error, sizeof(error), "%d", EIO);
		need(device_knob(&devices[fail - 1], "attach_error", error), "attach_error");
	}
	for (i = 0; i < nr; i++)
		need(device_knob(&devices[i], "stats", "0"), "stats");

	for (i = 0; i < count; i++) {
		rc = device_replace(fd, &devices[0], hwpts[(replaced + 1) % 2]);
		if (rc)
			failed++;
		else
			replaced++;
	}
	for (i = 0; i < nr; i++)
		need(device_knob(&devices[i], "dma", "stop"), "dma");
	need(device_replace(fd, &devices[0], hwpts[replaced % 2]), "stay");
	rc = device_replace(fd, &devices[0], 0x7fffffff);
	need(rc == -ENOENT ? 0 : rc ? rc : -EINVAL, "be refused");
	printf("replaced %lu failed %lu\n", replaced, failed);
	for (i = 0; i < nr; i++)
		print_counters(&devices[i]);
	return 0;
}
