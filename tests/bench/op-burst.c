// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-burst - call /dev/iommu COUNT times
 *
 *	op-burst COUNT
 *
 * The call is the shortest one: reading an option. Prints the nanoseconds of one call.
 */
#include <fcntl.h>
#include <linux/iommufd.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_GET,
	};
	unsigned long count, i;
	uint64_t begin;
	int fd;

	count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!count)
		die("usage: op-burst COUNT");
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/iommu");
	begin = now_ns();
	for (i = 0; i < count; i++)
		if (ioctl(fd, IOMMU_OPTION, &option))
			die("IOMMU_OPTION");
	printf("%llu\n", (unsigned long long)((now_ns() - begin) / count));
	return 0;
}
