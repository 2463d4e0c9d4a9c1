// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload of known calls: allocate IOASes and destroy them, with one failing call.
 *
 * It prints a line for each call, "OPERATION ID ERROR", as the truth for the tool's report of the
 * same calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_IOASES 100000

static const char *error_of(int rc)
{
	return rc ? strerrorname_np(errno) : "0";
}

static void die(const char *what)
{
	fprintf(stderr, "ioas-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	static __u32 ids[MAX_IOASES];
	int count = argc > 1 ? atoi(argv[1]) : 100;
	int fd, i, rc;

	if (count < 2 || count > MAX_IOASES) {
		fprintf(stderr, "Usage: ioas-load [COUNT]\n");
		return 2;
	}
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/iommu");
	printf("pid %d\n", getpid());
	for (i = 0; i < count; i++) {
		struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

		rc = ioctl(fd, IOMMU_IOAS_ALLOC, &alloc);
		printf("ioas_alloc %u %s\n", alloc.out_ioas_id, error_of(rc));
		if (rc)
			die("IOMMU_IOAS_ALLOC");
		ids[i] = alloc.out_ioas_id;
	}
	for (i = 0; i < count; i++) {
		/* the one in the middle uses an id that no object has */
		struct iommu_destroy destroy = {
			.size = sizeof(destroy),
			.id = i == count / 2 ? ids[count - 1] + 4711 : ids[i],
		};

		rc = ioctl(fd, IOMMU_DESTROY, &destroy);
		printf("destroy %u %s\n", destroy.id, error_of(rc));
	}
	close(fd);
	return fflush(stdout) ? 1 : 0;
}
