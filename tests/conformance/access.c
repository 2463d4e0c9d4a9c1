// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses: a kernel driver's use of memory by IOVA.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "conformance.h"
#include "lib/patience.h"

#define PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES

static void read_write(bool with_device)
{
	struct context c = context_new();
	uint8_t *buffer = memory(8 * PAGE);
	uint8_t copy[3 * PAGE];
	uint32_t flags;
	int access;
	size_t i;

	if (with_device)
		device_attached(&c);
	for (i = 0; i < 8 * PAGE; i++)
		buffer[i] = i * 7 + i / 256;
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 4 * PAGE, 4 * PAGE, IOVA + 4 * PAGE));
	CHECK_OK(access_create(c.fd, c.ioas, 0, &access));

	for (flags = 0; flags <= MOCK_ACCESS_RW_SLOW_PATH; flags += MOCK_ACCESS_RW_SLOW_PATH) {
		/* Within a page, over pages, over areas, at odd offsets */
		for (i = 1; i < sizeof(copy); i += 1021) {
			uint64_t at = 4 * PAGE - i / 2;

			memset(copy, 0, sizeof(copy));
			CHECK_OK(access_rw(c.fd, access, IOVA + at, copy, i, flags));
			CHECK_EQ(memcmp(copy, buffer + at, i), 0);
			memset(copy, i, i);
			CHECK_OK(access_rw(c.fd, access, IOVA + at, copy, i,
					   flags | MOCK_ACCESS_RW_WRITE));
			CHECK_EQ(memcmp(copy, buffer + at, i), 0);
		}
	}
	CHECK_OK(check_pins(c.fd, buffer, 8 * PAGE, with_device));
	CHECK_EQ(close(access), 0);
}

TEST(access, rw)
{
	read_write(false);
}

TEST(access, rw_with_device)
{
	read_write(true);
}

TEST(access, rw_errors)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t iova = IOVA, byte = 0;
	int access;

	CHECK_OK(access_create(c.fd, c.ioas, 0, &access));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 4 * PAGE, &iova,
			  IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA));
	FAILS(ENOENT, "iova_not_mapped", access_rw(c.fd, access, IOVA - 1, &byte, 1, 0));
	FAILS(ENOENT, "iova_not_mapped", access_rw(c.fd, access, IOVA - 1, &byte, 2, 0));
	FAILS(ENOENT, "iova_not_mapped",
	      access_rw(c.fd, access, IOVA + 4 * PAGE - 1, &byte, 2, 0));
	FAILS(EPERM, "not_writeable",
	      access_rw(c.fd, access, IOVA, &byte, 1, MOCK_ACCESS_RW_WRITE));
	FAILS(EINVAL, "zero_length", access_rw(c.fd, access, IOVA, &byte, 0, 0));
	FAILS(EOVERFLOW, "overflow", access_rw(c.fd, access, UINT64_MAX, &byte, 8, 0));
	CHECK_ERR(EOPNOTSUPP, access_rw(c.fd, access, IOVA, &byte, 1, 1 << 5));
	CHECK_ERR(EBADF, access_rw(c.fd, c.fd, IOVA, &byte, 1, 0));
}

TEST(access, rw_memory_gone)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);
	uint8_t byte;
	int access;

	CHECK_OK(access_create(c.fd, c.ioas, 0, &access));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, (void *)PAGE, PAGE, IOVA + MB(1)));
	FAILS(EFAULT, "gup_fault", access_rw(c.fd, access, IOVA + MB(1), &byte, 1, 0));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	CHECK_OK(access_rw(c.fd, access, IOVA + 3 * PAGE, &byte, 1, 0));
}

TEST(access, pin)
{
	struct context c = context_new();
	uint8_t *buffer = memory(16 * PAGE);
	struct test_device device;
	uint32_t a, b;
	int access;

	memset(buffer, 1, 16 * PAGE);
	CHECK_OK(access_create(c.fd, c.ioas, PIN, &access));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 16 * PAGE, IOVA));
	CHECK_OK(access_pin(c.fd, access, IOVA + 4 * PAGE, 4 * PAGE, buffer + 4 * PAGE, 0, &a));
	CHECK_OK(check_pins(c.fd, buffer + 4 * PAGE, 4 * PAGE, 1));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 4 * PAGE);
	/* A second pin counts once. */
	CHECK_OK(access_pin(c.fd, access, IOVA + 6 * PAGE, 4 * PAGE, buffer + 6 * PAGE,
			    MOCK_FLAGS_ACCESS_WRITE, &b));
	CHECK_OK(check_pins(c.fd, buffer + 4 * PAGE, 6 * PAGE, 1));
	CHECK_EQ(locked_bytes(0), 6 * PAGE);
	/* A device is attached and detached in between. */
	device = device_attached(&c);
	CHECK_OK(check_map(c.fd, device.hwpt, IOVA, buffer, 16 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 1));
	CHECK_OK(object_destroy(c.fd, device.stdev));
	CHECK_OK(access_unpin(c.fd, access, a));
	CHECK_OK(check_pins(c.fd, buffer + 6 * PAGE, 4 * PAGE, 1));
	CHECK_OK(access_unpin(c.fd, access, b));
	CHECK_ERR(ENOENT, access_unpin(c.fd, access, b));
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(access, pin_errors)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);
	uint64_t iova = IOVA;
	int access, plain;

	CHECK_OK(access_create(c.fd, c.ioas, PIN, &access));
	CHECK_OK(access_create(c.fd, c.ioas, 0, &plain));
	CHECK_OK(ioas_map(c.fd, c.ioas, buffer, 4 * PAGE, &iova,
			  IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA));
	FAILS(ENOENT, "iova_not_mapped",
	      access_pin(c.fd, access, IOVA + 3 * PAGE, 2 * PAGE, NULL, 0, NULL));
	FAILS(ENOENT, "iova_not_mapped",
	      access_pin(c.fd, access, IOVA - PAGE, PAGE, NULL, 0, NULL));
	FAILS(EPERM, "not_writeable",
	      access_pin(c.fd, access, IOVA, PAGE, NULL, MOCK_FLAGS_ACCESS_WRITE, NULL));
	CHECK_ERR(EOPNOTSUPP, access_pin(c.fd, plain, IOVA, PAGE, NULL, 0, NULL));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));

	/* While an access may pin, areas are whole pages. */
	FAILS(EINVAL, "iova_misaligned", ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA + MB(1)));
	CHECK_EQ(close(access), 0);
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 512, IOVA + MB(1)));
	CHECK_ERR(EADDRINUSE, access_create(c.fd, c.ioas, PIN, &access));
}

TEST(access, pin_memlock)
{
	struct context c = context_new();
	uint8_t *buffer = memory(32 * PAGE);
	uint32_t id;
	int access;

	limit_memlock(8 * PAGE);
	become_user(4030);
	CHECK_OK(access_create(c.fd, c.ioas, PIN, &access));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 32 * PAGE, IOVA));
	FAILS(ENOMEM, "memlock_limit", access_pin(c.fd, access, IOVA, 9 * PAGE, NULL, 0, NULL));
	CHECK_OK(access_pin(c.fd, access, IOVA, 8 * PAGE, buffer, 0, &id));
	FAILS(ENOMEM, "memlock_limit",
	      access_pin(c.fd, access, IOVA + 8 * PAGE, PAGE, NULL, 0, NULL));
	CHECK_OK(access_unpin(c.fd, access, id));
	CHECK_EQ(locked_bytes(0), 0);
}

TEST(access, unmap_takes_pins)
{
	struct context c = context_new();
	uint8_t *buffer = memory(16 * PAGE);
	uint32_t ids[3];
	int access;

	CHECK_OK(access_create(c.fd, c.ioas, PIN, &access));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer + 8 * PAGE, 8 * PAGE, IOVA + 8 * PAGE));
	CHECK_OK(access_pin(c.fd, access, IOVA, PAGE, buffer, 0, &ids[0]));
	CHECK_OK(access_pin(c.fd, access, IOVA + 6 * PAGE, 4 * PAGE, buffer + 6 * PAGE, 0,
			    &ids[1]));
	CHECK_OK(access_pin(c.fd, access, IOVA + 12 * PAGE, PAGE, buffer + 12 * PAGE, 0,
			    &ids[2]));
	/* The driver is notified, and unpins exactly what touches the range. */
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 8 * PAGE));
	CHECK_ERR(ENOENT, access_unpin(c.fd, access, ids[0]));
	CHECK_ERR(ENOENT, access_unpin(c.fd, access, ids[1]));
	CHECK_OK(check_pins(c.fd, buffer + 12 * PAGE, PAGE, 1));
	CHECK_OK(access_unpin(c.fd, access, ids[2]));
	CHECK_OK(check_pins(c.fd, buffer, 16 * PAGE, 0));
}

TEST(access, unmap_without_the_driver)
{
	struct context c = context_new();
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t id, pages;
	int access;

	/* A driver that does not unpin stops the unmap, which then changes nothing. */
	CHECK_OK(access_add(c.fd, PIN | MOCK_ACCESS_KEEPS_PINS, &access, &id));
	CHECK_OK(access_attach(c.fd, access, c.ioas));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 8 * PAGE, IOVA));
	CHECK_OK(access_pin(c.fd, access, IOVA + PAGE, PAGE, buffer + PAGE, 0, &pages));
	FAILS(EDEADLK, "area_in_use", ioas_unmap(c.fd, c.ioas, IOVA, 8 * PAGE));
	FAILS(EDEADLK, "area_in_use", ioas_unmap(c.fd, c.ioas, 0, UINT64_MAX));
	CHECK_OK(check_pins(c.fd, buffer + PAGE, PAGE, 1));
	CHECK_OK(access_pin(c.fd, access, IOVA + 4 * PAGE, PAGE, buffer + 4 * PAGE, 0, &id));
	CHECK_OK(access_unpin(c.fd, access, id));
	CHECK_OK(access_unpin(c.fd, access, pages));
	CHECK_OK(ioas_unmap(c.fd, c.ioas, IOVA, 8 * PAGE));
	CHECK_OK(check_pins(c.fd, buffer, 8 * PAGE, 0));
}

TEST(access, attach_states)
{
	struct context c = context_new();
	uint8_t *buffer = memory(4 * PAGE);
	uint32_t id, other;
	uint8_t byte = 0;
	int access;

	CHECK_OK(ioas_alloc(c.fd, &other));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	CHECK_OK(access_add(c.fd, PIN, &access, &id));
	FAILS(ENOENT, "not_attached", access_rw(c.fd, access, IOVA, &byte, 1, 0));
	FAILS(ENOENT, "not_attached", access_pin(c.fd, access, IOVA, PAGE, NULL, 0, NULL));
	FAILS(ENOENT, "not_attached", access_replace(c.fd, access, c.ioas));
	FAILS(ENOENT, "bad_object_id", access_attach(c.fd, access, NO_ID));
	CHECK_OK(access_attach(c.fd, access, c.ioas));
	FAILS(EINVAL, "already_attached", access_attach(c.fd, access, other));
	CHECK_OK(access_pin(c.fd, access, IOVA, 4 * PAGE, buffer, 0, &id));
	FAILS(EBUSY, "object_busy", object_destroy(c.fd, c.ioas));

	/* A detach unpins everything. */
	CHECK_OK(access_detach(c.fd, access));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));
	CHECK_ERR(ENOENT, access_unpin(c.fd, access, id));
	FAILS(ENOENT, "not_attached", access_rw(c.fd, access, IOVA, &byte, 1, 0));
	CHECK_OK(object_destroy(c.fd, c.ioas));
	CHECK_OK(access_attach(c.fd, access, other));
}

TEST(access, replace)
{
	struct context c = context_new();
	uint8_t *buffer = memory(8 * PAGE);
	uint32_t id, other, unaligned;
	uint8_t byte = 0;
	int access;

	memset(buffer, 1, 4 * PAGE);
	memset(buffer + 4 * PAGE, 2, 4 * PAGE);
	CHECK_OK(ioas_alloc(c.fd, &other));
	CHECK_OK(ioas_alloc(c.fd, &unaligned));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, buffer, 4 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, other, buffer + 4 * PAGE, 4 * PAGE, IOVA));
	CHECK_OK(ioas_map_at(c.fd, unaligned, buffer, 100, IOVA));
	CHECK_OK(access_create(c.fd, c.ioas, PIN, &access));
	CHECK_OK(access_pin(c.fd, access, IOVA, 4 * PAGE, buffer, 0, &id));

	/* A failure changes nothing. */
	FAILS(ENOENT, "bad_object_id", access_replace(c.fd, access, NO_ID));
	FAILS(EADDRINUSE, "iova_misaligned", access_replace(c.fd, access, unaligned));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 1));
	CHECK_OK(access_rw(c.fd, access, IOVA, &byte, 1, 0));
	CHECK_EQ(byte, 1);

	CHECK_OK(access_replace(c.fd, access, other));
	CHECK_OK(check_pins(c.fd, buffer, 4 * PAGE, 0));
	CHECK_ERR(ENOENT, access_unpin(c.fd, access, id));
	CHECK_OK(access_rw(c.fd, access, IOVA, &byte, 1, 0));
	CHECK_EQ(byte, 2);
	CHECK_OK(access_replace(c.fd, access, other));
	CHECK_OK(object_destroy(c.fd, c.ioas));
}

/*
 * A pin whose driver is delayed between getting the pages and recording them, while its IOAS is
 * taken away.
 */
struct held_up {
	int fd;
	int access;
	uint32_t other;
	const void *va;
	uint32_t id;
	int pinned;
	int replaced;
	pid_t replacer;
};

static void *pin_slowly(void *arg)
{
	struct held_up *h = arg;

	h->pinned = access_pin(h->fd, h->access, IOVA, PAGE, h->va, 0, &h->id);
	return NULL;
}

static void *replace_meanwhile(void *arg)
{
	struct held_up *h = arg;

	__atomic_store_n(&h->replacer, gettid(), __ATOMIC_RELEASE);
	h->replaced = access_replace(h->fd, h->access, h->other);
	return NULL;
}

/* Does the thread sleep where no signal reaches it? */
static bool waits(const pid_t *thread)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 __atomic_load_n(thread, __ATOMIC_ACQUIRE));
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(file);
	return state == 'D';
}

/* Two mappings of a page; an access to the second waits for userfaultfd's answer. */
static int touch_waits(uint8_t *va)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register where = { .range = { (uintptr_t)va, PAGE },
					 .mode = UFFDIO_REGISTER_MODE_MINOR };
	int faults = syscall(SYS_userfaultfd, O_CLOEXEC);

	CHECK(faults >= 0);
	CHECK_OK(ioctl(faults, UFFDIO_API, &api));
	CHECK_OK(ioctl(faults, UFFDIO_REGISTER, &where));
	return faults;
}

TEST(access, replace_while_pin_is_noted)
{
	struct context c = context_new();
	struct held_up h = { .fd = c.fd };
	int memory = memfd_create("page", MFD_CLOEXEC), faults, i;
	pthread_t pinner, replacer;
	struct uffdio_continue go_on;
	struct timespec end;
	struct uffd_msg fault;
	uint8_t *va, *again;

	CHECK_OK(ftruncate(memory, PAGE));
	va = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	again = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	CHECK(va != MAP_FAILED && again != MAP_FAILED);
	*va = 1;
	faults = touch_waits(again);
	h.va = again;
	CHECK_OK(ioas_alloc(c.fd, &h.other));
	CHECK_OK(ioas_map_at(c.fd, c.ioas, va, PAGE, IOVA));
	CHECK_OK(access_create(c.fd, c.ioas, PIN, &h.access));

	/*
	 * The mock has pinned the page, and compares it with the mapping whose fault is not
	 * answered.
	 */
	CHECK_EQ(pthread_create(&pinner, NULL, pin_slowly, &h), 0);
	CHECK_EQ(read(faults, &fault, sizeof(fault)), (ssize_t)sizeof(fault));
	CHECK_EQ(fault.event, UFFD_EVENT_PAGEFAULT);
	CHECK_EQ(pthread_create(&replacer, NULL, replace_meanwhile, &h), 0);
	for (i = patience_ms(10000) / 10; i > 0 && !waits(&h.replacer); i--)
		usleep(10000);
	CHECK(i > 0);

	/* It records its pin after the report that the IOAS is left. */
	go_on = (struct uffdio_continue){ .range = { (uintptr_t)again, PAGE } };
	CHECK_OK(ioctl(faults, UFFDIO_CONTINUE, &go_on));
	CHECK_EQ(pthread_join(pinner, NULL), 0);
	CHECK_OK(h.pinned);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += patience_ms(10000) / 1000;
	i = pthread_timedjoin_np(replacer, NULL, &end);
	if (i) {
		/* so that the process can end */
		access_unpin(c.fd, h.access, h.id);
		pthread_join(replacer, NULL);
	}
	CHECK_EQ(i, 0);
	CHECK_OK(h.replaced);
	CHECK_OK(check_pins(c.fd, va, PAGE, 0));
}
