// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests write to disks, see disk.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "../lib/tap.h"

void disk_sha256(const void *data, size_t length, char sum[DISK_SHA256_SIZE])
{
	char path[] = "/tmp/iommuscope-disk-XXXXXX", command[64];
	int fd = mkstemp(path);
	FILE *out;

	CHECK_GE(fd, 0);
	out = fdopen(fd, "w");
	CHECK(out);
	CHECK_EQ(fwrite(data, 1, length, out), length);
	CHECK_OK(fclose(out));
	snprintf(command, sizeof(command), "sha256sum %s", path);
	out = popen(command, "r");
	CHECK(out);
	CHECK_EQ(fread(sum, 1, DISK_SHA256_SIZE - 1, out), DISK_SHA256_SIZE - 1);
	sum[DISK_SHA256_SIZE - 1] = 0;
	CHECK_OK(pclose(out));
	unlink(path);
}

uint64_t disk_word(uint64_t place)
{
	uint64_t x = (place + 1) * 0x9e3779b97f4a7c15ULL;

	/* one bit is always clear that the poison has set */
	return (x ^ x >> 29) & ~1ULL;
}
