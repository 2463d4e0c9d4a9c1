/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of a BTF by name.
 *
 * libbpf searches type by type.  The kernel has a hundred thousand types and the tool asks for
 * hundreds of names, so one pass builds a hash table, and each look-up is short.
 */
#ifndef IOMMUSCOPE_PROBE_TYPE_INDEX_H
#define IOMMUSCOPE_PROBE_TYPE_INDEX_H

#include <bpf/btf.h>
#include <stdint.h>

struct type_index;

/**
 * type_index_new() - index the functions, structures, unions, enums and typedefs of a BTF
 * @types: the BTF, which has to outlive the index
 * @base: what it is split from, whose types are left out; or NULL
 *
 * Return: the index, for type_index_free().
 */
struct type_index *type_index_new(const struct btf *types, const struct btf *base);

/**
 * type_index_find() - find a type by name
 * @index: the index
 * @name: the name
 * @kind: BTF_KIND_*; BTF_KIND_UNKN for any that describes memory, that is all but functions
 * @after: 0, or the last answer to find the next type of this name
 *
 * Return: the type, 0 if there is none.
 */
uint32_t type_index_find(const struct type_index *index, const char *name, unsigned int kind,
			 uint32_t after);

/**
 * type_index_free() - give an index back
 * @index: the index, or NULL
 */
void type_index_free(struct type_index *index);

#endif
