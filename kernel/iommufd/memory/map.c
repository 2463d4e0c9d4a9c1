// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map, copy and split: how areas come.  area.h describes the life of one.
 *
 * A map faults in the memory of its area, which may take for ever.  It holds no lock then: the area
 * is pending, which is all that keeps its range.  What it decided before, whether the IOAS needs
 * its memory pinned, is looked at again once hwpt_lock is held.
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
 * Give new areas their place.  They hold lengths in iova..last as if the first began at IOVA 0,
 * and are moved to where there is room for all of them in one piece.
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
 * Pin new areas if the IOAS needs it, and take hwpt_lock for read, so that it stays so.  Nothing is
 * locked while memory is pinned: HWPTs may come and go meanwhile.
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
 * From now on another thread that finds an area under iova_lock may use what is behind it, and may
 * unmap and free it.  So nothing of an area is touched once it is ready and iova_lock is free.
 * Several areas become ready at once, or an unmap would find a part of a copy.
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

/* Map new areas, as place_areas() wants them, all or none; frees them on failure. */
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
 * @iova: where to, if @fixed; out: where it was mapped
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 * @fixed: @iova is given
 *
 * Return: 0; -EINVAL: zero length, misaligned, reserved; -EOVERFLOW; -EEXIST: something is mapped
 * there; -ENOSPC: no room; -EFAULT: the memory is not there; -ENOMEM: out of memory or
 * RLIMIT_MEMLOCK; or what the IOMMU driver says.  Nothing is mapped then.
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
	/* The last page must be countable from the first: no address space has this many. */
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

/* Make areas for a copy of [iova, last] of @src; the caller owns what is in the list, always. */
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
 * iommufd_ioas_copy() - map what is mapped elsewhere, sharing the memory
 * @dst: IOAS to map in
 * @op: the operation
 * @src: IOAS to copy from, may be @dst
 * @src_iova: first IOVA there; all of the range must be mapped
 * @length: bytes
 * @dst_iova: where to, if @fixed; out: where it was mapped
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 * @fixed: @dst_iova is given
 *
 * Return: as iommufd_ioas_map(); -ENOENT: not all of the range is mapped; -EPERM: it was mapped
 * read-only and a writeable copy is wanted.
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
	/* The IOMMU cannot unmap a half of a large page, and access pins know whole areas only. */
	if (atomic_read(&area->accesses) || (area->mapped && ioas->huge_pages))
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
		iommufd_area_count(area);
		iommufd_area_count(tail);
		iommufd_area_set_mapped(ioas, area, true);
		iommufd_area_set_mapped(ioas, tail, true);
	}
	return 0;
}

/**
 * iommufd_ioas_split() - cut areas in two, as VFIO's first type1 lets an unmap do
 * @ioas: the IOAS; huge pages are off
 * @op: the operation
 * @iovas: IOVAs that begin an area afterwards, where one lies across
 * @nr: how many
 *
 * Return: 0; -EINVAL: an area cannot be cut there; -EBUSY: another call is mapping or unmapping it;
 * -ENOMEM; -EINTR.  Areas cut already stay so.
 */
int iommufd_ioas_split(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       const unsigned long *iovas, unsigned int nr)
{
	unsigned int i;
	int rc;

	rc = iommufd_op_down_write(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	rc = iommufd_op_down_write(op, &ioas->iova_lock);
	if (rc)
		goto out_unlock;
	for (i = 0; i < nr && !rc; i++) {
		struct iommufd_area *area = iommufd_area_from(ioas, iovas[i]);

		if (area && area->iova < iovas[i])
			rc = split_area(ioas, op, area, iovas[i]);
	}
	up_write(&ioas->iova_lock);
out_unlock:
	up_write(&ioas->hwpt_lock);
	return rc;
}
