/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User memory behind areas, and which of it is pinned.
 *
 * A struct iommufd_pages is one range of user memory as it was given to a map call.  The area of
 * that call and all its copies, in whichever IOAS, share it by reference.  Memory is pinned in
 * segments, runs of page indexes that were pinned at once and never overlap: whoever needs a range
 * of pages (an area of an IOAS that has HWPTs, an access) calls iommufd_pages_pin(), which takes
 * a user on each segment that touches the range and pins what is in none.  A page is pinned, and
 * accounted, once so, however many use it.
 *
 * A segment keeps its bounds as long as it has users, hence the segments that touch a range do not
 * change between iommufd_pages_pin() and iommufd_pages_unpin() of that range, and taking a user
 * from each of them is exact.  iommufd_pages_split() is the one exception and keeps this
 * rule by cutting only segments with a single user, whom it makes two.
 *
 * The mutex guards the tree and the users of segments; nothing sleeps for long while it is held.
 * The record of a segment is constant while it has users, so users walk it without the mutex.
 */
#ifndef IOMMUSCOPE_IOMMUFD_PAGES_H
#define IOMMUSCOPE_IOMMUFD_PAGES_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>

#include "memory/extents.h"

struct iommufd_ctx;
struct iommufd_op;
struct mm_struct;
struct page;
struct task_struct;
struct user_struct;

enum iommufd_segment_state {
	IOMMUFD_SEGMENT_PINNING,
	IOMMUFD_SEGMENT_PINNED,
	IOMMUFD_SEGMENT_FAILED,
};

/**
 * struct iommufd_segment - a run of pages pinned at once
 * @node: in iommufd_pages.segments, unless pinning failed
 * @first: index of its first page
 * @last: index of its last page
 * @users: how many need it, and how many wait for it
 * @state: enum iommufd_segment_state; changes once, by the thread that pins, and is waited for
 * @extents: its memory
 */
struct iommufd_segment {
	struct rb_node node;
	unsigned long first;
	unsigned long last;
	unsigned long users;
	int state;
	struct iommufd_extents extents;
};

/**
 * struct iommufd_pages - user memory given to one map call
 * @kref: areas, and copies under way
 * @mutex: guards @segments and the users of what they hold
 * @segments: pinned runs by index
 * @embedded: the segment that covers all of a range pinned at once, the usual case
 * @embedded_used: @embedded is taken; the thread that owns it gives it back without the mutex
 * @user_va: address of the first page
 * @nr_pages: length
 * @ictx: the context; its areas are all that can hold a reference
 * @mm: the address space
 * @task: leader of the process that mapped; its RLIMIT_MEMLOCK counts
 * @user: the user that mapped
 * @account_mode: enum iommufd_account_mode
 * @writeable: pinned for writing
 * @unlimited: the process had CAP_IPC_LOCK: no limit counts, and the user is not charged
 */
struct iommufd_pages {
	struct kref kref;
	struct mutex mutex;
	struct rb_root segments;
	struct iommufd_segment embedded;
	bool embedded_used;

	unsigned long user_va;
	unsigned long nr_pages;
	struct iommufd_ctx *ictx;
	struct mm_struct *mm;
	struct task_struct *task;
	struct user_struct *user;
	u8 account_mode;
	bool writeable;
	bool unlimited;
};

/**
 * struct iommufd_page_cursor - a walk over the memory of pinned pages
 * @pages: the pages; the walker is a user of all that it walks over
 * @segment: where it is
 * @extent: and where in that
 * @index: page index it is at
 */
struct iommufd_page_cursor {
	struct iommufd_pages *pages;
	struct iommufd_segment *segment;
	struct iommufd_extent_cursor extent;
	unsigned long index;
};

struct iommufd_pages *iommufd_pages_alloc(struct iommufd_ctx *ictx, unsigned long user_va,
					  unsigned long nr_pages, bool writeable);
void iommufd_pages_release(struct kref *kref);

static inline void iommufd_pages_put(struct iommufd_pages *pages)
{
	kref_put(&pages->kref, iommufd_pages_release);
}

int iommufd_pages_pin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
		      unsigned long last);
void iommufd_pages_unpin(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
			 unsigned long last);
bool iommufd_pages_pfn(struct iommufd_pages *pages, unsigned long index, unsigned long *pfn);
int iommufd_pages_split(struct iommufd_pages *pages, unsigned long index, bool shared);
void iommufd_pages_seek(struct iommufd_page_cursor *cursor, struct iommufd_pages *pages,
			unsigned long index);
unsigned long iommufd_pages_next(struct iommufd_page_cursor *cursor, unsigned long max,
				 unsigned long *pfn);

/* account.c */
int iommufd_account_charge(struct iommufd_pages *pages, struct iommufd_op *op,
			   unsigned long nr_pages);
void iommufd_account_uncharge(struct iommufd_pages *pages, unsigned long nr_pages);

/* pin.c */
int iommufd_pin_extents(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
			unsigned long nr_pages, struct iommufd_extents *extents);
void iommufd_unpin_extents(struct iommufd_pages *pages, struct iommufd_op *op,
			   struct iommufd_extents *extents);
long iommufd_pin_user_pages(struct iommufd_pages *pages, unsigned long index, unsigned long nr,
			    struct page **page_array);

#endif
