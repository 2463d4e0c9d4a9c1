// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of areas; area.h describes the model.
 */
#include <linux/rbtree_augmented.h>

#include "memory/area.h"
#include "iommufd_private.h"

static inline unsigned long area_hole(const struct iommufd_area *area)
{
	return area->hole;
}

RB_DECLARE_CALLBACKS_MAX(static, hole_callbacks, struct iommufd_area, node, unsigned long,
			 subtree_hole, area_hole)

static struct iommufd_area *to_area(struct rb_node *node)
{
	return node ? rb_entry(node, struct iommufd_area, node) : NULL;
}

/**
 * iommufd_area_from() - find the area at an IOVA, or else the first one after it
 * @ioas: the IOAS, iova_lock held
 * @iova: the IOVA
 *
 * Return: the area or NULL.
 */
struct iommufd_area *iommufd_area_from(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct rb_node *node = ioas->areas.rb_node;
	struct iommufd_area *found = NULL;

	lockdep_assert_held(&ioas->iova_lock);
	while (node) {
		struct iommufd_area *area = to_area(node);

		if (area->last < iova) {
			node = node->rb_right;
		} else {
			found = area;
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * iommufd_area_next() - find the area after an area
 * @area: the area, iova_lock of its IOAS held
 *
 * Return: the next area or NULL.
 */
struct iommufd_area *iommufd_area_next(struct iommufd_area *area)
{
	return to_area(rb_next(&area->node));
}

static void set_hole(struct iommufd_area *area, struct iommufd_area *prev)
{
	area->hole = prev ? area->iova - prev->last - 1 : area->iova;
	hole_callbacks_propagate(&area->node, NULL);
}

/**
 * iommufd_area_insert() - insert an area into the tree
 * @ioas: the IOAS, iova_lock held for write
 * @area: the area; its range is free
 */
void iommufd_area_insert(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct rb_node **link = &ioas->areas.rb_node, *parent = NULL;
	struct iommufd_area *prev = NULL, *next = NULL;

	lockdep_assert_held_write(&ioas->iova_lock);
	while (*link) {
		parent = *link;
		if (area->iova < to_area(parent)->iova) {
			next = to_area(parent);
			link = &parent->rb_left;
		} else {
			prev = to_area(parent);
			link = &parent->rb_right;
		}
	}

	if (next)
		set_hole(next, area);
	rb_link_node(&area->node, parent, link);
	area->subtree_hole = 0;
	set_hole(area, prev);
	rb_insert_augmented(&area->node, &ioas->areas, &hole_callbacks);
	ioas->nr_areas++;
	ioas->mapped_bytes += area_length(area);
}

/**
 * iommufd_area_erase() - remove an area from the tree
 * @ioas: the IOAS, iova_lock held for write
 * @area: the area; the caller still owns its memory
 */
void iommufd_area_erase(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_area *prev = to_area(rb_prev(&area->node));
	struct iommufd_area *next = to_area(rb_next(&area->node));

	lockdep_assert_held_write(&ioas->iova_lock);
	rb_erase_augmented(&area->node, &ioas->areas, &hole_callbacks);
	if (next)
		set_hole(next, prev);
	ioas->nr_areas--;
	ioas->mapped_bytes -= area_length(area);
}

/* Finds the first area after @area that has a hole of @length before it. */
static struct iommufd_area *next_with_hole(struct iommufd_area *area, unsigned long length)
{
	struct rb_node *node = area->node.rb_right, *from;

	for (;;) {
		if (node && to_area(node)->subtree_hole >= length) {
			for (;;) {
				area = to_area(node);
				if (node->rb_left &&
				    to_area(node->rb_left)->subtree_hole >= length)
					node = node->rb_left;
				else if (area->hole >= length)
					return area;
				else
					node = node->rb_right;
			}
		}
		do {
			from = &area->node;
			area = to_area(rb_parent(from));
			if (!area)
				return NULL;
		} while (from == area->node.rb_right);
		if (area->hole >= length)
			return area;
		node = area->node.rb_right;
	}
}

/*
 * Places @length bytes in [@low, @high], @offset bytes after a multiple of @align, without
 * overflow.
 */
static bool place(unsigned long low, unsigned long high, unsigned long length,
		  unsigned long align, unsigned long offset, unsigned long *iova)
{
	unsigned long pad = (offset - low) & (align - 1);

	if (low > high || high - low < length - 1 || high - low - (length - 1) < pad)
		return false;
	*iova = low + pad;
	return true;
}

/**
 * iommufd_area_find_hole() - find the lowest free range that is large enough
 * @ioas: the IOAS, iova_lock held
 * @low: first IOVA that may be used
 * @high: last IOVA that may be used
 * @length: bytes to place, not 0
 * @align: alignment, a power of two; every area and @low are aligned to the granule of the IOAS, so
 *	a hole can be too small because of alignment only if @align is larger than the granule
 * @offset: less than @align; the result is @offset more than a multiple of @align
 * @iova: out: the IOVA
 *
 * Works in O(log n).  Finds any hole of at least @length + @align - granule bytes.  A smaller hole
 * of at least @length bytes is used only at the ends of the range, if its alignment fits by chance.
 *
 * Return: true if there is one.
 */
bool iommufd_area_find_hole(struct iommufd_ioas *ioas, unsigned long low, unsigned long high,
			    unsigned long length, unsigned long align, unsigned long offset,
			    unsigned long *iova)
{
	unsigned long granule = ioas->iova_alignment;
	unsigned long slack = align > granule ? align - granule : 0;
	struct iommufd_area *area = iommufd_area_from(ioas, low);
	struct rb_node *tail;
	unsigned long need;

	if (check_add_overflow(length, slack, &need))
		return false;

	/* @low can only cut the hole that it lies in; the same holds for @high. */
	if (!area || area->iova > high)
		return place(low, high, length, align, offset, iova);
	if (area->iova > low && place(low, area->iova - 1, length, align, offset, iova))
		return true;

	while ((area = next_with_hole(area, need))) {
		unsigned long start = area->iova - area->hole;

		if (start > high)
			return false;
		if (place(start, min(area->iova - 1, high), length, align, offset, iova))
			return true;
	}

	tail = rb_last(&ioas->areas);
	if (to_area(tail)->last >= high)
		return false;
	return place(max(low, to_area(tail)->last + 1), high, length, align, offset, iova);
}

static unsigned long subtree_hole(struct rb_node *node)
{
	return node ? to_area(node)->subtree_hole : 0;
}

/* Returns the largest hole before an area that starts in [@first, @last]. */
static unsigned long largest_before(struct rb_node *node, unsigned long first, unsigned long last)
{
	unsigned long largest = 0;
	struct rb_node *top, *at;

	/* Find the topmost area in the range: all others in the range are below it. */
	while (node) {
		if (to_area(node)->iova < first)
			node = node->rb_right;
		else if (to_area(node)->iova > last)
			node = node->rb_left;
		else
			break;
	}
	top = node;
	if (!top)
		return 0;
	largest = to_area(top)->hole;
	for (at = top->rb_left; at;) {
		if (to_area(at)->iova < first) {
			at = at->rb_right;
			continue;
		}
		largest = max(largest, max(to_area(at)->hole, subtree_hole(at->rb_right)));
		at = at->rb_left;
	}
	for (at = top->rb_right; at;) {
		if (to_area(at)->iova > last) {
			at = at->rb_left;
			continue;
		}
		largest = max(largest, max(to_area(at)->hole, subtree_hole(at->rb_left)));
		at = at->rb_right;
	}
	return largest;
}

/* Finds the last area that starts at or before @iova, or NULL. */
static struct iommufd_area *area_until(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct rb_node *node = ioas->areas.rb_node;
	struct iommufd_area *found = NULL;

	while (node) {
		struct iommufd_area *area = to_area(node);

		if (area->iova > iova) {
			node = node->rb_left;
		} else {
			found = area;
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * iommufd_area_largest_hole() - find the size of the largest free range
 * @ioas: the IOAS, iova_lock held
 * @low: first IOVA that counts
 * @high: last IOVA that counts
 *
 * Takes O(log n).
 *
 * Return: bytes in the largest free range within [@low, @high], ULONG_MAX for the whole space.
 */
unsigned long iommufd_area_largest_hole(struct iommufd_ioas *ioas, unsigned long low,
					unsigned long high)
{
	struct iommufd_area *first = iommufd_area_from(ioas, low), *last;
	unsigned long largest = 0;

	if (!first || first->iova > high)
		return high - low == ULONG_MAX ? ULONG_MAX : high - low + 1;
	/*
	 * Only the holes at the two ends can be cut; all holes between them are within the range.
	 */
	if (first->iova > low)
		largest = first->iova - low;
	last = area_until(ioas, high);
	if (last != first)
		largest = max(largest, largest_before(ioas->areas.rb_node, first->iova + 1,
						      last->iova));
	if (last->last < high)
		largest = max(largest, high - last->last);
	return largest;
}
