// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_MAP: flags, ranges, the memory behind them, limits.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"

/* All of the memory is mapped at an IOVA, and pinned once. */
static void check_mapped(struct context *c, struct test_device *device, uint64_t iova,
			 const void *va, uint64_t length)
{
	CHECK_OK(check_map(c->fd, device->hwpt, iova, va, length));
	CHECK_OK(check_pins(c->fd, va, length, 1));
}

/* How much memory of this process is in transparent huge pages */
static uint64_t huge_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	uint64_t kib = 0;
	char line[128];

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "AnonHugePages: %lu", &kib);
	fclose(file);
	return KB(kib);
}

TEST(map, chosen_and_fixed)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(64 * PAGE);
	uint64_t iova;

	iova = map_somewhere(&c, buffer, 64 * PAGE);
	CHECK_EQ(iova % PAGE, 0);
	check_mapped(&c, &device, iova, buffer, 64 * PAGE);
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 64 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 64 * PAGE, 0));

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 64 * PAGE, GB(5)));
	check_mapped(&c, &device, GB(5), buffer, 64 * PAGE);
}

TEST(map, flags)
{
	struct context c = context_new();
	uint8_t *buffer = memory(PAGE);
	uint64_t iova = IOVA;

	FAILS(EOPNOTSUPP, "unknown_flags",
	      ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, MAP_RW | 1 << 3));
	FAILS(EOPNOTSUPP, "unknown_flags",
	      ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, 1U << 31));
	FAILS(EINVAL, "bad_value", ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, 0));
	FAILS(EINVAL, "bad_value",
	      ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, IOMMU_IOAS_MAP_FIXED_IOVA));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, IOMMU_IOAS_MAP_WRITEABLE));
}

TEST(map, bad_ids)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(PAGE);
	uint64_t iova = IOVA;

	FAILS(ENOENT, "bad_object_id", ioas_map(c.fd, 0, buffer, PAGE, &iova, MAP_RW));
	FAILS(ENOENT, "bad_object_id", ioas_map(c.fd, NO_ID, buffer, PAGE, &iova, MAP_RW));
	FAILS(ENOENT, "wrong_object_type",
	      ioas_map(c.fd, device.hwpt, buffer, PAGE, &iova, MAP_RW));
	FAILS(ENOENT, "wrong_object_type",
	      ioas_map(c.fd, device.idev, buffer, PAGE, &iova, MAP_RW));
}

TEST(map, lengths)
{
	struct context c = context_new();
	uint8_t *buffer = memory(PAGE);
	uint64_t iova = IOVA;

	FAILS(EINVAL, "zero_length", ioas_map(c.fd, c.ioas, buffer, 0, &iova, MAP_RW));
	FAILS(EINVAL, "zero_length", ioas_map_at(c.fd, c.ioas, buffer, 0, IOVA));
	FAILS(EOVERFLOW, "overflow", ioas_map(c.fd, c.ioas, buffer, UINT64_MAX, &iova, MAP_RW));
	FAILS(EOVERFLOW, "overflow",
	      ioas_map(c.fd, c.ioas, buffer, UINT64_MAX - PAGE + 1, &iova, MAP_RW));
	FAILS(EOVERFLOW, "overflow",
	      ioas_map(c.fd, c.ioas, (void *)(UINT64_MAX - PAGE + 1), 2 * PAGE, &iova, MAP_RW));
	FAILS(EOVERFLOW, "overflow",
	      ioas_map_at(c.fd, c.ioas, buffer, 2 * PAGE, UINT64_MAX - PAGE + 1));
	FAILS(EOVERFLOW, "overflow", ioas_map_at(c.fd, c.ioas, buffer, PAGE, UINT64_MAX));
}

TEST(map, alignment)
{
	struct context c = context_new();
	struct test_device device;
	uint8_t *buffer = memory(4 * PAGE);

	/* Without an HWPT any byte works; with one, the unit is its smallest page. */
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 1, 3, IOVA + 77));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + 77, 3));

	device = device_attached(&c);
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 512));
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, PAGE + 512, IOVA));
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer + 512, PAGE, IOVA));
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, 1, IOVA));
	CHECK_OK(object_destroy(c.fd, device.stdev));

	/* Half pages */
	CHECK_OK(mock_domain(c.fd, c.ioas, &device));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + PAGE / 2, PAGE, IOVA));
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer + PAGE / 2, PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE / 2, IOVA + 8 * PAGE + PAGE / 2));
	FAILS(EINVAL, "iova_misaligned",
	      ioas_map_at(c.fd, c.ioas, buffer, PAGE / 4, IOVA + 16 * PAGE));
}

TEST(map, top_of_the_space)
{
	struct context c = context_new();
	uint8_t *buffer = memory(2 * PAGE);
	uint64_t top = UINT64_MAX - PAGE + 1;
	struct test_device device;

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, top));
	FAILS(EEXIST, "iova_overlap", ioas_map_at(c.fd, c.ioas, buffer, PAGE, top));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, top, PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, 0));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, 0, PAGE));

	/* The mock translates 48 bits. */
	device = device_attached(&c);
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, 1ULL << 48));
	FAILS(EINVAL, "iova_reserved",
	      ioas_map_at(c.fd, c.ioas, buffer, 2 * PAGE, (1ULL << 48) - PAGE));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, top));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, (1ULL << 48) - PAGE));
	CHECK_OK(check_map(c.fd, device.hwpt, (1ULL << 48) - PAGE, buffer, PAGE));
}

TEST(map, whole_space)
{
	struct iommu_test_mock how = {
		.device_add = { .aperture_last = UINT64_MAX, .pgsizes = 1ULL << 12 },
	};
	struct context c = context_new();
	struct test_device device = device_like(&c, &how);
	uint8_t *buffer = memory(PAGE);
	uint64_t top = UINT64_MAX - PAGE + 1;

	/* An IOMMU that translates all 64 bits: both ends of its space are ordinary IOVAs. */
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, top));
	CHECK_OK(check_map(c.fd, device.hwpt, top, buffer, PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, 0));
	CHECK_OK(check_map(c.fd, device.hwpt, 0, buffer, PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, 0, UINT64_MAX));
	CHECK_OK(check_pins(c.fd, buffer, PAGE, 0));
}

TEST(map, overlap)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(16 * PAGE);

	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	FAILS(EEXIST, "iova_overlap", ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	FAILS(EEXIST, "iova_overlap", ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + PAGE));
	FAILS(EEXIST, "iova_overlap", ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 3 * PAGE));
	FAILS(EEXIST, "iova_overlap", ioas_map_at(c.fd, c.ioas, buffer, 2 * PAGE, IOVA - PAGE));
	FAILS(EEXIST, "iova_overlap",
	      ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA - 4 * PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 4 * PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA - PAGE));
	check_mapped(&c, &device, IOVA + PAGE, buffer + PAGE, 3 * PAGE);
}

TEST(map, reserved)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);

	CHECK_OK(test_reserve(c.fd, c.ioas, IOVA + PAGE, PAGE));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, 2 * PAGE, IOVA));
	FAILS(EINVAL, "iova_reserved", ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + PAGE));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 2 * PAGE));
}

TEST(map, space_full)
{
	struct context c = context_new();
	struct iommu_iova_range range = { IOVA, IOVA + 8 * PAGE - 1 };
	uint8_t *buffer = memory(16 * PAGE);
	uint64_t iova;
	int i;

	CHECK_OK(ioas_allow(c.fd, c.ioas, &range, 1));
	FAILS(ENOSPC, "iova_not_allowed",
	      ioas_map(c.fd, c.ioas, buffer, 16 * PAGE, &iova, MAP_RW));
	for (i = 0; i < 8; i++)
		map_somewhere(&c, buffer, PAGE);
	FAILS(ENOSPC, "iova_not_allowed", ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, MAP_RW));

	/* Room for two pages, but not in one piece */
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + 2 * PAGE, PAGE));
	FAILS(ENOSPC, "iova_not_allowed",
	      ioas_map(c.fd, c.ioas, buffer, 2 * PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + PAGE, PAGE));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 3 * PAGE, &iova, MAP_RW));
	CHECK_EQ(iova, IOVA);
}

TEST(map, memory_that_is_not_there)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(64 * PAGE);
	uint64_t iova = IOVA, length = UINT64_MAX;

	memset(buffer, 1, 64 * PAGE);
	CHECK_EQ(munmap(buffer + 40 * PAGE, PAGE), 0);
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, buffer, 64 * PAGE, &iova, MAP_RW));
	FAILS(EFAULT, "gup_fault", ioas_map_at(c.fd, c.ioas, buffer, 64 * PAGE, IOVA));
	FAILS(EFAULT, "gup_fault", ioas_map_at(c.fd, c.ioas, buffer + 40 * PAGE, PAGE, IOVA));

	/* Not user addresses: non-canonical, the kernel's, one whose end wraps, none */
	FAILS(EFAULT, "gup_fault",
	      ioas_map(c.fd, c.ioas, (void *)0x0000900000000000UL, PAGE, &iova, MAP_RW));
	FAILS(EFAULT, "gup_fault",
	      ioas_map(c.fd, c.ioas, (void *)0xffff888000000000UL, PAGE, &iova, MAP_RW));
	CHECK_ERR(EOVERFLOW, ioas_map(c.fd, c.ioas, (void *)(UINT64_MAX - PAGE + 1), PAGE, &iova,
				      MAP_RW));
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, NULL, PAGE, &iova, MAP_RW));

	/* Nothing of it remains: no pin, no area, no page table entry. */
	CHECK_OK(check_pins(c.fd, buffer, 40 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 0);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 40 * PAGE, IOVA));
	check_mapped(&c, &device, IOVA, buffer, 40 * PAGE);
}

TEST(map, permissions)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(8 * PAGE);
	uint64_t iova = IOVA;

	memset(buffer, 1, 8 * PAGE);
	CHECK_EQ(mprotect(buffer + 4 * PAGE, 4 * PAGE, PROT_READ), 0);
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, buffer, 8 * PAGE, &iova, MAP_RW));
	CHECK_OK(check_pins(c.fd, buffer, 8 * PAGE, 0));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 8 * PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
	check_mapped(&c, &device, iova, buffer, 8 * PAGE);

	CHECK_EQ(mprotect(buffer, PAGE, PROT_NONE), 0);
	FAILS(EFAULT, "gup_fault",
	      ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
}

TEST(map, read_only_stops_writes)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t iova = IOVA, faults = 0, accesses = 0;
	char command[96];

	memset(buffer, 7, 4 * PAGE);
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 4 * PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
	snprintf(command, sizeof(command), "start 0x%lx 0x%lx w 100", iova, 4 * PAGE);
	CHECK_OK(device_knob(&device, "dma", command));
	while (!faults)
		CHECK_OK(device_stat(&device, "faults", &faults));
	CHECK_OK(device_knob(&device, "dma", "stop"));
	CHECK_OK(device_stat(&device, "accesses", &accesses));
	CHECK_EQ(accesses, 0);
	for (uint64_t i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(buffer[i], 7);

	/* The same device may read it. */
	snprintf(command, sizeof(command), "start 0x%lx 0x%lx r 100", iova, 4 * PAGE);
	CHECK_OK(device_knob(&device, "stats", "0"));
	CHECK_OK(device_knob(&device, "dma", command));
	while (!accesses)
		CHECK_OK(device_stat(&device, "accesses", &accesses));
	CHECK_OK(device_knob(&device, "dma", "stop"));
	CHECK_OK(device_stat(&device, "faults", &faults));
	CHECK_EQ(faults, 0);
}

TEST(map, dma_writes_arrive)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint64_t *buffer = memory(2 * PAGE);
	uint64_t iova, accesses = 0;
	char command[96];

	iova = map_somewhere(&c, buffer, 2 * PAGE);
	snprintf(command, sizeof(command), "start 0x%lx 0x%lx w 100", iova, 2 * PAGE);
	CHECK_OK(device_knob(&device, "dma", command));
	while (accesses < 8)
		CHECK_OK(device_stat(&device, "accesses", &accesses));
	CHECK_OK(device_knob(&device, "dma", "stop"));
	/* The last four accesses went to the four half pages. */
	CHECK_NE(buffer[0], 0);
	CHECK_NE(buffer[PAGE / 16], 0);
	CHECK_NE(buffer[PAGE / 8], 0);
	CHECK_NE(buffer[3 * PAGE / 16], 0);
}

TEST(map, huge_pages)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory_huge(8 * HUGE);
	uint64_t iova, tables;

	/*
	 * An IOVA that lets the IOMMU use its large pages: then one table on each of the upper
	 * four levels maps them, and none for small pages.
	 */
	iova = map_somewhere(&c, buffer, 8 * HUGE);
	CHECK_EQ(iova % HUGE, 0);
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer, 8 * HUGE));
	CHECK_OK(device_stat(&device, "page_table_bytes", &tables));
	if (huge_bytes() >= 8 * HUGE)
		CHECK_EQ(tables, 4 * PAGE);
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 8 * HUGE));

	/* Part of huge pages, off from their start */
	iova = map_somewhere(&c, buffer + 3 * PAGE, 5 * HUGE + PAGE);
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer + 3 * PAGE, 5 * HUGE + PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 5 * HUGE + PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 8 * HUGE, 0));

	/* Scattered: every second small page replaced by one from elsewhere */
	for (int i = 0; i < 64; i += 2) {
		uint8_t *page = memory(PAGE);

		*page = i;
		CHECK(mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			     buffer + HUGE + i * PAGE) != MAP_FAILED);
	}
	iova = map_somewhere(&c, buffer, 4 * HUGE);
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer, 4 * HUGE));
	CHECK_OK(device_stat(&device, "page_table_bytes", &tables));
	CHECK_GE(tables, 5 * PAGE);
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 4 * HUGE));
	CHECK_OK(check_pins(c.fd, buffer, 8 * HUGE, 0));
}

TEST(map, shared_memory)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	int fd = memfd_create("iommuscope", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *buffer, *again;
	uint64_t iova = IOVA;

	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, 32 * PAGE), 0);
	buffer = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	again = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(buffer != MAP_FAILED && again != MAP_FAILED);
	iova = map_somewhere(&c, buffer, 32 * PAGE);
	memset(again, 3, 32 * PAGE);
	/* The device sees the same bytes as every mapping of the file. */
	CHECK_OK(check_map(c.fd, device.hwpt, iova, again, 32 * PAGE));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 32 * PAGE));

	/* Sealed against writing: readable only. */
	munmap(buffer, 32 * PAGE);
	munmap(again, 32 * PAGE);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
	buffer = mmap(NULL, 32 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(buffer != MAP_FAILED);
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, buffer, 32 * PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 32 * PAGE, &iova, IOMMU_IOAS_MAP_READABLE));
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer, 32 * PAGE));
}

TEST(map, file_truncated)
{
	struct context c = context_new();
	int fd = memfd_create("iommuscope", MFD_CLOEXEC);
	uint64_t iova = IOVA;
	uint8_t *buffer;

	device_attached(&c);
	CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
	buffer = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(buffer != MAP_FAILED);
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, buffer, 8 * PAGE, &iova, MAP_RW));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 4 * PAGE, &iova, MAP_RW));
}

TEST(map, memory_unmapped_later)
{
	struct context c = context_new();
	uint8_t *buffer = memory(16 * PAGE);
	uint8_t seen[64];
	uint64_t iova;
	int access;

	/* Pinned memory stays for the device, whatever the process does with its addresses. */
	device_attached(&c);
	memset(buffer, 0x33, 16 * PAGE);
	iova = map_somewhere(&c, buffer, 16 * PAGE);
	CHECK_OK(access_create(c.fd, c.ioas, 0, &access));
	CHECK_EQ(munmap(buffer, 16 * PAGE), 0);
	CHECK_OK(access_rw(c.fd, access, iova + 5 * PAGE, seen, sizeof(seen), 0));
	CHECK_EQ(seen[0], 0x33);
	CHECK_OK(ioas_unmap(c.fd, c.ioas, iova, 16 * PAGE));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(map, forked_child_writes)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(16 * PAGE);
	uint64_t iova;
	int status;
	pid_t pid;

	memset(buffer, 1, 16 * PAGE);
	iova = map_somewhere(&c, buffer, 16 * PAGE);
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid) {
		memset(buffer, 2, 16 * PAGE);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	memset(buffer, 3, 16 * PAGE);
	/* The device shares memory with the parent, not with the child. */
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer, 16 * PAGE));
}

TEST(map, process_gone)
{
	struct context c = context_new();
	uint8_t *buffer = memory(16 * PAGE);
	struct test_device device;
	int status;
	pid_t pid;

	/* A child maps, and exits before an HWPT needs the memory. */
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid) {
		memset(buffer, 2, 16 * PAGE);
		_exit(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA) ? 1 : 0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	device = device_new(&c);
	FAILS(EFAULT, "process_gone", device_attach(c.fd, &device, c.ioas));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 16 * PAGE));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
}

TEST(map, memlock_by_user)
{
	struct context c = context_new();
	struct test_device device;
	uint8_t *buffer = memory(64 * PAGE);
	uint64_t iova = IOVA;

	memset(buffer, 1, 64 * PAGE);
	limit_memlock(32 * PAGE);
	become_user(4001);
	device = device_attached(&c);
	FAILS(ENOMEM, "memlock_limit", ioas_map(c.fd, c.ioas, buffer, 33 * PAGE, &iova, MAP_RW));
	CHECK_OK(check_pins(c.fd, buffer, 64 * PAGE, 0));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 20 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 20 * PAGE, 12 * PAGE, IOVA + MB(1)));
	CHECK_EQ(locked_bytes(0), 32 * PAGE);
	FAILS(ENOMEM, "memlock_limit",
	      ioas_map(c.fd, c.ioas, buffer + 40 * PAGE, PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 20 * PAGE));
	CHECK_EQ(locked_bytes(0), 12 * PAGE);
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer + 40 * PAGE, 20 * PAGE, &iova, MAP_RW));
	CHECK_OK(check_map(c.fd, device.hwpt, iova, buffer + 40 * PAGE, 20 * PAGE));
}

/*
 * Memory that a process with CAP_IPC_LOCK pins does not count against its user's limit, so it
 * does not affect other processes of that user. The process itself still shows it.
 */
TEST(map, memlock_capability)
{
	struct context c = context_new();
	uint8_t *buffer = memory(64 * PAGE);
	uint64_t iova = IOVA;
	int status;
	pid_t pid;

	memset(buffer, 1, 64 * PAGE);
	limit_memlock(16 * PAGE);
	device_attached(&c);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 32 * PAGE, IOVA));
	CHECK_EQ(locked_bytes(0), 32 * PAGE);

	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid) {
		keep_capability(CAP_SYS_ADMIN);
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 32 * PAGE, 16 * PAGE, IOVA + MB(1)));
		FAILS(ENOMEM, "memlock_limit",
		      ioas_map(c.fd, c.ioas, buffer + 48 * PAGE, PAGE, &iova, MAP_RW));
		CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + MB(1), 16 * PAGE));
		/* The other process's unmap was not charged either. */
		CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 32 * PAGE));
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA));
		FAILS(ENOMEM, "memlock_limit",
		      ioas_map(c.fd, c.ioas, buffer + 48 * PAGE, PAGE, &iova, MAP_RW));
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(map, memlock_on_attach)
{
	struct context c = context_new();
	uint8_t *buffer = memory(64 * PAGE);
	struct test_device device;

	/* Without an HWPT nothing is pinned; the attach pins all areas or none. */
	memset(buffer, 1, 64 * PAGE);
	limit_memlock(32 * PAGE);
	become_user(4002);
	device = device_new(&c);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 20 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 20 * PAGE, 20 * PAGE, IOVA + MB(1)));
	CHECK_EQ(locked_bytes(0), 0);
	FAILS(ENOMEM, "memlock_limit", device_attach(c.fd, &device, c.ioas));
	CHECK_EQ(locked_bytes(0), 0);
	CHECK_OK(check_pins(c.fd, buffer, 40 * PAGE, 0));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA + MB(1), 20 * PAGE));
	CHECK_OK(device_attach(c.fd, &device, c.ioas));
	check_mapped(&c, &device, IOVA, buffer, 20 * PAGE);
}

TEST(map, accounted_once)
{
	struct iommu_test_mock how = { .device_add = { .pgsizes = PAGE } };
	struct context c = context_new();
	uint8_t *buffer = memory(32 * PAGE);
	struct test_device devices[3];
	int i;

	/* Memory of exactly one limit, in three HWPTs of an IOAS, and in the IOAS twice */
	memset(buffer, 1, 32 * PAGE);
	limit_memlock(32 * PAGE);
	become_user(4003);
	for (i = 0; i < 3; i++) {
		uint32_t hwpt;

		devices[i] = device_like(&c, &how);
		CHECK_OK(hwpt_alloc(c.fd, devices[i].idev, c.ioas, 0, &hwpt));
		CHECK_OK(device_attach(c.fd, &devices[i], hwpt));
		CHECK_EQ(devices[i].hwpt, hwpt);
	}
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 32 * PAGE, IOVA));
	CHECK_EQ(locked_bytes(0), 32 * PAGE);
	for (i = 0; i < 3; i++)
		check_mapped(&c, &devices[i], IOVA, buffer, 32 * PAGE);

	/*
	 * The limit is reached with three HWPTs to fill: afterwards none of them has the memory.
	 */
	FAILS(ENOMEM, "memlock_limit",
	      ioas_map_at(c.fd, c.ioas, memory(PAGE), PAGE, IOVA + MB(1)));
	for (i = 0; i < 3; i++)
		CHECK_ERR(EIO, check_map(c.fd, devices[i].hwpt, IOVA + MB(1), buffer, PAGE));
}

TEST(map, small_steps)
{
	static const uint32_t limits[] = { 16, 64, 256, 4096 };
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint8_t *buffer = memory(257 * PAGE);
	size_t i;

	/* Pinned and mapped in many batches, whatever their size */
	for (i = 0; i < 4; i++) {
		CHECK_OK(memory_limit(c.fd, limits[i]));
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 257 * PAGE, IOVA));
		check_mapped(&c, &device, IOVA, buffer, 257 * PAGE);
		CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 257 * PAGE));
		CHECK_OK(check_pins(c.fd, buffer, 257 * PAGE, 0));
	}
	CHECK_OK(memory_limit(c.fd, 65536));
}

TEST(map, device_memory_refused)
{
	struct context c = context_new();
	uint64_t iova = IOVA;
	uint8_t *buffer;
	int fd;

	/* Memory without struct page cannot be pinned. */
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		tap_skip("no /dev/mem");
	buffer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xfed00000);
	if (buffer == MAP_FAILED)
		tap_skip("/dev/mem does not map the HPET");
	device_attached(&c);
	FAILS(EFAULT, "gup_fault", ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, MAP_RW));
}
