// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's types that programs read.
 *
 * What an object asks for has a name in the object's own BTF.  Each structure, union, enum and
 * typedef of such a name is copied with all its members.  What it contains is copied with it, but
 * of a structure that the object does not name only the size; and a pointer is one to nothing.  So
 * the copy ends soon, and CO-RE finds in it each member's place, size and kind as in the original.
 *
 * Like libbpf, it looks into the modules only for what the kernel does not have.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/btf_events.h"
#include "probe/core_types.h"
#include "probe/type_index.h"
#include "text/output.h"

/* Nothing in the kernel nests deeper. */
#define DEPTH 32

static int file = -1;

/**
 * struct copy - a copy in the making
 * @to: the small BTF
 * @from: the BTF that is copied from
 * @names: names that the object asks for, sorted
 * @nr: how many
 * @copied: for each type of @from the one in @to, 0: none yet
 * @nr_copied: how many types that is; the modules' BTF starts with the kernel's types
 * @pointer: the one pointer in @to, 0: none yet
 */
struct copy {
	struct btf *to;
	const struct btf *from;
	char **names;
	size_t nr;
	int *copied;
	uint32_t nr_copied;
	int pointer;
};

static int copy_type(struct copy *copy, uint32_t id, unsigned int depth);

/* "vfio_device___vfio" -> "vfio_device" */
static void essential_name(char *to, size_t size, const char *name)
{
	const char *flavor = strstr(name, "___");

	snprintf(to, size, "%.*s", flavor ? (int)(flavor - name) : (int)strlen(name), name);
}

static int copy_array(struct copy *copy, const struct btf_type *type, unsigned int depth)
{
	const struct btf_array *array = btf_array(type);
	int element = copy_type(copy, array->type, depth), index = copy_type(copy, array->index_type, depth);

	return element < 0 || index < 0 ? -EINVAL :
					  btf__add_array(copy->to, index, element, array->nelems);
}

static int copy_enum64(struct copy *copy, const struct btf_type *type, const char *name)
{
	int id = btf__add_enum64(copy->to, name, type->size, btf_kflag(type)), i, err = 0;
	const struct btf_enum64 *values = btf_enum64(type);
	const char *value;

	for (i = 0; id > 0 && !err && i < btf_vlen(type); i++) {
		value = btf__name_by_offset(copy->from, values[i].name_off);
		err = btf__add_enum64_value(copy->to, value, btf_enum64_value(&values[i]));
	}
	return err ? err : id;
}

static int copy_enum(struct copy *copy, const struct btf_type *type, const char *name)
{
	int id = btf__add_enum(copy->to, name, type->size), i, err = 0;
	const struct btf_enum *values = btf_enum(type);
	const char *value;

	for (i = 0; id > 0 && !err && i < btf_vlen(type); i++) {
		value = btf__name_by_offset(copy->from, values[i].name_off);
		err = btf__add_enum_value(copy->to, value, values[i].val);
	}
	return err ? err : id;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const struct copy *copy, const char *name)
{
	return !*name || bsearch(&name, copy->names, copy->nr, sizeof(*copy->names), by_name);
}

/* The members' types come first: libbpf adds members to the last type alone. */
static int copy_composite(struct copy *copy, const struct btf_type *type, const char *name,
			  unsigned int depth)
{
	int nr = is_wanted(copy, name) ? btf_vlen(type) : 0, *types, id, i, err = 0;
	const struct btf_member *members = btf_members(type);

	types = calloc(nr + 1, sizeof(*types));
	if (!types)
		out_of_memory();
	for (i = 0; i < nr && !err; i++) {
		types[i] = copy_type(copy, members[i].type, depth);
		err = types[i] < 0 ? types[i] : 0;
	}
	id = err ? err :
		   btf_is_struct(type) ? btf__add_struct(copy->to, name, type->size) :
					 btf__add_union(copy->to, name, type->size);
	for (i = 0; id > 0 && i < nr && !err; i++)
		err = btf__add_field(copy->to, btf__name_by_offset(copy->from, members[i].name_off),
				     types[i], btf_member_bit_offset(type, i),
				     btf_member_bitfield_size(type, i));
	free(types);
	return err ? err : id;
}

static int copy_of_kind(struct copy *copy, const struct btf_type *type, unsigned int depth)
{
	const char *name = btf__name_by_offset(copy->from, type->name_off);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return btf__add_int(copy->to, name, type->size, btf_int_encoding(type));
	case BTF_KIND_FLOAT:
		return btf__add_float(copy->to, name, type->size);
	case BTF_KIND_ARRAY:
		return copy_array(copy, type, depth);
	case BTF_KIND_ENUM:
		return copy_enum(copy, type, name);
	case BTF_KIND_ENUM64:
		return copy_enum64(copy, type, name);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(copy, type, name, depth);
	case BTF_KIND_PTR:
		if (!copy->pointer)
			copy->pointer = btf__add_ptr(copy->to, 0);
		return copy->pointer;
	}
	/* behind pointers alone: a function, or what is declared and not defined */
	return 0;
}

/* Return the type in the copy, 0 for void, or a negative errno. */
static int copy_type(struct copy *copy, uint32_t id, unsigned int depth)
{
	const struct btf_type *type = btf__type_by_id(copy->from, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))) {
		id = type->type;
		type = btf__type_by_id(copy->from, id);
	}
	if (!id)
		return 0;
	if (!type || depth >= DEPTH)
		return -EINVAL;
	if (!copy->copied[id])
		copy->copied[id] = copy_of_kind(copy, type, depth + 1);
	return copy->copied[id];
}

/* A type that the object names.  A typedef keeps its name, which CO-RE looks for. */
static int copy_named(struct copy *copy, uint32_t id, const char *name)
{
	int type = copy_type(copy, id, 0);

	if (type >= 0 && btf_is_typedef(btf__type_by_id(copy->from, id)))
		type = btf__add_typedef(copy->to, name, type);
	return type < 0 ? type : 0;
}

/*
 * Copy all types of a BTF that have one of the names.  @found: names that a BTF before it had; set
 * for the others.
 */
static int copy_all(struct copy *copy, const struct btf *from, const struct type_index *index,
		    bool *found)
{
	uint32_t kernel = copy->nr_copied, id;
	int err = 0;
	size_t i;

	copy->from = from;
	copy->copied = reallocarray(copy->copied, btf__type_cnt(from), sizeof(*copy->copied));
	if (!copy->copied)
		out_of_memory();
	memset(copy->copied + kernel, 0, (btf__type_cnt(from) - kernel) * sizeof(*copy->copied));
	if (!kernel)
		copy->nr_copied = btf__type_cnt(from);
	for (i = 0; i < copy->nr && !err; i++) {
		if (found[i])
			continue;
		for (id = 0; !err && (id = type_index_find(index, copy->names[i], BTF_KIND_UNKN, id));) {
			found[i] = true;
			err = copy_named(copy, id, copy->names[i]);
		}
	}
	return err;
}

/* The names that the object's types have, without their flavors, sorted. */
static char **names_of(const struct btf *types, size_t *nr)
{
	char **names = calloc(btf__type_cnt(types), sizeof(*names)), name[128];
	const struct btf_type *type;
	uint32_t id;

	if (!names)
		out_of_memory();
	for (*nr = 0, id = 1; id < btf__type_cnt(types); id++) {
		type = btf__type_by_id(types, id);
		if (!type->name_off || (!btf_is_composite(type) && !btf_is_any_enum(type) &&
					!btf_is_typedef(type)))
			continue;
		essential_name(name, sizeof(name), btf__name_by_offset(types, type->name_off));
		names[*nr] = strdup(name);
		if (!names[(*nr)++])
			out_of_memory();
	}
	qsort(names, *nr, sizeof(*names), by_name);
	return names;
}

static int copy_wanted(struct btf *to, const struct btf *object)
{
	struct copy copy = { .to = to };
	const struct type_index *index;
	const struct btf *from;
	bool *found;
	int err = 0;
	size_t i;

	copy.names = names_of(object, &copy.nr);
	found = calloc(copy.nr + 1, sizeof(*found));
	if (!found)
		out_of_memory();
	for (i = 0; !err && (from = btf_events_types(i, &index)); i++)
		err = copy_all(&copy, from, index, found);
	free(copy.copied);
	free(found);
	for (i = 0; i < copy.nr; i++)
		free(copy.names[i]);
	free(copy.names);
	return err;
}

const char *core_types_path(void)
{
	static char path[32];

	if (file < 0)
		file = memfd_create("iommuscope-core", MFD_CLOEXEC);
	if (file < 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return path;
}

int core_types_write(const struct bpf_object *object)
{
	const void *data;
	struct btf *to;
	uint32_t size;
	int err;

	/* no object takes the types from here */
	if (file < 0)
		return 0;
	to = btf__new_empty();
	if (!to)
		return -errno;
	err = copy_wanted(to, bpf_object__btf(object));
	data = err ? NULL : btf__raw_data(to, &size);
	if (!err && !data)
		err = -ENOMEM;
	if (!err && (ftruncate(file, 0) || lseek(file, 0, SEEK_SET)))
		err = -errno;
	if (!err)
		err = write_all(file, data, size);
	btf__free(to);
	return err;
}
