// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of the modules' records if the modules have no BTF, see op_layout.h.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/op_layout.skel.h"
#include "observe/op_layout.h"
#include "text/output.h"

/* Return a file with the types of both in memory, or a negative errno. */
static int write_types(struct btf *kernel, const struct btf *records)
{
	const void *data;
	uint32_t size;
	int fd, err;

	err = btf__add_btf(kernel, records);
	if (err < 0)
		return err;
	data = btf__raw_data(kernel, &size);
	if (!data)
		return -ENOMEM;
	fd = memfd_create("iommuscope-types", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, size);
	if (!err)
		return fd;
	close(fd);
	return err;
}

const char *op_layout_path(void)
{
	struct ios_op_layout *records;
	static char path[32];
	struct btf *kernel;
	int fd = -ENOMEM;

	if (*path)
		return path;
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return NULL;
	records = ios_op_layout__open();
	if (records)
		fd = write_types(kernel, bpf_object__btf(records->obj));
	ios_op_layout__destroy(records);
	btf__free(kernel);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}
