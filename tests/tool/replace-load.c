// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload of known replacements: mock devices of one group that do DMA while their translation is
 * replaced by another with the same mappings.
 *
 *	replace-load COUNT [DEVICES [GAP_US [FAIL]]]
 *
 * GAP_US: how long each device has no translation in between.  FAIL: the IOMMU refuses at this device,
 * counted from 1.  Prints "replaced COUNT failed COUNT", and for each device "NAME COUNTER VALUE..." with the
 * mock's own counters.
 */
#include <errno.h>
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
	static const char *const names[] = { "accesses", "faults", "gap_faults", "gaps", "gap_ns",
					     "longest_gap_ns", "attaches" };
	unsigned int i;
	uint64_t value;

	printf("iommufd-mock.%u", device->index);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		need(device_stat(device, names[i], &value), names[i]);
		printf(" %s %llu", names[i], (unsigned long long)value);
	}
	putchar('\n');
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

	if (!count || !nr || nr > MAX_DEVICES || fail > nr) {
		fprintf(stderr, "usage: replace-load COUNT [DEVICES [GAP_US [FAIL]]]\n");
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
	printf("replaced %lu failed %lu\n", replaced, failed);
	for (i = 0; i < nr; i++)
		print_counters(&devices[i]);
	return 0;
}
