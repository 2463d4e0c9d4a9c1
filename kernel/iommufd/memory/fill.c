// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping areas into HWPTs and unmapping them.
 *
 * The memory of an area is pinned first (pinned.c, map.c), without any lock.  From then on, the
 * record of its extents is sufficient: filling an HWPT and unpinning walk that record, and nothing
 * is ever read back from a page table.  Code that works on HWPTs holds hwpt_lock and never faults.
 *
 * An IOMMU driver maps and unmaps a range in one call, however long it is.  Calls are therefore
 * limited to steps of 1 GiB, aligned so that they split no page of the IOMMU, and other threads can
 * run between two steps.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "memory/area.h"
#include "ctx.h"
#include "iommufd_private.h"
#include "iommufd.h"

/* Largest range that one call to an IOMMU driver handles. */
#define STEP SZ_1G

/* Extents that are mapped between two checks for signals. */
#define EXTENTS_PER_LOOK 512

/**
 * iommufd_area_pin() - pin the memory of an area, as one user
 * @area: the area, owned by the caller
 * @op: the operation
 *
 * May fault, so the caller must not hold a lock.
 *
 * Return: 0 or a negative errno.
 */
int iommufd_area_pin(struct iommufd_area *area, struct iommufd_op *op)
{
	int rc = iommufd_pages_pin(area->pages, op, area_first_page(area), area_last_page(area));

	if (!rc)
		area->pinned = true;
	return rc;
}

/**
 * iommufd_areas_unpin() - unpin the memory of areas
 * @ioas: the IOAS
 * @op: the operation; the phase unpin is charged
 * @areas: the areas, by iommufd_area.item, owned by the caller and in no HWPT; some may not be
 *	pinned
 */
void iommufd_areas_unpin(struct iommufd_ioas *ioas, struct iommufd_op *op,
			 struct list_head *areas)
{
	struct iommufd_area *area;

	iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
	list_for_each_entry(area, areas, item) {
		if (!area->pinned)
			continue;
		area->pinned = false;
		iommufd_area_set_mapped(ioas, area, false);
		iommufd_pages_unpin(area->pages, op, area_first_page(area), area_last_page(area));
		if (!list_is_last(&area->item, areas))
			cond_resched();
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
}

/* Adds @area to the sums of its IOAS (or subtracts it), which count it while it is in the HWPTs. */
static void add_stats(struct iommufd_ioas *ioas, const struct iommufd_area *area, int sign)
{
	u64 nr_pages = area_last_page(area) - area_first_page(area) + 1;
	struct iommufd_ctx_sums __percpu *sums = ioas->ictx->sums;

	lockdep_assert_held(&ioas->stats_lock);
	ioas->stats.pinned_bytes += sign * nr_pages * PAGE_SIZE;
	ioas->stats.extents += sign * (u64)area->extents;
	ioas->stats.huge_extents += sign * (u64)area->huge_extents;
	ioas->stats.huge_bytes += sign * (u64)area->huge_blocks * PMD_SIZE;
	this_cpu_add(sums->extents, sign * (s64)area->extents);
	if (!area->huge_extents)
		return;
	this_cpu_add(sums->huge_extents, sign * (s64)area->huge_extents);
	this_cpu_add(sums->huge_bytes, sign * (s64)area->huge_blocks * PMD_SIZE);
}

/**
 * iommufd_area_set_mapped() - note that an area is now mapped in the HWPTs, or no longer
 * @ioas: its IOAS
 * @area: the area; if it is mapped, it is pinned and iommufd_area_map_hwpt() has counted its
 *	extents
 * @mapped: whether it is mapped
 */
void iommufd_area_set_mapped(struct iommufd_ioas *ioas, struct iommufd_area *area, bool mapped)
{
	spin_lock(&ioas->stats_lock);
	if (area->mapped != mapped)
		add_stats(ioas, area, mapped ? 1 : -1);
	area->mapped = mapped;
	spin_unlock(&ioas->stats_lock);
}

/*
 * Counts the PMD_SIZE blocks of a run that the IOMMU can map with one entry each: IOVA and physical
 * address are both aligned.
 */
static unsigned long huge_blocks(unsigned long iova, phys_addr_t phys, unsigned long length)
{
	unsigned long pad = -iova & (PMD_SIZE - 1);

	if (length < PMD_SIZE || ((iova ^ phys) & (PMD_SIZE - 1)) || length < pad)
		return 0;
	return (length - pad) / PMD_SIZE;
}

/* Length of the step that starts at @iova. */
static size_t step_length(unsigned long iova, size_t left)
{
	return min_t(size_t, STEP - (iova & (STEP - 1)), left);
}

/* Unmaps a range from a domain. */
static __always_inline size_t unmap_range(struct iommu_domain *domain, unsigned long iova,
					  size_t length, struct iommu_iotlb_gather *gather)
{
	size_t done = 0;

	for (;;) {
		size_t step = step_length(iova + done, length - done);
		size_t unmapped = iommu_unmap_fast(domain, iova + done, step, gather);

		done += unmapped;
		if (done == length || unmapped < step)
			return done;
		cond_resched();
	}
}

/* The same with its own invalidation, for cleanup after a failure. */
static void undo_range(struct iommu_domain *domain, unsigned long iova, size_t length)
{
	struct iommu_iotlb_gather gather;

	if (!length)
		return;
	iommu_iotlb_gather_init(&gather);
	unmap_range(domain, iova, length, &gather);
	iommu_iotlb_sync(domain, &gather);
}

static int map_range(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		     size_t length, int prot, bool huge_pages)
{
	size_t done = 0;

	for (;;) {
		size_t step = huge_pages ? step_length(iova + done, length - done) :
					   min_t(size_t, PAGE_SIZE, length - done);
		int rc = iommu_map(domain, iova + done, phys + done, step, prot,
				   GFP_KERNEL_ACCOUNT);

		if (rc) {
			undo_range(domain, iova, done);
			return rc;
		}
		done += step;
		if (done == length)
			return 0;
		cond_resched();
	}
}

/**
 * iommufd_area_count() - count the extents of an area that was split off another
 * @area: the area, pinned and mapped, and consisting of whole pages
 * @huge_pages: contiguous memory was merged
 */
void iommufd_area_count(struct iommufd_area *area, bool huge_pages)
{
	unsigned long left = area_last_page(area) - area_first_page(area) + 1, pfn, nr;
	unsigned long iova = area->iova;
	struct iommufd_page_cursor cursor;

	area->extents = 0;
	area->huge_extents = 0;
	area->huge_blocks = 0;
	iommufd_pages_seek(&cursor, area->pages, area_first_page(area));
	for (; left; left -= nr) {
		nr = iommufd_pages_next(&cursor, left, &pfn);
		area->extents++;
		if (nr >= PMD_SIZE / PAGE_SIZE)
			area->huge_extents++;
		if (huge_pages)
			area->huge_blocks += huge_blocks(iova, PFN_PHYS(pfn), nr * PAGE_SIZE);
		iova += nr * PAGE_SIZE;
	}
}

/*
 * Finds the page of the IOMMU that has memory of an area on both sides of @iova.  iommu_map() uses
 * the largest page that its range, the alignment and the IOMMU permit.  So it is the largest
 * aligned block around @iova that is contiguous and within the area.  Returns its size, or 0 if
 * there is none; out: the physical address of @iova.
 */
static size_t page_around(const struct iommufd_area *area, const struct iommu_domain *domain,
			  unsigned long iova, phys_addr_t *phys)
{
	unsigned long index = (area->offset + (iova - area->iova)) >> PAGE_SHIFT;
	unsigned long before, after, pfn;
	struct iommufd_page_cursor cursor;
	size_t size;

	iommufd_pages_seek(&cursor, area->pages, index);
	before = min(cursor.extent.skip * PAGE_SIZE, iova - area->iova);
	after = iommufd_pages_next(&cursor, ULONG_MAX >> PAGE_SHIFT, &pfn) * PAGE_SIZE;
	after = min(after, area->last - iova + 1);
	*phys = PFN_PHYS(pfn);
	for (size = STEP; size > PAGE_SIZE; size >>= 1) {
		unsigned long inside = iova & (size - 1);

		if (!(domain->pgsize_bitmap & size) || ((iova ^ *phys) & (size - 1)))
			continue;
		if (inside && inside <= before && size - inside <= after)
			return size;
	}
	return 0;
}

/* Maps a page of the IOMMU again as two parts.  DMA to it fails for this moment. */
static int break_page(struct iommufd_area *area, struct iommufd_op *op, struct iommufd_hwpt *hwpt,
		      unsigned long iova)
{
	struct iommu_domain *domain = hwpt->domain;
	unsigned long start, inside;
	phys_addr_t phys;
	size_t size;
	int rc;

	size = page_around(area, domain, iova, &phys);
	if (!size)
		return 0;
	inside = iova & (size - 1);
	start = iova - inside;
	undo_range(domain, start, size);
	rc = map_range(domain, start, phys - inside, inside, area->prot, true);
	if (rc)
		goto out_restore;
	rc = map_range(domain, iova, phys, size - inside, area->prot, true);
	if (!rc)
		return 0;
	undo_range(domain, start, inside);
out_restore:
	/* The table that had the entry still exists, so this allocates nothing. */
	WARN_ON_ONCE(map_range(domain, start, phys - inside, size, area->prot, true));
	return iommufd_op_fail(op, rc, IOMMUFD_REASON_domain_map_failed, iova, -rc);
}

/**
 * iommufd_area_break() - make an IOVA within an area the boundary of two pages in every HWPT
 * @ioas: the IOAS, hwpt_lock held for write
 * @op: the operation
 * @area: the area, mapped, and consisting of whole pages
 * @iova: the IOVA, not the first of the area
 *
 * Return: 0, or the error of an IOMMU driver; the area is mapped in any case.
 */
int iommufd_area_break(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       struct iommufd_area *area, unsigned long iova)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	lockdep_assert_held_write(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item) {
		rc = break_page(area, op, hwpt, iova);
		if (rc)
			return rc;
	}
	return 0;
}

/**
 * iommufd_area_map_hwpt() - map an area into an HWPT
 * @area: the area, its memory pinned
 * @op: the operation; the phase map is charged
 * @hwpt: the HWPT
 * @huge_pages: contiguous memory may be merged
 *
 * Return: 0; -EINTR if a fatal signal arrived; or the error of the IOMMU driver.  On failure no
 * part of the area is in the HWPT.
 */
int iommufd_area_map_hwpt(struct iommufd_area *area, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt, bool huge_pages)
{
	unsigned long left = area_length(area), iova = area->iova, nr_extents = 0;
	unsigned long nr_huge = 0, nr_blocks = 0;
	unsigned long skip = area->offset & ~PAGE_MASK;
	struct iommufd_page_cursor cursor;
	int rc = 0;

	iommufd_op_phase(op, IOMMUFD_PHASE_map);
	iommufd_pages_seek(&cursor, area->pages, area_first_page(area));
	while (left) {
		unsigned long pfn, nr_pages, length;

		nr_pages = iommufd_pages_next(&cursor, ULONG_MAX >> PAGE_SHIFT, &pfn);
		length = min(nr_pages * PAGE_SIZE - skip, left);
		rc = map_range(hwpt->domain, iova, PFN_PHYS(pfn) + skip, length, area->prot,
			       huge_pages);
		if (rc)
			break;
		if (length >= PMD_SIZE) {
			nr_huge++;
			nr_blocks += huge_blocks(iova, PFN_PHYS(pfn) + skip, length);
		}
		skip = 0;
		left -= length;
		iova += length;
		if (!(++nr_extents % EXTENTS_PER_LOOK)) {
			cond_resched();
			if (left && fatal_signal_pending(current)) {
				rc = iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
				break;
			}
		}
	}
	trace_iommufd_domain_map(hwpt->obj.id, area->iova, area_length(area), rc);

	if (rc) {
		iommufd_op_fail(op, rc, IOMMUFD_REASON_domain_map_failed, iova, -rc);
		undo_range(hwpt->domain, area->iova, iova - area->iova);
		return rc;
	}
	iommufd_op_add(op, &op->extents, nr_extents);
	/*
	 * Every HWPT gets the same extents, so they are counted only once.  Huge pages are on or
	 * off for the whole IOAS.
	 */
	if (!area->mapped) {
		area->extents = nr_extents;
		area->huge_extents = nr_huge;
		area->huge_blocks = huge_pages ? nr_blocks : 0;
	}
	return 0;
}

/* Inline for the loop over areas, where a call would be a large part of the cost of an area. */
static __always_inline void unmap_hwpt(struct iommufd_area *area, struct iommufd_hwpt *hwpt,
				       struct iommu_iotlb_gather *gather)
{
	size_t length = area_length(area);
	size_t unmapped = unmap_range(hwpt->domain, area->iova, length, gather);

	/* The IOMMU driver lost a part of the table, so the device can still reach the memory. */
	WARN_ON_ONCE(unmapped < length);
	trace_iommufd_domain_unmap(hwpt->obj.id, area->iova, length, 0);
}

/**
 * iommufd_area_unmap_hwpt() - unmap an area from an HWPT; its memory stays pinned
 * @area: the area
 * @hwpt: the HWPT
 * @gather: collects the ranges that iommu_iotlb_sync() must invalidate before the memory is
 *	unpinned
 */
void iommufd_area_unmap_hwpt(struct iommufd_area *area, struct iommufd_hwpt *hwpt,
			     struct iommu_iotlb_gather *gather)
{
	unmap_hwpt(area, hwpt, gather);
}

/* Unmaps areas from one HWPT, with a single invalidation for all of them. */
static void unmap_areas(struct iommufd_op *op, struct list_head *areas, struct iommufd_hwpt *hwpt)
{
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	iommu_iotlb_gather_init(&gather);
	iommufd_op_phase(op, IOMMUFD_PHASE_unmap);
	list_for_each_entry(area, areas, item) {
		if (area->mapped)
			unmap_hwpt(area, hwpt, &gather);
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_sync);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/**
 * iommufd_area_fill() - map a new area into every HWPT of its IOAS
 * @ioas: the IOAS, hwpt_lock held for read
 * @op: the operation
 * @area: the area, pending, and pinned if there is an HWPT
 *
 * Return: 0 or a negative errno.  On failure the area is in no HWPT.
 */
int iommufd_area_fill(struct iommufd_ioas *ioas, struct iommufd_op *op,
		      struct iommufd_area *area)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	lockdep_assert_held(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item) {
		rc = iommufd_area_map_hwpt(area, op, hwpt, ioas->huge_pages);
		if (rc)
			goto out_unmap;
	}
	if (ioas->nr_hwpts)
		iommufd_area_set_mapped(ioas, area, true);
	return 0;

out_unmap:
	list_for_each_entry_continue_reverse(hwpt, &ioas->hwpts, ioas_item)
		undo_range(hwpt->domain, area->iova, area_length(area));
	return rc;
}

/**
 * iommufd_areas_unmap() - unmap areas from every HWPT of their IOAS
 * @ioas: the IOAS, hwpt_lock held
 * @op: the operation; the phases unmap and sync are charged
 * @areas: the areas, by iommufd_area.item, owned by the caller; those that are mapped are in every
 *	HWPT
 */
void iommufd_areas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op,
			 struct list_head *areas)
{
	struct iommufd_hwpt *hwpt;

	lockdep_assert_held(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item)
		unmap_areas(op, areas, hwpt);
}
