// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash table whose chains run through an array that has an element for each type.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe/type_index.h"
#include "text/output.h"

#define HEADS (1U << 16)

/**
 * struct type_index - the index
 * @types: the BTF
 * @first: the first type that is indexed
 * @next: the next type of a chain, from that of @first on; 0 ends it
 * @heads: the first types of chains
 */
struct type_index {
	const struct btf *types;
	uint32_t first;
	uint32_t *next;
	uint32_t heads[HEADS];
};

/* Four bytes a step: names are long, and there are many. */
static uint32_t hash_of(const char *name)
{
	size_t length = strlen(name);
	uint32_t hash = length, word;

	for (; length >= sizeof(word); length -= sizeof(word), name += sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b1;
	}
	while (length--)
		hash = (hash ^ (unsigned char)*name++) * 0x9e3779b1;
	return (hash ^ hash >> 15) & (HEADS - 1);
}

static bool is_indexed(const struct btf_type *type)
{
	return type->name_off && (btf_is_func(type) || btf_is_composite(type) ||
				  btf_is_any_enum(type) || btf_is_typedef(type));
}

struct type_index *type_index_new(const struct btf *types, const struct btf *base)
{
	uint32_t first = base ? btf__type_cnt(base) : 1, id, *head;
	struct type_index *index = calloc(1, sizeof(*index));
	const struct btf_type *type;

	if (index)
		index->next = calloc(btf__type_cnt(types) - first + 1, sizeof(*index->next));
	if (!index || !index->next)
		out_of_memory();
	index->types = types;
	index->first = first;
	/* from the end: the first type of a name comes first in its chain */
	for (id = btf__type_cnt(types) - 1; id >= first; id--) {
		type = btf__type_by_id(types, id);
		if (!is_indexed(type))
			continue;
		head = &index->heads[hash_of(btf__name_by_offset(types, type->name_off))];
		index->next[id - first] = *head;
		*head = id;
	}
	return index;
}

uint32_t type_index_find(const struct type_index *index, const char *name, unsigned int kind,
			 uint32_t after)
{
	uint32_t id = after ? index->next[after - index->first] : index->heads[hash_of(name)];
	const struct btf_type *type;

	for (; id; id = index->next[id - index->first]) {
		type = btf__type_by_id(index->types, id);
		if ((kind ? btf_kind(type) == kind : !btf_is_func(type)) &&
		    !strcmp(btf__name_by_offset(index->types, type->name_off), name))
			return id;
	}
	return 0;
}

void type_index_free(struct type_index *index)
{
	if (!index)
		return;
	free(index->next);
	free(index);
}
