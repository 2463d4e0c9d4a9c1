// SPDX-License-Identifier: GPL-2.0-only
/*
 * Variables and maps of objects that work together.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "probe/objects.h"

void *object_variable(const struct bpf_object *object, const char *section_name, const char *name,
		      size_t *size)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_var_secinfo *variable;
	const struct btf_type *section;
	const struct bpf_map *map;
	size_t map_size;
	unsigned int i;
	int id;

	id = btf__find_by_name_kind(btf, section_name, BTF_KIND_DATASEC);
	map = bpf_object__find_map_by_name(object, section_name);
	if (id < 0 || !map)
		return NULL;
	section = btf__type_by_id(btf, id);
	variable = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++, variable++) {
		const struct btf_type *type = btf__type_by_id(btf, variable->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), name))
			continue;
		*size = variable->size;
		return (char *)bpf_map__initial_value((struct bpf_map *)map, &map_size) +
		       variable->offset;
	}
	return NULL;
}

void object_copy_knobs(const struct bpf_object *from, const struct bpf_object *to)
{
	const struct btf *btf = bpf_object__btf(to);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_var_secinfo *variable;
	const struct btf_type *section;
	size_t size, own_size;
	void *knob, *own;
	const char *name;
	unsigned int i;

	if (id < 0)
		return;
	section = btf__type_by_id(btf, id);
	variable = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++, variable++) {
		name = btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off);
		own = object_variable(to, ".rodata", name, &own_size);
		knob = object_variable(from, ".rodata", name, &size);
		if (own && knob && own_size == size)
			memcpy(own, knob, size);
	}
}

/* Are the variables of a section the same in both objects? */
static bool same_variables(const struct bpf_object *one, const struct bpf_object *other,
			   const char *name)
{
	const struct btf *btf[] = { bpf_object__btf(one), bpf_object__btf(other) };
	const struct btf_var_secinfo *a, *b;
	int id[2], i;

	for (i = 0; i < 2; i++)
		id[i] = btf__find_by_name_kind(btf[i], name, BTF_KIND_DATASEC);
	if (id[0] < 0 || id[1] < 0 ||
	    btf_vlen(btf__type_by_id(btf[0], id[0])) != btf_vlen(btf__type_by_id(btf[1], id[1])))
		return false;
	a = btf_var_secinfos(btf__type_by_id(btf[0], id[0]));
	b = btf_var_secinfos(btf__type_by_id(btf[1], id[1]));
	for (i = 0; i < btf_vlen(btf__type_by_id(btf[0], id[0])); i++)
		if (a[i].offset != b[i].offset || a[i].size != b[i].size ||
		    strcmp(btf__name_by_offset(btf[0],
					       btf__type_by_id(btf[0], a[i].type)->name_off),
			   btf__name_by_offset(btf[1],
					       btf__type_by_id(btf[1], b[i].type)->name_off)))
			return false;
	return true;
}

int object_share_maps(const struct bpf_object *from, const struct bpf_object *to)
{
	const struct bpf_map *shared;
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, to)
	{
		const char *name = bpf_map__name(map), *section = strchr(name, '.');

		/* a map of variables: the name is that of the section after the object's name */
		if (section)
			name = section;
		/* knobs and strings */
		if (!strncmp(name, ".rodata", 7))
			continue;
		shared = bpf_object__find_map_by_name(from, name);
		if (!shared)
			continue;
		if (*name == '.' && !same_variables(from, to, name))
			return -EINVAL;
		err = bpf_map__reuse_fd(map, bpf_map__fd(shared));
		if (err)
			return err;
	}
	return 0;
}
