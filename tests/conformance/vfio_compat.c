// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of VFIO's type1 container on an iommufd, and IOMMU_VFIO_IOAS.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "conformance.h"

static int vfio_map(int fd, const void *va, uint64_t size, uint64_t iova, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = size,
	};

	return iommu_call(fd, VFIO_IOMMU_MAP_DMA, &cmd);
}

static int vfio_unmap(int fd, uint64_t iova, uint64_t *size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.iova = iova,
		.size = *size,
	};
	int rc = iommu_call(fd, VFIO_IOMMU_UNMAP_DMA, &cmd);

	*size = cmd.size;
	return rc;
}

/* An ioctl whose argument is a number; returns 0 or more, or a negative errno */
static int vfio_number(int fd, unsigned long request, unsigned long arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* The state of a VFIO container that a group with a device has joined */
static struct context container(struct test_device *device, int type)
{
	struct context c = context_new();

	*device = device_attached(&c);
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &c.ioas));
	CHECK_OK(vfio_number(c.fd, VFIO_SET_IOMMU, type));
	return c;
}

TEST(vfio_compat, ioas)
{
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint32_t id = 0;

	FAILS(ENODEV, "no_compat_ioas", vfio_ioas(c.fd, IOMMU_VFIO_IOAS_GET, &id));
	id = NO_ID;
	FAILS(ENOENT, "bad_object_id", vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &id));
	id = device.idev;
	FAILS(ENOENT, "wrong_object_type", vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &id));
	FAILS(EOPNOTSUPP, "not_supported", vfio_ioas(c.fd, 3, &id));
	id = c.ioas;
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &id));
	id = 0;
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_GET, &id));
	CHECK_EQ(id, c.ioas);
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_CLEAR, &id));
	FAILS(ENODEV, "no_compat_ioas", vfio_ioas(c.fd, IOMMU_VFIO_IOAS_GET, &id));

	/* It does not keep an IOAS alive. */
	id = c.ioas;
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &id));
	CHECK_OK(object_destroy(c.fd, c.ioas));
	FAILS(ENODEV, "no_compat_ioas", vfio_ioas(c.fd, IOMMU_VFIO_IOAS_GET, &id));
}

TEST(vfio_compat, extensions)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1v2_IOMMU);

	CHECK_EQ(vfio_number(c.fd, VFIO_GET_API_VERSION, 0), VFIO_API_VERSION);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 1);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU), 0);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_SPAPR_TCE_IOMMU), 0);
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, 12345), 0);
	FAILS(EINVAL, "bad_value", vfio_number(c.fd, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_IOMMU));
	FAILS(EINVAL, "bad_value", vfio_number(c.fd, VFIO_SET_IOMMU, 99));
}

TEST(vfio_compat, not_coherent)
{
	struct iommu_test_mock how = { .device_add = { .flags = MOCK_DEVICE_NO_ENFORCE } };
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);

	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &c.ioas));
	CHECK_EQ(vfio_number(c.fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
}

TEST(vfio_compat, without_ioas)
{
	struct context c = context_new();
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	uint64_t size = PAGE;

	FAILS(ENODEV, "no_compat_ioas", vfio_map(c.fd, memory(PAGE), PAGE, IOVA, RW));
	FAILS(ENODEV, "no_compat_ioas", vfio_unmap(c.fd, IOVA, &size, 0));
	FAILS(ENODEV, "no_compat_ioas", iommu_call(c.fd, VFIO_IOMMU_GET_INFO, &info));
	FAILS(ENODEV, "no_compat_ioas", vfio_number(c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

TEST(vfio_compat, map_unmap)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1v2_IOMMU);
	uint8_t *buffer = memory(16 * PAGE);
	uint64_t size;

	CHECK_OK(vfio_map(c.fd, buffer, 16 * PAGE, IOVA, RW));
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, 16 * PAGE));
	FAILS(EEXIST, "iova_overlap", vfio_map(c.fd, buffer, PAGE, IOVA, RW));
	size = 8 * PAGE;
	FAILS(ENOENT, "unmap_splits_area", vfio_unmap(c.fd, IOVA, &size, 0));
	size = 16 * PAGE;
	CHECK_OK(vfio_unmap(c.fd, IOVA, &size, 0));
	CHECK_EQ(size, 16 * PAGE);
	/* An unmap of nothing is not an error here. */
	size = 16 * PAGE;
	CHECK_OK(vfio_unmap(c.fd, IOVA, &size, 0));
	CHECK_EQ(size, 0);

	CHECK_OK(vfio_map(c.fd, buffer, 4 * PAGE, IOVA, RW));
	CHECK_OK(vfio_map(c.fd, buffer, 4 * PAGE, IOVA + MB(1), VFIO_DMA_MAP_FLAG_READ));
	size = PAGE;
	FAILS(EINVAL, "bad_value", vfio_unmap(c.fd, 0, &size, VFIO_DMA_UNMAP_FLAG_ALL));
	size = 0;
	FAILS(EINVAL, "bad_value", vfio_unmap(c.fd, IOVA, &size, VFIO_DMA_UNMAP_FLAG_ALL));
	CHECK_OK(vfio_unmap(c.fd, 0, &size, VFIO_DMA_UNMAP_FLAG_ALL));
	CHECK_EQ(size, 8 * PAGE);
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
}

TEST(vfio_compat, map_errors)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1v2_IOMMU);
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map) - 1, .flags = RW };
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap) - 1 };
	uint8_t *buffer = memory(PAGE);
	uint64_t size = PAGE;

	FAILS(EINVAL, "bad_size", iommu_call(c.fd, VFIO_IOMMU_MAP_DMA, &map));
	FAILS(EINVAL, "bad_size", iommu_call(c.fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, VFIO_IOMMU_MAP_DMA, NULL));
	FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, VFIO_IOMMU_UNMAP_DMA, NULL));
	FAILS(EINVAL, "unknown_flags", vfio_map(c.fd, buffer, PAGE, IOVA, RW | 1 << 20));
	FAILS(EINVAL, "unknown_flags",
	      vfio_map(c.fd, buffer, PAGE, IOVA, RW | VFIO_DMA_MAP_FLAG_VADDR));
	FAILS(EINVAL, "unknown_flags", vfio_map(c.fd, buffer, PAGE, IOVA, 0));
	FAILS(EINVAL, "unknown_flags", vfio_unmap(c.fd, IOVA, &size, 1U << 31));
	FAILS(EINVAL, "unknown_flags",
	      vfio_unmap(c.fd, IOVA, &size, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP));
	FAILS(EINVAL, "zero_length", vfio_map(c.fd, buffer, 0, IOVA, RW));
	FAILS(EINVAL, "overflow", vfio_map(c.fd, buffer, 2 * PAGE, UINT64_MAX - PAGE + 1, RW));
	FAILS(EINVAL, "iova_misaligned", vfio_map(c.fd, buffer, PAGE, IOVA + 512, RW));
	FAILS(EFAULT, "gup_fault", vfio_map(c.fd, (void *)PAGE, PAGE, IOVA, RW));
	size = 0;
	FAILS(EINVAL, "zero_length", vfio_unmap(c.fd, IOVA, &size, 0));
	size = 2 * PAGE;
	FAILS(EINVAL, "overflow", vfio_unmap(c.fd, UINT64_MAX - PAGE + 1, &size, 0));
}

TEST(vfio_compat, type1_cuts)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1_IOMMU);
	uint8_t *buffer = memory_huge(2 * HUGE);
	uint64_t size, option = 7;

	/* Type1 version 1 unmaps parts of areas; the option shows that. */
	CHECK_OK(iommu_option(c.fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, c.ioas, &option));
	CHECK_EQ(option, 0);
	CHECK_OK(vfio_map(c.fd, buffer, 2 * HUGE, GB(1), RW));
	size = 3 * PAGE;
	CHECK_OK(vfio_unmap(c.fd, GB(1) + 5 * PAGE, &size, 0));
	CHECK_EQ(size, 3 * PAGE);
	CHECK_OK(check_map(c.fd, device.hwpt, GB(1), buffer, 5 * PAGE));
	CHECK_ERR(EIO, check_map(c.fd, device.hwpt, GB(1) + 5 * PAGE, buffer + 5 * PAGE, PAGE));
	CHECK_OK(check_map(c.fd, device.hwpt, GB(1) + 8 * PAGE, buffer + 8 * PAGE,
			   2 * HUGE - 8 * PAGE));
	CHECK_EQ(locked_bytes(0), 2 * HUGE - 3 * PAGE);

	/* Across the hole, from the middle of an area to the middle of another */
	size = 6 * PAGE;
	CHECK_OK(vfio_unmap(c.fd, GB(1) + 3 * PAGE, &size, 0));
	CHECK_EQ(size, 3 * PAGE);
	size = 0;
	CHECK_OK(vfio_unmap(c.fd, 0, &size, VFIO_DMA_UNMAP_FLAG_ALL));
	CHECK_EQ(size, 2 * HUGE - 6 * PAGE);
	CHECK_EQ(locked_bytes(0), 0);
	CHECK_OK(check_pins(c.fd, buffer, 2 * HUGE, 0));
}

/* Type1 version 1 cuts at pages; the option for huge pages ends that. */
TEST(vfio_compat, huge_pages_end_cuts)
{
	struct context c = context_new();
	uint8_t *buffer = memory(PAGE);
	uint64_t option = 1;

	CHECK_OK(vfio_ioas(c.fd, IOMMU_VFIO_IOAS_SET, &c.ioas));
	CHECK_OK(vfio_number(c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA));
	CHECK_OK(iommu_option(c.fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, c.ioas, &option));
	CHECK_OK(iommu_option(c.fd, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, c.ioas, &option));
	CHECK_EQ(option, 1);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA));
}

TEST(vfio_compat, type1_cuts_at_random)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1_IOMMU);
	uint8_t *buffer = memory(256 * PAGE);
	uint64_t left = 256 * PAGE, size;
	bool mapped[256];
	int i, round;

	memset(buffer, 1, 256 * PAGE);
	memset(mapped, 1, sizeof(mapped));
	srand(1);
	CHECK_OK(vfio_map(c.fd, buffer, 100 * PAGE, IOVA, RW));
	CHECK_OK(vfio_map(c.fd, buffer + 100 * PAGE, 156 * PAGE, IOVA + 100 * PAGE, RW));
	for (round = 0; round < 40; round++) {
		int first = rand() % 256, nr = 1 + rand() % 16;
		uint64_t want = 0;

		if (first + nr > 256)
			nr = 256 - first;
		for (i = first; i < first + nr; i++) {
			want += mapped[i] ? PAGE : 0;
			mapped[i] = false;
		}
		size = nr * PAGE;
		CHECK_OK(vfio_unmap(c.fd, IOVA + first * PAGE, &size, 0));
		CHECK_EQ(size, want);
		left -= want;
		CHECK_EQ(locked_bytes(0), left);
	}
	for (i = 0; i < 256; i++) {
		if (mapped[i])
			CHECK_OK(check_map(c.fd, device.hwpt, IOVA + i * PAGE, buffer + i * PAGE,
					   PAGE));
		CHECK_OK(check_pins(c.fd, buffer + i * PAGE, PAGE, mapped[i]));
	}
}

TEST(vfio_compat, get_info)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1v2_IOMMU);
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[1024];
	} u = { .info = { .argsz = sizeof(u.info) } };
	struct vfio_info_cap_header *cap;
	bool ranges = false, available = false;
	uint32_t offset;

	FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, VFIO_IOMMU_GET_INFO, NULL));
	u.info.argsz = 4;
	FAILS(EINVAL, "bad_size", iommu_call(c.fd, VFIO_IOMMU_GET_INFO, &u));

	u.info.argsz = sizeof(u.info);
	CHECK_OK(iommu_call(c.fd, VFIO_IOMMU_GET_INFO, &u));
	CHECK_EQ(u.info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	CHECK_EQ(u.info.iova_pgsizes & (PAGE - 1), 0);
	CHECK(u.info.iova_pgsizes & PAGE);
	CHECK_GE(u.info.argsz, sizeof(u.info) + 1);
	CHECK_LE(u.info.argsz, sizeof(u));
	CHECK_EQ(u.info.cap_offset, 0);

	CHECK_OK(iommu_call(c.fd, VFIO_IOMMU_GET_INFO, &u));
	for (offset = u.info.cap_offset; offset; offset = cap->next) {
		CHECK_LE(offset, u.info.argsz - sizeof(*cap));
		cap = (void *)(u.bytes + offset);
		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			struct vfio_iommu_type1_info_cap_iova_range *range = (void *)cap;

			CHECK_EQ(range->nr_iovas, 1);
			CHECK_EQ(range->iova_ranges[0].start, 0);
			CHECK_EQ(range->iova_ranges[0].end, (1ULL << 48) - 1);
			ranges = true;
		} else if (cap->id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL) {
			available = true;
		}
	}
	CHECK(ranges);
	CHECK(available);
}

TEST(vfio_compat, dirty_tracking)
{
	struct test_device device;
	struct context c = container(&device, VFIO_TYPE1v2_IOMMU);
	struct vfio_iommu_type1_dirty_bitmap cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
	};

	/* Not among the capabilities, so not an ioctl either */
	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, VFIO_IOMMU_DIRTY_PAGES, &cmd));
}
