// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between areas and HWPTs.
 *
 * The memory of an area is pinned before (pinned.c, map.c), without any lock.  From then on the
 * record of its extents is all that is needed: filling an HWPT walks it, and so does unpinning;
 * nothing is ever read back from a page table.  What works on HWPTs holds hwpt_lock and never
 * faults.
 *
 * IOMMU drivers map and unmap a range in one go, however long.  So they are given 1 GiB at most,
 * which cuts no page of theirs, and between two steps others run.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "memory/area.h"
#include "ctx.h"
#include "iommufd_private.h"
#include "iommufd.h"

/* What an IOMMU driver is asked to do at once. */
#define STEP SZ_1G

/* How many extents are mapped between two looks at signals. */
#define EXTENTS_PER_LOOK 512

/**
 * iommufd_area_pin() - pin the memory of an area, as one user
 * @area: the area, the caller's
 * @op: the operation
 *
 * Faults: no lock is held.
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
 * @op: the operation; phase unpin is charged
 * @areas: the areas, by iommufd_area.item, the caller's and in no HWPT; some may not be pinned
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

/* What @area adds to the sums of its IOAS while it is in the HWPTs. */
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
 * iommufd_area_set_mapped() - an area is in the HWPTs from now on, or no longer
 * @ioas: its IOAS
 * @area: the area, pinned and known by iommufd_area_map_hwpt() if it is in them
 * @mapped: which
 */
void iommufd_area_set_mapped(struct iommufd_ioas *ioas, struct iommufd_area *area, bool mapped)
{
	spin_lock(&ioas->stats_lock);
	if (area->mapped != mapped)
		add_stats(ioas, area, mapped ? 1 : -1);
	area->mapped = mapped;
	spin_unlock(&ioas->stats_lock);
}

/* Whole PMD_SIZEs in a run that the IOMMU can have as one entry each: aligned on both sides. */
static unsigned long huge_blocks(unsigned long iova, phys_addr_t phys, unsigned long length)
{
	unsigned long pad = -iova & (PMD_SIZE - 1);

	if (length < PMD_SIZE || ((iova ^ phys) & (PMD_SIZE - 1)) || length < pad)
		return 0;
	return (length - pad) / PMD_SIZE;
}

/* Up to where a step goes that begins at @iova. */
static size_t step_length(unsigned long iova, size_t left)
{
	return min_t(size_t, STEP - (iova & (STEP - 1)), left);
}

/* Take a range out of a domain. */
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

/* The same with an invalidation of its own, for what is undone. */
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
 * iommufd_area_count() - count the extents of an area that was cut out of another
 * @area: the area, pinned, and mapped without huge pages
 */
void iommufd_area_count(struct iommufd_area *area)
{
	unsigned long left = area_last_page(area) - area_first_page(area) + 1, pfn, nr;
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
	}
}

/**
 * iommufd_area_map_hwpt() - map an area into an HWPT
 * @area: the area, its memory pinned
 * @op: the operation; phase map is charged
 * @hwpt: the HWPT
 * @huge_pages: contiguous memory may be combined
 *
 * Return: 0; -EINTR if a fatal signal came; or what the IOMMU driver said.  Nothing of the area is
 * in the HWPT then.
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
	/* Every HWPT is told the same extents; huge pages are not for all areas or for none. */
	if (!area->mapped) {
		area->extents = nr_extents;
		area->huge_extents = nr_huge;
		area->huge_blocks = huge_pages ? nr_blocks : 0;
	}
	return 0;
}

/* In line in the loop over areas: a call would be a good part of what an area costs there. */
static __always_inline void unmap_hwpt(struct iommufd_area *area, struct iommufd_hwpt *hwpt,
				       struct iommu_iotlb_gather *gather)
{
	size_t length = area_length(area);
	size_t unmapped = unmap_range(hwpt->domain, area->iova, length, gather);

	/* The IOMMU driver lost a part of the table: the device can still reach the memory. */
	WARN_ON_ONCE(unmapped < length);
	trace_iommufd_domain_unmap(hwpt->obj.id, area->iova, length, 0);
}

/**
 * iommufd_area_unmap_hwpt() - take an area out of an HWPT; its memory stays pinned
 * @area: the area
 * @hwpt: the HWPT
 * @gather: collects what iommu_iotlb_sync() has to invalidate before the memory is unpinned
 */
void iommufd_area_unmap_hwpt(struct iommufd_area *area, struct iommufd_hwpt *hwpt,
			     struct iommu_iotlb_gather *gather)
{
	unmap_hwpt(area, hwpt, gather);
}

/* Take areas out of one HWPT, with one invalidation for all of them. */
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
 * Return: 0 or a negative errno; the area is in no HWPT then.
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
 * iommufd_areas_unmap() - take areas out of every HWPT of their IOAS
 * @ioas: the IOAS, hwpt_lock held
 * @op: the operation; phases unmap and sync are charged
 * @areas: the areas, by iommufd_area.item, the caller's; those that are mapped are in every HWPT
 */
void iommufd_areas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op,
			 struct list_head *areas)
{
	struct iommufd_hwpt *hwpt;

	lockdep_assert_held(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item)
		unmap_areas(op, areas, hwpt);
}
