// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "probe/btf_objects.h"

int btf_object_visit(void *visitor, int fd)
{
	const struct btf_visitor *by = visitor;
	struct bpf_btf_info info = {};
	uint32_t size = sizeof(info);
	char name[64] = "";
	int kept = 0;

	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf)
		kept = by->look(by->context, fd, name, info.btf_size);
	if (kept <= 0)
		close(fd);
	return kept < 0 ? kept : 0;
}

int btf_objects_each(btf_function look, void *context)
{
	struct btf_visitor visitor = { look, context };
	uint32_t id = 0;
	int err = 0, fd;

	while (!err) {
		/* ENOENT: that was the last one */
		if (bpf_btf_get_next_id(id, &id))
			return errno == ENOENT ? 0 : -errno;
		fd = bpf_btf_get_fd_by_id(id);
		if (fd >= 0)
			err = btf_object_visit(&visitor, fd);
		else if (errno != ENOENT)
			err = -errno;
	}
	return err;
}
