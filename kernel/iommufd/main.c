// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu: the file, and the dispatch of an ioctl to the function that serves it.
 *
 * An open file owns a context.  Drivers that use the context hold a reference on the file.  At its
 * release, therefore, no device is bound and no access exists, except those of test objects, which
 * go with these objects.
 *
 * The ioctls of iommufd are a table.  Each entry defines how to copy and check the structure, so
 * that a function sees one complete structure of the size it knows.  The ioctls of VFIO containers
 * follow other rules for sizes and are in vfio_compat.c.  Every ioctl is one operation with one
 * event.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "call.h"
#include "ctx.h"
#include "iommufd_private.h"
#include "memory/fault.h"
#include "module_version.h"
#include "state.h"
#include "test_hook.h"

/* Far larger than every structure, and small enough to compare with zero quickly. */
#define CALL_MAX_SIZE PAGE_SIZE

#ifndef IOMMUSCOPE_NO_VFIO_GROUP
static struct miscdevice vfio_misc_dev;
#endif

static int iommufd_fops_open(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ictx;
	struct iommufd_op op;
	int rc;

	ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);
	if (!ictx)
		return -ENOMEM;
	rc = iommufd_ctx_register(ictx);
	if (rc) {
		kfree(ictx);
		return rc;
	}

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_open);
	ictx->file = file;
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ictx->groups, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ictx->destroy_wait);
	mutex_init(&ictx->vfio_lock);
	iommufd_mutex_no_fault(&ictx->vfio_lock);
	INIT_LIST_HEAD(&ictx->vfio_groups);
#ifndef IOMMUSCOPE_NO_VFIO_GROUP
	/*
	 * Users of /dev/vfio/vfio expect the limits of VFIO type1, which are those of the process.
	 */
	if (file->private_data == &vfio_misc_dev) {
		ictx->account_mode = IOMMUFD_ACCOUNT_PROCESS;
		ictx->container = true;
	}
#endif
	file->private_data = ictx;
	iommufd_ctx_publish(ictx);
	iommufd_op_end(&op, 0);
	return 0;
}

static int iommufd_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_close);
	iommufd_object_destroy_all(ictx, &op);
	WARN_ON(!list_empty(&ictx->vfio_groups));
	WARN_ON(!xa_empty(&ictx->groups));
	WARN_ON(atomic_long_read(&ictx->pinned));
	iommufd_op_end(&op, 0);
	iommufd_ctx_unregister(ictx);
	return 0;
}

static int iommufd_destroy_ioctl(struct iommufd_call *call)
{
	struct iommu_destroy *cmd = call->arg;

	call->op->object_id = cmd->id;
	return iommufd_object_destroy_id(call->ictx, call->op, cmd->id);
}

/*
 * Ioctls of 6.12 whose features are not implemented: the structure is checked, then the call fails.
 */
static int iommufd_unsupported_ioctl(struct iommufd_call *call)
{
	return iommufd_op_fail(call->op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported,
			       call->op->value, 0);
}

union iommufd_call_arg {
	struct iommu_destroy destroy;
	struct iommu_fault_alloc fault_alloc;
	struct iommu_hw_info hw_info;
	struct iommu_hwpt_alloc hwpt_alloc;
	struct iommu_hwpt_get_dirty_bitmap get_dirty_bitmap;
	struct iommu_hwpt_invalidate hwpt_invalidate;
	struct iommu_hwpt_set_dirty_tracking set_dirty_tracking;
	struct iommu_ioas_alloc ioas_alloc;
	struct iommu_ioas_allow_iovas ioas_allow_iovas;
	struct iommu_ioas_copy ioas_copy;
	struct iommu_ioas_iova_ranges ioas_iova_ranges;
	struct iommu_ioas_map ioas_map;
	struct iommu_ioas_unmap ioas_unmap;
	struct iommu_option option;
	struct iommu_vfio_ioas vfio_ioas;
};

/**
 * struct iommufd_ioctl - an entry of the table of ioctls
 * @size: size of the structure as known here
 * @min_size: size of its first version
 * @opcode: the operation of its event
 * @serve: the function
 */
struct iommufd_ioctl {
	u16 size;
	u16 min_size;
	enum iommufd_opcode opcode;
	int (*serve)(struct iommufd_call *call);
};

/* @_last is the last member of the first version. */
#define IOCTL(_nr, _struct, _last, _opcode, _serve)                                                \
	[(_nr) - IOMMUFD_CMD_BASE] = {                                                             \
		.size = sizeof(struct _struct) +                                                   \
			BUILD_BUG_ON_ZERO(sizeof(union iommufd_call_arg) < sizeof(struct _struct)),\
		.min_size = offsetofend(struct _struct, _last),                                    \
		.opcode = IOMMUFD_OPERATION_##_opcode,                                             \
		.serve = _serve,                                                                   \
	}

static const struct iommufd_ioctl iommufd_ioctls[] = {
	IOCTL(IOMMUFD_CMD_DESTROY, iommu_destroy, id, destroy, iommufd_destroy_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id, ioas_alloc,
	      iommufd_ioas_alloc_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas,
	      ioas_allow_iovas, iommufd_ioas_allow_iovas_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_COPY, iommu_ioas_copy, src_iova, copy, iommufd_ioas_copy_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, out_iova_alignment,
	      ioas_iova_ranges, iommufd_ioas_iova_ranges_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_MAP, iommu_ioas_map, iova, map, iommufd_ioas_map_ioctl),
	IOCTL(IOMMUFD_CMD_IOAS_UNMAP, iommu_ioas_unmap, length, unmap, iommufd_ioas_unmap_ioctl),
	IOCTL(IOMMUFD_CMD_OPTION, iommu_option, val64, option, iommufd_option_ioctl),
	IOCTL(IOMMUFD_CMD_VFIO_IOAS, iommu_vfio_ioas, __reserved, vfio_ioas,
	      iommufd_vfio_ioas_ioctl),
	IOCTL(IOMMUFD_CMD_HWPT_ALLOC, iommu_hwpt_alloc, __reserved, hwpt_alloc,
	      iommufd_hwpt_alloc_ioctl),
	IOCTL(IOMMUFD_CMD_GET_HW_INFO, iommu_hw_info, __reserved, get_hw_info,
	      iommufd_get_hw_info_ioctl),
	IOCTL(IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking, __reserved,
	      unknown_ioctl, iommufd_unsupported_ioctl),
	IOCTL(IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data, unknown_ioctl,
	      iommufd_unsupported_ioctl),
	IOCTL(IOMMUFD_CMD_HWPT_INVALIDATE, iommu_hwpt_invalidate, __reserved, unknown_ioctl,
	      iommufd_unsupported_ioctl),
	IOCTL(IOMMUFD_CMD_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd, unknown_ioctl,
	      iommufd_unsupported_ioctl),
};

static int copy_call(struct iommufd_call *call, const struct iommufd_ioctl *ioctl)
{
	int rc;

	if (get_user(call->user_size, (u32 __user *)call->user))
		return iommufd_op_fail(call->op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)call->user, sizeof(call->user_size));
	if (call->user_size < ioctl->min_size)
		return iommufd_op_fail(call->op, -EINVAL, IOMMUFD_REASON_bad_size, call->user_size,
				       ioctl->min_size);
	if (call->user_size > CALL_MAX_SIZE)
		return iommufd_op_fail(call->op, -E2BIG, IOMMUFD_REASON_unknown_trailing_bytes,
				       call->user_size, ioctl->size);

	rc = copy_struct_from_user(call->arg, ioctl->size, call->user, call->user_size);
	if (rc == -E2BIG)
		return iommufd_op_fail(call->op, -E2BIG, IOMMUFD_REASON_unknown_trailing_bytes,
				       call->user_size, ioctl->size);
	if (rc)
		return iommufd_op_fail(call->op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)call->user, call->user_size);
	return 0;
}

static long serve_call(struct iommufd_ctx *ictx, const struct iommufd_ioctl *ioctl,
		       unsigned int cmd, void __user *arg)
{
	union iommufd_call_arg copy;
	/* if observed, it is zeroed at the start; otherwise nothing reads it */
	struct iommufd_op op __uninitialized;
	struct iommufd_call call = {
		.ictx = ictx,
		.op = &op,
		.arg = &copy,
		.user = arg,
		.size = ioctl->size,
	};
	int rc;

	iommufd_op_begin(&op, ictx, ioctl->opcode);
	if (ioctl->opcode == IOMMUFD_OPERATION_unknown_ioctl)
		op.value = cmd;
	rc = copy_call(&call, ioctl);
	if (!rc)
		rc = ioctl->serve(&call);
	iommufd_op_end(&op, rc);
	return rc;
}

static long unknown_ioctl(struct iommufd_ctx *ictx, unsigned int cmd)
{
	struct iommufd_op op;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_unknown_ioctl);
	op.value = cmd;
	iommufd_op_fail(&op, -ENOTTY, IOMMUFD_REASON_unknown_ioctl, cmd, 0);
	iommufd_op_end(&op, -ENOTTY);
	return -ENOTTY;
}

/*
 * Ioctls that are not in the table; a separate function, so that the common ones do not pay for it.
 */
static noinline long other_ioctl(struct iommufd_ctx *ictx, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd);
	long rc = -ENOTTY;

	if (cmd != _IO(IOMMUFD_TYPE, nr))
		return unknown_ioctl(ictx, cmd);
	if (nr < IOMMUFD_CMD_BASE)
		rc = iommufd_vfio_ioctl(ictx, cmd, arg);
#ifdef CONFIG_IOMMUFD_TEST
	else if (nr == IOMMUFD_TEST_CMD_NR)
		rc = iommufd_test_ioctl(ictx, (void __user *)arg);
#endif
	return rc == -ENOTTY ? unknown_ioctl(ictx, cmd) : rc;
}

static long iommufd_fops_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	/* Our ioctl numbers carry no size or direction; the size is in the structure. */
	unsigned int index = cmd - _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE);

	if (index < ARRAY_SIZE(iommufd_ioctls)) {
		index = array_index_nospec(index, ARRAY_SIZE(iommufd_ioctls));
		return serve_call(file->private_data, &iommufd_ioctls[index], cmd,
				  (void __user *)arg);
	}
	return other_ioctl(file->private_data, cmd, arg);
}

static void iommufd_fops_show_fdinfo(struct seq_file *seq, struct file *file)
{
	iommufd_state_show(seq, file->private_data);
}

static const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
	.show_fdinfo = iommufd_fops_show_fdinfo,
};

/**
 * iommufd_ctx_from_file() - take a reference on the context of a file
 * @file: the file
 *
 * Return: the context, which the caller releases with iommufd_ctx_put(), or ERR_PTR(-EBADFD) if it
 * is not an iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ictx;

	if (file->f_op != &iommufd_fops)
		return ERR_PTR(-EBADFD);
	ictx = file->private_data;
	iommufd_ctx_get(ictx);
	return ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, IOMMUFD);

/**
 * iommufd_ctx_from_fd() - take a reference on the context of a file descriptor of the caller
 * @fd: the file descriptor
 *
 * Return: the context, which the caller releases with iommufd_ctx_put(); or an error pointer:
 * -EBADF if @fd is not open, -EBADFD if it is not an iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != &iommufd_fops) {
		fput(file);
		return ERR_PTR(-EBADFD);
	}
	/* The context now owns the reference of fget(). */
	return file->private_data;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, IOMMUFD);

static struct miscdevice iommufd_misc_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.fops = &iommufd_fops,
	.nodename = "iommu",
	.mode = 0660,
};

#ifndef IOMMUSCOPE_NO_VFIO_GROUP
/* The container of VFIO; the groups that join it determine its abilities. */
static struct miscdevice vfio_misc_dev = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.fops = &iommufd_fops,
	.nodename = "vfio/vfio",
	.mode = 0666,
};
#endif

static int __init iommufd_init(void)
{
	int rc;

	rc = iommufd_state_iter_init();
	if (rc)
		return rc;
	rc = misc_register(&iommufd_misc_dev);
	if (rc)
		return rc;
#ifndef IOMMUSCOPE_NO_VFIO_GROUP
	rc = misc_register(&vfio_misc_dev);
	if (rc) {
		misc_deregister(&iommufd_misc_dev);
		return rc;
	}
#endif
	return 0;
}

static void __exit iommufd_exit(void)
{
#ifndef IOMMUSCOPE_NO_VFIO_GROUP
	misc_deregister(&vfio_misc_dev);
#endif
	misc_deregister(&iommufd_misc_dev);
}

module_init(iommufd_init);
module_exit(iommufd_exit);

#ifndef IOMMUSCOPE_NO_VFIO_GROUP
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
#endif
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("I/O address translation for user space, observable");
MODULE_LICENSE("GPL");
MODULE_VERSION(IOMMUSCOPE_MODULE_VERSION);
