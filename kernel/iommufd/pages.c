// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory behind areas, see pages.h for the model.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "iommufd_private.h"
#include "pages.h"

/**
 * iommufd_pages_alloc() - describe user memory of the calling process; pins nothing
 * @ictx: the context that it is mapped through, and whose account_mode counts
 * @user_va: its address, a multiple of PAGE_SIZE
 * @nr_pages: its length
 * @writeable: it will be pinned for writing
 *
 * Return: the pages, with one reference, or an ERR_PTR: -ENOMEM.
 */
struct iommufd_pages *iommufd_pages_alloc(struct iommufd_ctx *ictx, unsigned long user_va,
					  unsigned long nr_pages, bool writeable)
{
	struct iommufd_pages *pages;

	pages = kmalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return ERR_PTR(-ENOMEM);

	kref_init(&pages->kref);
	mutex_init(&pages->mutex);
	pages->segments = RB_ROOT;
	pages->embedded_used = false;
	pages->pinned = 0;
	pages->user_va = user_va;
	pages->nr_pages = nr_pages;
	pages->account_mode = READ_ONCE(ictx->account_mode);
	pages->writeable = writeable;
	pages->unlimited = capable(CAP_IPC_LOCK);
	pages->ictx = ictx;
	pages->mm = current->mm;
	mmgrab(pages->mm);
	pages->task = get_task_struct(current->group_leader);
	pages->user = get_uid(current_user());
	return pages;
}

/**
 * iommufd_pages_release() - the last reference went
 * @kref: iommufd_pages.kref
 */
void iommufd_pages_release(struct kref *kref)
{
	struct iommufd_pages *pages = container_of(kref, struct iommufd_pages, kref);

	WARN_ON(!RB_EMPTY_ROOT(&pages->segments));
	free_uid(pages->user);
	put_task_struct(pages->task);
	mmdrop(pages->mm);
	mutex_destroy(&pages->mutex);
	kfree(pages);
}

/* The segment that holds a page, or else the first one behind it, or NULL. */
static struct iommufd_segment *segment_from(struct iommufd_pages *pages, unsigned long index)
{
	struct rb_node *node = pages->segments.rb_node;
	struct iommufd_segment *found = NULL;

	lockdep_assert_held(&pages->mutex);
	while (node) {
		struct iommufd_segment *segment = rb_entry(node, struct iommufd_segment, node);

		if (segment->last < index) {
			node = node->rb_right;
		} else {
			found = segment;
			node = node->rb_left;
		}
	}
	return found;
}

static struct iommufd_segment *next_segment(struct iommufd_segment *segment)
{
	struct rb_node *node = rb_next(&segment->node);

	return node ? rb_entry(node, struct iommufd_segment, node) : NULL;
}

static struct iommufd_segment *alloc_segment(struct iommufd_pages *pages)
{
	struct iommufd_segment *segment;

	if (!pages->embedded_used) {
		pages->embedded_used = true;
		segment = &pages->embedded;
	} else {
		segment = kmalloc(sizeof(*segment), GFP_KERNEL_ACCOUNT);
		if (!segment)
			return NULL;
	}
	iommufd_extents_init(&segment->extents);
	return segment;
}

static void free_segment(struct iommufd_pages *pages, struct iommufd_segment *segment)
{
	if (segment == &pages->embedded)
		pages->embedded_used = false;
	else
		kfree(segment);
}

static void insert_segment(struct iommufd_pages *pages, struct iommufd_segment *segment)
{
	struct rb_node **link = &pages->segments.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (segment->first < rb_entry(parent, struct iommufd_segment, node)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&segment->node, parent, link);
	rb_insert_color(&segment->node, &pages->segments);
}

static int pin_segment(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
		       unsigned long last)
{
	struct iommufd_segment *segment = alloc_segment(pages);
	int rc;

	if (!segment)
		return iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory, sizeof(*segment), 0);
	rc = iommufd_pin_extents(pages, op, first, last - first + 1, &segment->extents);
	if (rc) {
		free_segment(pages, segment);
		return rc;
	}
	segment->first = first;
	segment->last = last;
	segment->users = 1;
	insert_segment(pages, segment);
	pages->pinned += last - first + 1;
	return 0;
}

/**
 * iommufd_pages_pin() - become a user of a range of pages, pinning what is not pinned yet
 * @pages: the pages, their mutex held
 * @op: the operation
 * @first: index of the first page
 * @last: index of the last page
 *
 * Return: 0 or a negative errno; then no user was taken and nothing more is pinned than before.
 */
int iommufd_pages_pin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
		      unsigned long last)
{
	struct iommufd_segment *segment = segment_from(pages, first);
	unsigned long index = first;
	int rc;

	for (;;) {
		unsigned long end = last;

		if (segment && segment->first <= index) {
			segment->users++;
			end = segment->last;
			segment = next_segment(segment);
		} else {
			if (segment)
				end = min(end, segment->first - 1);
			rc = pin_segment(pages, op, index, end);
			if (rc) {
				if (index == first)
					return rc;
				iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
				iommufd_pages_unpin(pages, op, first, index - 1);
				return rc;
			}
		}
		if (end >= last)
			return 0;
		index = end + 1;
	}
}

/**
 * iommufd_pages_unpin() - a user of a range of pages goes
 * @pages: the pages, their mutex held
 * @op: the operation, in its phase unpin
 * @first: as it was given to iommufd_pages_pin()
 * @last: as it was given to iommufd_pages_pin()
 */
void iommufd_pages_unpin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
			 unsigned long last)
{
	struct iommufd_segment *segment = segment_from(pages, first);

	while (segment && segment->first <= last) {
		struct iommufd_segment *next = next_segment(segment);

		if (!--segment->users) {
			rb_erase(&segment->node, &pages->segments);
			pages->pinned -= segment->last - segment->first + 1;
			iommufd_unpin_extents(pages, op, &segment->extents);
			free_segment(pages, segment);
		}
		segment = next;
	}
}

/**
 * iommufd_pages_pinned() - is all of a range pinned?
 * @pages: the pages, their mutex held
 * @first: index of the first page
 * @last: index of the last page
 *
 * Return: true if every page of it is in a segment.
 */
bool iommufd_pages_pinned(struct iommufd_pages *pages, unsigned long first, unsigned long last)
{
	struct iommufd_segment *segment = segment_from(pages, first);
	unsigned long index = first;

	while (segment && segment->first <= index) {
		if (segment->last >= last)
			return true;
		index = segment->last + 1;
		segment = next_segment(segment);
	}
	return false;
}

/**
 * iommufd_pages_split() - an area that is a user of pages becomes two
 * @pages: the pages, their mutex held
 * @index: first page of the second area
 * @shared: the first area needs that page too; else it ends with the page before
 *
 * A segment that both areas touch is cut if the old one was its only user, so that each half can be
 * unpinned by itself; else it gets another user and stays until both are gone.
 *
 * Return: 0 or -ENOMEM, and nothing is changed then.
 */
int iommufd_pages_split(struct iommufd_pages *pages, unsigned long index, bool shared)
{
	struct iommufd_segment *segment = segment_from(pages, index);
	struct iommufd_segment *tail;
	int rc;

	if (!segment || segment->first > index || (segment->first == index && !shared))
		return 0;
	if (segment->users > 1 || shared) {
		segment->users++;
		return 0;
	}

	tail = alloc_segment(pages);
	if (!tail)
		return -ENOMEM;
	rc = iommufd_extents_copy_tail(&segment->extents, index - segment->first, &tail->extents);
	if (rc) {
		free_segment(pages, tail);
		return rc;
	}
	iommufd_extents_truncate(&segment->extents, index - segment->first);
	tail->first = index;
	tail->last = segment->last;
	tail->users = 1;
	segment->last = index - 1;
	insert_segment(pages, tail);
	return 0;
}

/**
 * iommufd_pages_seek() - begin to walk over pinned memory
 * @cursor: the cursor
 * @pages: the pages, their mutex held during the walk
 * @index: page to begin at; it and all that will be walked over is pinned
 */
void iommufd_pages_seek(struct iommufd_page_cursor *cursor, struct iommufd_pages *pages,
			unsigned long index)
{
	cursor->pages = pages;
	cursor->index = index;
	cursor->segment = segment_from(pages, index);
	iommufd_extents_seek(&cursor->extent, &cursor->segment->extents,
			     index - cursor->segment->first);
}

/**
 * iommufd_pages_next() - take the contiguous run of memory at a cursor and move behind it
 * @cursor: the cursor
 * @max: pages wanted at most, not 0
 * @pfn: out: its first page frame
 *
 * Return: its length in pages.
 */
unsigned long iommufd_pages_next(struct iommufd_page_cursor *cursor, unsigned long max,
				 unsigned long *pfn)
{
	unsigned long nr = iommufd_extents_next(&cursor->extent, max, pfn);

	if (!nr) {
		cursor->segment = next_segment(cursor->segment);
		iommufd_extents_seek(&cursor->extent, &cursor->segment->extents, 0);
		nr = iommufd_extents_next(&cursor->extent, max, pfn);
	}
	cursor->index += nr;
	return nr;
}
