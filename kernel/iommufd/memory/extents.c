// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of pinned memory; extents.h describes the model.
 */
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "memory/extents.h"

/* A chunk grows by this factor up to its full size, so that small records stay small. */
#define CHUNK_GROWTH	8

/**
 * iommufd_extents_init() - initialise an empty record
 * @extents: the record
 */
void iommufd_extents_init(struct iommufd_extents *extents)
{
	extents->chunks = &extents->inline_chunk;
	extents->nr_chunks = 1;
	extents->capacity = 1;
	extents->nr_pages = 0;
	extents->nr_extents = 0;
	extents->inline_chunk.first = 0;
	extents->inline_chunk.extents = extents->inline_extents;
	extents->inline_chunk.nr = 0;
	extents->inline_chunk.capacity = IOMMUFD_EXTENTS_INLINE;
}

static void free_chunk(struct iommufd_extents *extents, struct iommufd_extent_chunk *chunk)
{
	if (chunk->extents != extents->inline_extents)
		kfree(chunk->extents);
}

/**
 * iommufd_extents_free() - free a record; the memory that it describes stays pinned
 * @extents: the record, empty afterwards
 */
void iommufd_extents_free(struct iommufd_extents *extents)
{
	unsigned int i;

	for (i = 0; i < extents->nr_chunks; i++)
		free_chunk(extents, &extents->chunks[i]);
	if (extents->chunks != &extents->inline_chunk)
		kvfree(extents->chunks);
	iommufd_extents_init(extents);
}

static int grow_chunk(struct iommufd_extents *extents, struct iommufd_extent_chunk *chunk)
{
	unsigned int capacity = min(chunk->capacity * CHUNK_GROWTH, IOMMUFD_EXTENTS_PER_CHUNK);
	struct iommufd_extent *new;

	new = kmalloc_array(capacity, sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	memcpy(new, chunk->extents, chunk->nr * sizeof(*new));
	free_chunk(extents, chunk);
	chunk->extents = new;
	chunk->capacity = capacity;
	return 0;
}

static int add_chunk(struct iommufd_extents *extents)
{
	struct iommufd_extent_chunk *chunk;
	struct iommufd_extent *new;

	if (extents->nr_chunks == extents->capacity) {
		unsigned int capacity = extents->capacity * CHUNK_GROWTH;
		struct iommufd_extent_chunk *chunks;

		chunks = kvmalloc_array(capacity, sizeof(*chunks), GFP_KERNEL_ACCOUNT);
		if (!chunks)
			return -ENOMEM;
		memcpy(chunks, extents->chunks, extents->nr_chunks * sizeof(*chunks));
		if (extents->chunks != &extents->inline_chunk)
			kvfree(extents->chunks);
		extents->chunks = chunks;
		extents->capacity = capacity;
	}

	new = kmalloc_array(IOMMUFD_EXTENTS_PER_CHUNK, sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	chunk = &extents->chunks[extents->nr_chunks++];
	chunk->first = extents->nr_pages;
	chunk->extents = new;
	chunk->nr = 0;
	chunk->capacity = IOMMUFD_EXTENTS_PER_CHUNK;
	return 0;
}

/**
 * iommufd_extents_make_room() - make room for one more extent when the last chunk is full
 * @extents: the record
 *
 * Return: 0 or -ENOMEM; on failure the record is unchanged.
 */
int iommufd_extents_make_room(struct iommufd_extents *extents)
{
	struct iommufd_extent_chunk *chunk = &extents->chunks[extents->nr_chunks - 1];

	if (chunk->capacity < IOMMUFD_EXTENTS_PER_CHUNK)
		return grow_chunk(extents, chunk);
	return add_chunk(extents);
}

/**
 * iommufd_extents_seek() - set a cursor to a page
 * @cursor: the cursor
 * @extents: the record
 * @index: the page, less than iommufd_extents.nr_pages
 */
void iommufd_extents_seek(struct iommufd_extent_cursor *cursor,
			  const struct iommufd_extents *extents, unsigned long index)
{
	unsigned int low = 0, high = extents->nr_chunks;
	const struct iommufd_extent_chunk *chunk;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (extents->chunks[middle].first <= index)
			low = middle;
		else
			high = middle;
	}

	chunk = &extents->chunks[low];
	cursor->extents = extents;
	cursor->chunk = low;
	cursor->slot = 0;
	cursor->skip = index - chunk->first;
	while (cursor->slot < chunk->nr && cursor->skip >= chunk->extents[cursor->slot].nr_pages)
		cursor->skip -= chunk->extents[cursor->slot++].nr_pages;
}

/**
 * iommufd_extents_copy_tail() - copy a record from a page on
 * @extents: the record
 * @index: the page
 * @tail: an empty record
 *
 * Return: 0 or -ENOMEM; on failure @tail is empty.
 */
int iommufd_extents_copy_tail(const struct iommufd_extents *extents, unsigned long index,
			      struct iommufd_extents *tail)
{
	struct iommufd_extent_cursor cursor;
	unsigned long pfn, nr;
	int rc;

	iommufd_extents_seek(&cursor, extents, index);
	while ((nr = iommufd_extents_next(&cursor, ULONG_MAX, &pfn))) {
		rc = iommufd_extents_append(tail, pfn, nr);
		if (rc) {
			iommufd_extents_free(tail);
			return rc;
		}
	}
	return 0;
}

/**
 * iommufd_extents_truncate() - remove everything from a page on from a record
 * @extents: the record
 * @index: the page
 */
void iommufd_extents_truncate(struct iommufd_extents *extents, unsigned long index)
{
	struct iommufd_extent_cursor cursor;
	struct iommufd_extent_chunk *chunk;

	if (index >= extents->nr_pages)
		return;
	iommufd_extents_seek(&cursor, extents, index);
	while (extents->nr_chunks - 1 > cursor.chunk) {
		chunk = &extents->chunks[--extents->nr_chunks];
		extents->nr_extents -= chunk->nr;
		free_chunk(extents, chunk);
	}
	chunk = &extents->chunks[cursor.chunk];
	extents->nr_extents -= chunk->nr - cursor.slot;
	chunk->nr = cursor.slot;
	if (cursor.skip) {
		chunk->extents[chunk->nr++].nr_pages = cursor.skip;
		extents->nr_extents++;
	}
	extents->nr_pages = index;
}
