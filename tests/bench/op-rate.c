// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-rate - call /dev/iommu so many times a second
 *
 *	op-rate PER_SECOND SECONDS
 *
 * The call is the shortest that there is: reading an option. Prints how many there were, and in how
 * many seconds. It never sleeps, so that the machine's clock decides and not its timers.
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
	uint64_t rate, begin, end, done = 0;
	int fd;

	if (argc != 3 || !(rate = strtoull(argv[1], NULL, 10)))
		die("usage: op-rate PER_SECOND SECONDS");
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/iommu");
	begin = now_ns();
	end = begin + strtoull(argv[2], NULL, 10) * 1000000000ULL;
	while (now_ns() < end) {
		/* as many as are due by now */
		while (done * 1000000000ULL < (now_ns() - begin) * rate) {
			if (ioctl(fd, IOMMU_OPTION, &option))
				die("IOMMU_OPTION");
			done++;
		}
	}
	printf("%llu %.6f\n", (unsigned long long)done, (now_ns() - begin) / 1e9);
	return 0;
}
