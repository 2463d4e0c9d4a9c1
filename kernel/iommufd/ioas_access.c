// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel drivers at the memory of an IOAS: reading, writing and pinning by IOVA.
 *
 * An access that pins raises iommufd_area.accesses of every area it pins in, under iova_lock held
 * for read; an unmap, which holds it for write, sees that, has the access told to leave, and
 * finds the count zero when it looks again.
 */
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>

#include "area.h"
#include "iommufd_private.h"

/**
 * iommufd_ioas_add_access() - attach an access
 * @ioas: the IOAS
 * @op: the operation
 * @access: the access
 * @pins_pages: it pins, so that areas have to be whole pages from now on
 * @slot: out: its key in iommufd_ioas.accesses
 *
 * Return: 0; -EADDRINUSE: an area is not a whole number of pages; -ENOMEM.
 */
int iommufd_ioas_add_access(struct iommufd_ioas *ioas, struct iommufd_op *op,
			    struct iommufd_access *access, bool pins_pages, u32 *slot)
{
	int rc;

	down_write(&ioas->hwpt_lock);
	down_write(&ioas->iova_lock);
	if (pins_pages) {
		rc = iommufd_iova_check_alignment(ioas, op, PAGE_SIZE);
		if (rc)
			goto out_unlock;
	}
	rc = xa_alloc(&ioas->accesses, slot, access, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (rc) {
		iommufd_op_fail(op, rc, IOMMUFD_REASON_no_memory, 0, 0);
		goto out_unlock;
	}
	ioas->nr_accesses++;
	ioas->pin_accesses += pins_pages;
	ioas->iova_alignment = iommufd_iova_alignment(ioas);
out_unlock:
	up_write(&ioas->iova_lock);
	up_write(&ioas->hwpt_lock);
	return rc;
}

/**
 * iommufd_ioas_remove_access() - detach an access
 * @ioas: the IOAS
 * @slot: as iommufd_ioas_add_access() told
 * @pins_pages: as it was told
 */
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas, u32 slot, bool pins_pages)
{
	down_write(&ioas->hwpt_lock);
	down_write(&ioas->iova_lock);
	xa_erase(&ioas->accesses, slot);
	ioas->nr_accesses--;
	ioas->pin_accesses -= pins_pages;
	ioas->iova_alignment = iommufd_iova_alignment(ioas);
	up_write(&ioas->iova_lock);
	up_write(&ioas->hwpt_lock);
}

/**
 * struct piece - the part of an access's range that lies in one area
 * @area: the area
 * @offset: byte in its pages at which the piece begins
 * @length: bytes
 */
struct piece {
	struct iommufd_area *area;
	unsigned long offset;
	unsigned long length;
};

/* The piece that begins at @iova, up to @last; names why there is none. */
static int get_piece(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		     unsigned long last, bool write, struct piece *piece)
{
	struct iommufd_area *area = iommufd_area_from(ioas, iova);

	if (!area || area->iova > iova || smp_load_acquire(&area->state) != IOMMUFD_AREA_READY ||
	    area->no_access)
		return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped, iova, last);
	if (write && !(area->prot & IOMMU_WRITE))
		return iommufd_op_fail(op, -EPERM, IOMMUFD_REASON_not_writeable, area->iova, 0);
	piece->area = area;
	piece->offset = area->offset + (iova - area->iova);
	piece->length = min(area->last, last) - iova + 1;
	return 0;
}

static unsigned long piece_last_page(const struct piece *piece)
{
	return (piece->offset + piece->length - 1) >> PAGE_SHIFT;
}

static int pin_piece(const struct piece *piece, struct iommufd_op *op, struct page **out_pages)
{
	unsigned long index = piece->offset >> PAGE_SHIFT, last = piece_last_page(piece);
	struct iommufd_pages *pages = piece->area->pages;
	struct iommufd_page_cursor cursor;
	int rc;

	mutex_lock(&pages->mutex);
	rc = iommufd_pages_pin(pages, op, index, last);
	if (rc)
		goto out_unlock;
	atomic_inc(&piece->area->accesses);
	if (!out_pages)
		goto out_unlock;
	iommufd_pages_seek(&cursor, pages, index);
	while (index <= last) {
		unsigned long pfn, nr = iommufd_pages_next(&cursor, last - index + 1, &pfn);

		index += nr;
		while (nr--)
			*out_pages++ = pfn_to_page(pfn++);
	}
out_unlock:
	mutex_unlock(&pages->mutex);
	return rc;
}

static void unpin_piece(const struct piece *piece, struct iommufd_op *op)
{
	struct iommufd_pages *pages = piece->area->pages;

	iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
	mutex_lock(&pages->mutex);
	iommufd_pages_unpin(pages, op, piece->offset >> PAGE_SHIFT, piece_last_page(piece));
	mutex_unlock(&pages->mutex);
	atomic_dec(&piece->area->accesses);
}

/* The range was pinned, so its areas are all there, though they may be on their way out. */
static void unpin_range(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
			unsigned long end)
{
	lockdep_assert_held(&ioas->iova_lock);
	while (iova != end) {
		struct iommufd_area *area = iommufd_area_from(ioas, iova);
		struct piece piece;

		if (WARN_ON_ONCE(!area || area->iova > iova || !atomic_read(&area->accesses)))
			return;
		piece.area = area;
		piece.offset = area->offset + (iova - area->iova);
		piece.length = min(area->last, end - 1) - iova + 1;
		iova += piece.length;
		unpin_piece(&piece, op);
	}
}

/**
 * iommufd_ioas_pin_pages() - pin memory by IOVA
 * @ioas: the IOAS
 * @op: the operation
 * @iova: first IOVA
 * @length: bytes; all of the range must be mapped
 * @out_pages: out: the page of each PAGE_SIZE from @iova's page on
 * @write: the pages will be written to
 *
 * Return: 0; -EINVAL: zero length, or memory that is not at the same place within a page as
 * @iova; -EOVERFLOW; -ENOENT: not all of the range is mapped; -EPERM: it is mapped read-only;
 * else as pinning fails.
 */
int iommufd_ioas_pin_pages(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
			   unsigned long length, struct page **out_pages, bool write)
{
	unsigned long at = iova, last;
	int rc;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	/* The end itself must not wrap, as unpinning goes up to it. */
	if (check_add_overflow(iova, length, &last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, iova, length);
	last--;

	iommufd_op_down_read(op, &ioas->iova_lock);
	do {
		struct piece piece;

		rc = get_piece(ioas, op, at, last, write, &piece);
		if (!rc && ((piece.offset ^ at) & ~PAGE_MASK))
			rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, at,
					     PAGE_SIZE);
		/* Two areas that meet within a page would both claim its place in @out_pages. */
		if (!rc && at != iova && (at & ~PAGE_MASK))
			rc = iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, at,
					     PAGE_SIZE);
		if (!rc)
			rc = pin_piece(&piece, op, out_pages);
		if (rc) {
			unpin_range(ioas, op, iova, at);
			break;
		}
		if (out_pages)
			out_pages += piece_last_page(&piece) - (piece.offset >> PAGE_SHIFT) + 1;
		at += piece.length;
	} while (at <= last && at);
	up_read(&ioas->iova_lock);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
	return rc;
}

/**
 * iommufd_ioas_unpin_pages() - undo iommufd_ioas_pin_pages()
 * @ioas: the IOAS
 * @op: the operation
 * @iova: as it was pinned
 * @length: as it was pinned
 */
void iommufd_ioas_unpin_pages(struct iommufd_ioas *ioas, struct iommufd_op *op,
			      unsigned long iova, unsigned long length)
{
	unsigned long end;

	if (WARN_ON_ONCE(!length || check_add_overflow(iova, length, &end)))
		return;
	down_read(&ioas->iova_lock);
	unpin_range(ioas, op, iova, end);
	up_read(&ioas->iova_lock);
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
}

static void rw_page(struct page *page, unsigned int offset, void *data, unsigned int length,
		    bool write)
{
	if (write)
		memcpy_to_page(page, offset, data, length);
	else
		memcpy_from_page(data, page, offset, length);
}

/* Memory that some HWPT or access keeps pinned is read and written where it is. */
static void rw_pinned(const struct piece *piece, void *data, bool write)
{
	unsigned long left = piece->length, offset = piece->offset & ~PAGE_MASK;
	struct iommufd_page_cursor cursor;

	iommufd_pages_seek(&cursor, piece->area->pages, piece->offset >> PAGE_SHIFT);
	while (left) {
		unsigned int length = min(PAGE_SIZE - offset, left);
		unsigned long pfn;

		iommufd_pages_next(&cursor, 1, &pfn);
		rw_page(pfn_to_page(pfn), offset, data, length, write);
		data += length;
		left -= length;
		offset = 0;
	}
}

/* Other memory is pinned for the time of the copy, page by page. */
static int rw_unpinned(const struct piece *piece, struct iommufd_op *op, void *data, bool write)
{
	unsigned long left = piece->length, offset = piece->offset & ~PAGE_MASK;
	unsigned long index = piece->offset >> PAGE_SHIFT;
	struct iommufd_pages *pages = piece->area->pages;

	while (left) {
		unsigned int length = min(PAGE_SIZE - offset, left);
		struct page *page;
		long ret = iommufd_pin_user_pages(pages, index, 1, &page);

		if (ret < 0)
			return iommufd_op_fail(op, ret == -ESRCH ? -EFAULT : ret,
					       IOMMUFD_REASON_gup_fault,
					       pages->user_va + index * PAGE_SIZE, -ret);
		rw_page(page, offset, data, length, write);
		unpin_user_pages_dirty_lock(&page, 1, write);
		data += length;
		left -= length;
		offset = 0;
		index++;
	}
	return 0;
}

static int rw_user(const struct piece *piece, struct iommufd_op *op, void *data, bool write)
{
	void __user *user = (void __user *)(piece->area->pages->user_va + piece->offset);
	unsigned long missed;

	if (write)
		missed = copy_to_user(user, data, piece->length);
	else
		missed = copy_from_user(data, user, piece->length);
	if (missed)
		return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_gup_fault,
				       (uintptr_t)user + (piece->length - missed), EFAULT);
	return 0;
}

static int rw_piece(const struct piece *piece, struct iommufd_op *op, void *data,
		    unsigned int flags)
{
	struct iommufd_pages *pages = piece->area->pages;
	bool write = flags & IOMMUFD_ACCESS_RW_WRITE;
	int rc = 0;

	mutex_lock(&pages->mutex);
	if (iommufd_pages_pinned(pages, piece->offset >> PAGE_SHIFT, piece_last_page(piece))) {
		rw_pinned(piece, data, write);
		mutex_unlock(&pages->mutex);
		return 0;
	}
	mutex_unlock(&pages->mutex);

	if (flags & __IOMMUFD_ACCESS_RW_SLOW_PATH)
		return rw_unpinned(piece, op, data, write);
	if (current->mm == pages->mm)
		return rw_user(piece, op, data, write);
	if ((flags & IOMMUFD_ACCESS_RW_KTHREAD) && (current->flags & PF_KTHREAD) && !current->mm &&
	    mmget_not_zero(pages->mm)) {
		kthread_use_mm(pages->mm);
		rc = rw_user(piece, op, data, write);
		kthread_unuse_mm(pages->mm);
		mmput(pages->mm);
		return rc;
	}
	return rw_unpinned(piece, op, data, write);
}

/**
 * iommufd_ioas_rw() - copy to or from the memory behind IOVAs
 * @ioas: the IOAS
 * @op: the operation
 * @iova: first IOVA, need not be aligned
 * @data: kernel memory
 * @length: bytes; all of the range must be mapped
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Return: 0; -EINVAL: zero length; -EOVERFLOW; -ENOENT: not all of the range is mapped; -EPERM:
 * it is mapped read-only; -EFAULT: the memory is not there.  A part may have been copied then.
 */
int iommufd_ioas_rw(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		    void *data, size_t length, unsigned int flags)
{
	unsigned long last;
	int rc;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	if (check_add_overflow(iova, length - 1, &last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, iova, length);

	iommufd_op_down_read(op, &ioas->iova_lock);
	for (;;) {
		struct piece piece;

		rc = get_piece(ioas, op, iova, last, flags & IOMMUFD_ACCESS_RW_WRITE, &piece);
		if (!rc)
			rc = rw_piece(&piece, op, data, flags);
		if (rc || last - iova == piece.length - 1)
			break;
		iova += piece.length;
		data += piece.length;
	}
	up_read(&ioas->iova_lock);
	return rc;
}
