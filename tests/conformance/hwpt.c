// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_HWPT_ALLOC, and the HWPTs that an attach creates.
 */
#include "conformance.h"

static int alloc(int fd, struct iommu_hwpt_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	return iommu_call(fd, IOMMU_HWPT_ALLOC, cmd);
}

TEST(hwpt, allocated)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory(16 * PAGE);
	uint32_t hwpt, parent;

	/* It has all areas from the start, and then follows the IOAS. */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	CHECK_OK(check_map(c.fd, hwpt, IOVA, buffer, 8 * PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 8 * PAGE, 8 * PAGE, IOVA + MB(1)));
	CHECK_OK(check_map(c.fd, hwpt, IOVA + MB(1), buffer + 8 * PAGE, 8 * PAGE));
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	CHECK_OK(check_map(c.fd, parent, IOVA, buffer, 8 * PAGE));
	CHECK_EQ(locked_bytes(0), 16 * PAGE);

	CHECK_OK(device_attach(c.fd, &device, parent));
	CHECK_EQ(device.hwpt, parent);
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, parent));
	CHECK_OK(device_detach(c.fd, &device));
	/* Unlike one that an attach created, it stays without devices. */
	CHECK_OK(check_map(c.fd, parent, IOVA, buffer, 8 * PAGE));
	CHECK_OK(object_destroy(c.fd, parent));
	CHECK_OK(object_destroy(c.fd, hwpt));
	CHECK_EQ(locked_bytes(0), 0);
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
}

TEST(hwpt, flags)
{
	struct iommu_test_mock plain = { .device_add = { .flags = MOCK_DEVICE_NO_FLAGS } };
	struct context c = context_new();
	struct test_device device = device_new(&c);
	struct test_device simple = device_like(&c, &plain);
	uint32_t hwpt;

	FAILS(EOPNOTSUPP, "unknown_flags",
	      hwpt_alloc(c.fd, device.idev, c.ioas, 1 << 3, &hwpt));
	FAILS(EOPNOTSUPP, "unknown_flags",
	      hwpt_alloc(c.fd, device.idev, c.ioas, 1U << 31, &hwpt));
	FAILS(EOPNOTSUPP, "unknown_flags",
	      hwpt_alloc(c.fd, device.idev, c.ioas, IOMMU_HWPT_FAULT_ID_VALID, &hwpt));
	FAILS(EOPNOTSUPP, "unknown_flags",
	      hwpt_alloc(c.fd, device.idev, c.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	/* A flag that the IOMMU must support */
	FAILS(EOPNOTSUPP, "domain_alloc_failed",
	      hwpt_alloc(c.fd, simple.idev, c.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt));
	CHECK_OK(hwpt_alloc(c.fd, simple.idev, c.ioas, 0, &hwpt));
}

TEST(hwpt, ids)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint32_t hwpt;

	FAILS(ENOENT, "bad_object_id", hwpt_alloc(c.fd, NO_ID, c.ioas, 0, &hwpt));
	FAILS(ENOENT, "bad_object_id", hwpt_alloc(c.fd, 0, c.ioas, 0, &hwpt));
	FAILS(ENOENT, "wrong_object_type", hwpt_alloc(c.fd, c.ioas, c.ioas, 0, &hwpt));
	FAILS(ENOENT, "bad_object_id", hwpt_alloc(c.fd, device.idev, NO_ID, 0, &hwpt));
	FAILS(EINVAL, "wrong_object_type",
	      hwpt_alloc(c.fd, device.idev, device.idev, 0, &hwpt));
}

TEST(hwpt, data)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	struct iommu_hwpt_alloc cmd = { .dev_id = device.idev, .pt_id = c.ioas };
	struct iommu_hwpt_selftest data = {};
	uint32_t parent;

	/* Data without a type, and a type without data */
	cmd.data_len = sizeof(data);
	FAILS(EINVAL, "bad_value", alloc(c.fd, &cmd));
	cmd.data_uptr = (uintptr_t)&data;
	FAILS(EINVAL, "bad_value", alloc(c.fd, &cmd));
	cmd.data_type = IOMMU_HWPT_DATA_SELFTEST;
	cmd.data_len = 0;
	cmd.data_uptr = 0;
	FAILS(EINVAL, "bad_value", alloc(c.fd, &cmd));

	/* Nested HWPTs are not built. */
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	cmd.pt_id = parent;
	cmd.data_len = sizeof(data);
	cmd.data_uptr = (uintptr_t)&data;
	FAILS(EOPNOTSUPP, "not_supported", alloc(c.fd, &cmd));
}

TEST(hwpt, areas_that_do_not_fit)
{
	struct iommu_test_mock narrow = {
		.device_add = { .aperture_start = IOVA, .aperture_last = IOVA + MB(1) - 1 },
	};
	struct context c = context_new();
	struct test_device device = device_like(&c, &narrow);
	uint8_t *buffer = memory(PAGE);
	uint32_t hwpt, nr = 4;
	struct iommu_iova_range ranges[4];

	/* Outside of the aperture */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + MB(1)));
	FAILS(EADDRINUSE, "aperture_exceeded",
	      hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + MB(1), PAGE));
	/* Finer than its pages */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA));
	FAILS(EADDRINUSE, "iova_misaligned",
	      hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 512));

	/* A failure leaves no reservation behind. */
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 1);
	CHECK_EQ(ranges[0].last, UINT64_MAX);
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	nr = 4;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 1);
	CHECK_EQ(ranges[0].start, IOVA);
	CHECK_EQ(ranges[0].last, IOVA + MB(1) - 1);
}

TEST(hwpt, automatic)
{
	struct iommu_test_mock coarse = { .device_add = { .pgsizes = PAGE } };
	struct context c = context_new();
	struct test_device a = device_new(&c);
	struct test_device b = device_new(&c);
	struct test_device other = device_like(&c, &coarse);
	uint8_t *buffer = memory(8 * PAGE);

	/* Compatible devices share one; it ends with the last of them. */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(device_attach(c.fd, &a, c.ioas));
	CHECK_OK(device_attach(c.fd, &b, c.ioas));
	CHECK_EQ(a.hwpt, b.hwpt);
	CHECK_OK(device_attach(c.fd, &other, c.ioas));
	CHECK_NE(other.hwpt, a.hwpt);
	CHECK_OK(check_map(c.fd, a.hwpt, IOVA, buffer, 8 * PAGE));
	CHECK_OK(check_map(c.fd, other.hwpt, IOVA, buffer, 8 * PAGE));

	b.hwpt = a.hwpt;
	CHECK_OK(object_destroy(c.fd, a.stdev));
	CHECK_OK(check_map(c.fd, b.hwpt, IOVA, buffer, 8 * PAGE));
	CHECK_OK(object_destroy(c.fd, b.stdev));
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, b.hwpt));
	CHECK_OK(check_map(c.fd, other.hwpt, IOVA, buffer, 8 * PAGE));
}

TEST(hwpt, automatic_can_not_be_destroyed)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);

	FAILS(EBUSY, "object_busy", object_destroy(c.fd, device.hwpt));
	/* Another device may be attached to it by its id. */
	device = device_new(&c);
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	CHECK_OK(device_detach(c.fd, &device));
	FAILS(EINVAL, "wrong_object_type", device_attach(c.fd, &device, device.idev));
	FAILS(ENOENT, "bad_object_id", device_attach(c.fd, &device, NO_ID));
}

TEST(hwpt, cache_coherency)
{
	struct iommu_test_mock without = { .device_add = { .flags = MOCK_DEVICE_NO_ENFORCE } };
	struct context c = context_new();
	struct test_device enforcing = device_attached(&c);
	struct test_device not = device_like(&c, &without);

	/* An HWPT that enforces it does not suit an IOMMU that cannot. */
	CHECK_OK(device_attach(c.fd, &not, c.ioas));
	CHECK_NE(not.hwpt, enforcing.hwpt);
	CHECK_OK(device_detach(c.fd, &not));
	FAILS(EINVAL, "domain_incompatible", device_attach(c.fd, &not, enforcing.hwpt));
}

TEST(hwpt, attach_incompatible)
{
	struct iommu_test_mock coarse = { .device_add = { .pgsizes = PAGE } };
	struct context c = context_new();
	struct test_device fine = device_attached(&c);
	struct test_device other = device_like(&c, &coarse);

	FAILS(EINVAL, "domain_incompatible", device_attach(c.fd, &other, fine.hwpt));
	CHECK_OK(device_attach(c.fd, &other, c.ioas));
}

TEST(hwpt, different_page_sizes)
{
	struct iommu_test_mock how[3] = {
		{ .device_add = { .pgsizes = PAGE / 2 } },
		{ .device_add = { .pgsizes = PAGE | MB(4) } },
		{ .device_add = { .pgsizes = 4 * PAGE } },
	};
	struct context c = context_new();
	uint8_t *buffer = memory_huge(4 * HUGE);
	struct test_device devices[3];
	uint64_t alignment;
	uint32_t nr = 0;
	int i;

	/* The strictest requirement decides; each maps with its own sizes. */
	for (i = 0; i < 2; i++) {
		devices[i] = device_like(&c, &how[i]);
		CHECK_OK(device_attach(c.fd, &devices[i], c.ioas));
	}
	CHECK_ERR(EMSGSIZE, ioas_ranges(c.fd, c.ioas, NULL, &nr, &alignment));
	CHECK_EQ(alignment, PAGE);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * HUGE, GB(1)));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + PAGE, 3 * PAGE, GB(1) - 16 * PAGE));
	for (i = 0; i < 2; i++) {
		CHECK_OK(check_map(c.fd, devices[i].hwpt, GB(1), buffer, 4 * HUGE));
		CHECK_OK(check_map(c.fd, devices[i].hwpt, GB(1) - 16 * PAGE, buffer + PAGE,
				   3 * PAGE));
	}
	CHECK_OK(object_destroy(c.fd, devices[0].stdev));
	CHECK_OK(check_map(c.fd, devices[1].hwpt, GB(1), buffer, 4 * HUGE));

	/* Pages larger than the CPU's cannot be pinned piece by piece. */
	devices[2] = device_like(&c, &how[2]);
	FAILS(EINVAL, "domain_incompatible", device_attach(c.fd, &devices[2], c.ioas));
}

TEST(hwpt, filling_fails)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	struct test_device other = device_new(&c);
	uint8_t *buffer = memory(8 * PAGE);

	/* The IOMMU refuses the device: what was created for it is undone. */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(device_knob(&other, "attach_error", "12"));
	FAILS(ENOMEM, "domain_switch_failed", device_attach(c.fd, &other, c.ioas));
	FAILS(ENOMEM, "domain_switch_failed", device_attach(c.fd, &other, device.hwpt));
	CHECK_OK(device_knob(&other, "attach_error", "0"));
	CHECK_OK(check_pins(c.fd, buffer, 8 * PAGE, 1));
	CHECK_OK(device_attach(c.fd, &other, c.ioas));
	CHECK_EQ(other.hwpt, device.hwpt);
}
