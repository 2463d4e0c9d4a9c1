// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usable IOVAs of an IOAS.
 *
 * Ranges are reserved by devices (MSI windows, firmware), by HWPTs (everything outside their
 * aperture) and by tests.  Each reserved range has an owner, and several may overlap.  The usable
 * ranges, sorted and merged, are recomputed whenever the reserved ranges change; there are a few
 * dozen at most.  Allowed ranges are those that user space wants to keep usable; they never overlap
 * with reserved ranges.  iommufd_ioas.iova_lock guards all of them.
 */
#include <linux/align.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "memory/area.h"
#include "iommufd_private.h"
#include "memory/iova.h"

/* A range in iommufd_ioas.reserved (sorted by start) or .allowed (sorted, disjoint). */
struct iova_range {
	struct list_head item;
	unsigned long start;
	unsigned long last;
	const void *owner;
};

static void insert_sorted(struct list_head *list, struct iova_range *range)
{
	struct iova_range *at;

	list_for_each_entry(at, list, item) {
		if (at->start > range->start)
			break;
	}
	list_add_tail(&range->item, &at->item);
}

static void free_ranges(struct list_head *list)
{
	struct iova_range *range, *next;

	list_for_each_entry_safe(range, next, list, item)
		kfree(range);
	INIT_LIST_HEAD(list);
}

/* The reserved ranges divide the space into at most one more piece than there are ranges. */
static struct iommufd_iova_set *alloc_set(size_t nr_reserved)
{
	struct iommufd_iova_set *set;

	set = kvmalloc(struct_size(set, ranges, nr_reserved + 1), GFP_KERNEL_ACCOUNT);
	return set;
}

static void compute_usable(struct iommufd_ioas *ioas, struct iommufd_iova_set *set)
{
	unsigned long start = 0;
	struct iova_range *range;

	set->nr = 0;
	list_for_each_entry(range, &ioas->reserved, item) {
		if (range->start > start)
			set->ranges[set->nr++] =
				(struct iommu_iova_range){ start, range->start - 1 };
		if (range->last == ULONG_MAX)
			return;
		start = max(start, range->last + 1);
	}
	set->ranges[set->nr++] = (struct iommu_iova_range){ start, ULONG_MAX };
}

/**
 * iommufd_iova_init() - initialise an IOAS with the whole space usable
 * @ioas: a new IOAS
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_iova_init(struct iommufd_ioas *ioas)
{
	INIT_LIST_HEAD(&ioas->reserved);
	INIT_LIST_HEAD(&ioas->allowed);
	ioas->iova_alignment = 1;
	ioas->usable = alloc_set(0);
	if (!ioas->usable)
		return -ENOMEM;
	compute_usable(ioas, ioas->usable);
	return 0;
}

/**
 * iommufd_iova_fini() - free everything that iommufd_iova_init() and later calls allocated
 * @ioas: an IOAS that is being destroyed
 */
void iommufd_iova_fini(struct iommufd_ioas *ioas)
{
	free_ranges(&ioas->reserved);
	free_ranges(&ioas->allowed);
	kvfree(ioas->usable);
}

/**
 * iommufd_iova_reserve_locked() - iommufd_ioas_reserve() with iova_lock held
 * @ioas: the IOAS, iova_lock held for write
 * @op: the operation
 * @start: first IOVA
 * @last: last IOVA
 * @owner: owner of the reservation
 * @reason: reason that is set if an area or allowed range overlaps
 *
 * Return: 0, -EADDRINUSE or -ENOMEM.
 */
int iommufd_iova_reserve_locked(struct iommufd_ioas *ioas, struct iommufd_op *op,
				unsigned long start, unsigned long last, const void *owner,
				enum iommufd_reason reason)
{
	struct iommufd_iova_set *set;
	struct iommufd_area *area;
	struct iova_range *range;
	size_t nr;

	lockdep_assert_held_write(&ioas->iova_lock);
	area = iommufd_area_from(ioas, start);
	if (area && area->iova <= last)
		return iommufd_op_fail(op, -EADDRINUSE, reason, start, last);
	list_for_each_entry(range, &ioas->allowed, item) {
		if (range->start <= last && start <= range->last)
			return iommufd_op_fail(op, -EADDRINUSE, reason, start, last);
	}

	nr = list_count_nodes(&ioas->reserved) + 1;
	range = kmalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	set = alloc_set(nr);
	if (!range || !set) {
		kfree(range);
		kvfree(set);
		return iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory,
				       struct_size(set, ranges, nr), 0);
	}
	range->start = start;
	range->last = last;
	range->owner = owner;
	insert_sorted(&ioas->reserved, range);
	compute_usable(ioas, set);
	kvfree(ioas->usable);
	ioas->usable = set;
	return 0;
}

/**
 * iommufd_iova_unreserve_locked() - iommufd_ioas_unreserve() with iova_lock held
 * @ioas: the IOAS, iova_lock held for write
 * @owner: owner of the reservations
 */
void iommufd_iova_unreserve_locked(struct iommufd_ioas *ioas, const void *owner)
{
	struct iova_range *range, *next;

	lockdep_assert_held_write(&ioas->iova_lock);
	list_for_each_entry_safe(range, next, &ioas->reserved, item) {
		if (range->owner == owner) {
			list_del(&range->item);
			kfree(range);
		}
	}
	/* There are fewer reserved ranges now, so the existing set is large enough. */
	compute_usable(ioas, ioas->usable);
}

/**
 * iommufd_ioas_reserve() - reserve a range of an IOAS, so that it cannot be used
 * @ioas: the IOAS
 * @op: the operation; gets the reason reserved_region_in_use
 * @start: first IOVA
 * @last: last IOVA
 * @owner: owner of the reservation, for iommufd_ioas_unreserve(); NULL: permanent
 *
 * Return: 0, -EADDRINUSE if an area or allowed range overlaps, -ENOMEM.
 */
int iommufd_ioas_reserve(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long start,
			 unsigned long last, const void *owner)
{
	int rc;

	down_write(&ioas->iova_lock);
	rc = iommufd_iova_reserve_locked(ioas, op, start, last, owner,
					 IOMMUFD_REASON_reserved_region_in_use);
	up_write(&ioas->iova_lock);
	return rc;
}

/**
 * iommufd_ioas_unreserve() - release all reserved ranges of an owner
 * @ioas: the IOAS
 * @owner: the owner passed to iommufd_ioas_reserve()
 */
void iommufd_ioas_unreserve(struct iommufd_ioas *ioas, const void *owner)
{
	down_write(&ioas->iova_lock);
	iommufd_iova_unreserve_locked(ioas, owner);
	up_write(&ioas->iova_lock);
}

static bool in_usable(struct iommufd_ioas *ioas, unsigned long start, unsigned long last)
{
	const struct iommufd_iova_set *set = ioas->usable;
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		if (set->ranges[i].start <= start && last <= set->ranges[i].last)
			return true;
	}
	return false;
}

/**
 * iommufd_ioas_set_allowed() - replace the allowed ranges
 * @ioas: the IOAS
 * @op: the operation
 * @ranges: the ranges, inclusive
 * @nr: number of ranges; 0: no restriction to allowed ranges
 *
 * Return: 0; -EINVAL if a range is backwards or ranges overlap; -EADDRINUSE if a range is not
 * entirely usable; -ENOMEM.  On failure the previous ranges stay.
 */
int iommufd_ioas_set_allowed(struct iommufd_ioas *ioas, struct iommufd_op *op,
			     const struct iommu_iova_range *ranges, unsigned int nr)
{
	struct iova_range *range, *next;
	LIST_HEAD(allowed);
	unsigned int i;
	int rc = 0;

	for (i = 0; i < nr; i++) {
		if (ranges[i].start > ranges[i].last) {
			rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value,
					     ranges[i].start, ranges[i].last);
			goto out_free;
		}
		range = kmalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
		if (!range) {
			rc = iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory,
					     sizeof(*range), 0);
			goto out_free;
		}
		range->start = ranges[i].start;
		range->last = ranges[i].last;
		range->owner = NULL;
		insert_sorted(&allowed, range);
	}

	down_write(&ioas->iova_lock);
	list_for_each_entry_safe(range, next, &allowed, item) {
		if (!list_is_last(&range->item, &allowed) && next->start <= range->last) {
			rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, next->start,
					     range->last);
			goto out_unlock;
		}
		if (!in_usable(ioas, range->start, range->last)) {
			rc = iommufd_op_fail(op, -EADDRINUSE, IOMMUFD_REASON_allowed_narrower,
					     range->start, range->last);
			goto out_unlock;
		}
	}
	free_ranges(&ioas->allowed);
	list_splice_init(&allowed, &ioas->allowed);
out_unlock:
	up_write(&ioas->iova_lock);
out_free:
	free_ranges(&allowed);
	return rc;
}

/**
 * iommufd_ioas_usable() - get the ranges in which areas may lie
 * @ioas: the IOAS
 * @ranges: out: the ranges in order
 * @nr: number of ranges that fit in @ranges
 * @alignment: out: the smallest IOVA granule
 *
 * Return: the total number of ranges, even if not all of them fit.
 */
unsigned int iommufd_ioas_usable(struct iommufd_ioas *ioas, struct iommu_iova_range *ranges,
				 unsigned int nr, unsigned long *alignment)
{
	unsigned int total;

	down_read(&ioas->iova_lock);
	total = ioas->usable->nr;
	memcpy(ranges, ioas->usable->ranges, min(nr, total) * sizeof(*ranges));
	*alignment = ioas->iova_alignment;
	up_read(&ioas->iova_lock);
	return total;
}

/**
 * iommufd_iova_check() - check that an area can be mapped at a fixed IOVA
 * @ioas: the IOAS, iova_lock held
 * @op: the operation; gets the reason iova_misaligned, iova_reserved or iova_overlap
 * @iova: first IOVA
 * @length: bytes, not 0, without overflow
 *
 * Return: 0; -EINVAL if it is misaligned or reserved; -EEXIST if an area overlaps.
 */
int iommufd_iova_check(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long length)
{
	unsigned long last = iova + (length - 1);
	struct iommufd_area *area;
	struct iova_range *range;

	if ((iova | length) & (ioas->iova_alignment - 1))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, iova | length,
				       ioas->iova_alignment);
	if (!in_usable(ioas, iova, last)) {
		list_for_each_entry(range, &ioas->reserved, item) {
			if (range->start <= last && iova <= range->last)
				return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_reserved,
						       range->start, range->last);
		}
	}
	area = iommufd_area_from(ioas, iova);
	if (area && area->iova <= last)
		return iommufd_op_fail(op, -EEXIST, IOMMUFD_REASON_iova_overlap, area->iova,
				       area->last);
	return 0;
}

/* Narrows a range to the IOVAs that the kernel may choose; false if nothing is left of it. */
static bool trim_range(struct iommufd_ioas *ioas, unsigned long *start, unsigned long *last)
{
	/* Never choose IOVA 0, which many drivers use as "none", nor the very last page. */
	*start = ALIGN(max(*start, PAGE_SIZE), ioas->iova_alignment);
	*last = min(*last, ULONG_MAX - PAGE_SIZE);
	return *start <= *last;
}

static bool alloc_in_range(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
			   unsigned long length, unsigned long align, unsigned long offset,
			   unsigned long *iova)
{
	return trim_range(ioas, &start, &last) &&
	       iommufd_area_find_hole(ioas, start, last, length, align, offset, iova);
}

static bool alloc_in_usable(struct iommufd_ioas *ioas, unsigned long length, unsigned long align,
			    unsigned long offset, unsigned long *iova)
{
	const struct iommufd_iova_set *set = ioas->usable;
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		if (alloc_in_range(ioas, set->ranges[i].start, set->ranges[i].last, length, align,
				   offset, iova))
			return true;
	}
	return false;
}

static bool alloc_aligned(struct iommufd_ioas *ioas, unsigned long length, unsigned long align,
			  unsigned long offset, unsigned long *iova)
{
	struct iova_range *range;

	if (list_empty(&ioas->allowed))
		return alloc_in_usable(ioas, length, align, offset, iova);
	list_for_each_entry(range, &ioas->allowed, item) {
		if (alloc_in_range(ioas, range->start, range->last, length, align, offset, iova))
			return true;
	}
	return false;
}

/**
 * iommufd_iova_alloc() - choose an IOVA for an area
 * @ioas: the IOAS, iova_lock held
 * @op: the operation; gets the reason iova_space_full, iova_not_allowed or iova_misaligned
 * @user_va: address of the memory
 * @length: bytes, not 0
 * @iova: out: first IOVA
 *
 * The choice lets the IOMMU use large pages where the memory has them.  The first choice is an IOVA
 * with the same offset within a huge page as the address.  The second is an IOVA aligned to the
 * alignment of the length, and the last is any IOVA.
 *
 * Return: 0; -ENOSPC if there is no hole; -EINVAL if @length is misaligned.
 */
int iommufd_iova_alloc(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long user_va,
		       unsigned long length, unsigned long *iova)
{
	unsigned long granule = ioas->iova_alignment;
	unsigned long natural = max(1UL << __ffs(length), granule);

	if ((user_va | length) & (granule - 1))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned,
				       user_va | length, granule);

	if (ioas->huge_pages && length >= PMD_SIZE) {
		unsigned long huge = length >= PUD_SIZE ? PUD_SIZE : PMD_SIZE;

		for (; huge >= PMD_SIZE; huge = huge == PUD_SIZE ? PMD_SIZE : 0) {
			if (alloc_aligned(ioas, length, huge, user_va & (huge - 1), iova))
				return 0;
		}
	}
	if (alloc_aligned(ioas, length, natural, 0, iova) ||
	    alloc_aligned(ioas, length, max(granule, PAGE_SIZE), user_va & ~PAGE_MASK, iova) ||
	    alloc_aligned(ioas, length, granule, 0, iova))
		return 0;
	if (!list_empty(&ioas->allowed) && alloc_in_usable(ioas, length, granule, 0, iova))
		return iommufd_op_fail(op, -ENOSPC, IOMMUFD_REASON_iova_not_allowed, *iova,
				       *iova + (length - 1));
	return iommufd_op_fail(op, -ENOSPC, IOMMUFD_REASON_iova_space_full, length, granule);
}

static unsigned long alloc_hole(struct iommufd_ioas *ioas, unsigned long start, unsigned long last)
{
	if (!trim_range(ioas, &start, &last))
		return 0;
	return iommufd_area_largest_hole(ioas, start, last) & ~(ioas->iova_alignment - 1);
}

/**
 * iommufd_iova_measure() - measure the free space of an IOAS
 * @ioas: the IOAS, iova_lock held
 * @space: filled in
 *
 * Takes O(log n) for each usable and allowed range.
 */
void iommufd_iova_measure(struct iommufd_ioas *ioas, struct iommufd_iova_space *space)
{
	const struct iommufd_iova_set *set = ioas->usable;
	struct iova_range *allowed;
	unsigned int i;

	lockdep_assert_held(&ioas->iova_lock);
	memset(space, 0, sizeof(*space));
	space->ranges = set->nr;
	space->only_allowed = !list_empty(&ioas->allowed);
	for (i = 0; i < set->nr; i++) {
		unsigned long start = set->ranges[i].start, last = set->ranges[i].last;

		if (!i)
			space->first = start;
		space->last = last;
		space->bytes += last - start == ULONG_MAX ? ULONG_MAX : last - start + 1;
		space->largest_hole = max(space->largest_hole,
					  iommufd_area_largest_hole(ioas, start, last));
		if (!space->only_allowed)
			space->alloc_hole = max(space->alloc_hole, alloc_hole(ioas, start, last));
	}
	list_for_each_entry(allowed, &ioas->allowed, item)
		space->alloc_hole = max(space->alloc_hole,
					alloc_hole(ioas, allowed->start, allowed->last));
}

/**
 * iommufd_ioas_lock() - keep all users of the HWPTs and areas of an IOAS out
 * @ioas: the IOAS
 * @op: the operation, which is charged for the wait
 *
 * Takes hwpt_lock and iova_lock for write.
 *
 * Return: 0 or -EINTR.
 */
int iommufd_ioas_lock(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	int rc;

	rc = iommufd_op_down_write(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	rc = iommufd_op_down_write(op, &ioas->iova_lock);
	if (rc)
		up_write(&ioas->hwpt_lock);
	return rc;
}

/**
 * iommufd_ioas_unlock() - undo iommufd_ioas_lock()
 * @ioas: the IOAS
 */
void iommufd_ioas_unlock(struct iommufd_ioas *ioas)
{
	up_write(&ioas->iova_lock);
	up_write(&ioas->hwpt_lock);
}

/**
 * iommufd_iova_alignment() - compute the granule that the HWPTs and accesses of an IOAS need
 * @ioas: the IOAS, hwpt_lock held
 *
 * Return: a power of two, at most PAGE_SIZE.
 */
unsigned long iommufd_iova_alignment(struct iommufd_ioas *ioas)
{
	bool bytes = ioas->huge_pages && !ioas->cuts && !ioas->pin_accesses;
	unsigned long alignment = bytes ? 1 : PAGE_SIZE;
	struct iommufd_hwpt *hwpt;

	lockdep_assert_held(&ioas->hwpt_lock);
	list_for_each_entry(hwpt, &ioas->hwpts, ioas_item)
		alignment = max(alignment, 1UL << __ffs(hwpt->domain->pgsize_bitmap));
	return alignment;
}

/**
 * iommufd_iova_check_alignment() - check that all areas are aligned to a granule
 * @ioas: the IOAS, iova_lock and hwpt_lock held
 * @op: the operation; gets the reason iova_misaligned
 * @alignment: the granule
 *
 * Return: 0 or -EADDRINUSE.
 */
int iommufd_iova_check_alignment(struct iommufd_ioas *ioas, struct iommufd_op *op,
				 unsigned long alignment)
{
	struct iommufd_area *area;
	unsigned long nr = 0;

	if (alignment <= ioas->iova_alignment)
		return 0;
	for (area = iommufd_area_from(ioas, 0); area; area = iommufd_area_next(area)) {
		unsigned long bits = area->iova | area_length(area) | area->offset;

		if (bits & (alignment - 1))
			return iommufd_op_fail(op, -EADDRINUSE, IOMMUFD_REASON_iova_misaligned,
					       bits, alignment);
		if (!(++nr % IOMMUFD_AREAS_PER_LOOK))
			cond_resched();
	}
	return 0;
}
