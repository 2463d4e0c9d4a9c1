// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_UNMAP.
 */
#include "conformance.h"

TEST(unmap, whole_areas)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(64 * PAGE);
	uint64_t length;
	int i;

	for (i = 0; i < 8; i++)
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 8 * i * PAGE, 8 * PAGE,
				     IOVA + 16 * i * PAGE));
	/* One exactly; then a range with holes around and between */
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 8 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 8 * PAGE, 0));
	CHECK_OK(check_pins(c.fd, buffer + 8 * PAGE, 56 * PAGE, 1));
	length = 36 * PAGE;
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, IOVA + 12 * PAGE, &length));
	CHECK_EQ(length, 16 * PAGE);
	CHECK_ERR(EIO, check_map(c.fd, device.hwpt, IOVA + 16 * PAGE, buffer + 8 * PAGE, PAGE));
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA + 48 * PAGE, buffer + 24 * PAGE, 8 * PAGE));

	length = UINT64_MAX;
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 40 * PAGE);
	CHECK_OK(check_pins(c.fd, buffer, 64 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(unmap, splits)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(16 * PAGE);

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 8 * PAGE, 8 * PAGE, IOVA + 8 * PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA, PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA + 7 * PAGE, PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA + PAGE, 6 * PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA, 9 * PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA + PAGE, 15 * PAGE));
	FAILS(ENOENT, "unmap_splits_area", ioas_unmap(c.fd, c.ioas, IOVA - PAGE, 16 * PAGE));
	/* Nothing was half done. */
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, 16 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 1));
}

TEST(unmap, nothing_there)
{
	struct context c = context_new();
	uint64_t length = UINT64_MAX;

	FAILS(ENOENT, "iova_not_mapped", ioas_unmap(c.fd, c.ioas, IOVA, PAGE));
	FAILS(ENOENT, "iova_not_mapped", ioas_unmap(c.fd, c.ioas, 0, PAGE));
	FAILS(ENOENT, "iova_not_mapped", ioas_unmap(c.fd, c.ioas, 0, UINT64_MAX - 1));
	/* Everything is always there. */
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 0);
}

TEST(unmap, errors)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);

	FAILS(ENOENT, "bad_object_id", ioas_unmap(c.fd, NO_ID, IOVA, PAGE));
	FAILS(ENOENT, "wrong_object_type", ioas_unmap(c.fd, device.idev, IOVA, PAGE));
	FAILS(EINVAL, "zero_length", ioas_unmap(c.fd, c.ioas, IOVA, 0));
	FAILS(EOVERFLOW, "overflow", ioas_unmap(c.fd, c.ioas, UINT64_MAX, 1));
	FAILS(EOVERFLOW, "overflow", ioas_unmap(c.fd, c.ioas, PAGE, UINT64_MAX));
	FAILS(EOVERFLOW, "overflow", ioas_unmap(c.fd, c.ioas, UINT64_MAX - PAGE, 2 * PAGE));
}

TEST(unmap, many_areas)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(PAGE);
	uint64_t length = UINT64_MAX;
	int i;

	/* More than an unmap takes at a time */
	for (i = 0; i < 2000; i++)
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 2 * i * PAGE));
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA + 3998 * PAGE, buffer, PAGE));
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 2000 * PAGE);
	CHECK_OK(check_pins(c.fd, buffer, PAGE, 0));
}
