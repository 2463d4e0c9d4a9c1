// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BTF of a module; module_btf.h tells the way.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/module_btf.h"
#include "text/output.h"

/* Bytes that follow a type, by its kind.  Return -1 for a kind that is not known. */
static long type_tail(const struct btf_type *type)
{
	long vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		/* each is followed by one number */
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* The type behind another one, NULL at the end or where it cannot be told. */
static const struct btf_type *next_type(const struct btf_header *header,
					const struct btf_type *type)
{
	const char *end =
		(const char *)header + header->hdr_len + header->type_off + header->type_len;
	const char *next;
	long tail;

	if (!type) {
		next = (const char *)header + header->hdr_len + header->type_off;
	} else {
		tail = type_tail(type);
		if (tail < 0)
			return NULL;
		next = (const char *)(type + 1) + tail;
	}
	return next + sizeof(*type) <= end ? (const void *)next : NULL;
}

/* What is needed of the kernel's BTF; it does not change. */
static uint32_t base_types, base_strings;

/* Copy up to @size bytes of an object's BTF.  Return them, or NULL with errno set. */
static struct btf_header *read_data(int fd, uint32_t size)
{
	struct bpf_btf_info info = {};
	uint32_t info_size = sizeof(info);
	struct btf_header *data = malloc(size);

	if (!data)
		out_of_memory();
	info.btf = (uintptr_t)data;
	info.btf_size = size;
	errno = EINVAL;
	if (!bpf_obj_get_info_by_fd(fd, &info, &info_size) && data->magic == BTF_MAGIC &&
	    info.btf_size >= size)
		return data;
	free(data);
	return NULL;
}

/* Count the kernel's types, and take the length of its strings.  Return 0 or a negative errno. */
static int measure_base(int fd)
{
	const struct btf_type *type = NULL;
	struct btf_header *header;
	uint32_t size;

	if (base_types)
		return 0;
	header = read_data(fd, sizeof(*header));
	if (!header)
		return -errno;
	base_strings = header->str_len;
	size = header->hdr_len + header->type_off + header->type_len;
	free(header);

	header = read_data(fd, size);
	if (!header)
		return -errno;
	while ((type = next_type(header, type)))
		base_types++;
	free(header);
	return 0;
}

static int find(const char *name, const char *const *modules)
{
	int i;

	for (i = 0; modules[i]; i++)
		if (!strcmp(name, modules[i]))
			return i;
	return -1;
}

/* Look at a BTF object: is it the kernel's, or one of those wanted?  Return 0 or a negative errno. */
static int look(int fd, const char *const *modules, struct module_btf *btfs, bool *keep)
{
	struct bpf_btf_info info = {};
	uint32_t size = sizeof(info);
	char name[64] = "";
	int i;

	*keep = false;
	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || !info.kernel_btf)
		return 0;
	if (!strcmp(name, "vmlinux"))
		return measure_base(fd);
	i = find(name, modules);
	if (i < 0)
		return 0;
	btfs[i].data = read_data(fd, info.btf_size);
	if (!btfs[i].data)
		return -errno;
	btfs[i].fd = fd;
	*keep = true;
	return 0;
}

int module_btf_open(const char *const *modules, struct module_btf *btfs)
{
	uint32_t id = 0;
	bool keep;
	int i, fd, err = 0;

	for (i = 0; modules[i]; i++)
		btfs[i] = (struct module_btf){ .fd = -1 };
	while (!err && !bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0) {
			/* ENOENT: it went meanwhile */
			err = errno == ENOENT ? 0 : -errno;
			continue;
		}
		err = look(fd, modules, btfs, &keep);
		if (!keep)
			close(fd);
	}
	if (!err && errno != ENOENT)
		err = -errno;
	if (!err && !base_types)
		err = -ENOENT;
	for (i = 0; modules[i]; i++) {
		btfs[i].first_id = base_types + 1;
		btfs[i].base_strings = base_strings;
		if (err)
			module_btf_close(&btfs[i]);
	}
	return err;
}

void module_btf_close(struct module_btf *btf)
{
	if (btf->fd >= 0)
		close(btf->fd);
	btf->fd = -1;
	free(btf->data);
	btf->data = NULL;
}

void module_btf_each(const struct module_btf *btf,
		     void (*each)(const char *name, unsigned int kind, uint32_t id, void *data),
		     void *data)
{
	const struct btf_header *header = btf->data;
	const struct btf_type *type = NULL;
	uint32_t id = btf->first_id;
	const char *strings;

	if (!header)
		return;
	strings = (const char *)header + header->hdr_len + header->str_off;
	while ((type = next_type(header, type))) {
		const char *name = "";

		/* A name that the kernel has as well is among the kernel's strings. */
		if (type->name_off >= btf->base_strings)
			name = strings + (type->name_off - btf->base_strings);
		each(name, BTF_INFO_KIND(type->info), id++, data);
	}
}
