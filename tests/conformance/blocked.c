// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that never arrives: a call that waits for it does not delay other calls.
 *
 * In each test one call waits for a page fault that is not answered. The test's own thread then
 * makes the calls that must not wait; if one did wait for the first call, the time limit would
 * end the test. At the end the fault is answered, and the call ends as if it had not waited.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"
#include "lib/stalled.h"

#define PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES
#define LENGTH (4 * PAGE)

/* Where the memory that does not arrive is mapped, and where a copy of it is */
#define STALLED_IOVA (IOVA + GB(1))
#define COPY_IOVA (IOVA + GB(2))

/**
 * struct scene - a context in which a call waits
 * @c: the context and an IOAS
 * @other: another IOAS
 * @memory: memory that does not arrive
 * @plain: ordinary memory, mapped at IOVA
 * @spare: a mock device, attached to nothing, that needs an HWPT of its own
 * @access: an access attached to the IOAS, for the calls that use one
 * @target: object id, for the calls that need one
 * @call: the call that waits
 */
struct scene {
	struct context c;
	uint32_t other;
	struct stalled memory;
	uint8_t *plain;
	struct test_device spare;
	int access;
	uint32_t target;
	struct stalled_call call;
};

static void scene_new(struct scene *s)
{
	struct iommu_test_mock half = { .device_add = { .pgsizes = PAGE / 2 } };

	if (!stalled_supported())
		tap_skip("no userfaultfd here");
	s->c = context_new();
	CHECK_OK(ioas_alloc(s->c.fd, &s->other));
	s->memory = stalled_memory(LENGTH);
	s->plain = memory(LENGTH);
	s->spare = device_like(&s->c, &half);
	CHECK_OK(ioas_map_at(s->c.fd, s->c.ioas, s->plain, PAGE, IOVA));
}

/* Start the call, and wait until it waits. */
static void begin(struct scene *s, int (*run)(void *scene))
{
	stalled_call(&s->call, run, s);
	stalled_wait(&s->memory);
}

/* Answer the fault: the call ends. */
static int end(struct scene *s)
{
	CHECK(!atomic_load(&s->call.ended));
	stalled_end(&s->memory);
	return stalled_result(&s->call);
}

static void read_fdinfo(int fd)
{
	char path[64], text[4096];
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY);
	CHECK_GE(file, 0);
	CHECK_GE(read(file, text, sizeof(text)), 1);
	close(file);
}

/* Calls that work in an IOAS whatever another call waits for. */
static void others_go_on(struct scene *s, uint32_t ioas)
{
	struct iommu_iova_range ranges[8];
	uint64_t at = IOVA + MB(64), copy = IOVA + MB(128);
	uint32_t nr = 8;
	int access;
	char byte;

	CHECK_OK(ioas_map_at(s->c.fd, ioas, s->plain, PAGE, at));
	CHECK_OK(ioas_copy(s->c.fd, ioas, &copy, ioas, at, PAGE, MAP_RW_FIXED));
	CHECK_OK(access_create(s->c.fd, ioas, PIN, &access));
	CHECK_OK(access_pin(s->c.fd, access, at, PAGE, s->plain, 0, &nr));
	CHECK_OK(access_rw(s->c.fd, access, copy, &byte, 1, 0));
	CHECK_EQ(close(access), 0);
	CHECK_OK(ioas_unmap(s->c.fd, ioas, at, PAGE));
	CHECK_OK(ioas_unmap(s->c.fd, ioas, copy, PAGE));
	nr = 8;
	CHECK_OK(ioas_ranges(s->c.fd, ioas, ranges, &nr, NULL));
	read_fdinfo(s->c.fd);
}

/* Calls that work with devices, though the memory of s->c.ioas cannot all be pinned. */
static void devices_go_on(struct scene *s)
{
	struct test_device device = device_new(&s->c);

	CHECK_OK(device_attach(s->c.fd, &device, s->other));
	CHECK_OK(device_detach(s->c.fd, &device));
	CHECK_OK(object_destroy(s->c.fd, device.stdev));
}

static int map_stalled(void *arg)
{
	struct scene *s = arg;

	return ioas_map_at(s->c.fd, s->c.ioas, s->memory.va, LENGTH, STALLED_IOVA);
}

TEST(blocked, map)
{
	struct scene s;
	struct test_device device;
	uint32_t own;

	scene_new(&s);
	device = device_attached(&s.c);
	begin(&s, map_stalled);

	others_go_on(&s, s.c.ioas);
	others_go_on(&s, s.other);
	devices_go_on(&s);
	/* The map is not visible yet, but its range is already taken. */
	CHECK_ERR(EBUSY, ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_ERR(EEXIST, ioas_map_at(s.c.fd, s.c.ioas, s.plain, PAGE, STALLED_IOVA));
	CHECK_ERR(EBUSY, object_destroy(s.c.fd, s.c.ioas));
	/*
	 * HWPTs are added and removed in between; those that were added have the memory at the
	 * end.
	 */
	CHECK_OK(device_attach(s.c.fd, &s.spare, s.c.ioas));
	CHECK_NE(s.spare.hwpt, device.hwpt);
	CHECK_OK(device_detach(s.c.fd, &device));
	CHECK_OK(hwpt_alloc(s.c.fd, s.spare.idev, s.c.ioas, 0, &own));
	CHECK_OK(device_replace(s.c.fd, &s.spare, own));
	CHECK_ERR(EIO, check_map(s.c.fd, own, STALLED_IOVA, s.plain, LENGTH));

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, own, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_map(s.c.fd, own, IOVA, s.plain, PAGE));
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

/*
 * The last HWPT goes while a map waits for its memory, and a new one comes: the end of the map
 * pins it.
 */
TEST(blocked, map_last_hwpt)
{
	struct scene s;
	struct test_device device;

	scene_new(&s);
	device = device_attached(&s.c);
	begin(&s, map_stalled);
	CHECK_OK(device_detach(s.c.fd, &device));
	CHECK_OK(check_pins(s.c.fd, s.plain, PAGE, 0));
	CHECK_OK(end(&s));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));

	CHECK_OK(device_attach(s.c.fd, &device, s.c.ioas));
	CHECK_OK(check_map(s.c.fd, device.hwpt, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
}

static int attach_spare(void *arg)
{
	struct scene *s = arg;

	return device_attach(s->c.fd, &s->spare, s->c.ioas);
}

TEST(blocked, attach)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	begin(&s, attach_spare);

	others_go_on(&s, s.c.ioas);
	others_go_on(&s, s.other);
	devices_go_on(&s);

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, IOVA, s.plain, PAGE));
	CHECK_OK(device_detach(s.c.fd, &s.spare));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
	CHECK_OK(check_pins(s.c.fd, s.plain, PAGE, 0));
}

/* The memory that an attach waits for is unmapped: the attach continues without it. */
TEST(blocked, attach_unmapped)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	begin(&s, attach_spare);
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_OK(ioas_map_at(s.c.fd, s.c.ioas, s.plain + PAGE, PAGE, STALLED_IOVA));

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA, s.plain + PAGE, PAGE));
	CHECK_ERR(EIO, check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA + PAGE, s.memory.va, PAGE));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

/*
 * An attached device moves, and keeps its translation until the other IOAS's memory has arrived.
 */
static int replace_spare(void *arg)
{
	struct scene *s = arg;

	return device_replace(s->c.fd, &s->spare, s->c.ioas);
}

TEST(blocked, replace)
{
	struct scene s;
	uint32_t before;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	CHECK_OK(device_attach(s.c.fd, &s.spare, s.other));
	before = s.spare.hwpt;
	begin(&s, replace_spare);

	others_go_on(&s, s.c.ioas);
	others_go_on(&s, s.other);
	devices_go_on(&s);
	CHECK_OK(ioas_map_at(s.c.fd, s.other, s.plain, PAGE, IOVA));
	CHECK_OK(check_map(s.c.fd, before, IOVA, s.plain, PAGE));

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
}

static int alloc_hwpt(void *arg)
{
	struct scene *s = arg;

	return hwpt_alloc(s->c.fd, s->spare.idev, s->c.ioas, 0, &s->target);
}

/*
 * The device for which an HWPT is allocated goes, as on hot-unplug: nothing waits for the fault.
 */
TEST(blocked, hwpt_alloc)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	begin(&s, alloc_hwpt);
	others_go_on(&s, s.c.ioas);
	devices_go_on(&s);
	CHECK_OK(object_destroy(s.c.fd, s.spare.stdev));

	CHECK_EQ(end(&s), -ENOENT);
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
	CHECK_OK(object_destroy(s.c.fd, s.c.ioas));
}

static int copy_stalled(void *arg)
{
	struct scene *s = arg;
	uint64_t iova = COPY_IOVA;

	return ioas_copy(s->c.fd, s->other, &iova, s->c.ioas, STALLED_IOVA, LENGTH, MAP_RW_FIXED);
}

static void cut(struct scene *s, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = iova,
		.size = PAGE,
	};

	CHECK_OK(iommu_call(s->c.fd, VFIO_IOMMU_UNMAP_DMA, &cmd));
	CHECK_EQ(cmd.size, PAGE);
}

/* The source of a copy that waits is cut, as type1 version 1 allows an unmap to do. */
TEST(blocked, copy)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	CHECK_OK(vfio_ioas(s.c.fd, IOMMU_VFIO_IOAS_SET, &s.c.ioas));
	CHECK_EQ(ioctl(s.c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	CHECK_OK(device_attach(s.c.fd, &s.spare, s.other));
	begin(&s, copy_stalled);

	others_go_on(&s, s.c.ioas);
	others_go_on(&s, s.other);
	cut(&s, STALLED_IOVA + PAGE);
	read_fdinfo(s.c.fd);
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, PAGE));
	CHECK_ERR(EBUSY, ioas_unmap(s.c.fd, s.other, COPY_IOVA, LENGTH));

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, COPY_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
}

/* Two calls need the same pages: they are faulted in and pinned once. */
TEST(blocked, same_pages)
{
	struct scene s;
	struct test_device device;
	struct stalled_call second;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	device = device_new(&s.c);
	CHECK_OK(device_attach(s.c.fd, &device, s.other));
	begin(&s, copy_stalled);
	stalled_call(&second, attach_spare, &s);
	others_go_on(&s, s.c.ioas);
	others_go_on(&s, s.other);
	CHECK(!atomic_load(&second.ended));

	CHECK_OK(end(&s));
	CHECK_OK(stalled_result(&second));
	CHECK_OK(check_map(s.c.fd, device.hwpt, COPY_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
	CHECK_OK(ioas_unmap(s.c.fd, s.other, COPY_IOVA, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

/* The call that faults is killed: the one that waited for it takes over. */
TEST(blocked, same_pages_killed)
{
	struct scene s;
	struct test_device device;
	int status;
	pid_t pid;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	device = device_new(&s.c);
	CHECK_OK(device_attach(s.c.fd, &device, s.other));
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid)
		_exit(copy_stalled(&s) ? 1 : 0);
	/* It pins memory of this process, whose userfaultfd gets the fault. */
	stalled_wait(&s.memory);
	stalled_call(&s.call, attach_spare, &s);
	others_go_on(&s, s.c.ioas);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	stalled_wait(&s.memory);

	CHECK_OK(end(&s));
	CHECK_OK(check_map(s.c.fd, s.spare.hwpt, STALLED_IOVA, s.memory.va, LENGTH));
	CHECK_OK(ioas_map_at(s.c.fd, s.other, s.plain, PAGE, COPY_IOVA));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
}

static int pin_stalled(void *arg)
{
	struct scene *s = arg;

	return access_pin(s->c.fd, s->access, STALLED_IOVA, LENGTH, s->memory.va, 0, &s->target);
}

TEST(blocked, access_pin)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	CHECK_OK(access_create(s.c.fd, s.c.ioas, PIN, &s.access));
	begin(&s, pin_stalled);
	others_go_on(&s, s.c.ioas);
	devices_go_on(&s);

	CHECK_OK(end(&s));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 1));
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

/*
 * The memory that the access waits for is unmapped, or its IOAS is removed: it does not get the
 * pages.
 */
TEST(blocked, access_pin_unmapped)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	CHECK_OK(access_create(s.c.fd, s.c.ioas, PIN, &s.access));
	begin(&s, pin_stalled);
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_EQ(end(&s), -ENOENT);
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

TEST(blocked, access_pin_detached)
{
	struct scene s;

	scene_new(&s);
	CHECK_OK(map_stalled(&s));
	CHECK_OK(access_create(s.c.fd, s.c.ioas, PIN, &s.access));
	begin(&s, pin_stalled);
	CHECK_OK(access_replace(s.c.fd, s.access, s.other));
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_OK(object_destroy(s.c.fd, s.c.ioas));
	CHECK_EQ(end(&s), -ENOENT);
	CHECK_OK(check_pins(s.c.fd, s.memory.va, LENGTH, 0));
}

static int write_stalled(void *arg)
{
	struct scene *s = arg;
	char bytes[16];

	memset(bytes, 0x5a, sizeof(bytes));
	return access_rw(s->c.fd, s->access, STALLED_IOVA + PAGE, bytes, sizeof(bytes),
			 MOCK_ACCESS_RW_WRITE | s->target);
}

static void access_write(uint32_t flags)
{
	struct scene s;

	scene_new(&s);
	s.target = flags;
	CHECK_OK(map_stalled(&s));
	CHECK_OK(access_create(s.c.fd, s.c.ioas, 0, &s.access));
	begin(&s, write_stalled);
	others_go_on(&s, s.c.ioas);
	devices_go_on(&s);
	CHECK_OK(end(&s));
	CHECK_EQ(s.memory.va[PAGE], 0x5a);
	CHECK_EQ(s.memory.va[PAGE + 15], 0x5a);
	CHECK_EQ(s.memory.va[PAGE + 16], 0);

	/* Unmapped before the memory arrived: no byte is written once the unmap has returned. */
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	s.memory = stalled_memory(LENGTH);
	CHECK_OK(map_stalled(&s));
	begin(&s, write_stalled);
	CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
	CHECK_EQ(end(&s), -ENOENT);
	CHECK_EQ(s.memory.va[PAGE], 0);
}

TEST(blocked, access_write)
{
	access_write(0);
}

TEST(blocked, access_write_slow)
{
	access_write(MOCK_ACCESS_RW_SLOW_PATH);
}

static int read_hw_info(void *arg)
{
	struct scene *s = arg;
	uint64_t capabilities;
	uint32_t type, length = LENGTH;

	return hw_info(s->c.fd, s->spare.idev, s->memory.va, &length, &type, &capabilities);
}

/* An answer that cannot be written does not hold a device. */
TEST(blocked, hw_info)
{
	struct scene s;

	scene_new(&s);
	begin(&s, read_hw_info);
	others_go_on(&s, s.c.ioas);
	CHECK_OK(object_destroy(s.c.fd, s.spare.stdev));
	CHECK_OK(end(&s));
}

/*
 * A process is killed while its call waits for memory of its own. The process ends before the
 * fault is answered, and afterwards no process can answer it. The work of the call must be
 * undone.
 */
static void killed(struct scene *s, int (*run)(void *scene))
{
	int ready[2], status;
	char byte;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid) {
		s->memory = stalled_memory(LENGTH);
		if (run != map_stalled)
			CHECK_OK(map_stalled(s));
		begin(s, run);
		CHECK_EQ(write(ready[1], "", 1), 1);
		pause();
		_exit(1);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(close(ready[0]), 0);
	CHECK_EQ(close(ready[1]), 0);
}

TEST(blocked, killed)
{
	static int (*const calls[])(void *scene) = {
		map_stalled, attach_spare, alloc_hwpt, copy_stalled, pin_stalled, write_stalled,
	};
	struct test_device device;
	struct scene s;

	scene_new(&s);
	s.target = 0;
	CHECK_OK(access_create(s.c.fd, s.c.ioas, PIN, &s.access));
	device = device_new(&s.c);
	CHECK_OK(device_attach(s.c.fd, &device, s.other));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct test_device mapper = {};

		/* A map waits if there is an HWPT. */
		if (calls[i] == map_stalled) {
			mapper = device_new(&s.c);
			CHECK_OK(device_attach(s.c.fd, &mapper, s.c.ioas));
		}
		killed(&s, calls[i]);
		others_go_on(&s, s.c.ioas);
		devices_go_on(&s);
		if (calls[i] == map_stalled)
			CHECK_OK(object_destroy(s.c.fd, mapper.stdev));
		else
			CHECK_OK(ioas_unmap(s.c.fd, s.c.ioas, STALLED_IOVA, LENGTH));
		CHECK_OK(ioas_map_at(s.c.fd, s.other, s.plain, PAGE, COPY_IOVA));
		CHECK_OK(ioas_unmap(s.c.fd, s.other, COPY_IOVA, PAGE));
	}
	CHECK_OK(check_pins(s.c.fd, s.plain, PAGE, 0));
}

/* Bytes that are pinned through a context. */
static uint64_t pinned_bytes(int fd)
{
	unsigned long kib = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "iommufd-pinned: %lu KiB", &kib);
	fclose(file);
	return KB(kib);
}

/*
 * A process that pins many gigabytes in one call is killed: the call stops at that point and is
 * undone.
 */
TEST(blocked, killed_attach)
{
	const unsigned int areas = 256;
	struct context c = context_new();
	struct test_device device = device_new(&c);
	uint8_t *buffer = memory(MB(64));
	int status;
	pid_t pid;

	memset(buffer, 1, MB(64));
	for (unsigned int i = 0; i < areas; i++)
		CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, MB(64), IOVA + i * MB(64)));
	pid = fork();
	CHECK_GE(pid, 0);
	if (!pid)
		_exit(device_attach(c.fd, &device, c.ioas) ? 1 : 0);
	while (!pinned_bytes(c.fd))
		usleep(1000);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(pinned_bytes(c.fd), 0);
	CHECK_ERR(EINVAL, device_detach(c.fd, &device));
}
