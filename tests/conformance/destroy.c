// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_DESTROY, and the life of ids.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"

TEST(destroy, unknown_ids)
{
	struct context c = context_new();

	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, 0));
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, NO_ID));
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, UINT32_MAX));
}

TEST(destroy, twice)
{
	struct context c = context_new();

	CHECK_OK(object_destroy(c.fd, c.ioas));
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, c.ioas));
}

TEST(destroy, other_context)
{
	struct context a = context_new();
	struct context b = context_new();
	uint32_t only_b;

	/*
	 * Ids belong to their context: in another context the same number is a different object,
	 * or none.
	 */
	CHECK_OK(ioas_alloc(b.fd, &only_b));
	CHECK_NE(only_b, a.ioas);
	FAILS(ENOENT, "bad_object_id", object_destroy(a.fd, only_b));
	CHECK_OK(object_destroy(b.fd, only_b));
}

TEST(destroy, ids_are_unique)
{
	struct context c = context_new();
	uint32_t ids[64];
	size_t i, j;

	for (i = 0; i < 64; i++) {
		CHECK_OK(ioas_alloc(c.fd, &ids[i]));
		CHECK_NE(ids[i], 0);
		for (j = 0; j < i; j++)
			CHECK_NE(ids[i], ids[j]);
	}
	for (i = 0; i < 64; i += 2)
		CHECK_OK(object_destroy(c.fd, ids[i]));
	for (i = 0; i < 64; i += 2) {
		CHECK_OK(ioas_alloc(c.fd, &ids[i]));
		for (j = 1; j < 64; j += 2)
			CHECK_NE(ids[i], ids[j]);
	}
}

TEST(destroy, busy)
{
	struct context c = context_new();
	struct test_device device = device_attached(&c);
	uint32_t hwpt;
	int access;

	/* An IOAS is in use by its HWPT, the HWPT by its device, the device by its driver. */
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, c.ioas));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, device.hwpt));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, device.idev));
	CHECK_OK(object_destroy(c.fd, device.stdev));
	CHECK_OK(object_destroy(c.fd, c.ioas));

	/* An HWPT that user space allocated keeps its IOAS even without an attached device. */
	CHECK_OK(ioas_alloc(c.fd, &c.ioas));
	device = device_new(&c);
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, c.ioas));
	CHECK_OK(object_destroy(c.fd, hwpt));
	CHECK_OK(object_destroy(c.fd, c.ioas));

	CHECK_OK(ioas_alloc(c.fd, &c.ioas));
	CHECK_OK(access_create(c.fd, c.ioas, 0, &access));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, c.ioas));
	CHECK_EQ(close(access), 0);
	CHECK_OK(object_destroy(c.fd, c.ioas));
}

TEST(destroy, access_object)
{
	struct context c = context_new();
	uint32_t id;
	int access;

	/* An access belongs to its driver. */
	CHECK_OK(access_add(c.fd, 0, &access, &id));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, id));
	CHECK_EQ(close(access), 0);
	FAILS(ENOENT, "bad_object_id", object_destroy(c.fd, id));
}

TEST(destroy, close_destroys_all)
{
	struct context c = context_new();
	uint8_t *buffer = memory(16 * PAGE);
	struct test_device device;
	uint32_t hwpt;

	memset(buffer, 1, 16 * PAGE);
	device = device_attached(&c);
	CHECK_OK(hwpt_alloc(c.fd, device.idev, c.ioas, 0, &hwpt));
	CHECK_OK(device_replace(c.fd, &device, hwpt));
	map_somewhere(&c, buffer, 16 * PAGE);
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 1));
	CHECK_EQ(close(c.fd), 0);

	c = context_new();
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(destroy, killed_in_close)
{
	uint8_t *buffer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
	struct context c;
	char byte;
	int pipes[2];
	pid_t child;
	int i;

	CHECK(buffer != MAP_FAILED);
	CHECK_EQ(pipe(pipes), 0);
	child = fork();
	CHECK_GE(child, 0);
	if (!child) {
		c = context_new();
		device_attached(&c);
		memset(buffer, 1, PAGE);
		for (i = 0; i < 8000; i++) {
			if (ioas_map_at(c.fd, c.ioas, buffer, PAGE, (i + 256ULL) * 2 * PAGE))
				_exit(1);
		}
		if (write(pipes[1], "", 1) != 1)
			_exit(1);
		/* The signal comes while the areas are taken down, batch by batch. */
		close(c.fd);
		pause();
		_exit(0);
	}
	close(pipes[1]);
	CHECK_EQ(read(pipes[0], &byte, 1), 1);
	usleep(3000);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &i, 0), child);
	CHECK(WIFSIGNALED(i));
	/* The kernel warns about what is left behind. */
	c = context_new();
	CHECK_OK(check_pins(c.fd, buffer, PAGE, 0));
}
