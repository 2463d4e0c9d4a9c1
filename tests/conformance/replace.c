// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replacing the translation of a device while it does DMA. The device counts the accesses that
 * fail.
 */
#include <stdio.h>
#include <unistd.h>

#include "conformance.h"

#define GROUP(_n) (0x2000U + (_n))

static void start_dma(const struct test_device *device, uint64_t iova, uint64_t length)
{
	char command[96];

	snprintf(command, sizeof(command), "start 0x%lx 0x%lx r 50", iova, length);
	CHECK_OK(device_knob(device, "dma", command));
}

/* Let the device make some more accesses, or try to. */
static void some_dma(const struct test_device *device)
{
	uint64_t before = 0, now = 0, n;

	CHECK_OK(device_stat(device, "accesses", &before));
	CHECK_OK(device_stat(device, "faults", &n));
	before += n;
	while (now < before + 20) {
		CHECK_OK(device_stat(device, "accesses", &now));
		CHECK_OK(device_stat(device, "faults", &n));
		now += n;
	}
}

static uint64_t stat(const struct test_device *device, const char *name)
{
	uint64_t value;

	CHECK_OK(device_stat(device, name, &value));
	return value;
}

/* Two IOASes that map the same memory at the same IOVA */
static uint32_t second_ioas(struct context *c, uint8_t *buffer, uint64_t length)
{
	uint64_t iova = IOVA;
	uint32_t ioas;

	CHECK_OK(ioas_map_at(c->fd, c->ioas, buffer, length, IOVA));
	CHECK_OK(ioas_alloc(c->fd, &ioas));
	CHECK_OK(ioas_copy(c->fd, ioas, &iova, c->ioas, IOVA, length, MAP_RW_FIXED));
	return ioas;
}

TEST(replace, hitless)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);
	uint64_t before;
	int i;

	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	start_dma(&device, IOVA, 8 * PAGE);
	before = stat(&device, "attaches");
	for (i = 0; i < 50; i++) {
		uint32_t old = device.hwpt;

		CHECK_OK(device_replace(c.fd, &device, i & 1 ? c.ioas : second));
		CHECK_NE(device.hwpt, old);
		CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, 8 * PAGE));
		FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, old));
	}
	some_dma(&device);
	CHECK_EQ(stat(&device, "faults"), 0);
	CHECK_EQ(stat(&device, "attaches"), before + 50);
}

TEST(replace, gap)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);

	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	start_dma(&device, IOVA, 8 * PAGE);
	some_dma(&device);
	CHECK_EQ(stat(&device, "faults"), 0);
	CHECK_OK(device_knob(&device, "replace_gap_us", "20000"));
	CHECK_OK(device_replace(c.fd, &device, second));
	some_dma(&device);
	CHECK_GE(stat(&device, "gap_faults"), 1);
	CHECK_EQ(stat(&device, "gap_faults"), stat(&device, "faults"));
	CHECK_GE(stat(&device, "longest_gap_ns"), 20000000);
}

TEST(replace, same_and_between)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t hwpts[2], automatic = device.hwpt;
	int i;

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(device_replace(c.fd, &device, c.ioas));
	CHECK_EQ(device.hwpt, automatic);
	for (i = 0; i < 2; i++)
		CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpts[i]));
	start_dma(&device, IOVA, 8 * PAGE);
	for (i = 0; i < 20; i++) {
		CHECK_OK(device_replace(c.fd, &device, hwpts[i & 1]));
		CHECK_EQ(device.hwpt, hwpts[i & 1]);
		CHECK_OK(device_replace(c.fd, &device, hwpts[i & 1]));
		FAILS(EBUSY, "object_busy", object_destroy(c.fd, hwpts[i & 1]));
	}
	CHECK_EQ(stat(&device, "faults"), 0);
	CHECK_OK(object_destroy(c.fd, hwpts[0]));
}

TEST(replace, errors_leave_the_old_one)
{
	struct iommu_test_mock how = {
		.device_add = { .resv_start = GB(2), .resv_length = PAGE },
	};
	struct iommu_test_mock coarse = { .device_add = { .pgsizes = PAGE / 2 } };
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);
	struct test_device other = device_like(&c, &coarse);
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);
	uint32_t old, foreign, nr;
	struct iommu_iova_range ranges[4];

	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	old = device.hwpt;
	start_dma(&device, IOVA, 8 * PAGE);

	FAILS(ENOENT, "bad_object_id", device_replace(c.fd, &device, NO_ID));
	FAILS(EINVAL, "wrong_object_type", device_replace(c.fd, &device, device.idev));
	/* An HWPT of another kind */
	CHECK_OK(hwpt_alloc(c.fd, other.idev, second, 0, &foreign));
	FAILS(EINVAL, "domain_incompatible", device_replace(c.fd, &device, foreign));
	CHECK_OK(object_destroy(c.fd, foreign));
	/* Something is mapped in a reserved range of the device. */
	CHECK_OK(ioas_map_at(c.fd, second, buffer, PAGE, GB(2)));
	FAILS(EADDRINUSE, "reserved_region_in_use", device_replace(c.fd, &device, second));
	CHECK_OK(ioas_unmap(c.fd, second, GB(2), PAGE));
	/* The IOMMU refuses. */
	CHECK_OK(device_knob(&device, "attach_error", "5"));
	FAILS(EIO, "domain_switch_failed", device_replace(c.fd, &device, second));
	CHECK_OK(device_knob(&device, "attach_error", "0"));

	some_dma(&device);
	CHECK_EQ(stat(&device, "faults"), 0);
	CHECK_OK(check_map(c.fd, old, IOVA, buffer, 8 * PAGE));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, old));
	/* The reservation applies where the device is attached, and nowhere else. */
	nr = 4;
	CHECK_OK(ioas_ranges(c.fd, second, ranges, &nr, NULL));
	CHECK_EQ(nr, 1);
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, GB(2)));
	CHECK_OK(device_replace(c.fd, &device, second));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, second, buffer, PAGE, GB(2)));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, GB(2)));
}

TEST(replace, memory_limit_leaves_the_old_one)
{
	struct context c = context_new();
	struct test_device device;
	uint8_t *buffer = memory(32 * PAGE);
	uint32_t second;

	CHECK_OK(ioas_alloc(c.fd, &second));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, second, buffer, 8 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, second, buffer + 8 * PAGE, 16 * PAGE, IOVA + MB(1)));
	device = device_new(&c);
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	start_dma(&device, IOVA, 16 * PAGE);
	limit_memlock(32 * PAGE);
	become_user(4020);

	/* The old one holds 16 pages, and the new one needs 24 more while both exist. */
	device_detach(c.fd, &device);
	CHECK_OK(object_destroy(c.fd, c.ioas));
	CHECK_OK(ioas_alloc(c.fd, &c.ioas));
	CHECK_OK(object_destroy(c.fd, second));
	CHECK_OK(ioas_alloc(c.fd, &second));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, second, buffer, 8 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, second, buffer + 8 * PAGE, 16 * PAGE, IOVA + MB(1)));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	FAILS(ENOMEM, "memlock_limit", device_replace(c.fd, &device, second));
	CHECK_EQ(locked_bytes(0), 16 * PAGE);
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, 16 * PAGE));
	CHECK_OK(ioas_unmap(c.fd, second, IOVA + MB(1), 16 * PAGE));
	CHECK_OK(device_replace(c.fd, &device, second));
	CHECK_EQ(locked_bytes(0), 8 * PAGE);
}

TEST(replace, group)
{
	struct iommu_test_mock how = { .device_add = { .group = GROUP(1) } };
	struct context c = context_new();
	struct test_device devices[3];
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);
	char last[1024];
	int i;

	for (i = 0; i < 3; i++) {
		devices[i] = device_like(&c, &how);
		CHECK_OK(device_attach(c.fd, &devices[i], c.ioas));
		start_dma(&devices[i], IOVA, 8 * PAGE);
	}
	/* One call moves the group. */
	events_drop();
	CHECK_OK(device_replace(c.fd, &devices[1], second));
	CHECK_EQ(events_count("iommufd_replace", last, sizeof(last)), 1);
	CHECK(strstr(last, " devices=3 "));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 8 * PAGE));
	for (i = 0; i < 3; i++) {
		some_dma(&devices[i]);
		CHECK_EQ(stat(&devices[i], "faults"), 0);
	}
}

TEST(replace, fails_at_each_device)
{
	struct iommu_test_mock how = { .device_add = { .group = GROUP(2) } };
	struct context c = context_new();
	struct test_device devices[3];
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);
	uint32_t old;
	int i, k;

	for (i = 0; i < 3; i++) {
		devices[i] = device_like(&c, &how);
		CHECK_OK(device_attach(c.fd, &devices[i], c.ioas));
		start_dma(&devices[i], IOVA, 8 * PAGE);
	}
	old = devices[0].hwpt;
	for (k = 0; k < 3; k++) {
		CHECK_OK(device_knob(&devices[k], "attach_error", "12"));
		FAILS(ENOMEM, "domain_switch_failed",
		      device_replace(c.fd, &devices[0], second));
		CHECK_OK(device_knob(&devices[k], "attach_error", "0"));
		/*
		 * All devices of the group, including those already switched, are back where they
		 * were.
		 */
		for (i = 0; i < 3; i++) {
			some_dma(&devices[i]);
			CHECK_EQ(stat(&devices[i], "faults"), 0);
		}
		CHECK_OK(check_map(c.fd, old, IOVA, buffer, 8 * PAGE));
		FAILS(EBUSY, "object_busy", object_destroy(c.fd, old));
		CHECK_OK(ioas_unmap(c.fd, second, IOVA, 8 * PAGE));
		CHECK_OK(ioas_map_at(c.fd, second, buffer, 8 * PAGE, IOVA));
	}
	CHECK_OK(device_replace(c.fd, &devices[0], second));
	for (i = 0; i < 3; i++) {
		some_dma(&devices[i]);
		CHECK_EQ(stat(&devices[i], "faults"), 0);
	}
}

TEST(replace, event_tells_the_phases)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t second = second_ioas(&c, buffer, 8 * PAGE);
	unsigned long long switch_ns, dur_ns;
	char last[1024], want[64];
	uint32_t old;

	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	old = device.hwpt;
	CHECK_OK(device_knob(&device, "replace_gap_us", "5000"));
	events_drop();
	CHECK_OK(device_replace(c.fd, &device, second));
	CHECK_EQ(events_count("iommufd_replace", last, sizeof(last)), 1);
	snprintf(want, sizeof(want), " hwpt=%u old_hwpt=%u ioas=%u old_ioas=%u ", device.hwpt, old,
		 second, c.ioas);
	CHECK(strstr(last, want));
	CHECK_EQ(sscanf(strstr(last, " switch_ns="), " switch_ns=%llu", &switch_ns), 1);
	CHECK_EQ(sscanf(strstr(last, " dur_ns="), " dur_ns=%llu", &dur_ns), 1);
	CHECK_GE(switch_ns, 5000000);
	CHECK_GE(dur_ns, switch_ns);
}
