/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Areas: the mapped ranges of an IOAS.
 *
 * An area is a range of IOVAs and the memory behind it: a window on a struct iommufd_pages that
 * starts at any byte of it.  The areas of an IOAS form a tree ordered by IOVA.  Each node knows the
 * hole before its area and the largest hole in its subtree, so that both an area and a free range
 * are found in O(log n).  iommufd_ioas.iova_lock guards the tree and the states.
 *
 * Life of an area:
 * - PENDING: the area is inserted into the tree, which reserves its range.  Its memory is pinned
 *   without any lock and then mapped into the HWPTs with hwpt_lock held for read.
 * - READY: the area can be copied from, accessed and unmapped, and is mapped in every HWPT.
 * - DYING: an unmap removes the area from the HWPTs with hwpt_lock held for read, unpins its memory
 *   without any lock, and last removes the area from the tree.  Until then its range cannot be
 *   allocated again.
 *
 * A pending or dying area belongs to the thread that maps or unmaps it.  While hwpt_lock is held
 * for write, no area becomes ready or dying.
 */
#ifndef IOMMUSCOPE_IOMMUFD_AREA_H
#define IOMMUSCOPE_IOMMUFD_AREA_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>

#include "op.h"
#include "memory/pages.h"

struct iommu_iotlb_gather;
struct iommufd_hwpt;
struct iommufd_ioas;
struct iommufd_op;

enum iommufd_area_state {
	IOMMUFD_AREA_PENDING,
	IOMMUFD_AREA_READY,
	IOMMUFD_AREA_DYING,
};

/**
 * struct iommufd_area - a mapped range of IOVAs
 * @node: in iommufd_ioas.areas
 * @iova: its first IOVA
 * @last: its last IOVA
 * @hole: free IOVAs directly before it
 * @subtree_hole: largest @hole in the subtree, including its own
 * @pages: the memory behind it, referenced
 * @offset: byte in @pages that @iova maps
 * @item: in the list of a map, copy or unmap in flight
 * @accesses: pins of accesses within it; raised under iova_lock only while the area is ready
 * @state: enum iommufd_area_state
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @mapped: it is mapped in the HWPTs and counted in iommufd_ioas.stats; changed with
 *	iommufd_area_set_mapped() by the owner of @state, or under hwpt_lock for write
 * @pinned: it is a user of its memory on behalf of the HWPTs; changed by the owner of @state, or
 *	under iova_lock for write while the area is ready
 * @no_access: accesses are asked to leave, and new ones are refused
 * @extents: contiguous runs of its memory, counted when it was last mapped into HWPTs
 * @huge_extents: those of PMD_SIZE or more
 * @huge_blocks: whole PMD_SIZE blocks that the IOMMU can translate with one entry each
 */
struct iommufd_area {
	struct rb_node node;
	unsigned long iova;
	unsigned long last;
	unsigned long hole;
	unsigned long subtree_hole;
	struct iommufd_pages *pages;
	unsigned long offset;
	struct list_head item;
	atomic_t accesses;
	u8 state;
	u8 prot;
	bool mapped;
	bool pinned;
	bool no_access;
	u32 extents;
	u32 huge_extents;
	u32 huge_blocks;
};

static inline unsigned long area_length(const struct iommufd_area *area)
{
	return area->last - area->iova + 1;
}

static inline unsigned long area_first_page(const struct iommufd_area *area)
{
	return area->offset >> PAGE_SHIFT;
}

static inline unsigned long area_last_page(const struct iommufd_area *area)
{
	return (area->offset + (area->last - area->iova)) >> PAGE_SHIFT;
}

/* Areas that a loop processes before it reschedules and checks for signals. */
#define IOMMUFD_AREAS_PER_LOOK 256

/* area.c */
struct iommufd_area *iommufd_area_from(struct iommufd_ioas *ioas, unsigned long iova);
struct iommufd_area *iommufd_area_next(struct iommufd_area *area);
void iommufd_area_insert(struct iommufd_ioas *ioas, struct iommufd_area *area);
void iommufd_area_erase(struct iommufd_ioas *ioas, struct iommufd_area *area);
bool iommufd_area_find_hole(struct iommufd_ioas *ioas, unsigned long low, unsigned long high,
			    unsigned long length, unsigned long align, unsigned long offset,
			    unsigned long *iova);
unsigned long iommufd_area_largest_hole(struct iommufd_ioas *ioas, unsigned long low,
					unsigned long high);

/* unmap.c */
void iommufd_area_free(struct iommufd_area *area);
void iommufd_areas_free(struct list_head *areas);
void iommufd_areas_erase(struct iommufd_ioas *ioas, struct list_head *areas);

/* fill.c */
int iommufd_area_pin(struct iommufd_area *area, struct iommufd_op *op);
void iommufd_areas_unpin(struct iommufd_ioas *ioas, struct iommufd_op *op,
			 struct list_head *areas);
void iommufd_area_set_mapped(struct iommufd_ioas *ioas, struct iommufd_area *area, bool mapped);
void iommufd_area_count(struct iommufd_area *area, bool huge_pages);
int iommufd_area_break(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       struct iommufd_area *area, unsigned long iova);
int iommufd_area_map_hwpt(struct iommufd_area *area, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt, bool huge_pages);
void iommufd_area_unmap_hwpt(struct iommufd_area *area, struct iommufd_hwpt *hwpt,
			     struct iommu_iotlb_gather *gather);
int iommufd_area_fill(struct iommufd_ioas *ioas, struct iommufd_op *op,
		      struct iommufd_area *area);
void iommufd_areas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op,
			 struct list_head *areas);

/* pinned.c */
int iommufd_ioas_hold_pinned(struct iommufd_ioas *ioas, struct iommufd_op *op);
void iommufd_ioas_release_pinned(struct iommufd_ioas *ioas, struct iommufd_op *op);

/* iova.c */
int iommufd_iova_check(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long length);
int iommufd_iova_alloc(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long user_va,
		       unsigned long length, unsigned long *iova);
int iommufd_iova_check_alignment(struct iommufd_ioas *ioas, struct iommufd_op *op,
				 unsigned long alignment);
int iommufd_ioas_lock(struct iommufd_ioas *ioas, struct iommufd_op *op);
void iommufd_ioas_unlock(struct iommufd_ioas *ioas);
unsigned long iommufd_iova_alignment(struct iommufd_ioas *ioas);

/**
 * iommufd_check_range() - check that a range can be mapped or unmapped at all
 * @op: the operation; gets the reason zero_length or overflow
 * @start: first byte
 * @length: bytes
 *
 * Return: 0, -EINVAL or -EOVERFLOW.
 */
static inline int iommufd_check_range(struct iommufd_op *op, unsigned long start,
				      unsigned long length)
{
	unsigned long last;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	if (check_add_overflow(start, length - 1, &last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, start, length);
	return 0;
}

#endif
