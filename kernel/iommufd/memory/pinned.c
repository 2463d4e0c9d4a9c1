// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinners: the users that keep the memory of an IOAS pinned.
 *
 * All memory of an IOAS is pinned while the IOAS has a pinner.  Each HWPT is a pinner.  An attach
 * in flight is one too: it thus finds all memory pinned when it takes its locks, and faults nothing
 * in under them.  iommufd_ioas.nr_pinners counts the pinners, under hwpt_lock.  A map reads the
 * count under hwpt_lock before it makes an area ready.  Every ready area is therefore pinned once
 * the first pinner has walked over the areas that existed before it (iommufd_ioas.all_pinned).
 *
 * A walk holds no lock while it pins and unpins, and reserves nothing.  It takes references on the
 * memory of a batch of areas, drops the lock, pins, and then hands the pins to those areas that
 * still exist and still need one.  A concurrent unmap is not delayed; pins for areas that it
 * removed are dropped again.  A walk that waits for memory that never arrives therefore delays only
 * those that need the same pages.
 */
#include <linux/kref.h>
#include <linux/sched.h>

#include "memory/area.h"
#include "iommufd_private.h"

/* Areas whose memory is pinned or unpinned between two lookups in the tree. */
#define BATCH		16

/* Areas that a walk passes while it holds iova_lock. */
#define MAX_PASSED	4096

/**
 * struct window - the memory of an area, independent of the area
 * @pages: the pages, with a reference
 * @first: index of the first page
 * @last: index of the last page
 * @area_iova: IOVA of the area
 * @pinned: the walk is a user of the pages
 */
struct window {
	struct iommufd_pages *pages;
	unsigned long first;
	unsigned long last;
	unsigned long area_iova;
	bool pinned;
};

/**
 * struct walk - a walk over the areas of an IOAS
 * @iova: IOVA at which to continue
 * @ended: no areas are left
 * @nr: windows in @windows
 * @windows: the batch
 */
struct walk {
	unsigned long iova;
	bool ended;
	unsigned int nr;
	struct window windows[BATCH];
};

static void add_window(struct walk *walk, const struct iommufd_area *area, bool pinned)
{
	struct window *window = &walk->windows[walk->nr++];

	window->pages = area->pages;
	kref_get(&window->pages->kref);
	window->first = area_first_page(area);
	window->last = area_last_page(area);
	window->area_iova = area->iova;
	window->pinned = pinned;
}

static bool window_fits(const struct window *window, const struct iommufd_area *area)
{
	return area && area->iova == window->area_iova && area->pages == window->pages &&
	       area_first_page(area) == window->first && area_last_page(area) == window->last;
}

static void step_over(struct walk *walk, const struct iommufd_area *area)
{
	walk->ended = area->last == ULONG_MAX;
	walk->iova = area->last + 1;
}

/* Pinning: collects the next batch of areas that are ready and not pinned. */
static int find_unpinned(struct iommufd_ioas *ioas, struct iommufd_op *op, struct walk *walk)
{
	unsigned int passed = 0;
	struct iommufd_area *area;
	int rc;

	walk->nr = 0;
	rc = iommufd_op_down_read(op, &ioas->iova_lock);
	if (rc)
		return rc;
	for (area = iommufd_area_from(ioas, walk->iova);
	     area && walk->nr < BATCH && passed < MAX_PASSED;
	     area = iommufd_area_next(area), passed++) {
		/* A pending area is pinned by its own map. */
		if (smp_load_acquire(&area->state) == IOMMUFD_AREA_READY && !area->pinned)
			add_window(walk, area, false);
		step_over(walk, area);
	}
	if (!area)
		walk->ended = true;
	up_read(&ioas->iova_lock);
	return 0;
}

/* A failure to pin matters only if the area still exists unchanged. */
static bool still_unpinned(struct iommufd_ioas *ioas, const struct window *window)
{
	struct iommufd_area *area = iommufd_area_from(ioas, window->area_iova);

	return window_fits(window, area) && area->state == IOMMUFD_AREA_READY && !area->pinned;
}

static int pin_window(struct iommufd_ioas *ioas, struct iommufd_op *op, struct window *window)
{
	bool matters;
	int rc;

	rc = iommufd_pages_pin(window->pages, op, window->first, window->last);
	window->pinned = !rc;
	if (!rc)
		return 0;
	down_read(&ioas->iova_lock);
	matters = still_unpinned(ioas, window);
	up_read(&ioas->iova_lock);
	if (!matters && rc != -EINTR)
		return 0;
	if (op->clock.armed) {
		op->iova = window->area_iova;
		op->length = (window->last - window->first + 1) * PAGE_SIZE;
	}
	return rc;
}

/* Hands the pins over to the areas.  If an area has changed, the walk goes back to it. */
static void hand_over(struct iommufd_ioas *ioas, struct walk *walk)
{
	unsigned int i;

	down_write(&ioas->iova_lock);
	for (i = walk->nr; i--;) {
		struct window *window = &walk->windows[i];
		struct iommufd_area *area = iommufd_area_from(ioas, window->area_iova);

		if (!window->pinned || !window_fits(window, area)) {
			walk->iova = window->area_iova;
			walk->ended = false;
		} else if (area->state == IOMMUFD_AREA_READY && !area->pinned) {
			area->pinned = true;
			window->pinned = false;
		}
	}
	up_write(&ioas->iova_lock);
}

/* Unpins everything of which the walk is still a user. */
static void drop_windows(struct iommufd_op *op, struct walk *walk)
{
	unsigned int before = iommufd_op_enter(op, IOMMUFD_PHASE_unpin);
	unsigned int i;

	for (i = 0; i < walk->nr; i++) {
		struct window *window = &walk->windows[i];

		if (window->pinned)
			iommufd_pages_unpin(window->pages, op, window->first, window->last);
		iommufd_pages_put(window->pages);
		cond_resched();
	}
	walk->nr = 0;
	iommufd_op_phase(op, before);
}

static int pin_all(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	struct walk walk = { .iova = 0 };
	unsigned int i;
	int rc;

	while (!walk.ended) {
		rc = find_unpinned(ioas, op, &walk);
		for (i = 0; i < walk.nr && !rc; i++) {
			rc = pin_window(ioas, op, &walk.windows[i]);
			if (!rc)
				rc = iommufd_op_look_around(op);
		}
		if (!rc && walk.nr)
			hand_over(ioas, &walk);
		drop_windows(op, &walk);
		if (!rc)
			rc = iommufd_op_look_around(op);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Unpinning: takes the pins from the next batch of areas.  Returns false if there is a new pinner.
 */
static bool take_pins(struct iommufd_ioas *ioas, struct walk *walk)
{
	unsigned int passed = 0;
	struct iommufd_area *area;

	walk->nr = 0;
	down_read(&ioas->hwpt_lock);
	if (ioas->nr_pinners) {
		up_read(&ioas->hwpt_lock);
		return false;
	}
	down_write(&ioas->iova_lock);
	for (area = iommufd_area_from(ioas, walk->iova);
	     area && walk->nr < BATCH && passed < MAX_PASSED;
	     area = iommufd_area_next(area), passed++) {
		/* Other areas belong to a map or unmap in flight, which handles their pins. */
		if (area->state == IOMMUFD_AREA_READY && area->pinned) {
			add_window(walk, area, true);
			area->pinned = false;
			iommufd_area_set_mapped(ioas, area, false);
		}
		step_over(walk, area);
	}
	if (!area)
		walk->ended = true;
	up_write(&ioas->iova_lock);
	up_read(&ioas->hwpt_lock);
	return true;
}

static void unpin_all(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	struct walk walk = { .iova = 0 };

	while (!walk.ended && take_pins(ioas, &walk)) {
		drop_windows(op, &walk);
		cond_resched();
	}
}

/**
 * iommufd_ioas_hold_pinned() - become a pinner: keep all memory of an IOAS pinned from now on
 * @ioas: the IOAS.  The caller holds none of its locks, nor any other lock that others may need,
 *	because this call faults
 * @op: the operation; on failure its iova and length are those of the area that could not be pinned
 *
 * Return: 0 or a negative errno.  On success iommufd_ioas_release_pinned() ends it.
 */
int iommufd_ioas_hold_pinned(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	bool all_pinned;
	int rc;

	rc = iommufd_op_down_write(op, &ioas->hwpt_lock);
	if (rc)
		return rc;
	WRITE_ONCE(ioas->nr_pinners, ioas->nr_pinners + 1);
	all_pinned = READ_ONCE(ioas->all_pinned);
	up_write(&ioas->hwpt_lock);
	if (all_pinned)
		return 0;

	rc = pin_all(ioas, op);
	if (rc)
		iommufd_ioas_release_pinned(ioas, op);
	else
		/* It stays true, because this caller is a pinner. */
		WRITE_ONCE(ioas->all_pinned, true);
	return rc;
}

/**
 * iommufd_ioas_release_pinned() - stop being a pinner of an IOAS
 * @ioas: the IOAS, none of its locks held; attach_lock may be held if there are other pinners
 * @op: the operation; the phase unpin is charged
 */
void iommufd_ioas_release_pinned(struct iommufd_ioas *ioas, struct iommufd_op *op)
{
	bool last;

	down_write(&ioas->hwpt_lock);
	WRITE_ONCE(ioas->nr_pinners, ioas->nr_pinners - 1);
	last = !ioas->nr_pinners;
	if (last)
		WRITE_ONCE(ioas->all_pinned, false);
	up_write(&ioas->hwpt_lock);
	if (last)
		unpin_all(ioas, op);
}
