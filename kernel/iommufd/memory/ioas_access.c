// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel drivers that use the memory of an IOAS: reads, writes and pins by IOVA.
 *
 * An access that pins raises iommufd_area.accesses of every area in the range, under iova_lock held
 * for read.  An unmap, which holds iova_lock for write, sees the count and asks the access to
 * leave; once the count is zero it continues.
 *
 * Pages that are not present are faulted in without any lock, by pinning them.  A first look at the
 * areas finds the memory behind the range; a second look, after the fault, checks that the range is
 * still backed by the same memory.  Only then are pins handed out, or bytes copied, with the locks
 * held.  An unmap therefore never waits for a fault, and after it returns no access reads or writes
 * the unmapped memory.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory/area.h"
#include "iommufd_private.h"

/* Maximum number of looks at a range whose areas change all the time. */
#define MAX_LOOKS 100

/**
 * iommufd_ioas_add_access() - attach an access
 * @ioas: the IOAS
 * @op: the operation
 * @access: the access
 * @pins_pages: it pins, so areas must consist of whole pages from now on
 * @slot: out: its key in iommufd_ioas.accesses
 *
 * Return: 0; -EADDRINUSE: an area does not consist of whole pages; -ENOMEM; -EINTR.
 */
int iommufd_ioas_add_access(struct iommufd_ioas *ioas, struct iommufd_op *op,
			    struct iommufd_access *access, bool pins_pages, u32 *slot)
{
	int rc;

	rc = iommufd_ioas_lock(ioas, op);
	if (rc)
		return rc;
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
	iommufd_ioas_unlock(ioas);
	return rc;
}

/**
 * iommufd_ioas_remove_access() - detach an access
 * @ioas: the IOAS
 * @slot: slot returned by iommufd_ioas_add_access()
 * @pins_pages: the value passed to iommufd_ioas_add_access()
 */
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas, u32 slot, bool pins_pages)
{
	down_write(&ioas->hwpt_lock);
	down_write(&ioas->iova_lock);
	xa_erase(&ioas->accesses, slot);
	ioas->nr_accesses--;
	ioas->pin_accesses -= pins_pages;
	ioas->iova_alignment = iommufd_iova_alignment(ioas);
	iommufd_ioas_unlock(ioas);
}

/*
 * Takes the locks under which an access uses its IOAS.  Returns NULL, without locks, if the access
 * is not attached.  Neither lock is ever held over a fault.
 */
static struct iommufd_ioas *enter(struct iommufd_access *access, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas;

	down_read(&access->ioas_rwsem);
	ioas = access->ioas;
	if (!ioas) {
		up_read(&access->ioas_rwsem);
		iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_not_attached, access->obj.id, 0);
		return NULL;
	}
	op->ioas_id = ioas->obj.id;
	down_read(&ioas->iova_lock);
	return ioas;
}

static void leave(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	up_read(&ioas->iova_lock);
	up_read(&access->ioas_rwsem);
}

/**
 * struct piece - the part of an access's range that lies in one area
 * @area: the area, used only under iova_lock, or while the access has it pinned
 * @pages: its pages
 * @offset: first byte of the piece in them
 * @length: bytes
 */
struct piece {
	struct iommufd_area *area;
	struct iommufd_pages *pages;
	unsigned long offset;
	unsigned long length;
};

/*
 * Finds the piece that starts at @iova and ends at @last at the latest; sets the reason on failure.
 */
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
	piece->pages = area->pages;
	piece->offset = area->offset + (iova - area->iova);
	piece->length = min(area->last, last) - iova + 1;
	return 0;
}

static unsigned long piece_first_page(const struct piece *piece)
{
	return piece->offset >> PAGE_SHIFT;
}

static unsigned long piece_last_page(const struct piece *piece)
{
	return (piece->offset + piece->length - 1) >> PAGE_SHIFT;
}

/**
 * struct pinning - pages that an access is about to pin
 * @iova: first IOVA
 * @last: last IOVA
 * @write: the driver will write to the pages
 * @nr: number of pieces
 * @nr_pinned: number of pieces that are pinned, from the first on
 * @room: number of pieces that fit in @pieces
 * @pieces: the pieces, each with a reference on its pages; &@one or allocated
 * @one: inline storage for one piece, which is enough for most ranges
 */
struct pinning {
	unsigned long iova;
	unsigned long last;
	bool write;
	unsigned int nr;
	unsigned int nr_pinned;
	unsigned int room;
	struct piece *pieces;
	struct piece one;
};

static int get_pin_piece(struct iommufd_ioas *ioas, struct iommufd_op *op, struct pinning *pin,
			 unsigned long iova, struct piece *piece)
{
	int rc = get_piece(ioas, op, iova, pin->last, pin->write, piece);

	if (rc)
		return rc;
	/*
	 * Two areas that meet within a page would both claim that page's slot in the array of
	 * pages.
	 */
	if (((piece->offset ^ iova) & ~PAGE_MASK) || (iova != pin->iova && (iova & ~PAGE_MASK)))
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_iova_misaligned, iova,
				       PAGE_SIZE);
	return 0;
}

static int add_piece(struct iommufd_op *op, struct pinning *pin, const struct piece *piece)
{
	if (pin->nr == pin->room) {
		unsigned int room = pin->room * 8;
		struct piece *more = kvmalloc_array(room, sizeof(*more), GFP_KERNEL_ACCOUNT);

		if (!more)
			return iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_no_memory,
					       array_size(room, sizeof(*more)), 0);
		memcpy(more, pin->pieces, pin->nr * sizeof(*more));
		if (pin->pieces != &pin->one)
			kvfree(pin->pieces);
		pin->pieces = more;
		pin->room = room;
	}
	pin->pieces[pin->nr++] = *piece;
	kref_get(&piece->pages->kref);
	return 0;
}

/* The first look: finds the memory behind the range. */
static int find_pieces(struct iommufd_access *access, struct iommufd_op *op, struct pinning *pin)
{
	struct iommufd_ioas *ioas = enter(access, op);
	unsigned long iova = pin->iova;
	struct piece piece;
	int rc;

	if (!ioas)
		return -ENOENT;
	for (;;) {
		rc = get_pin_piece(ioas, op, pin, iova, &piece);
		if (!rc)
			rc = add_piece(op, pin, &piece);
		if (rc || piece.length - 1 == pin->last - iova)
			break;
		iova += piece.length;
	}
	leave(access, ioas);
	return rc;
}

static int pin_pieces(struct iommufd_op *op, struct pinning *pin)
{
	while (pin->nr_pinned < pin->nr) {
		const struct piece *piece = &pin->pieces[pin->nr_pinned];
		int rc = iommufd_pages_pin(piece->pages, op, piece_first_page(piece),
					   piece_last_page(piece));

		if (rc)
			return rc;
		pin->nr_pinned++;
	}
	return 0;
}

static void drop_pieces(struct iommufd_op *op, struct pinning *pin)
{
	unsigned int i;

	for (i = 0; i < pin->nr; i++) {
		const struct piece *piece = &pin->pieces[i];

		if (i < pin->nr_pinned)
			iommufd_pages_unpin(piece->pages, op, piece_first_page(piece),
					    piece_last_page(piece));
		iommufd_pages_put(piece->pages);
	}
	pin->nr = 0;
	pin->nr_pinned = 0;
}

/* Hands the pins over to the areas: from now on an unmap must ask the access to release them. */
static void hand_over(struct iommufd_access *access, struct pinning *pin, struct page **out_pages)
{
	unsigned long nr_pages = 0;
	unsigned int i;

	for (i = 0; i < pin->nr; i++) {
		const struct piece *piece = &pin->pieces[i];
		unsigned long index = piece_first_page(piece), last = piece_last_page(piece);
		struct iommufd_page_cursor cursor;

		atomic_inc(&piece->area->accesses);
		nr_pages += last - index + 1;
		if (!out_pages)
			continue;
		iommufd_pages_seek(&cursor, piece->pages, index);
		while (index <= last) {
			unsigned long pfn, nr = iommufd_pages_next(&cursor, last - index + 1, &pfn);

			index += nr;
			while (nr--)
				*out_pages++ = pfn_to_page(pfn++);
		}
	}
	atomic_long_add(nr_pages, &access->pinned);
	pin->nr_pinned = 0;
}

/*
 * The second look: checks that the range is still backed by the same memory; -EAGAIN if it is not.
 */
static int check_pieces(struct iommufd_access *access, struct iommufd_op *op, struct pinning *pin,
			struct page **out_pages)
{
	struct iommufd_ioas *ioas = enter(access, op);
	unsigned long iova = pin->iova;
	unsigned int i;
	int rc = 0;

	if (!ioas)
		return -ENOENT;
	for (i = 0; i < pin->nr && !rc; i++) {
		struct piece *piece = &pin->pieces[i], now;

		rc = get_pin_piece(ioas, op, pin, iova, &now);
		if (!rc && (now.pages != piece->pages || now.offset != piece->offset ||
			    now.length != piece->length))
			rc = -EAGAIN;
		piece->area = now.area;
		iova += piece->length;
	}
	if (!rc)
		hand_over(access, pin, out_pages);
	leave(access, ioas);
	return rc;
}

/**
 * iommufd_ioas_pin_pages() - pin memory by IOVA
 * @access: the access
 * @op: the operation
 * @iova: first IOVA
 * @length: bytes; all of the range must be mapped
 * @out_pages: out: the page of each PAGE_SIZE from @iova's page on
 * @write: the driver will write to the pages
 *
 * Return: 0; -EINVAL: zero length, or memory whose offset within a page differs from that of @iova;
 * -EOVERFLOW; -ENOENT: the access is not attached, or not all of the range is mapped, or it was
 * unmapped while it was faulted in; -EPERM: it is mapped read-only; or the error of the pin.
 */
int iommufd_ioas_pin_pages(struct iommufd_access *access, struct iommufd_op *op,
			   unsigned long iova, unsigned long length, struct page **out_pages,
			   bool write)
{
	struct pinning pin = { .iova = iova, .write = write, .room = 1 };
	unsigned int looks = 0;
	int rc;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	/* The end must not wrap either, because unpinning loops up to it. */
	if (check_add_overflow(iova, length, &pin.last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, iova, length);
	pin.last--;
	pin.pieces = &pin.one;

	do {
		rc = find_pieces(access, op, &pin);
		if (!rc)
			rc = pin_pieces(op, &pin);
		if (!rc)
			rc = check_pieces(access, op, &pin, out_pages);
		iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
		drop_pieces(op, &pin);
		iommufd_op_phase(op, IOMMUFD_PHASE_other);
	} while (rc == -EAGAIN && looks++ < MAX_LOOKS && !iommufd_op_look_around(op));
	if (pin.pieces != &pin.one)
		kvfree(pin.pieces);
	if (rc == -EAGAIN)
		rc = iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped, iova, pin.last);
	return rc;
}

/**
 * iommufd_ioas_unpin_pages() - undo iommufd_ioas_pin_pages()
 * @ioas: the IOAS
 * @op: the operation
 * @iova: first IOVA, as it was pinned
 * @length: bytes, as they were pinned
 */
void iommufd_ioas_unpin_pages(struct iommufd_ioas *ioas, struct iommufd_op *op,
			      unsigned long iova, unsigned long length)
{
	unsigned long end;

	if (WARN_ON_ONCE(!length || check_add_overflow(iova, length, &end)))
		return;
	iommufd_op_phase(op, IOMMUFD_PHASE_unpin);
	/* The range is pinned, so its areas exist and stay unchanged until the count falls. */
	while (iova != end) {
		struct iommufd_area *area;
		struct piece piece;

		down_read(&ioas->iova_lock);
		area = iommufd_area_from(ioas, iova);
		up_read(&ioas->iova_lock);
		if (WARN_ON_ONCE(!area || area->iova > iova || !atomic_read(&area->accesses)))
			return;
		piece.offset = area->offset + (iova - area->iova);
		piece.length = min(area->last, end - 1) - iova + 1;
		iova += piece.length;
		iommufd_pages_unpin(area->pages, op, piece_first_page(&piece),
				    piece_last_page(&piece));
		atomic_dec(&area->accesses);
	}
	iommufd_op_phase(op, IOMMUFD_PHASE_other);
}

static void copy_in_page(struct page *page, unsigned int offset, void *data,
			 unsigned int length, bool write)
{
	if (write)
		memcpy_to_page(page, offset, data, length);
	else
		memcpy_from_page(data, page, offset, length);
}

/* Reads and writes memory that an HWPT or access keeps pinned, in place. */
static bool copy_pinned(const struct piece *piece, void *data, bool write)
{
	unsigned long pfn;
	bool pinned;

	mutex_lock(&piece->pages->mutex);
	pinned = iommufd_pages_pfn(piece->pages, piece_first_page(piece), &pfn);
	if (pinned)
		copy_in_page(pfn_to_page(pfn), piece->offset & ~PAGE_MASK, data, piece->length,
			     write);
	mutex_unlock(&piece->pages->mutex);
	return pinned;
}

/* Copies memory of the calling process, if it is present. */
static bool copy_own(const struct piece *piece, void *data, bool write)
{
	void __user *user = (void __user *)(piece->pages->user_va + piece->offset);

	if (current->mm != piece->pages->mm)
		return false;
	if (write)
		return !copy_to_user_nofault(user, data, piece->length);
	return !copy_from_user_nofault(data, user, piece->length);
}

/**
 * struct copying - bytes that an access reads or writes, within one page
 * @iova: first IOVA
 * @last: last IOVA of the request; the page may end before it
 * @data: kernel memory to copy to or from
 * @flags: IOMMUFD_ACCESS_RW_*
 * @done: number of bytes copied
 * @page: page that was faulted in, or NULL
 * @pages: the memory that @page belongs to, referenced
 * @index: index of @page in @pages
 */
struct copying {
	unsigned long iova;
	unsigned long last;
	void *data;
	unsigned int flags;
	unsigned long done;
	struct page *page;
	struct iommufd_pages *pages;
	unsigned long index;
};

/*
 * With the locks held: copies the bytes within one page.  -EAGAIN if it must be faulted in first.
 */
static int copy_locked(struct iommufd_access *access, struct iommufd_op *op, struct copying *copy)
{
	bool write = copy->flags & IOMMUFD_ACCESS_RW_WRITE;
	struct iommufd_ioas *ioas = enter(access, op);
	struct piece piece;
	int rc;

	if (!ioas)
		return -ENOENT;
	rc = get_piece(ioas, op, copy->iova, copy->last, write, &piece);
	if (rc)
		goto out_leave;
	piece.length = min(piece.length, PAGE_SIZE - (piece.offset & ~PAGE_MASK));
	copy->done = piece.length;
	if (copy->page && piece.pages == copy->pages && piece_first_page(&piece) == copy->index) {
		copy_in_page(copy->page, piece.offset & ~PAGE_MASK, copy->data, piece.length,
			     write);
		goto out_leave;
	}
	if (copy_pinned(&piece, copy->data, write))
		goto out_leave;
	if (!(copy->flags & __IOMMUFD_ACCESS_RW_SLOW_PATH) && copy_own(&piece, copy->data, write))
		goto out_leave;
	rc = -EAGAIN;
	if (copy->pages)
		goto out_leave;
	copy->pages = piece.pages;
	copy->index = piece_first_page(&piece);
	kref_get(&copy->pages->kref);
out_leave:
	leave(access, ioas);
	return rc;
}

static int fault_in(struct iommufd_op *op, struct copying *copy)
{
	long ret = iommufd_pin_user_pages(copy->pages, copy->index, 1, &copy->page);

	if (ret == 1)
		return 0;
	copy->page = NULL;
	return iommufd_op_fail(op, ret == -ESRCH ? -EFAULT : ret, IOMMUFD_REASON_gup_fault,
			       copy->pages->user_va + copy->index * PAGE_SIZE, -ret);
}

/* Copies the bytes within one page. */
static int copy_step(struct iommufd_access *access, struct iommufd_op *op, struct copying *copy)
{
	unsigned int looks = 0;
	int rc;

	do {
		rc = copy_locked(access, op, copy);
		if (rc != -EAGAIN)
			break;
		rc = fault_in(op, copy);
		if (!rc)
			rc = copy_locked(access, op, copy);
		if (copy->page)
			unpin_user_pages_dirty_lock(&copy->page, 1,
						    copy->flags & IOMMUFD_ACCESS_RW_WRITE);
		copy->page = NULL;
		iommufd_pages_put(copy->pages);
		copy->pages = NULL;
	} while (rc == -EAGAIN && looks++ < MAX_LOOKS && !iommufd_op_look_around(op));
	if (rc == -EAGAIN)
		rc = iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_iova_not_mapped, copy->iova,
				     copy->last);
	return rc;
}

/**
 * iommufd_ioas_rw() - copy to or from the memory behind IOVAs
 * @access: the access
 * @op: the operation
 * @iova: first IOVA, need not be aligned
 * @data: kernel memory
 * @length: bytes; all of the range must be mapped
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Return: 0; -EINVAL: zero length; -EOVERFLOW; -ENOENT: the access is not attached, or not all of
 * the range is mapped; -EPERM: it is mapped read-only; -EFAULT: the memory is not there; -EINTR.
 * On failure a part may have been copied.
 */
int iommufd_ioas_rw(struct iommufd_access *access, struct iommufd_op *op, unsigned long iova,
		    void *data, size_t length, unsigned int flags)
{
	struct copying copy = { .iova = iova, .data = data, .flags = flags };
	int rc;

	if (!length)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_zero_length, 0, 0);
	if (check_add_overflow(iova, length - 1, &copy.last))
		return iommufd_op_fail(op, -EOVERFLOW, IOMMUFD_REASON_overflow, iova, length);

	for (;;) {
		rc = copy_step(access, op, &copy);
		if (rc || copy.last - copy.iova == copy.done - 1)
			return rc;
		copy.iova += copy.done;
		copy.data += copy.done;
		rc = iommufd_op_look_around(op);
		if (rc)
			return rc;
	}
}
