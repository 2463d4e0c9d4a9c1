// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging: a device records which memory it wrote, and user space reads the record.
 *
 * The core checks the request of user space and passes the ranges to the driver as an interval
 * tree, which exists only for the duration of the driver's log_start() call.
 */
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/* No device can use more ranges than this; the uAPI promises as many as fit in a page. */
#define LOG_MAX_RANGES							\
	((u32)max_t(size_t, PAGE_SIZE / sizeof(struct vfio_device_feature_dma_logging_range), 256))

static int log_add_range(struct rb_root_cached *root, struct interval_tree_node *node,
			 const struct vfio_device_feature_dma_logging_range *range, u64 page_size)
{
	u64 last;

	if (!range->length || !IS_ALIGNED(range->iova | range->length, page_size))
		return -EINVAL;
	if (check_add_overflow(range->iova, range->length - 1, &last) || last > ULONG_MAX)
		return -EOVERFLOW;
	if (interval_tree_iter_first(root, range->iova, last))
		return -EINVAL;

	node->start = range->iova;
	node->last = last;
	interval_tree_insert(node, root);
	return 0;
}

/**
 * vfio_feature_log_start() - VFIO_DEVICE_FEATURE_DMA_LOGGING_START
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_feature_log_start(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_control control;
	struct vfio_device_feature_dma_logging_range __user *ranges;
	struct vfio_device_feature_dma_logging_range range;
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node *nodes;
	u32 i;
	int ret;

	if (!device->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(control));
	if (ret != 1)
		return ret;

	if (copy_from_user(&control, arg, sizeof(control)))
		return -EFAULT;
	if (!control.num_ranges || !is_power_of_2(control.page_size))
		return -EINVAL;
	if (control.num_ranges > LOG_MAX_RANGES)
		return -E2BIG;

	nodes = kcalloc(control.num_ranges, sizeof(*nodes), GFP_KERNEL_ACCOUNT);
	if (!nodes)
		return -ENOMEM;

	ranges = u64_to_user_ptr(control.ranges);
	for (i = 0; i < control.num_ranges; i++) {
		if (copy_from_user(&range, &ranges[i], sizeof(range))) {
			ret = -EFAULT;
			goto out;
		}
		ret = log_add_range(&root, &nodes[i], &range, control.page_size);
		if (ret)
			goto out;
	}

	ret = device->log_ops->log_start(device, &root, control.num_ranges, &control.page_size);
	if (ret)
		goto out;
	if (copy_to_user(arg, &control, sizeof(control))) {
		device->log_ops->log_stop(device);
		ret = -EFAULT;
	}
out:
	kfree(nodes);
	return ret;
}

/**
 * vfio_feature_log_stop() - VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_feature_log_stop(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz)
{
	int ret;

	if (!device->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);
	if (ret != 1)
		return ret;
	return device->log_ops->log_stop(device);
}

static int log_report_part(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
			   void *opaque)
{
	struct vfio_device *device = opaque;

	return device->log_ops->log_read_and_clear(device, iova, length, bitmap);
}

/**
 * vfio_feature_log_report() - VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno; -EOPNOTSUPP if the kernel has no IOVA bitmaps.
 */
int vfio_feature_log_report(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_report report;
	struct iova_bitmap *bitmap;
	u64 last;
	int ret;

	if (!device->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(report));
	if (ret != 1)
		return ret;

	if (copy_from_user(&report, arg, sizeof(report)))
		return -EFAULT;
	if (!report.length || report.page_size < SZ_4K || !is_power_of_2(report.page_size))
		return -EINVAL;
	if (check_add_overflow(report.iova, report.length - 1, &last) || last > ULONG_MAX)
		return -EOVERFLOW;

	bitmap = iova_bitmap_alloc(report.iova, report.length, report.page_size,
				   u64_to_user_ptr(report.bitmap));
	if (!bitmap)
		return -EOPNOTSUPP;
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);

	ret = iova_bitmap_for_each(bitmap, device, log_report_part);
	iova_bitmap_free(bitmap);
	return ret;
}

/**
 * vfio_combine_iova_ranges() - merge ranges until there are few enough
 * @root: interval tree of disjoint ranges
 * @cur_nodes: number of ranges
 * @req_nodes: maximum number of ranges
 *
 * Repeatedly closes the narrowest gap between two neighbours.  Merged nodes leave the tree; the
 * caller still owns their memory.
 */
void vfio_combine_iova_ranges(struct rb_root_cached *root, u32 cur_nodes, u32 req_nodes)
{
	while (cur_nodes > max(req_nodes, 1U)) {
		struct interval_tree_node *node, *next, *left = NULL, *right = NULL;
		unsigned long gap, narrowest = ULONG_MAX;

		node = interval_tree_iter_first(root, 0, ULONG_MAX);
		while (node) {
			next = interval_tree_iter_next(node, 0, ULONG_MAX);
			if (!next)
				break;
			gap = next->start - node->last;
			if (!left || gap < narrowest) {
				narrowest = gap;
				left = node;
				right = next;
			}
			node = next;
		}
		if (!left)
			return;

		/* The tree is sorted by start; the re-insertion updates its augmented data. */
		interval_tree_remove(right, root);
		interval_tree_remove(left, root);
		left->last = right->last;
		interval_tree_insert(left, root);
		cur_nodes--;
	}
}
EXPORT_SYMBOL_GPL(vfio_combine_iova_ranges);
