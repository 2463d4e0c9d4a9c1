// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmap: how areas go.  area.h describes the life of one.
 *
 * An unmap of a million areas goes in batches and holds a lock for one batch at most: hwpt_lock
 * while the batch is taken out of the HWPTs, nothing while its memory is unpinned.  A fatal signal
 * ends it between two batches.  The areas of a batch are the unmap's own from the moment that they
 * are dying; an area that accesses have pinned in is closed to more of them, they are asked to
 * leave it, and if they do not it is open again.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "memory/area.h"
#include "ctx.h"
#include "iommufd_private.h"

/* Areas that an unmap takes at a time. */
#define UNMAP_BATCH		512

/* How often an unmap asks accesses to leave before it gives up. */
#define NOTIFY_TRIES		100

/**
 * iommufd_area_free() - free an area that is in no tree, and let go of its memory
 * @area: the area, not pinned; no lock is held, as the last reference on its memory may go
 */
void iommufd_area_free(struct iommufd_area *area)
{
	if (area->pages)
		iommufd_pages_put(area->pages);
	kfree(area);
}

/* In line, as are others here: a call would be a good part of what a small unmap costs. */
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

/* Returns the sum of their lengths. */
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
 * iommufd_areas_erase() - take areas out of the tree
 * @ioas: the IOAS
 * @areas: the areas, by iommufd_area.item, still the caller's
 */
void iommufd_areas_erase(struct iommufd_ioas *ioas, struct list_head *areas)
{
	erase_areas(ioas, areas);
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

/**
 * struct unmapping - an unmap under way
 * @iova: what is left to unmap begins here
 * @last: and ends here
 * @killable: a fatal signal ends it
 * @areas: the batch that is being unmapped
 * @in_use: an area that accesses must leave before it can go on, and that is closed to them
 * @in_use.iova: its first IOVA
 * @in_use.length: bytes, 0 if there is none
 * @in_use.tries: how often they were asked
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

/* Close an area to accesses, for as long as the unmap does not give up. */
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
 * Make up to a batch of the areas in a range dying and put them in a list.  An area that accesses
 * use is closed to more of them and ends the batch; if it is the first, the list stays empty and
 * the caller has them leave.
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
		/* Accesses come under iova_lock only: none is missed, and none comes any more. */
		if (atomic_read(&area->accesses)) {
			close_area(unmap, area);
			return 0;
		}
		area->state = IOMMUFD_AREA_DYING;
		list_add_tail(&area->item, &unmap->areas);
		if (unmap->in_use.length && unmap->in_use.iova == area->iova)
			unmap->in_use.length = 0;
	}
	/* The area that was in the way has gone otherwise. */
	if (!area || area->iova > unmap->last)
		unmap->in_use.length = 0;
	return 0;
}

/* The unmap gave up: the area stays, as usable as before. */
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

/* Take both locks; the end of an IOAS cannot be given up, and nobody else is there to wait for. */
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
 * Take the next batch and take it out of the HWPTs.  The list is empty if there is nothing to
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

/* A batch is in no HWPT any more: unpin it, and give its range back.  Returns its bytes. */
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

/* Have accesses leave the area that is in the way. */
static int clear_area(struct iommufd_ioas *ioas, struct iommufd_op *op, struct unmapping *unmap)
{
	if (unmap->in_use.tries++ == NOTIFY_TRIES)
		return iommufd_op_fail(op, -EDEADLOCK, IOMMUFD_REASON_area_in_use,
				       unmap->in_use.iova,
				       unmap->in_use.iova + (unmap->in_use.length - 1));
	iommufd_ioas_notify_unmap(ioas, unmap->in_use.iova, unmap->in_use.length);
	return 0;
}

/* Of a range that is not the whole of the space, something must be mapped. */
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
	rc = iommufd_check_range(op, iova, length);
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

