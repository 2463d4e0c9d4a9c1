// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices and groups: bind, attach, detach.
 */
#include <stdio.h>

#include "conformance.h"

/* A group number that no other test uses */
#define GROUP(_n) (0x1000U + (_n))

static struct test_device in_group(struct context *c, uint32_t group)
{
	struct iommu_test_mock how = { .device_add = { .group = group } };

	return device_like(c, &how);
}

static void start_dma(const struct test_device *device, uint64_t iova, uint64_t length)
{
	char command[96];

	snprintf(command, sizeof(command), "start 0x%lx 0x%lx r 200", iova, length);
	CHECK_OK(device_knob(device, "dma", command));
}

TEST(device, bind_refused)
{
	struct iommu_test_mock incoherent = {
		.device_add = { .flags = MOCK_DEVICE_NOT_COHERENT },
	};
	struct context c = context_new();
	struct test_device device;

	FAILS(EINVAL, "not_cache_coherent", device_add(c.fd, &incoherent, &device));
}

TEST(device, without_iommu)
{
	struct iommu_test_mock how = { .device_add = { .flags = MOCK_DEVICE_NO_IOMMU } };
	struct context c = context_new();
	struct test_device device;

	FAILS(ENODEV, "no_iommu_group", device_add(c.fd, &how, &device));
}

TEST(device, group_in_use_by_a_driver)
{
	struct iommu_test_mock how = {
		.device_add = { .group = GROUP(4), .flags = MOCK_DEVICE_DRIVEN },
	};
	struct context c = context_new();
	struct test_device driven = device_like(&c, &how);
	struct test_device device;

	/* If a kernel driver has a device of the group, user space cannot use the others. */
	how.device_add.flags = 0;
	CHECK_ERR(EPERM, device_add(c.fd, &how, &device));
	CHECK_OK(object_destroy(c.fd, driven.stdev));
	device = device_like(&c, &how);
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
}

TEST(device, attach_states)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);

	CHECK_ERR(EINVAL, device_detach(c.fd, &device));
	FAILS(EINVAL, "not_attached", device_replace(c.fd, &device, c.ioas));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	FAILS(EBUSY, "already_attached", device_attach(c.fd, &device, c.ioas));
	CHECK_OK(device_detach(c.fd, &device));
	CHECK_ERR(EINVAL, device_detach(c.fd, &device));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
}

TEST(device, other_context)
{
	struct context a = context_new();
	struct context b = context_new();
	struct test_device device = device_new(&a);
	uint32_t spare, hwpt;

	/* Objects of one context are unknown in another. */
	CHECK_OK(ioas_alloc(b.fd, &spare));
	CHECK_OK(ioas_alloc(b.fd, &spare));
	CHECK_OK(ioas_alloc(b.fd, &spare));
	CHECK_OK(ioas_alloc(b.fd, &spare));
	FAILS(ENOENT, "bad_object_id", device_attach(a.fd, &device, spare));
	FAILS(ENOENT, "wrong_object_type", hwpt_alloc(b.fd, device.idev, b.ioas, 0, &hwpt));
}

TEST(device, group_shares)
{
	struct context c = context_new();
	struct test_device a = in_group(&c, GROUP(1));
	struct test_device b = in_group(&c, GROUP(1));
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t faults, accesses = 0;
	uint32_t other;
	bool owned;

	CHECK_EQ(a.group, b.group);
	CHECK_OK(device_has_group(c.fd, &a, &owned));
	CHECK(owned);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	CHECK_OK(ioas_alloc(c.fd, &other));

	CHECK_OK(device_attach(c.fd, &a, c.ioas));
	FAILS(EINVAL, "group_attached_elsewhere", device_attach(c.fd, &b, other));
	CHECK_OK(device_attach(c.fd, &b, c.ioas));
	CHECK_EQ(a.hwpt, b.hwpt);

	/* The first device to leave takes nothing from the rest. */
	start_dma(&b, IOVA, 4 * PAGE);
	CHECK_OK(device_detach(c.fd, &a));
	while (accesses < 50)
		CHECK_OK(device_stat(&b, "accesses", &accesses));
	CHECK_OK(device_stat(&b, "faults", &faults));
	CHECK_EQ(faults, 0);
	CHECK_OK(device_attach(c.fd, &a, c.ioas));
	CHECK_OK(object_destroy(c.fd, a.stdev));
	CHECK_OK(device_stat(&b, "faults", &faults));
	CHECK_EQ(faults, 0);

	/* After the last one has left, nothing translates any more. */
	CHECK_OK(device_detach(c.fd, &b));
	while (!faults)
		CHECK_OK(device_stat(&b, "faults", &faults));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, b.hwpt ?: NO_ID));
}

TEST(device, group_owned_by_one_context)
{
	struct context a = context_new();
	struct context b = context_new();
	struct iommu_test_mock how = { .device_add = { .group = GROUP(2) } };
	struct test_device device = device_like(&a, &how);
	struct test_device other;
	bool owned;

	FAILS(EPERM, "group_owned_by_other_ctx", device_add(b.fd, &how, &other));
	other = device_new(&b);
	CHECK_OK(device_has_group(b.fd, &other, &owned));
	CHECK(owned);
	/* The group goes with its last device. */
	CHECK_OK(object_destroy(a.fd, device.stdev));
	CHECK_OK(device_add(b.fd, &how, &other));
	FAILS(EPERM, "group_owned_by_other_ctx", device_add(a.fd, &how, &device));
}

TEST(device, reserved_region)
{
	struct iommu_test_mock how = {
		.device_add = { .resv_start = IOVA, .resv_length = 16 * PAGE },
	};
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);
	uint8_t *buffer = memory(PAGE);
	struct iommu_iova_range ranges[4];
	uint32_t nr;

	/* The range must be free before, stays taken while attached, and is given back. */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 15 * PAGE));
	FAILS(EADDRINUSE, "reserved_region_in_use", device_attach(c.fd, &device, c.ioas));
	nr = 4;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 1);
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + 15 * PAGE, PAGE));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + PAGE));
	nr = 4;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 2);
	CHECK_EQ(ranges[0].last, IOVA - 1);
	CHECK_EQ(ranges[1].start, IOVA + 16 * PAGE);
	CHECK_OK(device_detach(c.fd, &device));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + PAGE));
}

TEST(device, msi_window)
{
	struct iommu_test_mock how = {
		.device_add = {
			.resv_start = 0x8000000, .resv_length = MB(1),
			.flags = MOCK_DEVICE_RESV_SW_MSI,
		},
	};
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);
	uint8_t *buffer = memory(PAGE);

	/* The window for software-managed MSIs is not for mappings. */
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, 0x8000000));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, 0x8000000 + MB(1)));
}

TEST(device, late_joiner_brings_reservation)
{
	struct iommu_test_mock how = {
		.device_add = { .group = GROUP(3) },
	};
	struct context c = context_new();
	struct test_device a = device_like(&c, &how);
	struct test_device b;
	uint8_t *buffer = memory(PAGE);

	CHECK_OK(device_attach(c.fd, &a, c.ioas));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA));
	how.device_add.resv_start = IOVA;
	how.device_add.resv_length = PAGE;
	b = device_like(&c, &how);
	FAILS(EADDRINUSE, "reserved_region_in_use", device_attach(c.fd, &b, c.ioas));
	CHECK_OK(check_map(c.fd, a.hwpt, IOVA, buffer, PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, PAGE));
	CHECK_OK(device_attach(c.fd, &b, c.ioas));
}

TEST(device, event_tells_the_story)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	char last[1024], want[64];

	events_drop();
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	CHECK_EQ(events_count("iommufd_attach", last, sizeof(last)), 1);
	snprintf(want, sizeof(want), " device=iommufd-mock.%u ", device.index);
	CHECK(strstr(last, want));
	snprintf(want, sizeof(want), " group=%u ", device.group);
	CHECK(strstr(last, want));
	snprintf(want, sizeof(want), " hwpt=%u ", device.hwpt);
	CHECK(strstr(last, want));
	snprintf(want, sizeof(want), " ioas=%u ", c.ioas);
	CHECK(strstr(last, want));
	CHECK(strstr(last, " ret=0 reason=none "));
}

/* The test ioctl creates devices: it is for processes that may change the system. */
TEST(device, test_ioctl_needs_privilege)
{
	struct context c = context_new();
	struct test_device device;

	keep_capability(-1);
	CHECK_ERR(EPERM, device_add(c.fd, NULL, &device));
}
