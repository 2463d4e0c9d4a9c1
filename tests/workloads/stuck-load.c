// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload with an operation that does not end: map memory whose pages no thread provides.
 *
 * A thread maps memory that userfaultfd guards into an IOAS with a mock device, so the kernel
 * waits for its pages while it pins them. The program prints "pid PID tid TID ioas ID device
 * NAME", waits until its standard input ends, then provides the pages and prints the result of
 * the map.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "iommu.h"

#define LENGTH (64 * PAGE)
#define IOVA MB(16)

static int iommu_fd, uffd;
static uint32_t ioas;
static void *guarded;
static int result;

static void die(const char *what, int err)
{
	fprintf(stderr, "stuck-load: %s: %s\n", what, strerror(err));
	exit(1);
}

static void *map(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "stuck-mapper");
	printf("pid %d tid %ld ioas %u\n", getpid(), syscall(SYS_gettid), ioas);
	fflush(stdout);
	result = ioas_map_at(iommu_fd, ioas, guarded, LENGTH, IOVA);
	return NULL;
}

static void guard(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	guarded = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guarded == MAP_FAILED)
		die("memory", errno);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		die("userfaultfd", errno);
	reg.range.start = (uintptr_t)guarded;
	reg.range.len = LENGTH;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("UFFDIO_REGISTER", errno);
}

static void provide(void)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)guarded, LENGTH } };

	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		die("UFFDIO_ZEROPAGE", errno);
}

int main(void)
{
	struct test_device device;
	pthread_t thread;
	int rc;

	iommu_fd = iommu_open();
	if (iommu_fd < 0)
		die("/dev/iommu", -iommu_fd);
	rc = ioas_alloc(iommu_fd, &ioas);
	if (!rc)
		rc = mock_domain(iommu_fd, ioas, &device);
	if (rc)
		die("mock device", -rc);
	guard();
	rc = pthread_create(&thread, NULL, map, NULL);
	if (rc)
		die("thread", rc);
	while (getchar() != EOF)
		;
	provide();
	pthread_join(thread, NULL);
	printf("map %d\n", result);
	return fflush(stdout) ? 1 : 0;
}
