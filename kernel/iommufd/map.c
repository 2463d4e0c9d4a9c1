// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map, copy, unmap and split: areas come and go.  area.h tells the life of one.
 */
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "area.h"
#include "iommufd_private.h"

/* Areas that an unmap takes at a time, so that one of millions does not keep the lock. */
#define UNMAP_BATCH		512

/* How often an unmap asks accesses to leave before it gives up. */
#define NOTIFY_TRIES		100

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
	area->no_access = false;
	area->extents = 0;
	area->huge_extents = 0;
	area->huge_blocks = 0;
	return area;
}

static void free_area(struct iommufd_area *area)
{
	if (area->pages)
		iommufd_pages_put(area->pages);
	kfree(area);
}

static void free_areas(struct list_head *areas)
{
	struct iommufd_area *area, *next;

	list_for_each_entry_safe(area, next, areas, item)
		free_area(area);
	INIT_LIST_HEAD(areas);
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
		area->iova += *iova;
		area->last += *iova;
		iommufd_area_insert(ioas, area);
	}
	return 0;
}

/* Map new areas, as place_areas() wants them, all or none; frees them on failure. */
static int map_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas,
		     unsigned long length, unsigned long *iova, bool fixed)
{
	struct iommufd_area *area;
	int rc;

	iommufd_op_down_read(op, &ioas->hwpt_lock);
	iommufd_op_down_write(op, &ioas->iova_lock);
	rc = place_areas(ioas, op, areas, length, iova, fixed);
	up_write(&ioas->iova_lock);
	if (rc)
		goto out_free;
	if (op->armed)
		op->iova = *iova;

	if (ioas->nr_hwpts) {
		list_for_each_entry(area, areas, item) {
			rc = iommufd_area_fill(ioas, op, area);
			if (rc)
				goto out_empty;
		}
		iommufd_op_phase(op, IOMMUFD_PHASE_other);
	}
	/* Whoever finds the area under iova_lock from now on may use what is behind it. */
	list_for_each_entry(area, areas, item)
		smp_store_release(&area->state, IOMMUFD_AREA_READY);
	up_read(&ioas->hwpt_lock);
	return 0;

out_empty:
	iommufd_areas_empty(ioas, op, areas);
	down_write(&ioas->iova_lock);
	list_for_each_entry(area, areas, item)
		iommufd_area_erase(ioas, area);
	up_write(&ioas->iova_lock);
out_free:
	up_read(&ioas->hwpt_lock);
	free_areas(areas);
	return rc;
}

static inline int check_range(struct iommufd_op *op, unsigned long start, unsigned long length)
{
	unsigned long last;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	if (check_add_overflow(start, length - 1, &last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, start, length);
	return 0;
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

	rc = check_range(op, user_va, length);
	if (!rc && fixed)
		rc = check_range(op, *iova, length);
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
		free_area(area);
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
	unsigned long start = iova;

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

	rc = check_range(op, src_iova, length);
	if (!rc && fixed)
		rc = check_range(op, *dst_iova, length);
	if (rc)
		return rc;

	iommufd_op_down_read(op, &src->iova_lock);
	rc = collect_copies(src, op, src_iova, src_iova + (length - 1), iommu_prot | IOMMU_CACHE,
			    &areas);
	up_read(&src->iova_lock);
	if (rc) {
		free_areas(&areas);
		return rc;
	}
	return map_areas(dst, op, &areas, length, dst_iova, fixed);
}

/* An unmap takes whole areas: neither end of its range may lie within one. */
static int check_ends(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		      unsigned long last)
{
	struct iommufd_area *area = iommufd_area_from(ioas, iova);

	if (area && area->iova < iova)
		goto splits;
	area = iommufd_area_from(ioas, last);
	if (area && area->iova <= last && area->last > last)
		goto splits;
	return 0;
splits:
	return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_unmap_splits_area, area->iova,
			       area->last);
}

/*
 * Make up to a batch of the areas in a range dying and put them in a list.  An area that accesses
 * use is not, but ends the batch; if it is the first, -EBUSY tells the caller to notify.
 */
static int take_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		      unsigned long last, struct list_head *areas, struct iommufd_area **in_use)
{
	struct iommufd_area *area;
	unsigned int nr = 0;

	*in_use = NULL;
	for (area = iommufd_area_from(ioas, iova); area && area->iova <= last && nr < UNMAP_BATCH;
	     area = iommufd_area_next(area), nr++) {
		if (smp_load_acquire(&area->state) != IOMMUFD_AREA_READY) {
			if (nr)
				return 0;
			return iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_area_in_use, area->iova,
					       area->last);
		}
		area->no_access = true;
		if (atomic_read(&area->accesses)) {
			*in_use = area;
			return nr ? 0 : -EAGAIN;
		}
		area->state = IOMMUFD_AREA_DYING;
		list_add_tail(&area->item, areas);
	}
	return 0;
}

static void erase_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct list_head *areas,
			unsigned long *unmapped)
{
	struct iommufd_area *area;

	iommufd_op_down_write(op, &ioas->iova_lock);
	list_for_each_entry(area, areas, item) {
		iommufd_area_erase(ioas, area);
		*unmapped += area_length(area);
	}
	up_write(&ioas->iova_lock);
	free_areas(areas);
}

/* The unmap gave up: the area stays, as usable as before. */
static void allow_access(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct iommufd_area *area;

	down_write(&ioas->iova_lock);
	area = iommufd_area_from(ioas, iova);
	if (area && area->iova == iova)
		area->no_access = false;
	up_write(&ioas->iova_lock);
}

/* Of a range that is not the whole of the space, something must be mapped. */
static int unmap_range(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long last, bool killable, unsigned long *unmapped)
{
	unsigned int tries = 0;
	int rc;

	*unmapped = 0;
	for (;;) {
		struct iommufd_area *in_use;
		unsigned long start, length;
		LIST_HEAD(areas);

		iommufd_op_down_read(op, &ioas->hwpt_lock);
		iommufd_op_down_write(op, &ioas->iova_lock);
		rc = check_ends(ioas, op, iova, last);
		if (!rc)
			rc = take_areas(ioas, op, iova, last, &areas, &in_use);
		if (rc == -EAGAIN) {
			start = in_use->iova;
			length = area_length(in_use);
		}
		up_write(&ioas->iova_lock);

		if (rc || list_empty(&areas)) {
			up_read(&ioas->hwpt_lock);
			if (!rc && !*unmapped && (iova || last != ULONG_MAX))
				rc = iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped,
						     iova, last);
			if (rc != -EAGAIN)
				break;
			if (tries++ == NOTIFY_TRIES) {
				allow_access(ioas, start);
				rc = iommufd_op_fail(op, -EDEADLOCK, IOMMUFD_REASON_area_in_use,
						     start, start + (length - 1));
				break;
			}
			iommufd_ioas_notify_unmap(ioas, start, length);
			continue;
		}
		tries = 0;
		iommufd_areas_empty(ioas, op, &areas);
		iova = list_last_entry(&areas, struct iommufd_area, item)->last;
		erase_areas(ioas, op, &areas, unmapped);
		up_read(&ioas->hwpt_lock);
		if (iova == last || iova == ULONG_MAX)
			break;
		iova++;
		if (killable && fatal_signal_pending(current)) {
			rc = iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
			break;
		}
		cond_resched();
	}
	return rc;
}

/**
 * iommufd_ioas_unmap() - unmap all areas in a range
 * @ioas: the IOAS
 * @op: the operation
 * @iova: first IOVA
 * @length: bytes; the range may be larger than the areas, but not cut one
 * @unmapped: out: bytes that were unmapped, on failure as well
 *
 * Return: 0; -EINVAL, -EOVERFLOW: a bad range; -ENOENT: nothing is mapped in it, or an area would
 * be cut (nothing is unmapped then); -EBUSY: another call is mapping or unmapping in it;
 * -EDEADLOCK: an access does not let go; -EINTR: a fatal signal came between two batches of areas.
 */
int iommufd_ioas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long length, unsigned long *unmapped)
{
	int rc;

	*unmapped = 0;
	rc = check_range(op, iova, length);
	if (rc)
		return rc;
	return unmap_range(ioas, op, iova, iova + (length - 1), true, unmapped);
}

/**
 * iommufd_ioas_unmap_all() - unmap all areas
 * @ioas: the IOAS
 * @op: the operation
 * @killable: a fatal signal ends it between batches; false where nobody could go on later
 * @unmapped: out: bytes that were unmapped
 *
 * Return: 0, also when nothing was mapped; -EBUSY and -EDEADLOCK as iommufd_ioas_unmap(); -EINTR.
 */
int iommufd_ioas_unmap_all(struct iommufd_ioas *ioas, struct iommufd_op *op, bool killable,
			   unsigned long *unmapped)
{
	return unmap_range(ioas, op, 0, ULONG_MAX, killable, unmapped);
}

static int split_area(struct iommufd_ioas *ioas, struct iommufd_op *op, struct iommufd_area *area,
		      unsigned long iova)
{
	unsigned long offset = area->offset + (iova - area->iova);
	bool mapped = area->mapped;
	struct iommufd_area *tail;
	int rc = 0;

	/* The IOMMU cannot unmap a half of a large page, and access pins know whole areas only. */
	if (area->state != IOMMUFD_AREA_READY || atomic_read(&area->accesses) ||
	    (area->mapped && ioas->huge_pages))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_unmap_splits_area, area->iova,
				       area->last);
	if ((iova | offset) & (ioas->iova_alignment - 1))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, iova,
				       ioas->iova_alignment);
	tail = alloc_area(op, area->prot);
	if (!tail)
		return -ENOMEM;

	mutex_lock(&area->pages->mutex);
	if (area->mapped)
		rc = iommufd_pages_split(area->pages, offset >> PAGE_SHIFT, offset & ~PAGE_MASK);
	mutex_unlock(&area->pages->mutex);
	if (rc) {
		free_area(tail);
		return iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0);
	}

	tail->iova = iova;
	tail->last = area->last;
	tail->offset = offset;
	tail->pages = area->pages;
	kref_get(&tail->pages->kref);
	tail->state = IOMMUFD_AREA_READY;
	iommufd_area_erase(ioas, area);
	iommufd_area_set_mapped(ioas, area, false);
	area->last = iova - 1;
	iommufd_area_insert(ioas, area);
	iommufd_area_insert(ioas, tail);
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
 * Return: 0; -EINVAL: an area cannot be cut there; -ENOMEM.  Areas cut already stay so.
 */
int iommufd_ioas_split(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       const unsigned long *iovas, unsigned int nr)
{
	unsigned int i;
	int rc = 0;

	down_write(&ioas->hwpt_lock);
	down_write(&ioas->iova_lock);
	for (i = 0; i < nr && !rc; i++) {
		struct iommufd_area *area = iommufd_area_from(ioas, iovas[i]);

		if (area && area->iova < iovas[i])
			rc = split_area(ioas, op, area, iovas[i]);
	}
	up_write(&ioas->iova_lock);
	up_write(&ioas->hwpt_lock);
	return rc;
}
