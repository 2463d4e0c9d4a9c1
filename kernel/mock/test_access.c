// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test accesses: an in-kernel user of an IOAS that user space controls.
 *
 * Each test access is a file; closing it destroys the access.  The pages it pinned are items with
 * an id.  When an IOVA range is unmapped, the core calls mock_access_unmap(), which drops all items
 * that touch the range; their ids are unknown from then on.  An item may be pinned but not yet
 * listed at that moment; the core repeats the call until nothing is pinned.
 *
 * mock_access.mutex guards the list, and is never held over a call into the core, which may be
 * waiting in an unmap for the callback, and the callback takes the mutex.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "iommufd_test.h"
#include "mock.h"

#define MOCK_ACCESS_MAX_BYTES	(16UL << 20)
#define MOCK_ACCESS_MAX_PAGES	(256UL << 10)

/**
 * struct mock_access - a test access
 * @access: the access
 * @ictx: the context in which it was created, for comparison
 * @needs_pin_pages: it may pin
 * @keeps_pins: it does not unpin when the core asks for it
 * @attach_mutex: serialises attach, replace and detach; guards @attached
 * @attached: it is attached
 * @mutex: guards the rest
 * @items: struct mock_access_item
 * @next_id: id of the next item
 */
struct mock_access {
	struct iommufd_access *access;
	struct iommufd_ctx *ictx;
	bool needs_pin_pages;
	bool keeps_pins;
	struct mutex attach_mutex;
	bool attached;
	struct mutex mutex;
	struct list_head items;
	u32 next_id;
};

/**
 * struct mock_access_item - pages that an access pinned
 * @item: in mock_access.items
 * @id: its id
 * @iova: first IOVA
 * @length: bytes
 */
struct mock_access_item {
	struct list_head item;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

static void mock_access_drop(struct mock_access *ma, struct list_head *items)
{
	struct mock_access_item *item, *next;

	list_for_each_entry_safe(item, next, items, item) {
		iommufd_access_unpin_pages(ma->access, item->iova, item->length);
		kfree(item);
	}
}

static void mock_access_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct mock_access *ma = data;
	struct mock_access_item *item, *next;
	unsigned long last = iova + length - 1;
	LIST_HEAD(drop);

	/*
	 * The whole space means that the access leaves the IOAS; even a bad driver must unpin then.
	 */
	if (ma->keeps_pins && length != ULONG_MAX)
		return;
	mutex_lock(&ma->mutex);
	list_for_each_entry_safe(item, next, &ma->items, item)
		if (item->iova <= last && iova <= item->iova + item->length - 1)
			list_move_tail(&item->item, &drop);
	mutex_unlock(&ma->mutex);
	mock_access_drop(ma, &drop);
}

static const struct iommufd_access_ops mock_access_ops = {
	.unmap = mock_access_unmap,
};

static const struct iommufd_access_ops mock_access_pin_ops = {
	.needs_pin_pages = 1,
	.unmap = mock_access_unmap,
};

static int mock_access_release(struct inode *inode, struct file *file)
{
	struct mock_access *ma = file->private_data;
	LIST_HEAD(drop);

	mutex_lock(&ma->mutex);
	list_splice_init(&ma->items, &drop);
	mutex_unlock(&ma->mutex);
	mock_access_drop(ma, &drop);
	iommufd_access_destroy(ma->access);
	kfree(ma);
	return 0;
}

static const struct file_operations mock_access_fops = {
	.owner = THIS_MODULE,
	.release = mock_access_release,
};

/* Returns the file of a test access of this context; the caller puts the file. */
static struct file *mock_access_file(struct iommufd_ctx *ictx, int fd)
{
	struct file *file = fget(fd);
	struct mock_access *ma;

	if (!file)
		return ERR_PTR(-EBADF);
	ma = file->private_data;
	if (file->f_op != &mock_access_fops || ma->ictx != ictx) {
		fput(file);
		return ERR_PTR(-EBADF);
	}
	return file;
}

/**
 * mock_access_create() - create a test access
 * @ictx: the context
 * @ioas_id: attach it to this IOAS, if not 0
 * @flags: MOCK_FLAGS_ACCESS_CREATE_*, MOCK_ACCESS_KEEPS_PINS
 * @fd: its file descriptor
 * @id: its object id
 *
 * Return: 0 or a negative errno
 */
int mock_access_create(struct iommufd_ctx *ictx, u32 ioas_id, u32 flags, u32 *fd, u32 *id)
{
	struct mock_access *ma;
	struct file *file;
	int new_fd;
	int rc;

	if (flags & ~(MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES | MOCK_ACCESS_KEEPS_PINS))
		return -EOPNOTSUPP;

	ma = kzalloc(sizeof(*ma), GFP_KERNEL_ACCOUNT);
	if (!ma)
		return -ENOMEM;
	mutex_init(&ma->attach_mutex);
	mutex_init(&ma->mutex);
	INIT_LIST_HEAD(&ma->items);
	ma->next_id = 1;
	ma->ictx = ictx;
	ma->needs_pin_pages = flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	ma->keeps_pins = flags & MOCK_ACCESS_KEEPS_PINS;

	ma->access = iommufd_access_create(ictx, ma->needs_pin_pages ? &mock_access_pin_ops :
								       &mock_access_ops, ma, id);
	if (IS_ERR(ma->access)) {
		rc = PTR_ERR(ma->access);
		kfree(ma);
		return rc;
	}
	if (ioas_id) {
		rc = iommufd_access_attach(ma->access, ioas_id);
		if (rc)
			goto err_access;
		ma->attached = true;
	}

	new_fd = get_unused_fd_flags(O_CLOEXEC);
	if (new_fd < 0) {
		rc = new_fd;
		goto err_access;
	}
	file = anon_inode_getfile("[iommufd-mock-access]", &mock_access_fops, ma, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(new_fd);
		rc = PTR_ERR(file);
		goto err_access;
	}
	fd_install(new_fd, file);
	*fd = new_fd;
	return 0;

err_access:
	iommufd_access_destroy(ma->access);
	kfree(ma);
	return rc;
}

/* Whether the pinned pages contain the same data as the user memory at @uptr. */
static int mock_access_compare(struct page **pages, unsigned long nr, unsigned long uptr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		struct page *page;
		bool same;

		if (get_user_pages_fast((uptr & PAGE_MASK) + i * PAGE_SIZE, 1, 0, &page) != 1)
			return -EFAULT;
		same = page == pages[i];
		put_page(page);
		if (!same)
			return -EIO;
		cond_resched();
	}
	return 0;
}

/**
 * mock_access_pages() - pin pages by an access
 * @ictx: the context
 * @cmd: IOMMU_TEST_OP_ACCESS_PAGES; with uptr 0 the pages are not compared
 *
 * Return: 0 or a negative errno
 */
int mock_access_pages(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd)
{
	unsigned long iova = cmd->access_pages.iova;
	unsigned long length = cmd->access_pages.length;
	struct mock_access_item *item;
	struct mock_access *ma;
	struct page **pages;
	unsigned long nr;
	struct file *file;
	int rc;

	if (cmd->access_pages.flags & ~MOCK_FLAGS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	if (!length || iova + length - 1 < iova)
		return -EINVAL;
	nr = ((iova + length - 1) >> PAGE_SHIFT) - (iova >> PAGE_SHIFT) + 1;
	if (nr > MOCK_ACCESS_MAX_PAGES)
		return -EINVAL;

	file = mock_access_file(ictx, cmd->id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;
	if (!ma->needs_pin_pages) {
		rc = -EOPNOTSUPP;
		goto out_file;
	}

	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!item || !pages) {
		rc = -ENOMEM;
		goto out_free;
	}
	rc = iommufd_access_pin_pages(ma->access, iova, length, pages,
				      cmd->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE ?
					      IOMMUFD_ACCESS_RW_WRITE :
					      IOMMUFD_ACCESS_RW_READ);
	if (rc)
		goto out_free;
	if (cmd->access_pages.uptr) {
		rc = mock_access_compare(pages, nr, cmd->access_pages.uptr);
		if (rc) {
			iommufd_access_unpin_pages(ma->access, iova, length);
			goto out_free;
		}
	}

	item->iova = iova;
	item->length = length;
	mutex_lock(&ma->mutex);
	item->id = ma->next_id++;
	cmd->access_pages.out_access_pages_id = item->id;
	list_add_tail(&item->item, &ma->items);
	mutex_unlock(&ma->mutex);
	item = NULL;

out_free:
	kvfree(pages);
	kfree(item);
out_file:
	fput(file);
	return rc;
}

/**
 * mock_access_destroy_pages() - unpin pages of an access
 * @ictx: the context
 * @fd: the access
 * @pages_id: id from mock_access_pages()
 *
 * Return: 0; -EBADF; -ENOENT if there are no such pages, or no longer
 */
int mock_access_destroy_pages(struct iommufd_ctx *ictx, int fd, u32 pages_id)
{
	struct file *file = mock_access_file(ictx, fd);
	struct mock_access_item *item;
	struct mock_access *ma;
	LIST_HEAD(drop);
	int rc = -ENOENT;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;

	mutex_lock(&ma->mutex);
	list_for_each_entry(item, &ma->items, item) {
		if (item->id == pages_id) {
			list_move_tail(&item->item, &drop);
			rc = 0;
			break;
		}
	}
	mutex_unlock(&ma->mutex);
	mock_access_drop(ma, &drop);
	fput(file);
	return rc;
}

/**
 * mock_access_rw() - copy between user memory and an IOAS by an access
 * @ictx: the context
 * @cmd: IOMMU_TEST_OP_ACCESS_RW
 *
 * Return: 0 or a negative errno
 */
int mock_access_rw(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd)
{
	void __user *uptr = u64_to_user_ptr(cmd->access_rw.uptr);
	unsigned long length = cmd->access_rw.length;
	unsigned int flags = cmd->access_rw.flags;
	bool write = flags & MOCK_ACCESS_RW_WRITE;
	struct mock_access *ma;
	struct file *file;
	void *buf;
	int rc = 0;

	BUILD_BUG_ON((int)MOCK_ACCESS_RW_WRITE != (int)IOMMUFD_ACCESS_RW_WRITE);
	BUILD_BUG_ON((int)MOCK_ACCESS_RW_SLOW_PATH != (int)__IOMMUFD_ACCESS_RW_SLOW_PATH);

	if (flags & ~(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH))
		return -EOPNOTSUPP;
	if (length > MOCK_ACCESS_MAX_BYTES)
		return -EINVAL;

	file = mock_access_file(ictx, cmd->id);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;
	buf = kvzalloc(max(length, 1UL), GFP_KERNEL_ACCOUNT);
	if (!buf) {
		rc = -ENOMEM;
		goto out_file;
	}

	if (write && copy_from_user(buf, uptr, length)) {
		rc = -EFAULT;
		goto out_free;
	}
	rc = iommufd_access_rw(ma->access, cmd->access_rw.iova, buf, length, flags);
	if (!rc && !write && copy_to_user(uptr, buf, length))
		rc = -EFAULT;
out_free:
	kvfree(buf);
out_file:
	fput(file);
	return rc;
}

/**
 * mock_access_attach() - attach an access to an IOAS
 * @ictx: the context
 * @fd: the access
 * @ioas_id: the IOAS
 *
 * Return: 0 or a negative errno
 */
int mock_access_attach(struct iommufd_ctx *ictx, int fd, u32 ioas_id)
{
	struct file *file = mock_access_file(ictx, fd);
	struct mock_access *ma;
	int rc;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;
	mutex_lock(&ma->attach_mutex);
	rc = iommufd_access_attach(ma->access, ioas_id);
	if (!rc)
		ma->attached = true;
	mutex_unlock(&ma->attach_mutex);
	fput(file);
	return rc;
}

/**
 * mock_access_replace() - move an access to another IOAS
 * @ictx: the context
 * @fd: the access
 * @ioas_id: the IOAS
 *
 * Return: 0 or a negative errno
 */
int mock_access_replace(struct iommufd_ctx *ictx, int fd, u32 ioas_id)
{
	struct file *file = mock_access_file(ictx, fd);
	struct mock_access *ma;
	int rc;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;
	rc = iommufd_access_replace(ma->access, ioas_id);
	fput(file);
	return rc;
}

/**
 * mock_access_detach() - detach an access from its IOAS
 * @ictx: the context
 * @fd: the access
 *
 * Return: 0; -EBADF; -EINVAL if it is not attached
 */
int mock_access_detach(struct iommufd_ctx *ictx, int fd)
{
	struct file *file = mock_access_file(ictx, fd);
	struct mock_access *ma;
	int rc = -EINVAL;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ma = file->private_data;
	mutex_lock(&ma->attach_mutex);
	if (ma->attached) {
		iommufd_access_detach(ma->access);
		ma->attached = false;
		rc = 0;
	}
	mutex_unlock(&ma->attach_mutex);
	fput(file);
	return rc;
}
