// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory behind areas; pages.h describes the model.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "memory/fault.h"
#include "iommufd_private.h"
#include "memory/pages.h"

/**
 * iommufd_pages_alloc() - describe user memory of the calling process; pins nothing
 * @ictx: the context through which it is mapped; its account_mode applies
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
	iommufd_mutex_no_fault(&pages->mutex);
	pages->segments = RB_ROOT;
	pages->embedded_used = false;
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
 * iommufd_pages_release() - free the pages when the last reference is dropped
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

/* Finds the segment that contains a page, or else the first one after it, or NULL. */
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

	lockdep_assert_held(&pages->mutex);
	/* pairs with the release in free_segment() */
	if (!smp_load_acquire(&pages->embedded_used)) {
		pages->embedded_used = true;
		segment = &pages->embedded;
	} else {
		segment = kmalloc(sizeof(*segment), GFP_KERNEL_ACCOUNT);
		if (!segment)
			return NULL;
	}
	segment->state = IOMMUFD_SEGMENT_PINNING;
	iommufd_extents_init(&segment->extents);
	return segment;
}

static void free_segment(struct iommufd_pages *pages, struct iommufd_segment *segment)
{
	if (segment == &pages->embedded)
		smp_store_release(&pages->embedded_used, false);
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

static void set_state(struct iommufd_pages *pages, struct iommufd_segment *segment,
		      enum iommufd_segment_state state)
{
	smp_store_release(&segment->state, state);
	/* The pages of a map in flight are private to it: no other thread can be waiting. */
	if (likely(kref_read(&pages->kref) == 1))
		return;
	/* a waiter queues itself before it checks the state */
	smp_mb();
	wake_up_var(&segment->state);
}

static bool still_pinning(struct iommufd_segment *segment)
{
	return smp_load_acquire(&segment->state) == IOMMUFD_SEGMENT_PINNING;
}

/* Creates and pins a new segment.  Called with the mutex, which it drops. */
static int pin_segment_and_unlock(struct iommufd_pages *pages, struct iommufd_op *op,
				  unsigned long first, unsigned long last)
{
	struct iommufd_segment *segment = alloc_segment(pages);
	bool unused;
	int rc;

	if (!segment) {
		mutex_unlock(&pages->mutex);
		return iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory, sizeof(*segment), 0);
	}
	segment->first = first;
	segment->last = last;
	segment->users = 1;
	insert_segment(pages, segment);
	mutex_unlock(&pages->mutex);

	rc = iommufd_pin_extents(pages, op, first, last - first + 1, &segment->extents);
	if (!rc) {
		set_state(pages, segment, IOMMUFD_SEGMENT_PINNED);
		return 0;
	}
	mutex_lock(&pages->mutex);
	rb_erase(&segment->node, &pages->segments);
	set_state(pages, segment, IOMMUFD_SEGMENT_FAILED);
	unused = !--segment->users;
	mutex_unlock(&pages->mutex);
	if (unused)
		free_segment(pages, segment);
	return rc;
}

/*
 * Removes a user of a segment.  Called with the mutex, which it drops.  The last user unpins the
 * memory.
 */
static void drop_segment_and_unlock(struct iommufd_pages *pages, struct iommufd_op *op,
				    struct iommufd_segment *segment)
{
	bool unused = !--segment->users;
	/*
	 * The thread that pins is a user until it has finished, so a segment without users is not
	 * being pinned.
	 */
	bool pinned = segment->state == IOMMUFD_SEGMENT_PINNED;

	if (unused && pinned)
		rb_erase(&segment->node, &pages->segments);
	mutex_unlock(&pages->mutex);
	if (!unused)
		return;
	if (pinned)
		iommufd_unpin_extents(pages, op, &segment->extents);
	free_segment(pages, segment);
}

/*
 * Waits, as a user, for another thread that is pinning a segment.  Called with the mutex, which it
 * drops.  Returns 0 if the segment is pinned, -EAGAIN if the pin failed, or -EINTR.  On failure the
 * caller is no user of the segment.
 */
static int wait_segment_and_unlock(struct iommufd_pages *pages, struct iommufd_op *op,
				   struct iommufd_segment *segment)
{
	unsigned int phase;
	int rc;

	segment->users++;
	mutex_unlock(&pages->mutex);

	phase = iommufd_op_enter(op, IOMMUFD_PHASE_wait);
	rc = wait_var_event_killable(&segment->state, !still_pinning(segment));
	iommufd_op_phase(op, phase);
	if (rc)
		rc = iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
	else if (segment->state == IOMMUFD_SEGMENT_FAILED)
		rc = -EAGAIN;
	if (!rc)
		return 0;
	mutex_lock(&pages->mutex);
	drop_segment_and_unlock(pages, op, segment);
	return rc;
}

/* Becomes a user of the segment at @index, or pins a new one up to @last; out: its last page. */
static int pin_at(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long index,
		  unsigned long last, unsigned long *end)
{
	struct iommufd_segment *segment;

	mutex_lock(&pages->mutex);
	segment = segment_from(pages, index);
	if (!segment || segment->first > index) {
		*end = segment ? min(last, segment->first - 1) : last;
		return pin_segment_and_unlock(pages, op, index, *end);
	}
	*end = segment->last;
	if (still_pinning(segment))
		return wait_segment_and_unlock(pages, op, segment);
	segment->users++;
	mutex_unlock(&pages->mutex);
	return 0;
}

/**
 * iommufd_pages_pin() - become a user of a range of pages, pinning what is not pinned yet
 * @pages: the pages
 * @op: the operation
 * @first: index of the first page
 * @last: index of the last page
 *
 * May fault and take arbitrarily long, so the caller must hold no lock that other threads may need.
 * A fatal signal ends the call.
 *
 * Return: 0 or a negative errno.  On failure no user was added, and no more is pinned than before.
 */
int iommufd_pages_pin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
		      unsigned long last)
{
	unsigned long index = first;

	iommufd_may_fault();
	for (;;) {
		unsigned long end;
		int rc = pin_at(pages, op, index, last, &end);

		if (rc == -EAGAIN)
			continue;
		if (rc) {
			iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
			if (index != first)
				iommufd_pages_unpin(pages, op, first, index - 1);
			return rc;
		}
		if (end >= last)
			return 0;
		index = end + 1;
	}
}

/**
 * iommufd_pages_unpin() - remove a user of a range of pages
 * @pages: the pages
 * @op: the operation, in its phase unpin
 * @first: index passed to iommufd_pages_pin()
 * @last: index passed to iommufd_pages_pin()
 */
void iommufd_pages_unpin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
			 unsigned long last)
{
	unsigned long index = first;

	for (;;) {
		struct iommufd_segment *segment;
		unsigned long end;

		mutex_lock(&pages->mutex);
		segment = segment_from(pages, index);
		if (WARN_ON_ONCE(!segment || segment->first > index)) {
			mutex_unlock(&pages->mutex);
			return;
		}
		end = segment->last;
		drop_segment_and_unlock(pages, op, segment);
		if (end >= last)
			return;
		index = end + 1;
	}
}

/**
 * iommufd_pages_pfn() - find the page frame of a page, if the page is pinned
 * @pages: the pages; their mutex is held, and stays held while the page is used
 * @index: index of the page
 * @pfn: out: its page frame
 *
 * Return: false if it is not pinned.
 */
bool iommufd_pages_pfn(struct iommufd_pages *pages, unsigned long index, unsigned long *pfn)
{
	struct iommufd_segment *segment = segment_from(pages, index);
	struct iommufd_extent_cursor cursor;

	if (!segment || segment->first > index || still_pinning(segment))
		return false;
	iommufd_extents_seek(&cursor, &segment->extents, index - segment->first);
	return iommufd_extents_next(&cursor, 1, pfn);
}

/**
 * iommufd_pages_split() - split the use of pages by an area that becomes two areas
 * @pages: the pages, their mutex held
 * @index: first page of the second area
 * @shared: the first area needs that page too; otherwise it ends with the previous page
 *
 * A segment that both areas touch is cut if the old area was its only user, so that each half can
 * be unpinned separately.  Otherwise it gets another user and stays until both areas are gone.
 *
 * Return: 0 or -ENOMEM; on failure nothing has changed.
 */
int iommufd_pages_split(struct iommufd_pages *pages, unsigned long index, bool shared)
{
	struct iommufd_segment *segment = segment_from(pages, index);
	struct iommufd_segment *tail;
	int rc;

	/* The area is a user, so the segment is pinned. */
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
	tail->state = IOMMUFD_SEGMENT_PINNED;
	segment->last = index - 1;
	insert_segment(pages, tail);
	return 0;
}

/**
 * iommufd_pages_seek() - start a walk over pinned memory
 * @cursor: the cursor
 * @pages: the pages
 * @index: page to start at; the caller is a user of it and of all pages that it will walk over
 */
void iommufd_pages_seek(struct iommufd_page_cursor *cursor, struct iommufd_pages *pages,
			unsigned long index)
{
	cursor->pages = pages;
	cursor->index = index;
	mutex_lock(&pages->mutex);
	cursor->segment = segment_from(pages, index);
	mutex_unlock(&pages->mutex);
	iommufd_extents_seek(&cursor->extent, &cursor->segment->extents,
			     index - cursor->segment->first);
}

/**
 * iommufd_pages_next() - return the contiguous run at a cursor and advance the cursor past it
 * @cursor: the cursor
 * @max: maximum number of pages, not 0
 * @pfn: out: its first page frame
 *
 * Return: its length in pages.
 */
unsigned long iommufd_pages_next(struct iommufd_page_cursor *cursor, unsigned long max,
				 unsigned long *pfn)
{
	unsigned long nr = iommufd_extents_next(&cursor->extent, max, pfn);

	if (!nr) {
		mutex_lock(&cursor->pages->mutex);
		cursor->segment = next_segment(cursor->segment);
		mutex_unlock(&cursor->pages->mutex);
		iommufd_extents_seek(&cursor->extent, &cursor->segment->extents, 0);
		nr = iommufd_extents_next(&cursor->extent, max, pfn);
	}
	cursor->index += nr;
	return nr;
}
