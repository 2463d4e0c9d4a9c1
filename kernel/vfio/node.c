// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device nodes, /dev/vfio/devices/vfioX: open, bind, attach, detach.
 *
 * An open node only grants the right to bind, once, to an iommufd.  The character device belongs to
 * the driver's module, so an open file holds that module, and through its parent kobject the struct
 * vfio_device.  Neither goes away while a file can still call into it, even if the device is
 * unregistered long before the file is closed.
 */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_node_open() - open(2) of a device node
 * @inode: inode of the node
 * @filp: the file
 *
 * Return: 0, -ENODEV if the device is being unregistered, -ENOMEM.
 */
int vfio_node_open(struct inode *inode, struct file *filp)
{
	struct vfio_device *device = container_of(inode->i_cdev, struct vfio_device, cdev);
	struct vfio_file *vf;
	struct vfio_op op;
	int ret = 0;

	vfio_op_begin(&op, device, VFIO_OPERATION_open);
	if (!vfio_device_get_user(device)) {
		ret = vfio_op_fail(&op, -ENODEV, VFIO_REASON_device_gone, 0, 0);
		goto out;
	}

	vf = vfio_file_alloc(device);
	if (vf) {
		filp->private_data = vf;
		/*
		 * One mapping for all files, so that all mappings of the device can be removed at
		 * once.
		 */
		filp->f_mapping = device->inode->i_mapping;
	} else {
		ret = vfio_op_fail(&op, -ENOMEM, VFIO_REASON_no_memory, sizeof(*vf), 0);
	}
	vfio_device_put_user(device);
out:
	vfio_op_end(&op, ret);
	return ret;
}

/* From the uAPI of later kernels, whose structure has one more member: a pointer to the token. */
#ifndef VFIO_DEVICE_BIND_FLAG_TOKEN
#define VFIO_DEVICE_BIND_FLAG_TOKEN	BIT(0)
#endif
#define BIND_TOKEN_OFFSET		offsetofend(struct vfio_device_bind_iommufd, out_devid)
#define BIND_NAME_SIZE			128

/*
 * Formats the name that a user of the group would pass: the device's name, and the token if there
 * is one.
 */
static int vfio_node_name(struct vfio_device *device, struct vfio_op *op, void __user *arg,
			  const struct vfio_device_bind_iommufd *bind, char *name)
{
	u64 place;
	uuid_t token;

	if (!(bind->flags & VFIO_DEVICE_BIND_FLAG_TOKEN)) {
		strscpy(name, dev_name(device->dev), BIND_NAME_SIZE);
		return 0;
	}
	if (bind->argsz < BIND_TOKEN_OFFSET + sizeof(place))
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_size, bind->argsz,
				    BIND_TOKEN_OFFSET + sizeof(place));
	if (!device->ops->match)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_token_refused, EINVAL, 0);
	if (copy_from_user(&place, arg + BIND_TOKEN_OFFSET, sizeof(place)) ||
	    copy_from_user(&token, u64_to_user_ptr(place), sizeof(token)))
		return vfio_op_fail(op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg,
				    sizeof(token));
	snprintf(name, BIND_NAME_SIZE, "%s vf_token=%pUb", dev_name(device->dev), &token);
	return 0;
}

/**
 * vfio_node_bind() - VFIO_DEVICE_BIND_IOMMUFD
 * @vf: the file
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.
 */
long vfio_node_bind(struct vfio_file *vf, struct vfio_device_bind_iommufd __user *arg)
{
	const u32 minsz = offsetofend(struct vfio_device_bind_iommufd, out_devid);
	struct vfio_device_bind_iommufd bind;
	char name[BIND_NAME_SIZE];
	struct iommufd_ctx *ictx;
	struct vfio_op op;
	int ret;

	vfio_op_begin(&op, vf->device, VFIO_OPERATION_bind);
	vfio_op_start(&op);

	if (copy_from_user(&bind, arg, minsz)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
		goto out;
	}
	vfio_op_note(&op, flags, bind.flags);
	if (bind.argsz < minsz) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_size, bind.argsz, minsz);
		goto out;
	}
	if (bind.flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_unknown_flags, bind.flags, 0);
		goto out;
	}
	if (bind.iommufd < 0) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_fd, bind.iommufd, 0);
		goto out;
	}
	if (vf->group) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_group_file, VFIO_DEVICE_BIND_IOMMUFD,
				   0);
		goto out;
	}

	ret = vfio_node_name(vf->device, &op, arg, &bind, name);
	if (ret)
		goto out;

	ictx = iommufd_ctx_from_fd(bind.iommufd);
	if (IS_ERR(ictx)) {
		ret = PTR_ERR(ictx);
		vfio_op_fail(&op, ret, ret == -EBADF ? VFIO_REASON_bad_fd : VFIO_REASON_not_iommufd,
			     bind.iommufd, 0);
		goto out;
	}

	ret = vfio_session_begin(vf, &op, ictx, name);
	if (ret) {
		iommufd_ctx_put(ictx);
		goto out;
	}

	if (put_user(vf->devid, &arg->out_devid)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer,
				   (ulong)&arg->out_devid, sizeof(arg->out_devid));
		vfio_session_end(vf, &op);
		goto out;
	}
	vfio_session_publish(vf);
out:
	vfio_op_end(&op, ret);
	return ret;
}

/**
 * vfio_node_attach() - VFIO_DEVICE_ATTACH_IOMMUFD_PT: attach or replace
 * @vf: the file, ready
 * @arg: user's argument
 *
 * Return: 0 or a negative errno.  On failure the previous translation stays, with one exception:
 * -EFAULT for a caller that makes @arg unwritable during the call.
 */
long vfio_node_attach(struct vfio_file *vf, struct vfio_device_attach_iommufd_pt __user *arg)
{
	const u32 minsz = offsetofend(struct vfio_device_attach_iommufd_pt, pt_id);
	struct vfio_device *device = vf->device;
	struct vfio_device_attach_iommufd_pt attach;
	struct vfio_op op;
	bool replace;
	u32 given;
	int ret;

	vfio_op_begin(&op, device, VFIO_OPERATION_attach);
	vfio_op_note(&op, device_id, vf->devid);

	if (copy_from_user(&attach, arg, minsz)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
		goto out;
	}
	vfio_op_note(&op, flags, attach.flags);
	vfio_op_note(&op, pt_id, attach.pt_id);
	if (attach.argsz < minsz) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_size, attach.argsz, minsz);
		goto out;
	}
	if (attach.flags) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_unknown_flags, attach.flags, 0);
		goto out;
	}
	/* A replacement cannot be undone, so check first that the result can be written. */
	if (put_user(attach.pt_id, &arg->pt_id)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)&arg->pt_id,
				   sizeof(arg->pt_id));
		goto out;
	}

	given = attach.pt_id;
	vfio_op_phase(&op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&vfio_sessions(device)->lock);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_interrupted, 0, 0);
		goto out;
	}
	replace = vfio_device_is_attached(device);
	if (replace)
		vfio_op_note(&op, clock.opcode, VFIO_OPERATION_replace);
	vfio_op_start(&op);
	vfio_op_phase(&op, VFIO_PHASE_iommufd);
	ret = device->ops->attach_ioas(device, &attach.pt_id);
	vfio_op_phase(&op, VFIO_PHASE_other);
	mutex_unlock(&vfio_sessions(device)->lock);

	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_iommufd_refused, -ret, given);
		goto out;
	}
	vfio_op_note(&op, pt_id, attach.pt_id);
	/* The memory was writable a moment ago; if it no longer is, the caller has changed that. */
	if (put_user(attach.pt_id, &arg->pt_id))
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)&arg->pt_id,
				   sizeof(arg->pt_id));
out:
	vfio_op_end(&op, ret);
	return ret;
}

/**
 * vfio_node_detach() - VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @vf: the file, ready
 * @arg: user's argument
 *
 * Detaching a device that is not attached is no error.
 *
 * Return: 0 or a negative errno.
 */
long vfio_node_detach(struct vfio_file *vf, struct vfio_device_detach_iommufd_pt __user *arg)
{
	const u32 minsz = offsetofend(struct vfio_device_detach_iommufd_pt, flags);
	struct vfio_device *device = vf->device;
	struct vfio_device_detach_iommufd_pt detach;
	struct vfio_op op;
	int ret = 0;

	vfio_op_begin(&op, device, VFIO_OPERATION_detach);
	vfio_op_note(&op, device_id, vf->devid);

	if (copy_from_user(&detach, arg, minsz)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
		goto out;
	}
	vfio_op_note(&op, flags, detach.flags);
	if (detach.argsz < minsz) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_size, detach.argsz, minsz);
		goto out;
	}
	if (detach.flags) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_unknown_flags, detach.flags, 0);
		goto out;
	}

	vfio_op_start(&op);
	vfio_op_phase(&op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&vfio_sessions(device)->lock);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_interrupted, 0, 0);
		goto out;
	}
	vfio_op_phase(&op, VFIO_PHASE_iommufd);
	device->ops->detach_ioas(device);
	vfio_op_phase(&op, VFIO_PHASE_other);
	mutex_unlock(&vfio_sessions(device)->lock);
out:
	vfio_op_end(&op, ret);
	return ret;
}
