// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map, copy and split: the creation of areas.  area.h describes the life of an area.
 *
 * A map faults in the memory of its area, which may take arbitrarily long.  It holds no lock during
 * that time; only the pending area reserves the range.  Whether the IOAS needs its memory pinned is
 * decided before, and checked again once hwpt_lock is held.
 */
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "memory/area.h"
#include "ctx.h"
#include "iommufd_private.h"
#include "test_hook.h"

static inline struct iommufd_area *alloc_area(struct iommufd_op *op, int prot)
{
	struct iommufd_area *area = kmalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area) {
		iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory, sizeof(*area), 0);
		return NULL;
	}
	area->pages = NULL;
	atomic_set(&area->accesses, 0);
	area->state = IOMMUFD_AREA_PENDING;
	area->prot = prot;
	area->mapped = false;
	area->pinned = false;
	area->no_access = false;
	area->extents = 0;
	area->huge_extents = 0;
	area->huge_blocks = 0;
	return area;
}

/*
 * Assigns IOVAs to new areas.  Initially iova..last of the areas are relative, as if the first
 * started at IOVA 0.  This function moves all of them, in one piece, to a free range.
 */
static int place_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas,
		       unsigned long length, unsigned long *iova, bool fixed)
{
	struct iommufd_area *first = list_first_entry(areas, struct iommufd_area, item);
	unsigned long user_va = first->pages->user_va + first->offset;
	struct iommufd_area *area;
	unsigned long nr = 0;
	int rc;

	list_for_each_entry(area, areas, item) {
		unsigned long bits = area->offset | area_length(area);

		if (bits & (ioas->iova_alignment - 1))
			return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, bits,
					       ioas->iova_alignment);
	}
	if (fixed)
		rc = iommufd_iova_check(ioas, op, *iova, length);
	else
		rc = iommufd_iova_alloc(ioas, op, user_va, length, iova);
	if (rc)
		return rc;

	list_for_each_entry(area, areas, item) {
		if (!(++nr % IOMMUFD_AREAS_PER_LOOK)) {
			rc = iommufd_op_look_around(op);
			if (rc)
				goto out_erase;
		}
		area->iova += *iova;
		area->last += *iova;
		iommufd_area_insert(ioas, area);
	}
	iommufd_ctx_sum_areas(ioas->ictx, nr, length);
	return 0;

out_erase:
	list_for_each_entry_continue_reverse(area, areas, item)
		iommufd_area_erase(ioas, area);
	return rc;
}

static int insert_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas,
			unsigned long length, unsigned long *iova, bool fixed)
{
	int rc = iommufd_op_down_write(op, &ioas->iova_lock);

	if (rc)
		return rc;
	rc = place_areas(ioas, op, areas, length, iova, fixed);
	up_write(&ioas->iova_lock);
	return rc;
}

static int pin_areas(struct iommufd_op *op, struct list_head *areas)
{
	struct iommufd_area *area;
	int rc;

	list_for_each_entry(area, areas, item) {
		rc = area->pinned ? 0 : iommufd_area_pin(area, op);
		if (!rc && !list_is_last(&area->item, areas))
			rc = iommufd_op_look_around(op);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Pins new areas if the IOAS needs it, and takes hwpt_lock for read, so that this need cannot
 * change.  No lock is held while memory is pinned: HWPTs may be added and removed in the meantime.
 */
static int pin_and_lock(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas)
{
	bool pinned = READ_ONCE(ioas->nr_pinners);
	int rc;

	for (;;) {
		rc = pinned ? pin_areas(op, areas) : 0;
		if (!rc)
			rc = iommufd_op_down_read(op, &ioas->hwpt_lock);
		if (rc)
			return rc;
		if (likely(pinned == !!ioas->nr_pinners))
			return 0;
		pinned = ioas->nr_pinners;
		up_read(&ioas->hwpt_lock);
		if (!pinned)
			iommufd_areas_unpin(ioas, op, areas);
		rc = iommufd_op_look_around(op);
		if (rc)
			return rc;
	}
}

static int fill_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas)
{
	struct iommufd_area *area;
	int rc;

	if (!ioas->nr_hwpts)
		return 0;
	list_for_each_entry(area, areas, item) {
		rc = iommufd_area_fill(ioas, op, area);
		if (!rc && !list_is_last(&area->item, areas))
			rc = iommufd_op_look_around(op);
		if (rc) {
			iommufd_areas_unmap(ioas, op, areas);
			return rc;
		}
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	return 0;
}

/*
 * Makes areas ready.  From then on another thread that finds an area under iova_lock may use its
 * memory, and may unmap and free the area.  An area must therefore not be touched once it is ready
 * and iova_lock is free.  Several areas become ready together; otherwise an unmap could find a part
 * of a copy.
 */
static void make_ready(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;
	unsigned long nr = 0;

	lockdep_assert_held(&ioas->hwpt_lock);
	if (list_is_singular(areas)) {
		area = list_first_entry(areas, struct iommufd_area, item);
		smp_store_release(&area->state, IOMMUFD_AREA_READY);
		iommufd_test_pause(IOMMUFD_TEST_PAUSE_READY);
		return;
	}
	down_write(&ioas->iova_lock);
	list_for_each_entry(area, areas, item) {
		area->state = IOMMUFD_AREA_READY;
		iommufd_test_pause(IOMMUFD_TEST_PAUSE_READY);
		if (!(++nr % IOMMUFD_AREAS_PER_LOOK))
			cond_resched();
	}
	up_write(&ioas->iova_lock);
}

/* Maps new areas, prepared for place_areas(): all or none.  Frees the areas on failure. */
static int map_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas,
		     unsigned long length, unsigned long *iova, bool fixed)
{
	int rc;

	rc = insert_areas(ioas, op, areas, length, iova, fixed);
	if (rc)
		goto out_free;
	if (op->clock.armed)
		op->iova = *iova;

	rc = pin_and_lock(ioas, op, areas);
	if (rc)
		goto out_unpin;
	rc = fill_areas(ioas, op, areas);
	if (rc)
		goto out_unlock;
	make_ready(ioas, areas);
	up_read(&ioas->hwpt_lock);
	return 0;

out_unlock:
	up_read(&ioas->hwpt_lock);
out_unpin:
	iommufd_areas_unpin(ioas, op, areas);
	iommufd_areas_erase(ioas, areas);
out_free:
	iommufd_areas_free(areas);
	return rc;
}

/**
 * iommufd_ioas_map() - map memory of the calling process
 * @ioas: the IOAS
 * @op: the operation
 * @user_va: address of the memory
 * @length: bytes
 * @iova: the IOVA to map at, if @fixed; out: the IOVA of the mapping
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 * @fixed: @iova is an input
 *
 * Return: 0; -EINVAL: zero length, misaligned, reserved; -EOVERFLOW; -EEXIST: an area overlaps;
 * -ENOSPC: no free range; -EFAULT: the memory is not there; -ENOMEM: out of memory or
 * RLIMIT_MEMLOCK; or the error of the IOMMU driver.  On failure nothing is mapped.
 */
int iommufd_ioas_map(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long user_va,
		     unsigned long length, unsigned long *iova, int iommu_prot, bool fixed)
{
	unsigned long offset = user_va & ~PAGE_MASK;
	struct iommufd_pages *pages;
	struct iommufd_area *area;
	LIST_HEAD(areas);
	int rc;

	rc = iommufd_check_range(op, user_va, length);
	if (!rc && fixed)
		rc = iommufd_check_range(op, *iova, length);
	if (rc)
		return rc;
	/* The page count must not overflow; no address space is this large. */
	if (length > ULONG_MAX - 2 * PAGE_SIZE)
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, user_va, length);

	area = alloc_area(op, iommu_prot | IOMMU_CACHE);
	if (!area)
		return -ENOMEM;
	pages = iommufd_pages_alloc(ioas->ictx, user_va & PAGE_MASK,
				    ((offset + length - 1) >> PAGE_SHIFT) + 1,
				    iommu_prot & IOMMU_WRITE);
	if (IS_ERR(pages)) {
		iommufd_area_free(area);
		return iommufd_op_fail(op, PTR_ERR(pages), IOMMUFD_REASON_no_memory,
				       sizeof(*pages), 0);
	}
	area->iova = 0;
	area->last = length - 1;
	area->pages = pages;
	area->offset = offset;
	list_add(&area->item, &areas);
	return map_areas(ioas, op, &areas, length, iova, fixed);
}

/*
 * Creates areas for a copy of [iova, last] of @src.  The caller owns the areas in the list, also on
 * failure.
 */
static int collect_copies(struct iommufd_ioas *src, struct iommufd_op *op, unsigned long iova,
			  unsigned long last, int prot, struct list_head *areas)
{
	struct iommufd_area *from, *area;
	unsigned long start = iova, nr = 0;
	int rc;

	lockdep_assert_held(&src->iova_lock);
	for (from = iommufd_area_from(src, start);; from = iommufd_area_next(from)) {
		unsigned long end;

		if (!from || from->iova > start ||
		    smp_load_acquire(&from->state) != IOMMUFD_AREA_READY)
			return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped, start,
					       last);
		if ((prot & IOMMU_WRITE) && !from->pages->writeable)
			return iommufd_op_fail(op, -EPERM, IOMMUFD_REASON_not_writeable, from->iova,
					       0);
		area = alloc_area(op, prot);
		if (!area)
			return -ENOMEM;
		end = min(from->last, last);
		area->iova = start - iova;
		area->last = end - iova;
		area->offset = from->offset + (start - from->iova);
		area->pages = from->pages;
		kref_get(&area->pages->kref);
		list_add_tail(&area->item, areas);
		if (end == last)
			return 0;
		start = end + 1;
		if (!(++nr % IOMMUFD_AREAS_PER_LOOK)) {
			rc = iommufd_op_look_around(op);
			if (rc)
				return rc;
		}
	}
}

/**
 * iommufd_ioas_copy() - map memory that is already mapped elsewhere, and share it
 * @dst: IOAS to map in
 * @op: the operation
 * @src: IOAS to copy from, may be @dst
 * @src_iova: first IOVA in @src; all of the range must be mapped
 * @length: bytes
 * @dst_iova: the IOVA to map at, if @fixed; out: the IOVA of the mapping
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 * @fixed: @dst_iova is an input
 *
 * Return: as iommufd_ioas_map(); -ENOENT: not all of the range is mapped; -EPERM: the memory was
 * mapped read-only and the copy is to be writeable.
 */
int iommufd_ioas_copy(struct iommufd_ioas *dst, struct iommufd_op *op, struct iommufd_ioas *src,
		      unsigned long src_iova, unsigned long length, unsigned long *dst_iova,
		      int iommu_prot, bool fixed)
{
	LIST_HEAD(areas);
	int rc;

	rc = iommufd_check_range(op, src_iova, length);
	if (!rc && fixed)
		rc = iommufd_check_range(op, *dst_iova, length);
	if (rc)
		return rc;

	rc = iommufd_op_down_read(op, &src->iova_lock);
	if (rc)
		return rc;
	rc = collect_copies(src, op, src_iova, src_iova + (length - 1), iommu_prot | IOMMU_CACHE,
			    &areas);
	up_read(&src->iova_lock);
	if (rc) {
		iommufd_areas_free(&areas);
		return rc;
	}
	return map_areas(dst, op, &areas, length, dst_iova, fixed);
}

static int split_area(struct iommufd_ioas *ioas, struct iommufd_op *op, struct iommufd_area *area,
		      unsigned long iova)
{
	unsigned long offset = area->offset + (iova - area->iova);
	bool mapped = area->mapped;
	struct iommufd_area *tail;
	int rc = 0;

	if (area->state != IOMMUFD_AREA_READY)
		return iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_area_in_use, area->iova,
				       area->last);
	/* The pins of accesses count in whole areas. */
	if (atomic_read(&area->accesses))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_unmap_splits_area, area->iova,
				       area->last);
	if ((iova | offset) & (ioas->iova_alignment - 1))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, iova,
				       ioas->iova_alignment);
	tail = alloc_area(op, area->prot);
	if (!tail)
		return -ENOMEM;

	mutex_lock(&area->pages->mutex);
	if (area->pinned)
		rc = iommufd_pages_split(area->pages, offset >> PAGE_SHIFT, offset & ~PAGE_MASK);
	mutex_unlock(&area->pages->mutex);
	if (rc) {
		iommufd_area_free(tail);
		return iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0);
	}

	tail->iova = iova;
	tail->last = area->last;
	tail->offset = offset;
	tail->pages = area->pages;
	kref_get(&tail->pages->kref);
	tail->state = IOMMUFD_AREA_READY;
	tail->pinned = area->pinned;
	iommufd_area_erase(ioas, area);
	iommufd_area_set_mapped(ioas, area, false);
	area->last = iova - 1;
	iommufd_area_insert(ioas, area);
	iommufd_area_insert(ioas, tail);
	iommufd_ctx_sum_areas(ioas->ictx, 1, 0);
	if (mapped) {
		iommufd_area_count(area, ioas->huge_pages);
		iommufd_area_count(tail, ioas->huge_pages);
		iommufd_area_set_mapped(ioas, area, true);
		iommufd_area_set_mapped(ioas, tail, true);
	}
	return 0;
}

/*
 * Splits the area that covers an IOVA, if there is one.  hwpt_lock is held for write, so a ready
 * area stays what it is while iova_lock is not held for the calls to the IOMMU drivers.
 */
static int split_at(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova)
{
	struct iommufd_area *area;
	bool huge;
	int rc;

	rc = iommufd_op_down_read(op, &ioas->iova_lock);
	if (rc)
		return rc;
	area = iommufd_area_from(ioas, iova);
	if (area && area->iova >= iova)
		area = NULL;
	huge = area && smp_load_acquire(&area->state) == IOMMUFD_AREA_READY && area->mapped &&
	       ioas->huge_pages && !(iova & ~PAGE_MASK);
	up_read(&ioas->iova_lock);
	if (!area)
		return 0;
	rc = huge ? iommufd_area_break(ioas, op, area, iova) : 0;
	if (rc)
		return rc;

	rc = iommufd_op_down_write(op, &ioas->iova_lock);
	if (rc)
		return rc;
	area = iommufd_area_from(ioas, iova);
	if (area && area->iova < iova)
		rc = split_area(ioas, op, area, iova);
	up_write(&ioas->iova_lock);
	return rc;
}

/**
 * iommufd_ioas_split() - split areas, as an unmap of the original VFIO type1 may need
 * @ioas: the IOAS, which permits cuts or has no huge pages
 * @op: the operation
 * @iovas: IOVAs at which an area that covers them is split
 * @nr: number of IOVAs
 *
 * Return: 0; -EINVAL: an area cannot be split at that IOVA; -EBUSY: another call is mapping or
 * unmapping it; -ENOMEM; -EINTR.  Areas that were already split stay split.
 */
int iommufd_ioas_split(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       const unsigned long *iovas, unsigned int nr)
{
	unsigned int i;
	int rc;

	rc = iommufd_op_down_write(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	for (i = 0; i < nr && !rc; i++)
		rc = split_at(ioas, op, iovas[i]);
	up_write(&ioas->hwpt_lock);
	return rc;
}
