// SPDX-License-Identifier: GPL-2.0-only
/*
 * The structures of all ioctls: sizes, trailing bytes, reserved fields, pointers, numbers.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "conformance.h"

#define FIRST_VERSION(_struct, _last)                                                              \
	(offsetof(struct _struct, _last) + sizeof(((struct _struct *)0)->_last))

/**
 * struct known_ioctl - an ioctl of 6.12
 * @request: its number
 * @min: size of the first version of its structure
 * @size: size of the structure in 6.12
 */
static const struct known_ioctl {
	unsigned long request;
	uint32_t min;
	uint32_t size;
} known[] = {
#define IOCTL(_request, _struct, _last)                                                            \
	{ _request, FIRST_VERSION(_struct, _last), sizeof(struct _struct) }
	IOCTL(IOMMU_DESTROY, iommu_destroy, id),
	IOCTL(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id),
	IOCTL(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas),
	IOCTL(IOMMU_IOAS_COPY, iommu_ioas_copy, src_iova),
	IOCTL(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, out_iova_alignment),
	IOCTL(IOMMU_IOAS_MAP, iommu_ioas_map, iova),
	IOCTL(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, length),
	IOCTL(IOMMU_OPTION, iommu_option, val64),
	IOCTL(IOMMU_VFIO_IOAS, iommu_vfio_ioas, __reserved),
	IOCTL(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved),
	IOCTL(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved),
	IOCTL(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking, __reserved),
	IOCTL(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data),
	IOCTL(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, __reserved),
	IOCTL(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd),
#undef IOCTL
};

#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

/* Two pages with nothing mapped after them */
static uint8_t *two_pages(void)
{
	uint8_t *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	return p;
}

static void set_size(void *cmd, uint32_t size)
{
	memcpy(cmd, &size, sizeof(size));
}

TEST(structs, too_small)
{
	struct context c = context_new();
	uint8_t *cmd = two_pages();
	size_t i;

	for (i = 0; i < NR_KNOWN; i++) {
		const uint32_t sizes[] = { 0, 1, 4, known[i].min - 1 };
		size_t j;

		for (j = 0; j < 4; j++) {
			memset(cmd, 0, PAGE);
			set_size(cmd, sizes[j]);
			FAILS(EINVAL, "bad_size", iommu_call(c.fd, known[i].request, cmd));
		}
	}
}

TEST(structs, trailing_bytes)
{
	struct context c = context_new();
	uint8_t *cmd = two_pages();
	size_t i;

	for (i = 0; i < NR_KNOWN; i++) {
		memset(cmd, 0, PAGE);
		set_size(cmd, known[i].size + 1);
		cmd[known[i].size] = 1;
		FAILS(E2BIG, "unknown_trailing_bytes", iommu_call(c.fd, known[i].request, cmd));

		memset(cmd, 0, PAGE);
		set_size(cmd, PAGE);
		cmd[PAGE - 1] = 1;
		FAILS(E2BIG, "unknown_trailing_bytes", iommu_call(c.fd, known[i].request, cmd));

		/* An older kernel must ignore zeroes; the call fails for another reason. */
		memset(cmd, 0, PAGE);
		set_size(cmd, known[i].size + 8);
		CHECK_NE(iommu_call(c.fd, known[i].request, cmd), -E2BIG);
	}
}

TEST(structs, huge)
{
	const uint32_t sizes[] = { PAGE + 1, 1U << 20, 1U << 31, UINT32_MAX };
	struct context c = context_new();
	uint8_t *cmd = two_pages();
	size_t i, j;

	for (i = 0; i < NR_KNOWN; i++) {
		for (j = 0; j < 4; j++) {
			memset(cmd, 0, PAGE);
			set_size(cmd, sizes[j]);
			FAILS(E2BIG, "unknown_trailing_bytes",
			      iommu_call(c.fd, known[i].request, cmd));
		}
	}
}

TEST(structs, bad_pointer)
{
	struct context c = context_new();
	uint8_t *cmd = two_pages();
	size_t i;

	for (i = 0; i < NR_KNOWN; i++) {
		uint8_t *end = cmd + 2 * PAGE;

		FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, known[i].request, NULL));
		FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, known[i].request, end));
		FAILS(EFAULT, "bad_user_pointer",
		      iommu_call(c.fd, known[i].request, (void *)0xffff800000000000UL));
		FAILS(EFAULT, "bad_user_pointer",
		      iommu_call(c.fd, known[i].request, (void *)0x0000900000000000UL));
		/* The size can be read, the rest cannot. */
		set_size(end - 4, known[i].size);
		FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, known[i].request, end - 4));
	}
}

TEST(structs, unaligned)
{
	struct context c = context_new();
	uint8_t *buffer = two_pages();
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	uint32_t id;

	/* At every alignment, and so that the structure crosses a page and ends with memory. */
	for (size_t i = 0; i < 8; i++) {
		uint8_t *at = buffer + PAGE - 6 + i;

		memcpy(at, &cmd, sizeof(cmd));
		CHECK_OK(iommu_call(c.fd, IOMMU_IOAS_ALLOC, at));
		memcpy(&id, at + offsetof(struct iommu_ioas_alloc, out_ioas_id), sizeof(id));
		CHECK_OK(object_destroy(c.fd, id));
	}
	memcpy(buffer + 2 * PAGE - sizeof(cmd), &cmd, sizeof(cmd));
	CHECK_OK(iommu_call(c.fd, IOMMU_IOAS_ALLOC, buffer + 2 * PAGE - sizeof(cmd)));
}

TEST(structs, read_only)
{
	struct context c = context_new();
	uint8_t *buffer = two_pages();
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = MAP_RW,
		.ioas_id = c.ioas,
		.user_va = (uintptr_t)memory(PAGE),
		.length = PAGE,
	};
	uint64_t length = UINT64_MAX;
	uint32_t before, after;

	/* An object that cannot be reported to the caller does not stay. */
	CHECK_OK(ioas_alloc(c.fd, &before));
	CHECK_OK(object_destroy(c.fd, before));
	memcpy(buffer, &alloc, sizeof(alloc));
	CHECK_EQ(mprotect(buffer, PAGE, PROT_READ), 0);
	FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, IOMMU_IOAS_ALLOC, buffer));
	CHECK_OK(ioas_alloc(c.fd, &after));
	for (uint32_t id = before; id < after; id++)
		CHECK_ERR(ENOENT, object_destroy(c.fd, id));

	memcpy(buffer + PAGE, &map, sizeof(map));
	CHECK_EQ(mprotect(buffer + PAGE, PAGE, PROT_READ), 0);
	FAILS(EFAULT, "bad_user_pointer", iommu_call(c.fd, IOMMU_IOAS_MAP, buffer + PAGE));
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 0);
}

TEST(structs, reserved_fields)
{
	struct context c = context_new();
	struct iommu_ioas_iova_ranges ranges = {
		.size = sizeof(ranges), .ioas_id = c.ioas, .__reserved = 1,
	};
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow), .ioas_id = c.ioas, .__reserved = 1,
	};
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = c.ioas, .flags = MAP_RW, .__reserved = 1,
		.user_va = (uintptr_t)memory(PAGE), .length = PAGE,
	};
	struct iommu_option option = {
		.size = sizeof(option), .option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_GET, .__reserved = 1, .object_id = c.ioas,
	};
	struct iommu_vfio_ioas vfio = {
		.size = sizeof(vfio), .op = IOMMU_VFIO_IOAS_CLEAR, .__reserved = 1,
	};
	struct test_device device = device_new(&c);
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .dev_id = device.idev, .pt_id = c.ioas, .__reserved = 1,
	};
	struct iommu_hw_info info = {
		.size = sizeof(info), .dev_id = device.idev, .__reserved = { 0, 0, 1 },
	};

	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_IOAS_IOVA_RANGES, &ranges));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_IOAS_ALLOW_IOVAS, &allow));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_IOAS_MAP, &map));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_OPTION, &option));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_VFIO_IOAS, &vfio));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_HWPT_ALLOC, &hwpt));
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_GET_HW_INFO, &info));

	hwpt.__reserved = 0;
	hwpt.__reserved2 = 1;
	FAILS(EOPNOTSUPP, "reserved_not_zero", iommu_call(c.fd, IOMMU_HWPT_ALLOC, &hwpt));
}

TEST(structs, unknown_numbers)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd) };
	struct context c = context_new();

	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, _IO(IOMMUFD_TYPE, 0x7f), &cmd));
	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, _IO(IOMMUFD_TYPE, 0x8f), &cmd));
	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, _IO(IOMMUFD_TYPE, 0xff), &cmd));
	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, _IO('x', 0x80), &cmd));
	FAILS(ENOTTY, "unknown_ioctl",
	      iommu_call(c.fd, _IOWR(IOMMUFD_TYPE, 0x80, struct iommu_destroy), &cmd));
	FAILS(ENOTTY, "unknown_ioctl", iommu_call(c.fd, 0, &cmd));
}

TEST(structs, features_not_built)
{
	struct context c = context_new();
	struct iommu_hwpt_set_dirty_tracking dirty = { .size = sizeof(dirty) };
	struct iommu_hwpt_get_dirty_bitmap bitmap = { .size = sizeof(bitmap) };
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };

	FAILS(EOPNOTSUPP, "not_supported",
	      iommu_call(c.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &dirty));
	FAILS(EOPNOTSUPP, "not_supported", iommu_call(c.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &bitmap));
	FAILS(EOPNOTSUPP, "not_supported", iommu_call(c.fd, IOMMU_FAULT_QUEUE_ALLOC, &fault));
}
