// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the end-to-end tests share, see e2e.h.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "e2e.h"

void e2e_need_api(enum vfio_api api)
{
	if (!vfio_have_api(api))
		tap_skip("%s is not there", api == VFIO_API_NODE ? "/dev/iommu" : "/dev/vfio/vfio");
}

void e2e_claim(unsigned int vendor, unsigned int device, int bus, unsigned int n, char *bdf)
{
	if (pci_find(vendor, device, bus, n, bdf))
		tap_skip("this machine has no such device: %04x:%04x number %u", vendor, device, n);
	CHECK_OK(pci_bind(bdf, "vfio-pci"));
}

void e2e_open(struct vfio_dev *dev, struct vfio_space *space, enum vfio_api api,
	      unsigned int vendor, unsigned int device)
{
	char bdf[PCI_BDF_SIZE];

	/* the one nearest to the root: alone in its group */
	e2e_claim(vendor, device, 0, 0, bdf);
	CHECK_OK(vfio_space_open(space, api));
	CHECK_OK(vfio_open(dev, bdf, space));
}

void e2e_fill(void *data, size_t length, uint64_t seed)
{
	uint8_t *p = data;
	size_t i;

	seed = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; i < length; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		p[i] = seed >> 24;
	}
}

int e2e_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	CHECK_GE(fd, 0);
	return fd;
}

void e2e_edu_works(enum vfio_api api)
{
	struct vfio_space space;
	struct vfio_dev dev;
	struct edu edu;
	uint8_t *memory;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(edu_init(&edu, &dev));
	memory = vfio_memory(&space, 2 * PAGE_SIZE, MIB(1));
	CHECK(memory);
	e2e_fill(memory, PAGE_SIZE, getpid());
	CHECK_OK(edu_dma(&edu, MIB(1), 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&edu, MIB(1) + PAGE_SIZE, 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, memory + PAGE_SIZE, EDU_MEMORY_SIZE));
	vfio_close(&dev);
	vfio_space_close(&space);
	munmap(memory, 2 * PAGE_SIZE);
}

int e2e_log_mark(bool end)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_OK(lseek(fd, 0, end ? SEEK_END : SEEK_SET));
	return fd;
}

bool e2e_log_has(int fd, const char *a, const char *b, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[2048];
	ssize_t n;

	while (poll(&p, 1, timeout_ms) == 1) {
		n = read(fd, line, sizeof(line) - 1);
		if (n < 0)
			/* overwritten in the meantime: the next read continues after the gap */
			continue;
		line[n] = 0;
		if (strstr(line, a) && (!b || strstr(line, b)))
			return true;
	}
	return false;
}

bool e2e_ended(pid_t pid, int timeout_ms, int *status)
{
	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (timeout_ms <= 0)
			return false;
		e2e_sleep(10);
		timeout_ms -= 10;
	}
}

void *e2e_hollow(size_t length)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *memory;

	CHECK_GE(fd, 0);
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK_OK(ioctl(fd, UFFDIO_API, &api));
	area.range.start = (uintptr_t)memory;
	area.range.len = length;
	CHECK_OK(ioctl(fd, UFFDIO_REGISTER, &area));
	return memory;
}

void e2e_become(unsigned int uid)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setgid(uid));
	CHECK_OK(setuid(uid));
}

void e2e_sleep(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

#define TRACING "/sys/kernel/tracing/"
#define INSTANCE TRACING "instances/e2e/"

static void trace_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void e2e_calls_start(const char *const *names)
{
	char probe[128];

	if (access(TRACING "kprobe_events", W_OK))
		tap_skip("this kernel has no kprobe events");
	for (; *names; names++) {
		snprintf(probe, sizeof(probe), "p:e2e/%s %s\n", *names, *names);
		trace_put(TRACING "kprobe_events", probe);
	}
	CHECK_OK(mkdir(INSTANCE, 0700));
	trace_put(INSTANCE "events/e2e/enable", "1");
}

void e2e_calls_check(const char *const *names)
{
	const char *const *each, *at, *last;
	static char text[65536];
	char probe[128];
	size_t n = 0;
	ssize_t got;
	int fd;

	trace_put(INSTANCE "events/e2e/enable", "0");
	fd = open(INSTANCE "trace", O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	close(fd);
	CHECK_OK(rmdir(INSTANCE));
	for (each = names; *each; each++) {
		snprintf(probe, sizeof(probe), "-:e2e/%s\n", *each);
		trace_put(TRACING "kprobe_events", probe);
	}
	for (last = text, each = names; *each; each++, last = at) {
		snprintf(probe, sizeof(probe), ": %s: (", *each);
		at = strstr(text, probe);
		if (!at)
			tap_fail(__FILE__, __LINE__, "%s was not called", *each);
		if (at < last)
			tap_fail(__FILE__, __LINE__, "%s was called before %s", *each, each[-1]);
	}
}
