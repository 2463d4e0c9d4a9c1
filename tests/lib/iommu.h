/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/iommu as functions, for tests.
 *
 * Each returns 0 or a negative errno, and changes its arguments only as the ioctl does.
 */
#ifndef IOMMUSCOPE_TEST_IOMMU_H
#define IOMMUSCOPE_TEST_IOMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/iommufd.h>

#include "../../kernel/include/iommufd_test.h"

#define MAP_RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define MAP_RW_FIXED (MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA)

#define KB(_n) ((uint64_t)(_n) << 10)
#define MB(_n) ((uint64_t)(_n) << 20)
#define GB(_n) ((uint64_t)(_n) << 30)
#define PAGE ((uint64_t)4096)
#define HUGE MB(2)

int iommu_open(void);
int iommu_call(int fd, unsigned long request, void *arg);

int ioas_alloc(int fd, uint32_t *id);
int object_destroy(int fd, uint32_t id);
int ioas_map(int fd, uint32_t ioas, const void *va, uint64_t length, uint64_t *iova,
	     uint32_t flags);
int ioas_map_at(int fd, uint32_t ioas, const void *va, uint64_t length, uint64_t iova);
int ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length);
int ioas_unmap_count(int fd, uint32_t ioas, uint64_t iova, uint64_t *length);
int ioas_copy(int fd, uint32_t dst, uint64_t *dst_iova, uint32_t src, uint64_t src_iova,
	      uint64_t length, uint32_t flags);
int ioas_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges, uint32_t nr);
int ioas_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges, uint32_t *nr,
		uint64_t *alignment);
int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object, uint64_t *value);
int vfio_ioas(int fd, uint16_t op, uint32_t *ioas);
int hwpt_alloc(int fd, uint32_t device, uint32_t pt, uint32_t flags, uint32_t *hwpt);
int hw_info(int fd, uint32_t device, void *data, uint32_t *length, uint32_t *type,
	    uint64_t *capabilities);

/**
 * struct test_device - a mock device
 * @stdev: the test object
 * @idev: the device object
 * @hwpt: HWPT it is attached to, 0 if to none
 * @index: number in its name
 * @group: number of its group
 */
struct test_device {
	uint32_t stdev;
	uint32_t idev;
	uint32_t hwpt;
	uint32_t index;
	uint32_t group;
};

int test_reserve(int fd, uint32_t ioas, uint64_t start, uint64_t length);
int mock_domain(int fd, uint32_t pt, struct test_device *device);
int mock_domain_flags(int fd, uint32_t pt, uint32_t flags, struct test_device *device);
int device_add(int fd, const struct iommu_test_mock *how, struct test_device *device);
int device_attach(int fd, struct test_device *device, uint32_t pt);
int device_replace(int fd, struct test_device *device, uint32_t pt);
int device_detach(int fd, struct test_device *device);
int device_has_group(int fd, const struct test_device *device, bool *owned);
int device_knob(const struct test_device *device, const char *name, const char *value);
int device_stat(const struct test_device *device, const char *name, uint64_t *value);
int mock_knob(const char *name, const char *value);
int check_map(int fd, uint32_t hwpt, uint64_t iova, const void *va, uint64_t length);
int check_pins(int fd, const void *va, uint64_t length, uint32_t refs);
int memory_limit(int fd, uint32_t bytes);

int access_create(int fd, uint32_t ioas, uint32_t flags, int *access);
int access_add(int fd, uint32_t flags, int *access, uint32_t *id);
int access_attach(int fd, int access, uint32_t ioas);
int access_replace(int fd, int access, uint32_t ioas);
int access_detach(int fd, int access);
int access_pin(int fd, int access, uint64_t iova, uint64_t length, const void *va, uint32_t flags,
	       uint32_t *id);
int access_unpin(int fd, int access, uint32_t id);
int access_rw(int fd, int access, uint64_t iova, void *data, uint64_t length, uint32_t flags);

void *memory(size_t length);
void *memory_huge(size_t length);
uint64_t pinned_pages(void);
uint64_t locked_bytes(pid_t pid);

#endif
