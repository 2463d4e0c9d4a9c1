// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps the memory of an IOAS pinned.
 *
 * All memory of an IOAS is pinned while something needs it so: a pinner.  Each HWPT is one, and so
 * is an attach under way, which thus finds all memory pinned when it takes its locks and has
 * nothing to fault in under them.  iommufd_ioas.nr_pinners counts pinners under hwpt_lock: a map
 * reads it there before it makes an area ready, so every area that is ready is pinned once the
 * first pinner has walked over the areas that were there before it (iommufd_ioas.all_pinned).
 *
 * The walks hold no lock while they pin and unpin, and reserve nothing: a walk takes references on
 * the memory of a batch of areas, lets go of the lock, pins, and then gives the pins to those
 * areas that are still there and still need one.  An unmap meanwhile goes on; what it took away is
 * unpinned again.  So a walk that waits for memory that never comes is in the way of those alone
 * that need the same pages.
 */
#include <linux/kref.h>
#include <linux/sched.h>

#include "memory/area.h"
#include "iommufd_private.h"

/* Areas whose memory is pinned or unpinned between two looks at the tree. */
#define BATCH		16

/* Areas that a walk passes while it holds iova_lock. */
#define MAX_PASSED	4096

/**
 * struct window - the memory of an area, apart from the area
 * @pages: the pages, with a reference
 * @first: index of the first one
 * @last: index of the last one
 * @area_iova: where the area was
 * @pinned: the walk is a user of them
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
 * @iova: where to go on
 * @ended: there is nothing more
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

/* Pinning: the next batch of areas that are ready and not pinned. */
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
		/* One that is pending is the map's to pin. */
		if (smp_load_acquire(&area->state) == IOMMUFD_AREA_READY && !area->pinned)
			add_window(walk, area, false);
		step_over(walk, area);
	}
	if (!area)
		walk->ended = true;
	up_read(&ioas->iova_lock);
	return 0;
}

/* An area that is not there any more, or not as it was, may fail to be pinned. */
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

/* Give the pins to the areas.  The walk goes back to one that has changed, to look at it again. */
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

/* Unpin what the walk is still a user of. */
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

/* Unpinning: take their pins from the next batch of areas.  False if a pinner has come. */
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
		/* Of others, the map or unmap that they belong to takes care. */
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
 * iommufd_ioas_hold_pinned() - have all memory of an IOAS pinned from now on
 * @ioas: the IOAS, none of its locks held, nor any other that others can want: this faults
 * @op: the operation; on failure its iova and length are those of the area that could not be pinned
 *
 * Return: 0; then iommufd_ioas_release_pinned() ends it.  Or a negative errno.
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
		/* It stays so: there is a pinner, this one. */
		WRITE_ONCE(ioas->all_pinned, true);
	return rc;
}

/**
 * iommufd_ioas_release_pinned() - a pinner of an IOAS goes
 * @ioas: the IOAS, none of its locks held; if there are other pinners, attach_lock may be
 * @op: the operation; phase unpin is charged
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
