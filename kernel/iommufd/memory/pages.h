/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User memory behind areas, and the parts of it that are pinned.
 *
 * A struct iommufd_pages is one range of user memory as it was passed to a map call.  The area of
 * that call and all copies of it, in any IOAS, share it by reference.  Memory is pinned in
 * segments.  A segment is a run of page indexes that was pinned at once; segments never overlap.  A
 * user of a range of pages (an area of an IOAS that has HWPTs, or an access) calls
 * iommufd_pages_pin().  That call adds a user to each segment that touches the range, and pins the
 * pages that are in no segment.  A page is therefore pinned and accounted once, however many users
 * it has.
 *
 * A segment keeps its bounds as long as it has users.  The segments that touch a range therefore do
 * not change between iommufd_pages_pin() and iommufd_pages_unpin() of that range, and one user for
 * each of them is exact.  iommufd_pages_split() is the only exception.  It keeps the rule because
 * it cuts only a segment with a single user, and turns that user into two.
 *
 * The mutex guards the tree and the user counts of the segments; no thread sleeps for long while it
 * holds the mutex.  The record of a segment is constant while the segment has users, so users walk
 * it without the mutex.
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
 * @users: users of it, including threads that wait for it
 * @state: enum iommufd_segment_state; changes once, set by the thread that pins; other threads wait
 *	for that
 * @extents: record of its memory
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
 * struct iommufd_pages - user memory passed to one map call
 * @kref: references of areas, and of copies in flight
 * @mutex: guards @segments and the user counts of the segments
 * @segments: pinned runs by index
 * @embedded: the segment for the usual case, in which the whole range is pinned at once
 * @embedded_used: @embedded is taken; the thread that owns it releases it without the mutex
 * @user_va: address of the first page
 * @nr_pages: length
 * @ictx: the context; only its areas hold references
 * @mm: the address space
 * @task: leader of the process that mapped; its RLIMIT_MEMLOCK applies
 * @user: the user that mapped
 * @account_mode: enum iommufd_account_mode
 * @writeable: pinned for writing
 * @unlimited: the process had CAP_IPC_LOCK: no limit applies, and the user is not charged
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
 * struct iommufd_page_cursor - a walk over pinned memory
 * @pages: the pages; the walker is a user of all the pages that it walks over
 * @segment: current segment
 * @extent: position in the segment's record
 * @index: current page index
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
