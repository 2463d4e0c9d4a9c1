// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host with many devices: COUNT mock devices, each attached to an IOAS of its own in a context
 * of its own, with memory mapped.
 *
 *	devices-load COUNT
 *
 * Prints "ready", and waits until its standard input ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "iommu.h"

#define IOVA MB(16)
#define AREAS 4

static void need(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "devices-load: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void add_device(void *pages)
{
	struct test_device device;
	int fd = iommu_open(), i;
	uint32_t ioas;

	need(fd < 0 ? fd : 0, "/dev/iommu");
	need(ioas_alloc(fd, &ioas), "IOMMU_IOAS_ALLOC");
	need(mock_domain(fd, ioas, &device), "mock device");
	for (i = 0; i < AREAS; i++)
		need(ioas_map_at(fd, ioas, pages, PAGE, IOVA + 2 * i * PAGE), "IOMMU_IOAS_MAP");
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 8192, 8192 };
	void *pages = memory(PAGE);
	char byte;
	int i;

	if (argc != 2) {
		fprintf(stderr, "usage: devices-load COUNT\n");
		return 2;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit))
		need(-errno, "RLIMIT_NOFILE");
	for (i = 0; i < atoi(argv[1]); i++)
		add_device(pages);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
