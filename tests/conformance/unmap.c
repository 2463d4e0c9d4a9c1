// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_UNMAP.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

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
	/* Nothing was done in part. */
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
	/* Unmapping everything never fails. */
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

	/* More than an unmap handles at a time */
	for (i = 0; i < 2000; i++)
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, IOVA + 2 * i * PAGE));
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA + 3998 * PAGE, buffer, PAGE));
	CHECK_OK(ioas_unmap_count(c.fd, c.ioas, 0, &length));
	CHECK_EQ(length, 2000 * PAGE);
	CHECK_OK(check_pins(c.fd, buffer, PAGE, 0));
}

/**
 * struct race - a thread that unmaps what another thread maps
 * @c: the context
 * @length: bytes that are mapped at once, in areas of a page
 * @done: the other thread maps no more
 * @whole: unmaps of all of it
 * @wrong: unmaps of a part, or that failed, which must not happen
 */
struct race {
	struct context c;
	uint64_t length;
	atomic_bool done;
	atomic_ulong whole;
	atomic_ulong wrong;
};

static void *keep_unmapping(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->done)) {
		uint64_t length = race->length;
		int rc = ioas_unmap_count(race->c.fd, race->c.ioas, IOVA, &length);

		if (!rc && length == race->length)
			atomic_fetch_add(&race->whole, 1);
		else if (rc != -ENOENT && rc != -EBUSY)
			atomic_fetch_add(&race->wrong, 1);
	}
	return NULL;
}

/*
 * Another thread unmaps and frees an area as soon as it is ready, while the map that made it
 * ready is still at that point: the map must not touch the area any more. Areas of a copy become
 * ready at once.
 */
static void unmap_at_once(uint64_t length)
{
	struct race race = { .c = context_new(), .length = length };
	uint8_t *buffer = memory(length);
	unsigned long mapped = 0;
	pthread_t thread;

	for (uint64_t at = 0; at < length; at += PAGE)
		CHECK_OK(ioas_map_at(race.c.fd, race.c.ioas, buffer + at, PAGE, IOVA + GB(1) + at));
	CHECK_OK(mock_knob("ready_pause_us", "500"));
	CHECK_EQ(pthread_create(&thread, NULL, keep_unmapping, &race), 0);
	while (mapped < 50) {
		uint64_t iova = IOVA;
		int rc;

		if (length == PAGE)
			rc = ioas_map_at(race.c.fd, race.c.ioas, buffer, PAGE, IOVA);
		else
			rc = ioas_copy(race.c.fd, race.c.ioas, &iova, race.c.ioas, IOVA + GB(1),
				       length, MAP_RW_FIXED);
		CHECK(!rc || rc == -EEXIST);
		mapped += !rc;
	}
	atomic_store(&race.done, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_OK(mock_knob("ready_pause_us", "0"));
	CHECK_EQ(atomic_load(&race.wrong), 0);
	CHECK_GE(atomic_load(&race.whole), mapped - 1);
}

TEST(unmap, new_area)
{
	unmap_at_once(PAGE);
}

TEST(unmap, new_copy)
{
	unmap_at_once(8 * PAGE);
}

/*
 * Unmap @length bytes at IOVA in a process that is killed in its first batch, if it gets that
 * far.
 */
static bool unmap_and_kill(struct context *c, int access, uint64_t length)
{
	char byte;
	int status;
	pid_t pid;

	CHECK_OK(mock_knob("unmap_ns", "1000000"));
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid)
		_exit(ioas_unmap_count(c->fd, c->ioas, IOVA, &length) ? 1 : 0);
	/* The first batch is in progress once its first area cannot be read any more. */
	while (access_rw(c->fd, access, IOVA, &byte, 1, 0) != -ENOENT)
		usleep(1000);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(mock_knob("unmap_ns", "0"));
	return WIFSIGNALED(status);
}

/* An unmap that is killed between two batches leaves the areas after them as usable as before. */
TEST(unmap, killed_before_access)
{
	struct context c = context_new();
	uint8_t *buffer = memory(PAGE);
	uint64_t at = IOVA + 400 * PAGE;
	uint32_t id;
	int access;
	char byte;

	device_attached(&c);
	CHECK_OK(access_create(c.fd, c.ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &access));
	/* On a very busy machine it may have ended before the kill: then try again. */
	do {
		for (uint64_t iova = IOVA; iova < at; iova += PAGE)
			CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, PAGE, iova));
		ioas_map_at(c.fd, c.ioas, buffer, PAGE, at);
		CHECK_OK(access_pin(c.fd, access, at, PAGE, NULL, 0, &id));
	} while (!unmap_and_kill(&c, access, 401 * PAGE));

	CHECK_ERR(EEXIST, ioas_map_at(c.fd, c.ioas, buffer, PAGE, at));
	CHECK_OK(access_rw(c.fd, access, at, &byte, 1, 0));
	CHECK_OK(access_pin(c.fd, access, at, PAGE, NULL, 0, &id));
}
