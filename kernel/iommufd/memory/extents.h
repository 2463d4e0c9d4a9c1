/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of pinned memory: the physical pages behind a run of page indexes.
 *
 * An extent is a physically contiguous run of pages, packed into eight bytes.  The extents of a
 * record follow each other without a gap, in the order of the page indexes, in chunks of up to 512.
 * Each chunk knows the index of its first page, so that a page is found by a binary search over the
 * chunks and a walk over one chunk.  Memory that is contiguous in 2 MiB blocks costs eight bytes
 * for each block.  Fully scattered memory costs eight bytes for each page, 0.2 % of its size.
 *
 * A record belongs to one pinned segment (pages.h).  It is appended to while the segment is being
 * pinned, and constant afterwards, until it is freed or split under the mutex of the pages.
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
 * @inline_extents: the extents of that chunk
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
 * struct iommufd_extent_cursor - a position in a record
 * @extents: the record
 * @chunk: index of the chunk
 * @slot: index of the extent in it
 * @skip: pages of that extent before this position
 */
struct iommufd_extent_cursor {
	const struct iommufd_extents *extents;
	unsigned int chunk;
	unsigned int slot;
	unsigned long skip;
};

void iommufd_extents_init(struct iommufd_extents *extents);
void iommufd_extents_free(struct iommufd_extents *extents);
int iommufd_extents_make_room(struct iommufd_extents *extents);
int iommufd_extents_copy_tail(const struct iommufd_extents *extents, unsigned long index,
			      struct iommufd_extents *tail);
void iommufd_extents_truncate(struct iommufd_extents *extents, unsigned long index);
void iommufd_extents_seek(struct iommufd_extent_cursor *cursor,
			  const struct iommufd_extents *extents, unsigned long index);

/* The two functions below run once for each page of scattered memory, hence inline. */

/**
 * iommufd_extents_append() - append a contiguous run of pages to a record
 * @extents: the record
 * @pfn: its first page frame
 * @nr_pages: its length
 *
 * A run that continues the last extent extends it.
 *
 * Return: 0 or -ENOMEM; on failure the record is unchanged.
 */
static inline int iommufd_extents_append(struct iommufd_extents *extents, unsigned long pfn,
					 unsigned long nr_pages)
{
	struct iommufd_extent_chunk *chunk = &extents->chunks[extents->nr_chunks - 1];
	int rc;

	if (chunk->nr) {
		struct iommufd_extent *last = &chunk->extents[chunk->nr - 1];

		if (last->pfn + last->nr_pages == pfn &&
		    last->nr_pages + nr_pages <= IOMMUFD_EXTENT_MAX_PAGES) {
			last->nr_pages += nr_pages;
			extents->nr_pages += nr_pages;
			return 0;
		}
	}

	if (chunk->nr == chunk->capacity) {
		rc = iommufd_extents_make_room(extents);
		if (rc)
			return rc;
		chunk = &extents->chunks[extents->nr_chunks - 1];
	}
	chunk->extents[chunk->nr++] = (struct iommufd_extent){ .pfn = pfn, .nr_pages = nr_pages };
	extents->nr_pages += nr_pages;
	extents->nr_extents++;
	return 0;
}

/**
 * iommufd_extents_next() - return the contiguous run at a cursor and advance the cursor past it
 * @cursor: the cursor
 * @max: maximum number of pages, not 0
 * @pfn: out: first page frame of the run
 *
 * Return: pages in the run, 0 at the end of the record.
 */
static inline unsigned long iommufd_extents_next(struct iommufd_extent_cursor *cursor,
						 unsigned long max, unsigned long *pfn)
{
	const struct iommufd_extent_chunk *chunk = &cursor->extents->chunks[cursor->chunk];
	const struct iommufd_extent *extent;
	unsigned long nr;

	if (cursor->slot == chunk->nr) {
		if (cursor->chunk + 1 >= cursor->extents->nr_chunks)
			return 0;
		cursor->chunk++;
		cursor->slot = 0;
		chunk++;
	}
	extent = &chunk->extents[cursor->slot];
	*pfn = extent->pfn + cursor->skip;
	nr = extent->nr_pages - cursor->skip;
	if (nr > max) {
		cursor->skip += max;
		return max;
	}
	cursor->skip = 0;
	cursor->slot++;
	return nr;
}

#endif
