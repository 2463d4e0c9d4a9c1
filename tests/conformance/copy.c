// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_COPY.
 */
#include <sys/mman.h>

#include "conformance.h"

TEST(copy, shares_memory)
{
	struct context c = context_new();
	struct test_device device, other;
	uint8_t *buffer = memory(32 * PAGE);
	uint64_t iova = 0;
	uint32_t dst;

	memset(buffer, 1, 32 * PAGE);
	CHECK_OK(ioas_alloc(c.fd, &dst));
	device = device_attached(&c);
	other = device_new(&c);
	CHECK_OK(device_attach(c.fd, &other, dst));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 32 * PAGE, IOVA));
	CHECK_OK(ioas_copy(c.fd, dst, &iova, c.ioas, IOVA, 32 * PAGE, MAP_RW));
	CHECK_OK(check_map(c.fd, other.hwpt, iova, buffer, 32 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 32 * PAGE, 1));
	CHECK_EQ(locked_bytes(0), 32 * PAGE);

	/* A copy depends neither on its source nor on the address that was mapped. */
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 32 * PAGE));
	CHECK_ERR(EIO, check_map(c.fd, device.hwpt, IOVA, buffer, PAGE));
	CHECK_OK(check_map(c.fd, other.hwpt, iova, buffer, 32 * PAGE));
	CHECK_OK(ioas_unmap(c.fd, dst, iova, 32 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 32 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(copy, parts)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(16 * PAGE);
	uint64_t iova = IOVA + MB(1);

	/* A part of an area; a range over two; within one IOAS */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 8 * PAGE, 8 * PAGE, IOVA + 8 * PAGE));
	CHECK_OK(ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA + 2 * PAGE, 3 * PAGE, MAP_RW_FIXED));
	CHECK_EQ(iova, IOVA + MB(1));
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer + 2 * PAGE, 3 * PAGE));
	iova = IOVA + MB(2);
	CHECK_OK(ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA + 6 * PAGE, 4 * PAGE, MAP_RW_FIXED));
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer + 6 * PAGE, 4 * PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, 0, UINT64_MAX));
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
}

TEST(copy, errors)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(16 * PAGE);
	uint64_t iova = IOVA + MB(1);

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	FAILS(EOPNOTSUPP, "unknown_flags",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, PAGE, MAP_RW | 1 << 5));
	FAILS(EINVAL, "bad_value", ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, PAGE, 0));
	FAILS(ENOENT, "bad_object_id",
	      ioas_copy(c.fd, NO_ID, &iova, c.ioas, IOVA, PAGE, MAP_RW));
	FAILS(ENOENT, "bad_object_id",
	      ioas_copy(c.fd, c.ioas, &iova, NO_ID, IOVA, PAGE, MAP_RW));
	FAILS(ENOENT, "wrong_object_type",
	      ioas_copy(c.fd, c.ioas, &iova, device.hwpt, IOVA, PAGE, MAP_RW));
	FAILS(ENOENT, "wrong_object_type",
	      ioas_copy(c.fd, device.idev, &iova, c.ioas, IOVA, PAGE, MAP_RW));
	FAILS(EINVAL, "zero_length", ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, 0, MAP_RW));
	FAILS(EOVERFLOW, "overflow",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, UINT64_MAX - PAGE, 2 * PAGE, MAP_RW));
	FAILS(EOVERFLOW, "overflow",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, UINT64_MAX, MAP_RW));

	/* A hole before, after, between */
	FAILS(ENOENT, "iova_not_mapped",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA - PAGE, 2 * PAGE, MAP_RW));
	FAILS(ENOENT, "iova_not_mapped",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA + 7 * PAGE, 2 * PAGE, MAP_RW));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA + 9 * PAGE));
	FAILS(ENOENT, "iova_not_mapped",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA + 6 * PAGE, 5 * PAGE, MAP_RW));

	/* No room at the target */
	iova = IOVA + PAGE;
	FAILS(EEXIST, "iova_overlap",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, PAGE, MAP_RW_FIXED));
	iova = IOVA + MB(1) + 512;
	FAILS(EINVAL, "iova_misaligned",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, PAGE, MAP_RW_FIXED));
	iova = 1ULL << 50;
	FAILS(EINVAL, "iova_reserved",
	      ioas_copy(c.fd, c.ioas, &iova, c.ioas, IOVA, PAGE, MAP_RW_FIXED));
	CHECK_OK(check_pins(c.fd, buffer + 4 * PAGE, 4 * PAGE, 1));
}

TEST(copy, read_only)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t iova = IOVA, copy = IOVA + MB(1);

	device_attached(&c);
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 4 * PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
	FAILS(EPERM, "not_writeable",
	      ioas_copy(c.fd, c.ioas, &copy, c.ioas, iova, 4 * PAGE, MAP_RW_FIXED));
	CHECK_OK(ioas_copy(c.fd, c.ioas, &copy, c.ioas, iova, 4 * PAGE,
			   IOMMU_IOAS_MAP_READABLE));
}

TEST(copy, memory_gone)
{
	struct context c = context_new();
	struct test_device device, other;
	uint8_t *buffer = memory(8 * PAGE);
	uint64_t iova = 0;
	uint32_t dst;

	/* Pinned memory can be copied even if no process has its address any more. */
	CHECK_OK(ioas_alloc(c.fd, &dst));
	device = device_attached(&c);
	other = device_new(&c);
	CHECK_OK(device_attach(c.fd, &other, dst));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_EQ(munmap(buffer, 8 * PAGE), 0);
	CHECK_OK(ioas_copy(c.fd, dst, &iova, c.ioas, IOVA, 8 * PAGE, MAP_RW));
	CHECK_EQ(locked_bytes(0), 8 * PAGE);
	CHECK_OK(object_destroy(c.fd, device.stdev));
	CHECK_OK(object_destroy(c.fd, c.ioas));
	CHECK_EQ(locked_bytes(0), 8 * PAGE);
	CHECK_OK(object_destroy(c.fd, other.stdev));
	CHECK_EQ(locked_bytes(0), 0);
}
