// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmap: the removal of areas.  area.h describes the life of an area.
 *
 * An unmap of a million areas works in batches and holds a lock for one batch at most: hwpt_lock
 * while the batch is removed from the HWPTs, none while its memory is unpinned.  A fatal signal
 * ends the unmap between two batches.  Once the areas of a batch are dying, they belong to the
 * unmap.  An area in which accesses have pinned pages is first closed to new pins, and the accesses
 * are asked to leave.  If they do not leave, the area is opened again.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "memory/area.h"
#include "ctx.h"
#include "iommufd_private.h"

/* Areas in a batch of an unmap. */
#define UNMAP_BATCH		512

/* How often an unmap asks accesses to leave an area before it gives up. */
#define NOTIFY_TRIES		100

/**
 * iommufd_area_free() - free an area that is in no tree, and release its memory
 * @area: the area, not pinned; no lock is held, because the last reference on its memory may be
 *	dropped
 */
void iommufd_area_free(struct iommufd_area *area)
{
	if (area->pages)
		iommufd_pages_put(area->pages);
	kfree(area);
}

/* Inline, like others in this file: a call would be a large part of the cost of a small unmap. */
static __always_inline void free_areas(struct list_head *areas)
{
	struct iommufd_area *area, *next;

	list_for_each_entry_safe(area, next, areas, item) {
		if (!list_entry_is_head(next, areas, item))
			cond_resched();
		iommufd_area_free(area);
	}
	INIT_LIST_HEAD(areas);
}

/**
 * iommufd_areas_free() - iommufd_area_free() for a list
 * @areas: the areas, by iommufd_area.item; empty afterwards
 */
void iommufd_areas_free(struct list_head *areas)
{
	free_areas(areas);
}

/* Removes areas from the tree.  Returns the sum of their lengths. */
static __always_inline unsigned long erase_areas(struct iommufd_ioas *ioas,
						 struct list_head *areas)
{
	unsigned long nr = 0, bytes = 0;
	struct iommufd_area *area;

	down_write(&ioas->iova_lock);
	list_for_each_entry(area, areas, item) {
		iommufd_area_erase(ioas, area);
		bytes += area_length(area);
		if (!(++nr % IOMMUFD_AREAS_PER_LOOK))
			cond_resched();
	}
	up_write(&ioas->iova_lock);
	iommufd_ctx_sum_areas(ioas->ictx, -(s64)nr, -(s64)bytes);
	return bytes;
}

/**
 * iommufd_areas_erase() - remove areas from the tree
 * @ioas: the IOAS
 * @areas: the areas, by iommufd_area.item; the caller still owns them
 */
void iommufd_areas_erase(struct iommufd_ioas *ioas, struct list_head *areas)
{
	erase_areas(ioas, areas);
}

/* An unmap removes whole areas, so neither end of its range may lie inside one. */
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

/**
 * struct unmapping - an unmap in flight
 * @iova: first IOVA of the remaining range
 * @last: last IOVA of the remaining range
 * @killable: a fatal signal ends it
 * @areas: the batch that is being unmapped
 * @in_use: an area that is closed to accesses and that they must leave before the unmap can
 *	continue @in_use.iova: its first IOVA @in_use.length: bytes, 0 if there is no such area
 *	@in_use.tries: how often the accesses were asked to leave
 */
struct unmapping {
	unsigned long iova;
	unsigned long last;
	bool killable;
	struct list_head areas;
	struct {
		unsigned long iova;
		unsigned long length;
		unsigned int tries;
	} in_use;
};

/* Closes an area to accesses, until it is unmapped or the unmap gives up. */
static void close_area(struct unmapping *unmap, struct iommufd_area *area)
{
	area->no_access = true;
	if (unmap->in_use.length && unmap->in_use.iova == area->iova)
		return;
	unmap->in_use.iova = area->iova;
	unmap->in_use.length = area_length(area);
	unmap->in_use.tries = 0;
}

/*
 * Makes up to a batch of the areas in a range dying, and puts them into a list.  An area in use by
 * accesses is closed to further accesses and ends the batch.  If it is the first area, the list
 * stays empty and the caller asks the accesses to leave.
 */
static int take_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, struct unmapping *unmap)
{
	struct iommufd_area *area;
	unsigned int nr = 0;

	for (area = iommufd_area_from(ioas, unmap->iova);
	     area && area->iova <= unmap->last && nr < UNMAP_BATCH;
	     area = iommufd_area_next(area), nr++) {
		if (smp_load_acquire(&area->state) != IOMMUFD_AREA_READY) {
			if (nr)
				return 0;
			return iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_area_in_use, area->iova,
					       area->last);
		}
		/*
		 * Accesses use an area only under iova_lock, so none is missed, and no new one can
		 * start.
		 */
		if (atomic_read(&area->accesses)) {
			close_area(unmap, area);
			return 0;
		}
		area->state = IOMMUFD_AREA_DYING;
		list_add_tail(&area->item, &unmap->areas);
		if (unmap->in_use.length && unmap->in_use.iova == area->iova)
			unmap->in_use.length = 0;
	}
	/* The area that was in use has been removed by another call. */
	if (!area || area->iova > unmap->last)
		unmap->in_use.length = 0;
	return 0;
}

/* The unmap gave up: the area stays and is usable again. */
static void reopen_area(struct iommufd_ioas *ioas, const struct unmapping *unmap)
{
	struct iommufd_area *area;

	if (!unmap->in_use.length)
		return;
	down_write(&ioas->iova_lock);
	area = iommufd_area_from(ioas, unmap->in_use.iova);
	if (area && area->iova == unmap->in_use.iova)
		area->no_access = false;
	up_write(&ioas->iova_lock);
}

/*
 * Takes both locks.  The destruction of an IOAS cannot be interrupted, and never waits, as there is
 * no other user.
 */
static int lock_areas(struct iommufd_ioas *ioas, struct iommufd_op *op, bool killable)
{
	int rc;

	if (!killable) {
		down_read(&ioas->hwpt_lock);
		down_write(&ioas->iova_lock);
		return 0;
	}
	rc = iommufd_op_down_read(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	rc = iommufd_op_down_write(op, &ioas->iova_lock);
	if (rc)
		up_read(&ioas->hwpt_lock);
	return rc;
}

/*
 * Takes the next batch and removes it from the HWPTs.  The list stays empty if there is nothing to
 * take.
 */
static int unmap_batch(struct iommufd_ioas *ioas, struct iommufd_op *op, struct unmapping *unmap)
{
	int rc;

	INIT_LIST_HEAD(&unmap->areas);
	rc = lock_areas(ioas, op, unmap->killable);
	if (rc)
		return rc;
	rc = check_ends(ioas, op, unmap->iova, unmap->last);
	if (!rc)
		rc = take_areas(ioas, op, unmap);
	up_write(&ioas->iova_lock);
	if (!list_empty(&unmap->areas))
		iommufd_areas_unmap(ioas, op, &unmap->areas);
	up_read(&ioas->hwpt_lock);
	return rc;
}

/* Unpins a batch that is in no HWPT any more, and frees its range.  Returns its size in bytes. */
static unsigned long finish_batch(struct iommufd_ioas *ioas, struct iommufd_op *op,
				  struct unmapping *unmap)
{
	unsigned long bytes;

	iommufd_areas_unpin(ioas, op, &unmap->areas);
	unmap->iova = list_last_entry(&unmap->areas, struct iommufd_area, item)->last;
	bytes = erase_areas(ioas, &unmap->areas);
	free_areas(&unmap->areas);
	return bytes;
}

/* Asks accesses to leave the area in use. */
static int clear_area(struct iommufd_ioas *ioas, struct iommufd_op *op, struct unmapping *unmap)
{
	if (unmap->in_use.tries++ == NOTIFY_TRIES)
		return iommufd_op_fail(op, -EDEADLOCK, IOMMUFD_REASON_area_in_use,
				       unmap->in_use.iova,
				       unmap->in_use.iova + (unmap->in_use.length - 1));
	iommufd_ioas_notify_unmap(ioas, unmap->in_use.iova, unmap->in_use.length);
	return 0;
}

/* A range that is not the whole space must contain at least one area. */
static int unmap_range(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long last, bool killable, unsigned long *unmapped)
{
	struct unmapping unmap = { .iova = iova, .last = last, .killable = killable };
	int rc;

	*unmapped = 0;
	for (;;) {
		rc = unmap_batch(ioas, op, &unmap);
		if (rc)
			break;
		if (!list_empty(&unmap.areas)) {
			*unmapped += finish_batch(ioas, op, &unmap);
			if (unmap.iova == last || unmap.iova == ULONG_MAX)
				break;
			unmap.iova++;
		} else if (unmap.in_use.length) {
			rc = clear_area(ioas, op, &unmap);
			if (rc)
				break;
		} else {
			if (!*unmapped && (iova || last != ULONG_MAX))
				rc = iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped,
						     iova, last);
			break;
		}
		rc = killable ? iommufd_op_look_around(op) : 0;
		if (rc)
			break;
		cond_resched();
	}
	reopen_area(ioas, &unmap);
	return rc;
}

/**
 * iommufd_ioas_unmap() - unmap all areas in a range
 * @ioas: the IOAS
 * @op: the operation
 * @iova: first IOVA
 * @length: bytes; the range may be larger than the areas in it, but must not split one
 * @unmapped: out: bytes that were unmapped, on failure as well
 *
 * Return: 0; -EINVAL, -EOVERFLOW: a bad range; -ENOENT: the range contains no area, or would split
 * one (nothing is unmapped then); -EBUSY: another call is mapping or unmapping in it; -EDEADLOCK:
 * an access does not unpin its pages; -EINTR: a fatal signal arrived between two batches of areas.
 */
int iommufd_ioas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long length, unsigned long *unmapped)
{
	int rc;

	*unmapped = 0;
	rc = iommufd_check_range(op, iova, length);
	if (rc)
		return rc;
	return unmap_range(ioas, op, iova, iova + (length - 1), true, unmapped);
}

/**
 * iommufd_ioas_unmap_all() - unmap all areas
 * @ioas: the IOAS
 * @op: the operation
 * @killable: a fatal signal ends it between batches; false if the unmap could not be resumed later
 * @unmapped: out: bytes that were unmapped
 *
 * Return: 0, also if nothing was mapped; -EBUSY and -EDEADLOCK as iommufd_ioas_unmap(); -EINTR.
 */
int iommufd_ioas_unmap_all(struct iommufd_ioas *ioas, struct iommufd_op *op, bool killable,
			   unsigned long *unmapped)
{
	return unmap_range(ioas, op, 0, ULONG_MAX, killable, unmapped);
}

