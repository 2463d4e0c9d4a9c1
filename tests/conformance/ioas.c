// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_ALLOC, IOMMU_IOAS_IOVA_RANGES, IOMMU_IOAS_ALLOW_IOVAS.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "conformance.h"

TEST(ioas, alloc)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd), .flags = 1 };
	struct context c = context_new();

	FAILS(EOPNOTSUPP, "unknown_flags", iommu_call(c.fd, IOMMU_IOAS_ALLOC, &cmd));
	cmd.flags = 1U << 31;
	FAILS(EOPNOTSUPP, "unknown_flags", iommu_call(c.fd, IOMMU_IOAS_ALLOC, &cmd));
}

TEST(ioas, ranges)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[8] = {};
	struct test_device device;
	uint64_t alignment;
	uint32_t nr = 8;

	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, &alignment));
	CHECK_EQ(nr, 1);
	CHECK_EQ(ranges[0].start, 0);
	CHECK_EQ(ranges[0].last, UINT64_MAX);
	CHECK_EQ(alignment, 1);

	/* A device narrows them to what its IOMMU can translate; its detach widens them again. */
	CHECK_OK(mock_domain(c.fd, c.ioas, &device));
	nr = 8;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, &alignment));
	CHECK_EQ(nr, 1);
	CHECK_EQ(ranges[0].start, MOCK_APERTURE_START);
	CHECK_EQ(ranges[0].last, MOCK_APERTURE_LAST);
	CHECK_EQ(alignment, PAGE / 2);
	CHECK_OK(object_destroy(c.fd, device.stdev));
	nr = 8;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, &alignment));
	CHECK_EQ(ranges[0].last, UINT64_MAX);
	CHECK_EQ(alignment, 1);
}

TEST(ioas, ranges_reserved)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[8];
	uint32_t nr;

	/* Reserved ranges that touch or overlap cut one hole. */
	CHECK_OK(test_reserve(c.fd, c.ioas, 2 * PAGE, PAGE));
	CHECK_OK(test_reserve(c.fd, c.ioas, 3 * PAGE, 2 * PAGE));
	CHECK_OK(test_reserve(c.fd, c.ioas, PAGE, 2 * PAGE));
	CHECK_OK(test_reserve(c.fd, c.ioas, UINT64_MAX - PAGE + 1, PAGE));
	nr = 8;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 2);
	CHECK_EQ(ranges[0].start, 0);
	CHECK_EQ(ranges[0].last, PAGE - 1);
	CHECK_EQ(ranges[1].start, 5 * PAGE);
	CHECK_EQ(ranges[1].last, UINT64_MAX - PAGE);

	/* At IOVA 0 as well */
	CHECK_OK(test_reserve(c.fd, c.ioas, 0, PAGE));
	nr = 8;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 1);
	CHECK_EQ(ranges[0].start, 5 * PAGE);
}

TEST(ioas, ranges_everything_reserved)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[2];
	uint64_t iova = 0;
	uint32_t nr = 2;

	CHECK_OK(test_reserve(c.fd, c.ioas, 0, UINT64_MAX));
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_LE(nr, 1);
	FAILS(ENOSPC, "iova_space_full",
	      ioas_map(c.fd, c.ioas, memory(PAGE), PAGE, &iova, MAP_RW));
}

TEST(ioas, ranges_errors)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[4];
	struct test_device device = device_new(&c);
	uint32_t nr;

	nr = 4;
	FAILS(ENOENT, "bad_object_id", ioas_ranges(c.fd, NO_ID, ranges, &nr, NULL));
	FAILS(ENOENT, "wrong_object_type", ioas_ranges(c.fd, device.idev, ranges, &nr, NULL));

	/* Too little room: the ranges that fit, and the number of all */
	CHECK_OK(test_reserve(c.fd, c.ioas, PAGE, PAGE));
	memset(ranges, 0xaa, sizeof(ranges));
	nr = 1;
	FAILS(EMSGSIZE, "range_table_too_small", ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 2);
	CHECK_EQ(ranges[0].last, PAGE - 1);
	CHECK_EQ(ranges[1].start, 0xaaaaaaaaaaaaaaaaULL);
	nr = 0;
	FAILS(EMSGSIZE, "range_table_too_small", ioas_ranges(c.fd, c.ioas, NULL, &nr, NULL));
	CHECK_EQ(nr, 2);

	nr = 4;
	FAILS(EFAULT, "bad_user_pointer",
	      ioas_ranges(c.fd, c.ioas, (void *)PAGE, &nr, NULL));
	/* A count whose array would take terabytes is only a number. */
	nr = UINT32_MAX;
	CHECK_OK(ioas_ranges(c.fd, c.ioas, ranges, &nr, NULL));
	CHECK_EQ(nr, 2);
}

TEST(ioas, allow)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[] = {
		{ GB(4), GB(4) + MB(1) - 1 },
		{ GB(2), GB(2) + MB(1) - 1 },
	};
	uint8_t *buffer = memory(MB(1));
	uint64_t iova, i;

	CHECK_OK(ioas_allow(c.fd, c.ioas, ranges, 2));
	/* The kernel allocates within them, but fixed IOVAs may be anywhere. */
	for (i = 0; i < 2; i++) {
		iova = map_somewhere(&c, buffer, MB(1));
		CHECK(iova == GB(2) || iova == GB(4));
	}
	FAILS(ENOSPC, "iova_not_allowed",
	      ioas_map(c.fd, c.ioas, buffer, PAGE, &iova, MAP_RW));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, GB(8)));

	/* Nothing may narrow them, or remove what is mapped. */
	CHECK_ERR(EADDRINUSE, test_reserve(c.fd, c.ioas, GB(2) - PAGE, 2 * PAGE));
	CHECK_ERR(EADDRINUSE, test_reserve(c.fd, c.ioas, GB(8), PAGE));
}

TEST(ioas, allow_replaces)
{
	struct context c = context_new();
	struct iommu_iova_range range = { GB(1), GB(1) + PAGE - 1 };
	uint8_t *buffer = memory(2 * PAGE);
	uint64_t iova;

	CHECK_OK(ioas_allow(c.fd, c.ioas, &range, 1));
	CHECK_EQ(map_somewhere(&c, buffer, PAGE), GB(1));
	range = (struct iommu_iova_range){ GB(3), GB(3) + PAGE - 1 };
	CHECK_OK(ioas_allow(c.fd, c.ioas, &range, 1));
	CHECK_EQ(map_somewhere(&c, buffer, PAGE), GB(3));
	CHECK_OK(ioas_allow(c.fd, c.ioas, NULL, 0));
	iova = map_somewhere(&c, buffer, 2 * PAGE);
	CHECK(iova != GB(1) && iova != GB(3));
}

TEST(ioas, allow_errors)
{
	struct context c = context_new();
	struct iommu_iova_range ranges[2] = { { PAGE, 2 * PAGE - 1 }, { 2 * PAGE, 3 * PAGE - 1 } };
	struct test_device device;

	FAILS(ENOENT, "bad_object_id", ioas_allow(c.fd, NO_ID, ranges, 1));
	FAILS(EFAULT, "bad_user_pointer", ioas_allow(c.fd, c.ioas, (void *)PAGE, 1));

	/* Backwards, or overlapping */
	ranges[0] = (struct iommu_iova_range){ 2 * PAGE, PAGE };
	FAILS(EINVAL, "bad_value", ioas_allow(c.fd, c.ioas, ranges, 1));
	ranges[0] = (struct iommu_iova_range){ PAGE, 2 * PAGE };
	FAILS(EINVAL, "bad_value", ioas_allow(c.fd, c.ioas, ranges, 2));

	/* Narrower than the existing use */
	ranges[0] = (struct iommu_iova_range){ GB(1), GB(2) };
	CHECK_OK(test_reserve(c.fd, c.ioas, GB(1) + PAGE, PAGE));
	FAILS(EADDRINUSE, "allowed_narrower", ioas_allow(c.fd, c.ioas, ranges, 1));

	/* A reservation, or the aperture of a device, that would narrow an allowed range */
	ranges[0] = (struct iommu_iova_range){ GB(3), GB(3) + PAGE - 1 };
	CHECK_OK(ioas_allow(c.fd, c.ioas, ranges, 1));
	CHECK_ERR(EADDRINUSE, test_reserve(c.fd, c.ioas, GB(3), PAGE));
	FAILS(EADDRINUSE, "aperture_exceeded", mock_domain(c.fd, c.ioas, &device));
	CHECK_OK(ioas_allow(c.fd, c.ioas, NULL, 0));
	CHECK_OK(mock_domain(c.fd, c.ioas, &device));
}

TEST(ioas, allow_too_many)
{
	struct context c = context_new();
	size_t size = 65536 * sizeof(struct iommu_iova_range);
	struct iommu_iova_range *ranges = memory(size);
	uint32_t i;

	for (i = 0; i < 65536; i++)
		ranges[i] = (struct iommu_iova_range){ i * 2 * PAGE, i * 2 * PAGE + PAGE - 1 };
	FAILS(EINVAL, "bad_value", ioas_allow(c.fd, c.ioas, ranges, 65536));
	FAILS(EINVAL, "bad_value", ioas_allow(c.fd, c.ioas, ranges, UINT32_MAX));
	CHECK_OK(ioas_allow(c.fd, c.ioas, ranges, 1000));
}

/* The least time of the processor, in ns, that a read of the context's fdinfo takes. */
static uint64_t fdinfo_cost(const struct context *c)
{
	uint64_t least = UINT64_MAX, took;
	struct timespec from, to;
	char path[64], text[4096];
	int i, file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	for (i = 0; i < 30; i++) {
		file = open(path, O_RDONLY);
		CHECK_GE(file, 0);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
		CHECK_GE(read(file, text, sizeof(text)), 1);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
		close(file);
		took = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
		if (took < least)
			least = took;
	}
	return least ? least : 1;
}

/*
 * A monitor reads fdinfo of each process: what it costs does not depend on how many objects a
 * tenant creates. A walk over this many takes a hundred times as long as a read of counters.
 */
TEST(ioas, fdinfo_of_many)
{
	struct context c = context_new();
	uint64_t few = fdinfo_cost(&c), many;
	uint32_t id;
	int i;

	for (i = 0; i < 20000; i++)
		CHECK_OK(ioas_alloc(c.fd, &id));
	many = fdinfo_cost(&c);
	tap_note("fdinfo: %llu ns, with 20000 objects %llu ns", (unsigned long long)few,
		 (unsigned long long)many);
	CHECK(many < 20 * few);
}
