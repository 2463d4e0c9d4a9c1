// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU driver fails in the middle, at each call in turn: all previous work is undone.
 */
#include <stdio.h>

#include "conformance.h"

/* Areas are cut into this many extents, so that one area takes many calls of the IOMMU driver. */
#define NR_PAGES 24

/* Make map calls of the mock IOMMU fail with EIO after @calls more. */
static void fail_after(unsigned int calls)
{
	char text[32];

	snprintf(text, sizeof(text), "5 %u", calls);
	CHECK_OK(mock_knob("map_error", text));
}

static void fail_no_more(void)
{
	CHECK_OK(mock_knob("map_error", "0 0"));
}

/* Small pages, no two of which are adjacent in memory */
static uint8_t *scattered(void)
{
	uint8_t *spare = memory(2 * NR_PAGES * PAGE);
	uint8_t *buffer = memory(NR_PAGES * PAGE);

	for (int i = 0; i < NR_PAGES; i++) {
		buffer[i * PAGE] = i;
		spare[2 * i * PAGE] = i;
		spare[(2 * i + 1) * PAGE] = i;
	}
	return buffer;
}

/* Three HWPTs, two of one kind and one of another, in an IOAS */
static void three_hwpts(struct context *c, uint32_t hwpts[3])
{
	struct iommu_test_mock half = { .device_add = { .pgsizes = PAGE / 2 } };
	struct test_device a = device_new(c);
	struct test_device b = device_like(c, &half);

	CHECK_OK(hwpt_alloc(c->fd, a.idev, c->ioas, 0, &hwpts[0]));
	CHECK_OK(hwpt_alloc(c->fd, b.idev, c->ioas, 0, &hwpts[1]));
	CHECK_OK(hwpt_alloc(c->fd, a.idev, c->ioas, 0, &hwpts[2]));
}

static void check_nothing(struct context *c, const uint32_t hwpts[3], const uint8_t *buffer,
			  uint64_t iova)
{
	for (int i = 0; i < 3; i++)
		for (uint64_t at = 0; at < NR_PAGES * PAGE; at += PAGE)
			CHECK_ERR(EIO, check_map(c->fd, hwpts[i], iova + at, buffer + at, PAGE));
	CHECK_OK(check_pins(c->fd, buffer, NR_PAGES * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(undo, map)
{
	struct context c = context_new();
	uint8_t *buffer = scattered();
	unsigned int calls;
	uint32_t hwpts[3];
	int rc = -1;

	three_hwpts(&c, hwpts);
	for (calls = 0; rc; calls++) {
		CHECK_LE(calls, 10 * NR_PAGES);
		fail_after(calls);
		events_drop();
		rc = ioas_map_at(c.fd, c.ioas, buffer, NR_PAGES * PAGE, IOVA);
		fail_no_more();
		if (rc) {
			events_failure(__FILE__, __LINE__, "map", rc, EIO, "domain_map_failed");
			check_nothing(&c, hwpts, buffer, IOVA);
		}
	}
	/* It failed in the second and the third HWPT, too. */
	CHECK_GE(calls, 4);
	for (int i = 0; i < 3; i++)
		CHECK_OK(check_map(c.fd, hwpts[i], IOVA, buffer, NR_PAGES * PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, NR_PAGES * PAGE));
	check_nothing(&c, hwpts, buffer, IOVA);
}

TEST(undo, copy)
{
	struct context c = context_new();
	uint8_t *buffer = scattered();
	uint64_t iova = IOVA;
	unsigned int calls;
	uint32_t hwpts[3], src;
	int rc = -1;

	CHECK_OK(ioas_alloc(c.fd, &src));
	CHECK_OK(ioas_map_at(c.fd, src, buffer, NR_PAGES / 2 * PAGE, GB(1)));
	CHECK_OK(ioas_map_at(c.fd, src, buffer + NR_PAGES / 2 * PAGE, NR_PAGES / 2 * PAGE,
			     GB(1) + NR_PAGES / 2 * PAGE));
	three_hwpts(&c, hwpts);
	for (calls = 0; rc; calls++) {
		CHECK_LE(calls, 10 * NR_PAGES);
		fail_after(calls);
		rc = ioas_copy(c.fd, c.ioas, &iova, src, GB(1), NR_PAGES * PAGE, MAP_RW_FIXED);
		fail_no_more();
		if (rc) {
			CHECK_EQ(rc, -EIO);
			check_nothing(&c, hwpts, buffer, IOVA);
		}
	}
	for (int i = 0; i < 3; i++)
		CHECK_OK(check_map(c.fd, hwpts[i], IOVA, buffer, NR_PAGES * PAGE));
}

TEST(undo, hwpt_alloc)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = scattered();
	unsigned int calls;
	uint32_t hwpt;
	int rc = -1;

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 10 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 10 * PAGE, 10 * PAGE, IOVA + MB(1)));
	for (calls = 0; rc; calls++) {
		CHECK_LE(calls, 10 * NR_PAGES);
		fail_after(calls);
		events_drop();
		rc = hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt);
		fail_no_more();
		if (rc) {
			events_failure(__FILE__, __LINE__, "hwpt_alloc", rc, EIO,
				       "domain_map_failed");
			CHECK_OK(check_pins(c.fd, buffer, NR_PAGES * PAGE, 0));
			CHECK_EQ(locked_bytes(0), 0);
		}
	}
	CHECK_GE(calls, 2);
	CHECK_OK(check_map(c.fd, hwpt, IOVA, buffer, 10 * PAGE));
	CHECK_OK(check_map(c.fd, hwpt, IOVA + MB(1), buffer + 10 * PAGE, 10 * PAGE));
	CHECK_EQ(locked_bytes(0), 20 * PAGE);
}

TEST(undo, attach)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	struct iommu_iova_range range;
	uint8_t *buffer = scattered();
	unsigned int calls;
	uint32_t nr;
	int rc = -1;

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, NR_PAGES * PAGE, IOVA));
	for (calls = 0; rc; calls++) {
		CHECK_LE(calls, 10 * NR_PAGES);
		fail_after(calls);
		events_drop();
		rc = device_attach(c.fd, &device, c.ioas);
		fail_no_more();
		if (rc) {
			events_failure(__FILE__, __LINE__, "attach", rc, EIO, "domain_map_failed");
			CHECK_OK(check_pins(c.fd, buffer, NR_PAGES * PAGE, 0));
			/* Nor does an HWPT remain whose aperture would count. */
			nr = 1;
			CHECK_OK(ioas_ranges(c.fd, c.ioas, &range, &nr, NULL));
			CHECK_EQ(range.last, UINT64_MAX);
		}
	}
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, NR_PAGES * PAGE));
}

TEST(undo, replace)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = scattered();
	uint64_t faults, accesses = 0;
	uint32_t second, old;
	unsigned int calls;
	char command[96];
	int rc = -1;

	CHECK_OK(ioas_alloc(c.fd, &second));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, NR_PAGES * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, second, buffer, NR_PAGES * PAGE, IOVA));
	old = device.hwpt;
	snprintf(command, sizeof(command), "start 0x%lx 0x%lx r 50", IOVA, NR_PAGES * PAGE);
	CHECK_OK(device_knob(&device, "dma", command));
	for (calls = 0; rc; calls++) {
		CHECK_LE(calls, 10 * NR_PAGES);
		fail_after(calls);
		events_drop();
		rc = device_replace(c.fd, &device, second);
		fail_no_more();
		if (rc) {
			events_failure(__FILE__, __LINE__, "replace", rc, EIO,
				       "domain_map_failed");
			CHECK_OK(check_map(c.fd, old, IOVA, buffer, NR_PAGES * PAGE));
		}
	}
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, NR_PAGES * PAGE));
	while (accesses < 50)
		CHECK_OK(device_stat(&device, "accesses", &accesses));
	CHECK_OK(device_stat(&device, "faults", &faults));
	CHECK_EQ(faults, 0);
	CHECK_OK(check_pins(c.fd, buffer, NR_PAGES * PAGE, 1));
}
