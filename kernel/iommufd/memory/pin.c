// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion of user addresses to extents, and back.
 *
 * The memory manager returns pages in batches of pointers.  A batch is converted to extents at once
 * and then discarded.  Every pointer is checked.  User space can rearrange the pages of one folio
 * at will (mremap), so the position of a folio's ends says nothing about the pages between them.
 * An extent with other pages than those pinned would later unpin the wrong pages.
 */
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "memory/fault.h"
#include "iommufd_private.h"
#include "memory/pages.h"
#include "test_hook.h"
#include "iommufd.h"

/* Extents compare page pointers, which show physical contiguity only if there is one memory map. */
static_assert(IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) || IS_ENABLED(CONFIG_FLATMEM));

#define BATCH_PAGES		512
#define SMALL_BATCH_PAGES	16

/* Pages that are unpinned without a reschedule point: 1 GiB, so that no huge page is split. */
#define UNPIN_PAGES		(SZ_1G >> PAGE_SHIFT)

#ifdef CONFIG_LOCKDEP
struct lockdep_map iommufd_fault_map = STATIC_LOCKDEP_MAP_INIT("iommufd_fault", &iommufd_fault_map);
#endif

#ifdef CONFIG_IOMMUFD_TEST
unsigned int iommufd_test_memory_limit = UINT_MAX;

static unsigned long batch_limit(unsigned long nr)
{
	unsigned int limit = READ_ONCE(iommufd_test_memory_limit) / sizeof(struct page *);

	return min(nr, max(limit, 1U));
}
#else
static unsigned long batch_limit(unsigned long nr)
{
	return nr;
}
#endif

/**
 * iommufd_pin_user_pages() - pin one batch of user memory for long-term use by a device
 * @pages: the memory
 * @index: index of the first page
 * @nr: number of pages to pin
 * @page_array: out: the pages
 *
 * Works in any process, and fails with -ESRCH once the process that mapped has exited.  May fault,
 * so no lock of iommufd may be held.
 *
 * Return: pages pinned, at least 1, or a negative errno.
 */
long iommufd_pin_user_pages(struct iommufd_pages *pages, unsigned long index, unsigned long nr,
			    struct page **page_array)
{
	unsigned long user_va = pages->user_va + index * PAGE_SIZE;
	unsigned int flags = FOLL_LONGTERM | (pages->writeable ? FOLL_WRITE : 0);
	int locked = 1;
	long ret;

	iommufd_may_fault();
	if (current->mm == pages->mm) {
		ret = pin_user_pages_fast(user_va, nr, flags, page_array);
	} else {
		if (!mmget_not_zero(pages->mm))
			return -ESRCH;
		ret = mmap_read_lock_killable(pages->mm);
		if (!ret) {
			ret = pin_user_pages_remote(pages->mm, user_va, nr, flags, page_array,
						    &locked);
			if (locked)
				mmap_read_unlock(pages->mm);
		}
		/*
		 * This may be the last reference, and the calling kernel driver may hold a lock of
		 * its own.
		 */
		mmput_async(pages->mm);
	}
	trace_iommufd_pin(user_va, nr, ret);
	return ret ? ret : -EFAULT;
}

/* Length of the physically contiguous run at the start of an array of pages. */
static unsigned long contiguous_run(struct page **pages, unsigned long nr)
{
	struct page *expected = pages[0];
	unsigned long i = 0;

	while (i + 8 <= nr) {
		unsigned long differ;

		differ = (unsigned long)pages[i] ^ (unsigned long)expected;
		differ |= (unsigned long)pages[i + 1] ^ (unsigned long)(expected + 1);
		differ |= (unsigned long)pages[i + 2] ^ (unsigned long)(expected + 2);
		differ |= (unsigned long)pages[i + 3] ^ (unsigned long)(expected + 3);
		differ |= (unsigned long)pages[i + 4] ^ (unsigned long)(expected + 4);
		differ |= (unsigned long)pages[i + 5] ^ (unsigned long)(expected + 5);
		differ |= (unsigned long)pages[i + 6] ^ (unsigned long)(expected + 6);
		differ |= (unsigned long)pages[i + 7] ^ (unsigned long)(expected + 7);
		if (differ)
			break;
		i += 8;
		expected += 8;
	}
	while (i < nr && pages[i] == expected) {
		i++;
		expected++;
	}
	return i;
}

/*
 * Scattered memory costs one step per page, so this step is short.  It records pages that neither
 * continue the previous page nor are continued by the next one, as long as the last chunk has room.
 * The page before the array must already be recorded.  Returns the number of pages recorded.
 */
static unsigned long append_single(struct iommufd_extents *extents, struct page **pages,
				   unsigned long nr)
{
	struct iommufd_extent_chunk *chunk = &extents->chunks[extents->nr_chunks - 1];
	struct iommufd_extent *extent = &chunk->extents[chunk->nr];
	unsigned long i;

	/* the last page may be the start of a run, so it is left to the caller */
	nr = min(nr - 1, (unsigned long)(chunk->capacity - chunk->nr));
	for (i = 0; i < nr; i++) {
		if (pages[i] == pages[i - 1] + 1 || pages[i + 1] == pages[i] + 1)
			break;
		extent[i] = (struct iommufd_extent){ .pfn = page_to_pfn(pages[i]), .nr_pages = 1 };
	}
	chunk->nr += i;
	extents->nr_pages += i;
	extents->nr_extents += i;
	return i;
}

/* On failure, @appended is the number of pages of the batch that are in the record. */
static int append_batch(struct iommufd_extents *extents, struct page **pages, unsigned long nr,
			unsigned long *appended)
{
	unsigned long done = 0;

	while (done < nr) {
		unsigned long run = contiguous_run(pages + done, nr - done);
		int rc = iommufd_extents_append(extents, page_to_pfn(pages[done]), run);

		if (rc) {
			*appended = done;
			return rc;
		}
		done += run;
		if (run == 1 && done < nr)
			done += append_single(extents, pages + done, nr - done);
	}
	*appended = done;
	return 0;
}

static int pin_failed(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long index,
		      int err)
{
	u64 user_va = pages->user_va + (u64)index * PAGE_SIZE;

	switch (err) {
	case -ENOMEM:
		return iommufd_op_fail(op, err, IOMMUFD_REASON_no_memory, 0, 0);
	case -ESRCH:
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_process_gone,
				       task_pid_nr(pages->task), 0);
	case -EINTR:
	case -ERESTARTSYS:
		return iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
	default:
		return iommufd_op_fail(op, err, IOMMUFD_REASON_gup_fault, user_va, -err);
	}
}

/**
 * iommufd_pin_extents() - pin a range of pages into an empty record
 * @pages: the memory
 * @op: the operation; the phases account and pin are charged
 * @first: index of the first page
 * @nr_pages: number of pages
 * @extents: the record
 *
 * Return: 0 or a negative errno.  On failure nothing is pinned, charged or recorded.
 */
int iommufd_pin_extents(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long first,
			unsigned long nr_pages, struct iommufd_extents *extents)
{
	struct page *small_batch[SMALL_BATCH_PAGES];
	struct page **batch = small_batch;
	unsigned long batch_pages = batch_limit(SMALL_BATCH_PAGES);
	int rc;

	rc = iommufd_account_charge(pages, op, nr_pages);
	if (rc)
		return rc;

	iommufd_op_phase(op, IOMMUFD_PHASE_pin);
	if (nr_pages > SMALL_BATCH_PAGES) {
		struct page **large = kmalloc_array(BATCH_PAGES, sizeof(*large),
						    GFP_KERNEL_ACCOUNT);

		if (large) {
			batch = large;
			batch_pages = batch_limit(BATCH_PAGES);
		}
	}

	while (extents->nr_pages < nr_pages) {
		unsigned long index = first + extents->nr_pages;
		unsigned long appended;
		long got;

		/*
		 * The first batch is pinned without a check for signals, so that a short pin does
		 * not pay for it.
		 */
		if (extents->nr_pages && fatal_signal_pending(current)) {
			rc = pin_failed(pages, op, index, -EINTR);
			break;
		}
		got = iommufd_pin_user_pages(pages, index,
					     min(nr_pages - extents->nr_pages, batch_pages), batch);
		if (got < 0) {
			rc = pin_failed(pages, op, index, got);
			break;
		}
		rc = append_batch(extents, batch, got, &appended);
		if (rc) {
			unpin_user_pages(batch + appended, got - appended);
			iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0);
			break;
		}
		cond_resched();
	}
	if (batch != small_batch)
		kfree(batch);

	if (rc) {
		unsigned long missing = nr_pages - extents->nr_pages;

		iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
		iommufd_unpin_extents(pages, op, extents);
		iommufd_account_uncharge(pages, missing);
		return rc;
	}
	iommufd_op_add(op, &op->pages, nr_pages);
	return 0;
}

/**
 * iommufd_unpin_extents() - unpin and uncharge the pages of a record, and free the record
 * @pages: the memory
 * @op: the operation, in its phase unpin
 * @extents: the record, empty afterwards
 */
void iommufd_unpin_extents(struct iommufd_pages *pages, struct iommufd_op *op,
			   struct iommufd_extents *extents)
{
	unsigned long nr_pages = extents->nr_pages;
	struct iommufd_extent_cursor cursor;
	unsigned long pfn, nr;

	iommufd_extents_seek(&cursor, extents, 0);
	while ((nr = iommufd_extents_next(&cursor, UNPIN_PAGES, &pfn))) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), nr, pages->writeable);
		cond_resched();
	}
	iommufd_extents_free(extents);
	iommufd_account_uncharge(pages, nr_pages);
	trace_iommufd_unpin(pages->user_va, nr_pages, 0);
	iommufd_op_add(op, &op->pages, nr_pages);
}
