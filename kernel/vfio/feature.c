// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE: a table of the features that the core implements; the driver implements the
 * others.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "vfio_private.h"

typedef int (*vfio_feature_fn)(struct vfio_device *device, u32 flags, void __user *arg,
			       size_t argsz);

static const vfio_feature_fn vfio_features[] = {
	[VFIO_DEVICE_FEATURE_MIGRATION] = vfio_feature_migration,
	[VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE] = vfio_feature_mig_state,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_START] = vfio_feature_log_start,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP] = vfio_feature_log_stop,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT] = vfio_feature_log_report,
	[VFIO_DEVICE_FEATURE_MIG_DATA_SIZE] = vfio_feature_mig_data_size,
};

static int vfio_feature_dispatch(struct vfio_device *device, struct vfio_device_feature *feature,
				 void __user *data, size_t size)
{
	u32 number = feature->flags & VFIO_DEVICE_FEATURE_MASK;

	if (number < ARRAY_SIZE(vfio_features)) {
		vfio_feature_fn fn = vfio_features[array_index_nospec(number,
								      ARRAY_SIZE(vfio_features))];

		if (fn)
			return fn(device, feature->flags, data, size);
	}
	if (!device->ops->device_feature)
		return -ENOTTY;
	return device->ops->device_feature(device, feature->flags, data, size);
}

/**
 * vfio_device_feature() - VFIO_DEVICE_FEATURE
 * @device: the device
 * @arg: user's argument
 *
 * Return: 0 or a negative errno, -ENOTTY for a feature that the device does not have.
 */
long vfio_device_feature(struct vfio_device *device, struct vfio_device_feature __user *arg)
{
	const u32 known = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
			  VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	const u32 both = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
	const size_t minsz = offsetofend(struct vfio_device_feature, flags);
	struct vfio_device_feature feature;
	struct vfio_op op;
	int ret;

	vfio_op_begin(&op, device, VFIO_OPERATION_feature);

	if (copy_from_user(&feature, arg, minsz)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
		goto out;
	}
	vfio_op_note(&op, flags, feature.flags);
	vfio_op_note(&op, value, feature.flags & VFIO_DEVICE_FEATURE_MASK);
	if (feature.argsz < minsz) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_size, feature.argsz, minsz);
		goto out;
	}
	if (feature.flags & ~known) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_unknown_flags, feature.flags, known);
		goto out;
	}
	/* A probe may ask for both at once, but no call can do both. */
	if (!(feature.flags & VFIO_DEVICE_FEATURE_PROBE) && (feature.flags & both) == both) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_unknown_flags, feature.flags, known);
		goto out;
	}

	ret = vfio_feature_dispatch(device, &feature, arg->data, feature.argsz - minsz);
	if (ret == -ENOTTY)
		vfio_op_fail(&op, ret, VFIO_REASON_not_supported,
			     feature.flags & VFIO_DEVICE_FEATURE_MASK, 0);
	else if (ret < 0)
		vfio_op_fail(&op, ret, VFIO_REASON_driver_refused, -ret, 0);
out:
	vfio_op_end(&op, ret);
	return ret;
}
