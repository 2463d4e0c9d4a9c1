// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics in a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/textfile.h"
#include "text/output.h"

int textfile_write(const char *path, const char *text, size_t length)
{
	char *temporary;
	int fd, err;

	/* its name does not end in .prom, so the collector ignores it */
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		out_of_memory();
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(temporary);
		return err;
	}
	err = write_all(fd, text, length);
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}
