/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a fuzzed program: memory of several kinds, slots, and calls.
 *
 * The fuzzer includes it, and so do the C programs that it writes, which start with this file. It
 * needs nothing else of the fuzzer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IOMMUSCOPE_FUZZ_H
#define AREA_SIZE ((uint64_t)2 << 20)
#define NR_SLOTS 6
#define MAX_STRUCT 256
enum {
	SLOT_IOAS, SLOT_HWPT, SLOT_DEVICE, SLOT_STDEV, SLOT_ACCESS_ID, SLOT_PAGES, SLOT_IOMMU,
	SLOT_VFIO, SLOT_GROUP, SLOT_ACCESS, SLOT_EVENT, NR_SLOT_KINDS, FIRST_FD_KIND = SLOT_IOMMU,
};
enum {
	AREA_DATA, AREA_SMALL, AREA_HUGE, AREA_READ_ONLY, AREA_NONE, AREA_HOLE, AREA_FAULT,
	AREA_FILE, AREA_KERNEL, NR_AREAS,
};
enum { PLACE_STACK, PLACE_EDGE, PLACE_READ_ONLY, PLACE_FAULT, PLACE_HOLE };
#endif

/*
 * The addresses of the kinds of memory: the same in every process, so that addresses stay valid.
 */
#define AREA_BASE 0x1000000000ULL
#define AREA_DISTANCE (8 * AREA_SIZE)

#define MEMLOCK_LIMIT ((rlim_t)4 << 20)

/* Ids, and descriptors plus one, so that 0 is an empty slot of both. */
static uint32_t slots[NR_SLOT_KINDS][NR_SLOTS];

static inline uint64_t area(unsigned int kind, uint64_t offset)
{
	if (kind == AREA_KERNEL)
		return 0xffff888000000000ULL + offset;
	return AREA_BASE + kind * AREA_DISTANCE + offset;
}

/* The content of a slot; an invalid descriptor is -1. */
static inline uint32_t slot(unsigned int kind, unsigned int number)
{
	uint32_t value = __atomic_load_n(&slots[kind][number], __ATOMIC_RELAXED);

	return kind < FIRST_FD_KIND ? value : value - 1;
}

static inline void put_slot(unsigned int kind, unsigned int number, uint32_t value)
{
	uint32_t old;

	if (kind >= FIRST_FD_KIND)
		value++;
	old = __atomic_exchange_n(&slots[kind][number], value, __ATOMIC_RELAXED);
	if (kind >= FIRST_FD_KIND && old)
		close((int)old - 1);
}

static void map_area(unsigned int kind, int protection, int flags, int fd)
{
	void *at = (void *)area(kind, 0);

	if (mmap(at, AREA_SIZE, protection, flags | MAP_FIXED_NOREPLACE, fd, 0) != at)
		_exit(90);
}

/* Memory that is faulted in arrives late, and in pieces. */
static void *serve_faults(void *arg)
{
	int uffd = (int)(intptr_t)arg;
	struct uffd_msg message;
	unsigned int nr = 0;

	while (read(uffd, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_zeropage zero = {
			.range = { message.arg.pagefault.address & ~4095ULL, 4096 },
		};

		if (message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (nr++ % 8 == 0)
			usleep(nr * 977 % 4000);
		ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static void serve(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { area(AREA_FAULT, 0), AREA_SIZE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	pthread_t thread;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg) ||
	    pthread_create(&thread, NULL, serve_faults, (void *)(intptr_t)uffd))
		_exit(91);
}

static void make_memory(void)
{
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	uint64_t *data, i;

	map_area(AREA_DATA, PROT_READ | PROT_WRITE, private, -1);
	map_area(AREA_SMALL, PROT_READ | PROT_WRITE, private, -1);
	map_area(AREA_HUGE, PROT_READ | PROT_WRITE, private, -1);
	madvise((void *)area(AREA_HUGE, 0), AREA_SIZE, MADV_HUGEPAGE);
	map_area(AREA_READ_ONLY, PROT_READ, private, -1);
	map_area(AREA_NONE, PROT_NONE, private, -1);
	map_area(AREA_FAULT, PROT_READ | PROT_WRITE, private, -1);
	if (fd < 0 || ftruncate(fd, AREA_SIZE / 2))
		_exit(92);
	map_area(AREA_FILE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	serve();
	/* ranges of IOVAs, some of them in order */
	data = (uint64_t *)area(AREA_DATA, 0);
	for (i = 0; i < 64; i++) {
		data[2 * i] = i % 7 == 6 ? 1ULL << (i / 2) : (i % 32) << 22;
		data[2 * i + 1] = data[2 * i] + (i % 5 ? (2 << 20) - 1 : (64ULL << 20));
	}
}

/* Without CAP_IPC_LOCK the limit applies. */
static inline void limit_memory(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct rlimit limit = { MEMLOCK_LIMIT, MEMLOCK_LIMIT };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(95);
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || syscall(SYS_capset, &header, data))
		_exit(95);
}

/* A page for structures, with nothing mapped after it. */
static char *edge_page(void)
{
	static __thread char *page;

	if (page)
		return page;
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		_exit(93);
	munmap(page + 4096, 4096);
	return page;
}

/* A number to be put into a structure. */
struct put {
	unsigned int offset;
	unsigned int width;
	uint64_t number;
};

/* A result in a call's structure goes to a slot. */
struct take {
	unsigned int offset;
	unsigned int kind;
	unsigned int slot;
};

static long call_struct(int fd, unsigned long request, unsigned int size, unsigned int place,
			const struct put *puts, unsigned int nr_puts, const struct take *takes,
			unsigned int nr_takes)
{
	static __thread char room[4096];
	char *at = room;
	unsigned int i;
	long result;

	if (place == PLACE_EDGE || place == PLACE_READ_ONLY)
		at = edge_page() + (place == PLACE_EDGE ? 4096 - size : 0);
	if (place == PLACE_READ_ONLY)
		mprotect(at, 4096, PROT_READ | PROT_WRITE);
	memset(at, 0, place == PLACE_EDGE ? size : MAX_STRUCT);
	for (i = 0; i < nr_puts; i++)
		memcpy(at + puts[i].offset, &puts[i].number, puts[i].width);
	if (place == PLACE_READ_ONLY)
		mprotect(at, 4096, PROT_READ);
	else if (place == PLACE_FAULT)
		at = (char *)area(AREA_FAULT, 4096 - size / 2);
	else if (place == PLACE_HOLE)
		at = (char *)area(AREA_HOLE, 0);
	result = ioctl(fd, request, at);
	if (result < 0 || place > PLACE_READ_ONLY)
		return result;
	for (i = 0; i < nr_takes; i++) {
		uint32_t value;

		memcpy(&value, at + takes[i].offset, sizeof(value));
		put_slot(takes[i].kind, takes[i].slot, value);
	}
	return result;
}

static long take_fd(long fd, unsigned int kind, unsigned int number)
{
	if (fd >= 0)
		put_slot(kind, number, (uint32_t)fd);
	return fd;
}

static long region_offset(uint64_t region, uint64_t offset)
{
	return (long)(region << 40 | (offset & ((1ULL << 40) - 1)));
}

static long read_region(int fd, uint64_t region, uint64_t offset, uint64_t length)
{
	char data[64];

	return pread(fd, data, length % (sizeof(data) + 1), region_offset(region, offset));
}

static long write_region(int fd, uint64_t region, uint64_t offset, uint64_t length, uint64_t value)
{
	char data[64];

	memset(data, (int)value, sizeof(data));
	return pwrite(fd, data, length % (sizeof(data) + 1), region_offset(region, offset));
}

/* Map a region, and touch it through the kernel: a missing page then gives an errno. */
static long map_region(int fd, uint64_t region, uint64_t page, uint64_t pages)
{
	size_t length = (1 + pages % 16) * 4096;
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			region_offset(region, page % 256 * 4096));
	int pipe_fd[2];
	char byte;

	if (at == MAP_FAILED)
		return -1;
	if (!pipe(pipe_fd)) {
		if (write(pipe_fd[1], at, 1) == 1 && read(pipe_fd[0], &byte, 1) < 0)
			_exit(94);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
	}
	return munmap(at, length);
}

/* The program's own memory must stay. */
static int is_area(uint64_t at, uint64_t length)
{
	return at >= AREA_BASE && length <= AREA_SIZE &&
	       at + length <= AREA_BASE + NR_AREAS * AREA_DISTANCE;
}

static long advise(uint64_t at, uint64_t length, uint64_t which)
{
	static const int advices[] = { MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
				       MADV_WILLNEED };

	if (!is_area(at, length))
		return -1;
	return madvise((void *)(at & ~4095ULL), length, advices[which % 5]);
}

static long protect(uint64_t at, uint64_t length, uint64_t protection)
{
	/* but the arrays that calls read */
	if (!is_area(at, length) || at < area(AREA_SMALL, 0))
		return -1;
	return mprotect((void *)(at & ~4095ULL), length, (int)(protection & 3));
}

static long map_again(uint64_t at, uint64_t length)
{
	if (!is_area(at, length) || at < area(AREA_SMALL, 0) || !length)
		return -1;
	return mmap((void *)(at & ~4095ULL), length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long fork_once(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}
