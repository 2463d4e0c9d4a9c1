// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_OPTION.
 */
#include <stdio.h>
#include <unistd.h>

#include "conformance.h"

static int get(int fd, uint32_t option, uint32_t object, uint64_t *value)
{
	return iommu_option(fd, option, IOMMU_OPTION_OP_GET, object, value);
}

static int set(int fd, uint32_t option, uint32_t object, uint64_t value)
{
	return iommu_option(fd, option, IOMMU_OPTION_OP_SET, object, &value);
}

static uint64_t locked_kib(void)
{
	char line[128];
	uint64_t kib = 0;
	FILE *file = fopen("/proc/self/status", "re");

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "VmLck: %lu", &kib);
	fclose(file);
	return kib;
}

TEST(option, unknown)
{
	struct context c = context_new();
	uint64_t value = 0;

	FAILS(EOPNOTSUPP, "not_supported", get(c.fd, 2, 0, &value));
	FAILS(EOPNOTSUPP, "not_supported", get(c.fd, UINT32_MAX, 0, &value));
	FAILS(EOPNOTSUPP, "not_supported",
	      iommu_option(c.fd, IOMMU_OPTION_HUGE_PAGES, 2, c.ioas, &value));
	FAILS(EOPNOTSUPP, "not_supported",
	      iommu_option(c.fd, IOMMU_OPTION_RLIMIT_MODE, UINT16_MAX, 0, &value));
}

TEST(option, rlimit_mode)
{
	int fd = iommu_open();
	uint64_t value = 7;
	uint32_t ioas;

	CHECK_OK(get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 0);
	CHECK_OK(set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	CHECK_OK(get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 1);
	FAILS(EINVAL, "bad_value", set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2));
	FAILS(EOPNOTSUPP, "bad_value", set(fd, IOMMU_OPTION_RLIMIT_MODE, 1, 0));
	FAILS(EOPNOTSUPP, "bad_value", get(fd, IOMMU_OPTION_RLIMIT_MODE, 1, &value));

	/* Not once an object exists that it could affect */
	CHECK_OK(ioas_alloc(fd, &ioas));
	FAILS(EBUSY, "object_busy", set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0));
	CHECK_OK(object_destroy(fd, ioas));
	CHECK_OK(set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0));

	become_user(4010);
	FAILS(EPERM, "not_permitted", set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	CHECK_OK(get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 0);
}

TEST(option, rlimit_by_process)
{
	struct context c = { .fd = iommu_open() };
	uint8_t *buffer = memory(32 * PAGE);
	uint64_t iova = IOVA;

	CHECK_OK(set(c.fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	CHECK_OK(ioas_alloc(c.fd, &c.ioas));
	limit_memlock(16 * PAGE);
	become_user(4011);
	device_attached(&c);
	FAILS(ENOMEM, "memlock_limit", ioas_map(c.fd, c.ioas, buffer, 17 * PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA));
	/* mlock() counts against the same value. */
	CHECK_EQ(locked_kib(), 64);
	CHECK_EQ(locked_bytes(0), 16 * PAGE);
	FAILS(ENOMEM, "memlock_limit",
	      ioas_map(c.fd, c.ioas, buffer + 16 * PAGE, PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 16 * PAGE));
	CHECK_EQ(locked_kib(), 0);
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(option, huge_pages)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory_huge(2 * HUGE);
	uint64_t value = 7, small, large, iova;

	CHECK_OK(get(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, &value));
	CHECK_EQ(value, 1);
	FAILS(EINVAL, "bad_value", set(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, 2));
	FAILS(ENOENT, "bad_object_id", get(c.fd, IOMMU_OPTION_HUGE_PAGES, 0, &value));
	FAILS(ENOENT, "bad_object_id", set(c.fd, IOMMU_OPTION_HUGE_PAGES, NO_ID, 1));
	FAILS(ENOENT, "wrong_object_type",
	      get(c.fd, IOMMU_OPTION_HUGE_PAGES, device.idev, &value));

	/* Without them the IOMMU maps small pages only, which need more tables. */
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	iova = map_somewhere(&c, buffer, 2 * HUGE);
	CHECK_OK(device_stat(&device, "page_table_bytes", &large));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 2 * HUGE));
	CHECK_OK(device_detach(c.fd, &device));
	CHECK_OK(set(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, 0));
	CHECK_OK(get(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, &value));
	CHECK_EQ(value, 0);
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	iova = map_somewhere(&c, buffer, 2 * HUGE);
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer, 2 * HUGE));
	CHECK_OK(device_stat(&device, "page_table_bytes", &small));
	CHECK_GE(small, large + 2 * PAGE);
}

TEST(option, huge_pages_alignment)
{
	struct context c = context_new();
	uint8_t *buffer = memory(2 * PAGE);

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 512, 1024, IOVA + 512));
	FAILS(EADDRINUSE, "iova_misaligned", set(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, 0));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + 512, 1024));
	CHECK_OK(set(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, 0));
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA));
	CHECK_OK(set(c.fd, IOMMU_OPTION_HUGE_PAGES, c.ioas, 1));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA));
}
