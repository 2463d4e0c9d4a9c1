/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of pinned memory: which physical pages lie behind a run of page indexes.
 *
 * An extent is a physically contiguous run of pages, packed into eight bytes.  The extents of a
 * record follow each other without a gap, in the order of the page indexes, in chunks of up to
 * 512; each chunk knows the index of its first page, so that an index is found by a binary search
 * over chunks and a walk of one.  Memory that is contiguous in 2 MiB costs eight bytes per 2 MiB
 * so, and memory that is scattered eight bytes per page, 0.2 % of it.
 *
 * A record is owned by one pinned segment (pages.h), appended to while that is being pinned, and
 * then constant until it is freed or split, under the mutex of the pages.
 */
#ifndef IOMMUSCOPE_IOMMUFD_EXTENTS_H
#define IOMMUSCOPE_IOMMUFD_EXTENTS_H

#include <linux/types.h>

#define IOMMUFD_EXTENT_PFN_BITS		40
#define IOMMUFD_EXTENT_MAX_PAGES	((1UL << (64 - IOMMUFD_EXTENT_PFN_BITS)) - 1)
#define IOMMUFD_EXTENTS_PER_CHUNK	512
#define IOMMUFD_EXTENTS_INLINE		2

struct iommufd_extent {
	u64 pfn : IOMMUFD_EXTENT_PFN_BITS;
	u64 nr_pages : 64 - IOMMUFD_EXTENT_PFN_BITS;
};

struct iommufd_extent_chunk {
	unsigned long first;
	struct iommufd_extent *extents;
	u16 nr;
	u16 capacity;
};

/**
 * struct iommufd_extents - a record of pinned memory
 * @chunks: the chunks in order, or &@inline_chunk
 * @nr_chunks: chunks in use
 * @capacity: chunks allocated
 * @nr_pages: pages recorded
 * @nr_extents: extents recorded
 * @inline_chunk: the only chunk of a small record
 * @inline_extents: its extents, while they are enough
 */
struct iommufd_extents {
	struct iommufd_extent_chunk *chunks;
	unsigned int nr_chunks;
	unsigned int capacity;
	unsigned long nr_pages;
	unsigned long nr_extents;
	struct iommufd_extent_chunk inline_chunk;
	struct iommufd_extent inline_extents[IOMMUFD_EXTENTS_INLINE];
};

/**
 * struct iommufd_extent_cursor - a place in a record
 * @extents: the record
 * @chunk: index of the chunk
 * @slot: index of the extent in it
 * @skip: pages of that extent before this place
 */
struct iommufd_extent_cursor {
	const struct iommufd_extents *extents;
	unsigned int chunk;
	unsigned int slot;
	unsigned long skip;
};

void iommufd_extents_init(struct iommufd_extents *extents);
void iommufd_extents_free(struct iommufd_extents *extents);
int iommufd_extents_append(struct iommufd_extents *extents, unsigned long pfn,
			   unsigned long nr_pages);
int iommufd_extents_copy_tail(const struct iommufd_extents *extents, unsigned long index,
			      struct iommufd_extents *tail);
void iommufd_extents_truncate(struct iommufd_extents *extents, unsigned long index);
void iommufd_extents_seek(struct iommufd_extent_cursor *cursor,
			  const struct iommufd_extents *extents, unsigned long index);
unsigned long iommufd_extents_next(struct iommufd_extent_cursor *cursor, unsigned long max,
				   unsigned long *pfn);

#endif
