// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container of VFIO before any device is open.  The same program runs on the distribution's
 * type1 and on ours: each check holds on both.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "e2e.h"

#define IOVA MIB(16)
#define MAP_EVENT "/sys/kernel/tracing/events/iommu/map/enable"
#define TRACE "/sys/kernel/tracing/trace"
#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/**
 * struct container - a container with the group of the edu device
 * @fd: the container
 * @group: the group
 * @bdf: the device
 */
struct container {
	int fd;
	int group;
	char bdf[PCI_BDF_SIZE];
};

static struct container container_new(void)
{
	struct container c;
	struct vfio_space space;

	e2e_need_api(VFIO_API_GROUP);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, -1, 0, c.bdf);
	CHECK_OK(vfio_space_open(&space, VFIO_API_GROUP));
	c.fd = space.fd;
	c.group = vfio_group_open(c.bdf);
	CHECK_GE(c.group, 0);
	return c;
}

static struct container container_ready(unsigned long type)
{
	struct container c = container_new();

	CHECK_OK(vfio_call(c.group, VFIO_GROUP_SET_CONTAINER, &c.fd));
	CHECK_OK(vfio_call(c.fd, VFIO_SET_IOMMU, (void *)type));
	return c;
}

static int map(const struct container *c, const void *va, uint64_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = RW,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = size,
	};

	return vfio_call(c->fd, VFIO_IOMMU_MAP_DMA, &arg);
}

/* Returns the bytes that were unmapped, or a negative errno. */
static int64_t unmap(const struct container *c, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.flags = flags,
		.iova = iova,
		.size = size,
	};
	int rc = vfio_call(c->fd, VFIO_IOMMU_UNMAP_DMA, &arg);

	return rc ? rc : (int64_t)arg.size;
}

static void *memory(uint64_t size)
{
	void *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(va != MAP_FAILED);
	return va;
}

/* Memory that counts against the process's limit, in bytes. */
static uint64_t locked(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmLck: %lu", &kib) == 1)
			break;
	}
	fclose(file);
	return KIB(kib);
}

/**
 * struct abilities - what VFIO_IOMMU_GET_INFO reports
 * @page_sizes: bit map of page sizes
 * @nr: IOVA ranges
 * @ranges: the ranges
 * @avail: mappings that can still be made
 */
struct abilities {
	uint64_t page_sizes;
	uint32_t nr;
	struct vfio_iova_range ranges[8];
	uint32_t avail;
};

static struct abilities get_info(const struct container *c)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[1024];
	} u = { .info = { .argsz = sizeof(u) } };
	const struct vfio_info_cap_header *cap;
	struct abilities abilities;
	uint32_t offset;

	memset(&abilities, 0, sizeof(abilities));
	CHECK_OK(vfio_call(c->fd, VFIO_IOMMU_GET_INFO, &u));
	CHECK(u.info.flags & VFIO_IOMMU_INFO_CAPS);
	abilities.page_sizes = u.info.iova_pgsizes;
	for (offset = u.info.cap_offset; offset; offset = cap->next) {
		cap = (const void *)(u.bytes + offset);
		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			const struct vfio_iommu_type1_info_cap_iova_range *iovas = (const void *)cap;

			CHECK_GE(iovas->nr_iovas, 1);
			CHECK_LE(iovas->nr_iovas, 8);
			abilities.nr = iovas->nr_iovas;
			memcpy(abilities.ranges, iovas->iova_ranges,
			       iovas->nr_iovas * sizeof(abilities.ranges[0]));
		} else if (cap->id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL) {
			abilities.avail = ((const struct vfio_iommu_type1_info_dma_avail *)cap)->avail;
		}
	}
	CHECK(abilities.nr);
	return abilities;
}

static void give_up_unlimited_memory(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK_OK(syscall(SYS_capget, &header, data));
	data[CAP_IPC_LOCK / 32].effective &= ~(1U << CAP_IPC_LOCK % 32);
	CHECK_OK(syscall(SYS_capset, &header, data));
}

TEST(container, needs_a_group_and_an_iommu)
{
	struct container c = container_new();
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	void *va = memory(PAGE_SIZE);

	CHECK_EQ(vfio_call(c.fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1_IOMMU), 1);
	CHECK_EQ(vfio_call(c.fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(vfio_call(c.fd, VFIO_CHECK_EXTENSION, (void *)VFIO_DMA_CC_IOMMU), 0);
	CHECK_ERR(EINVAL, vfio_call(c.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	CHECK_OK(vfio_call(c.group, VFIO_GROUP_SET_CONTAINER, &c.fd));
	CHECK_ERR(EINVAL, vfio_call(c.fd, VFIO_IOMMU_GET_INFO, &info));
	CHECK_ERR(EINVAL, map(&c, va, PAGE_SIZE, IOVA));
	CHECK_ERR(EINVAL, unmap(&c, IOVA, PAGE_SIZE, 0));
	CHECK_OK(vfio_call(c.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	CHECK_ERR(EINVAL, vfio_call(c.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
}

TEST(container, knows_its_iommu)
{
	static const unsigned long types[] = { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct container c = container_ready(types[i]);
		struct abilities before = get_info(&c), after;
		uint64_t last = before.ranges[before.nr - 1].end;
		void *va = memory(PAGE_SIZE);
		int device;

		tap_note("page sizes 0x%llx, last IOVA 0x%llx, ranges %u, mappings %u",
			 (unsigned long long)before.page_sizes, (unsigned long long)last, before.nr,
			 before.avail);
		/* 2 MiB pages, an aperture, and a hole for the interrupts of the processor */
		CHECK(before.page_sizes & MIB(2));
		CHECK_GE(before.nr, 2);
		CHECK_EQ(before.ranges[0].end, 0xfedfffff);
		CHECK_LE(last, (1ULL << 57) - 1);
		CHECK_ERR(EINVAL, map(&c, va, PAGE_SIZE, last + 1));
		CHECK_ERR(EINVAL, map(&c, va, PAGE_SIZE, 0xfee00000));
		CHECK_OK(map(&c, va, PAGE_SIZE, last - PAGE_SIZE + 1));
		CHECK_EQ(get_info(&c).avail, before.avail - 1);
		CHECK_EQ(unmap(&c, last - PAGE_SIZE + 1, PAGE_SIZE, 0), (int64_t)PAGE_SIZE);

		device = vfio_call(c.group, VFIO_GROUP_GET_DEVICE_FD, c.bdf);
		CHECK_GE(device, 0);
		after = get_info(&c);
		CHECK(!memcmp(&before, &after, sizeof(before)));
		close(device);
		close(c.group);
		close(c.fd);
	}
}

TEST(container, maps_pin_at_once)
{
	struct container c = container_ready(VFIO_TYPE1v2_IOMMU);
	uint8_t *va = memory(MIB(4));
	uint64_t before = locked();
	struct rlimit limit = { .rlim_cur = before + MIB(2), .rlim_max = before + MIB(2) };

	CHECK_ERR(EFAULT, map(&c, (void *)PAGE_SIZE, PAGE_SIZE, IOVA));
	CHECK_OK(map(&c, va, MIB(1), IOVA));
	CHECK_EQ(locked() - before, MIB(1));
	CHECK_ERR(EEXIST, map(&c, va, PAGE_SIZE, IOVA + MIB(1) - PAGE_SIZE));
	CHECK_EQ(unmap(&c, IOVA, MIB(1), 0), (int64_t)MIB(1));
	CHECK_EQ(locked(), before);

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	give_up_unlimited_memory();
	CHECK_ERR(ENOMEM, map(&c, va, MIB(4), IOVA));
	CHECK_EQ(locked(), before);
	CHECK_OK(map(&c, va, MIB(1), IOVA));
	CHECK_EQ(unmap(&c, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), (int64_t)MIB(1));
}

TEST(container, ranges_that_wrap_or_cut)
{
	struct container c = container_ready(VFIO_TYPE1v2_IOMMU);
	uint8_t *va = memory(MIB(1));

	CHECK_ERR(EINVAL, map(&c, va, 2 * PAGE_SIZE, UINT64_MAX - PAGE_SIZE + 1));
	CHECK_ERR(EINVAL, map(&c, (void *)(UINT64_MAX - PAGE_SIZE + 1), 2 * PAGE_SIZE, IOVA));
	CHECK_ERR(EINVAL, map(&c, va, 0, IOVA));
	CHECK_ERR(EINVAL, map(&c, va, PAGE_SIZE / 2, IOVA));
	CHECK_ERR(EINVAL, map(&c, va, PAGE_SIZE, IOVA + 1));
	CHECK_ERR(EINVAL, map(&c, va + 1, PAGE_SIZE, IOVA));
	CHECK_ERR(EINVAL, unmap(&c, UINT64_MAX - PAGE_SIZE + 1, 2 * PAGE_SIZE, 0));
	CHECK_ERR(EINVAL, unmap(&c, IOVA, 0, 0));

	CHECK_OK(map(&c, va, MIB(1), IOVA));
	CHECK_ERR(EINVAL, unmap(&c, IOVA, PAGE_SIZE, 0));
	CHECK_ERR(EINVAL, unmap(&c, IOVA + PAGE_SIZE, MIB(1), 0));
	CHECK_EQ(unmap(&c, IOVA - PAGE_SIZE, PAGE_SIZE, 0), 0);
	CHECK_EQ(unmap(&c, IOVA - PAGE_SIZE, MIB(2), 0), (int64_t)MIB(1));
}

TEST(container, last_group_takes_the_mappings)
{
	struct container c = container_ready(VFIO_TYPE1v2_IOMMU);
	uint8_t *va = memory(MIB(1));
	uint64_t before = locked();

	CHECK_OK(map(&c, va, MIB(1), IOVA));
	CHECK_OK(vfio_call(c.group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	CHECK_EQ(locked(), before);
	CHECK_ERR(EINVAL, map(&c, va, MIB(1), IOVA));
	CHECK_OK(vfio_call(c.group, VFIO_GROUP_SET_CONTAINER, &c.fd));
	CHECK_OK(vfio_call(c.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	CHECK_OK(map(&c, va, MIB(1), IOVA));
	CHECK_EQ(locked(), before + MIB(1));
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	CHECK(file);
	CHECK_GE(fputs(text, file), 0);
	CHECK_OK(fclose(file));
}

/* The size of the largest range from @iova that the IOMMU driver got in one call. */
static uint64_t largest_map(uint64_t iova)
{
	unsigned long long start, last, phys, size;
	uint64_t largest = 0;
	char line[512], *at;
	FILE *file = fopen(TRACE, "re");

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, "iova=");
		if (at && sscanf(at, "iova=%llx - %llx paddr=%llx size=%llu", &start, &last, &phys,
				 &size) == 4 && start == iova && size > largest)
			largest = size;
	}
	fclose(file);
	return largest;
}

static uint8_t *huge_memory(uint64_t size)
{
	uintptr_t va = (uintptr_t)memory(size + MIB(2));

	va = (va + MIB(2) - 1) & ~(MIB(2) - 1);
	CHECK_OK(madvise((void *)va, size, MADV_HUGEPAGE));
	memset((void *)va, 1, size);
	return (void *)va;
}

/* SPDK and DPDK ask for the original type1. */
TEST(container, original_type1_has_huge_pages)
{
	struct container c = container_ready(VFIO_TYPE1_IOMMU);
	uint8_t *va = huge_memory(MIB(4));
	uint64_t largest;

	if (access(MAP_EVENT, W_OK))
		tap_skip("this kernel has no iommu:map event");
	write_file(TRACE, "");
	write_file(MAP_EVENT, "1");
	CHECK_OK(map(&c, va, MIB(4), MIB(1024)));
	write_file(MAP_EVENT, "0");
	largest = largest_map(MIB(1024));
	write_file(TRACE, "");
	CHECK_GE(largest, MIB(2));
}

/* Moves a page through the device, from one IOVA to another. */
static void move_page(const struct edu *edu, uint64_t from, uint64_t to)
{
	CHECK_OK(edu_dma(edu, from, 0, 1024, true));
	CHECK_OK(edu_dma(edu, to, 0, 1024, false));
}

/* The distribution's type1 unmaps all of a mapping whose start is in the range, or nothing. */
TEST(container, original_type1_cuts_huge_pages)
{
	struct container c = container_ready(VFIO_TYPE1_IOMMU);
	struct vfio_space space = { .api = VFIO_API_GROUP, .fd = c.fd, .ready = true };
	struct vfio_dev dev = { .space = &space, .group_fd = c.group };
	uint8_t *va = huge_memory(MIB(4)), *to = memory(PAGE_SIZE);
	const uint64_t at = MIB(1024), hole = at + MIB(1);
	struct edu edu;

	if (access("/dev/iommu", F_OK))
		tap_skip("only with our modules");
	memcpy(dev.bdf, c.bdf, sizeof(dev.bdf));
	dev.fd = vfio_call(c.group, VFIO_GROUP_GET_DEVICE_FD, c.bdf);
	CHECK_GE(dev.fd, 0);
	CHECK_OK(vfio_bus_master(&dev, true));
	CHECK_OK(edu_init(&edu, &dev));
	CHECK_OK(map(&c, va, MIB(4), at));
	CHECK_OK(map(&c, to, PAGE_SIZE, IOVA));
	CHECK_EQ(unmap(&c, hole, 2 * PAGE_SIZE, 0), (int64_t)(2 * PAGE_SIZE));

	e2e_fill(va + MIB(1) - PAGE_SIZE, PAGE_SIZE, 1);
	move_page(&edu, hole - PAGE_SIZE, IOVA);
	CHECK(!memcmp(to, va + MIB(1) - PAGE_SIZE, 1024));
	e2e_fill(va + MIB(1) + 2 * PAGE_SIZE, PAGE_SIZE, 2);
	move_page(&edu, hole + 2 * PAGE_SIZE, IOVA);
	CHECK(!memcmp(to, va + MIB(1) + 2 * PAGE_SIZE, 1024));
	e2e_fill(va + MIB(3), PAGE_SIZE, 3);
	move_page(&edu, at + MIB(3), IOVA);
	CHECK(!memcmp(to, va + MIB(3), 1024));
	/* into the hole: nothing arrives */
	move_page(&edu, IOVA, hole);
	CHECK_EQ(va[MIB(1)], 1);
	CHECK_EQ(unmap(&c, at, MIB(4), 0), (int64_t)(MIB(4) - 2 * PAGE_SIZE));
	vfio_close(&dev);
}
