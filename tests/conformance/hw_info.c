// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_GET_HW_INFO.
 */
#include <sys/mman.h>

#include "conformance.h"

TEST(hw_info, data)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	struct iommu_test_hw_info info[2];
	uint64_t capabilities = 1;
	uint32_t length, type;

	/* Exact size, larger (the rest is zeroed), smaller, none */
	length = sizeof(info[0]);
	CHECK_OK(hw_info(c.fd, device.idev, info, &length, &type, &capabilities));
	CHECK_EQ(length, sizeof(info[0]));
	CHECK_EQ(type, IOMMU_HW_INFO_TYPE_SELFTEST);
	CHECK_EQ(info[0].test_reg, IOMMU_HW_INFO_SELFTEST_REGVAL);
	CHECK_EQ(capabilities, 0);

	memset(info, 0xff, sizeof(info));
	length = sizeof(info);
	CHECK_OK(hw_info(c.fd, device.idev, info, &length, &type, &capabilities));
	CHECK_EQ(length, sizeof(info[0]));
	CHECK_EQ(info[1].flags, 0);
	CHECK_EQ(info[1].test_reg, 0);

	memset(info, 0xff, sizeof(info));
	length = 4;
	CHECK_OK(hw_info(c.fd, device.idev, info, &length, &type, &capabilities));
	CHECK_EQ(length, sizeof(info[0]));
	CHECK_EQ(info[0].flags, 0);
	CHECK_EQ(info[0].test_reg, 0xffffffff);

	length = 0;
	CHECK_OK(hw_info(c.fd, device.idev, NULL, &length, &type, &capabilities));
	CHECK_EQ(length, sizeof(info[0]));
}

TEST(hw_info, none)
{
	struct iommu_test_mock how = { .device_add = { .flags = MOCK_DEVICE_NO_HW_INFO } };
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);
	uint32_t length = 0, type;

	FAILS(EOPNOTSUPP, "not_supported",
	      hw_info(c.fd, device.idev, NULL, &length, &type, NULL));
}

TEST(hw_info, errors)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	struct iommu_hw_info cmd = { .size = sizeof(cmd), .dev_id = device.idev, .flags = 1 };
	uint8_t *buffer = memory(2 * PAGE);
	uint32_t length, type;

	FAILS(EOPNOTSUPP, "unknown_flags", iommu_call(c.fd, IOMMU_GET_HW_INFO, &cmd));
	cmd.flags = 1U << 31;
	FAILS(EOPNOTSUPP, "unknown_flags", iommu_call(c.fd, IOMMU_GET_HW_INFO, &cmd));
	length = 0;
	FAILS(ENOENT, "bad_object_id", hw_info(c.fd, NO_ID, NULL, &length, &type, NULL));
	FAILS(ENOENT, "wrong_object_type", hw_info(c.fd, c.ioas, NULL, &length, &type, NULL));

	length = 8;
	FAILS(EFAULT, "bad_user_pointer",
	      hw_info(c.fd, device.idev, NULL, &length, &type, NULL));
	/* The data fits, but the bytes to be zeroed after it do not. */
	CHECK_EQ(munmap(buffer + PAGE, PAGE), 0);
	length = 2 * PAGE;
	FAILS(EFAULT, "bad_user_pointer",
	      hw_info(c.fd, device.idev, buffer, &length, &type, NULL));
	length = UINT32_MAX;
	FAILS(EFAULT, "bad_user_pointer",
	      hw_info(c.fd, device.idev, buffer, &length, &type, NULL));
}
