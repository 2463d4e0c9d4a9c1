// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open group, /dev/vfio/N: its container, and files on its devices.
 *
 * The container is an iommufd, opened as /dev/iommu or as /dev/vfio/vfio.  The devices of the group
 * use its compatibility address space.  Each file on a device holds the group's file, so the group
 * is closed after all of them.  While a group is open, none of its devices can be bound through a
 * node; while a device is bound through its node, the group cannot be opened.
 *
 * The group's lock is held only to examine the group, never while a device is opened, because an
 * open pins the container's memory, and other files on the group and users of its devices' nodes
 * need the lock.  vfio_group.devices_open counts a device before it is opened, and this keeps the
 * container.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "group.h"
#include "iommufd_vfio.h"
#include "vfio_private.h"

static void vfio_group_op_begin(struct vfio_op *op, struct vfio_group *group,
				enum vfio_opcode opcode)
{
	vfio_op_begin(op, NULL, opcode);
	vfio_op_note(op, via_group, 1);
	vfio_op_note(op, group_id, iommu_group_id(group->iommu_group));
}

static int vfio_group_lock(struct vfio_group *group, struct vfio_op *op)
{
	int ret = mutex_lock_killable(&group->lock);

	return ret ? vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0) : 0;
}

static int vfio_group_get_status(struct vfio_group *group, struct vfio_group_status __user *arg)
{
	const u32 minsz = offsetofend(struct vfio_group_status, flags);
	struct vfio_group_status status;
	int ret;

	if (copy_from_user(&status, arg, minsz))
		return -EFAULT;
	if (status.argsz < minsz)
		return -EINVAL;

	status.flags = 0;
	ret = mutex_lock_killable(&group->lock);
	if (ret)
		return ret;
	if (group->dead) {
		mutex_unlock(&group->lock);
		return -ENODEV;
	}
	if (group->ictx)
		status.flags |= VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
	else if (!iommu_group_dma_owner_claimed(group->iommu_group))
		status.flags |= VFIO_GROUP_FLAGS_VIABLE;
	mutex_unlock(&group->lock);

	return copy_to_user(arg, &status, minsz) ? -EFAULT : 0;
}

/*
 * Joins the container without any lock of the group, because that can fault memory in.  The user
 * reference keeps the chosen device until the group is in the container.
 */
static int vfio_group_join_container(struct vfio_group *group, struct iommufd_ctx *ictx,
				     struct vfio_op *op)
{
	int group_id = iommu_group_id(group->iommu_group);
	struct vfio_device *device;
	int ret;

	ret = vfio_group_lock(group, op);
	if (ret)
		return ret;
	if (group->ictx || group->changing) {
		mutex_unlock(&group->lock);
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_container_set, group_id, 0);
	}
	device = vfio_group_first_device(group);
	group->changing = device;
	mutex_unlock(&group->lock);
	if (!device)
		return vfio_op_fail(op, -ENODEV, VFIO_REASON_device_gone, 0, 0);

	ret = iommufd_vfio_group_join(ictx, group->iommu_group,
				      group->emulated ? NULL : device->dev);
	mutex_lock(&group->lock);
	group->changing = false;
	if (!ret)
		group->ictx = ictx;
	mutex_unlock(&group->lock);
	vfio_device_put_user(device);
	return ret ? vfio_op_fail(op, ret, VFIO_REASON_iommufd_refused, -ret, 0) : 0;
}

/* Returns the container that the group has left.  Only one call can leave, see @changing. */
static struct iommufd_ctx *vfio_group_leave_container(struct vfio_group *group)
{
	struct iommufd_ctx *ictx = group->ictx;

	iommufd_vfio_group_leave(ictx, group->iommu_group);
	mutex_lock(&group->lock);
	group->ictx = NULL;
	group->changing = false;
	mutex_unlock(&group->lock);
	return ictx;
}

static int vfio_group_set_container(struct vfio_group *group, int __user *arg)
{
	struct iommufd_ctx *ictx;
	struct vfio_op op;
	int fd, ret;

	vfio_group_op_begin(&op, group, VFIO_OPERATION_set_container);
	if (get_user(fd, arg)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg,
				   sizeof(fd));
		goto out;
	}
	if (fd < 0) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_fd, fd, 0);
		goto out;
	}

	ictx = iommufd_ctx_from_fd(fd);
	if (IS_ERR(ictx)) {
		ret = PTR_ERR(ictx);
		vfio_op_fail(&op, ret, ret == -EBADF ? VFIO_REASON_bad_fd : VFIO_REASON_not_iommufd,
			     fd, 0);
		goto out;
	}

	/* Without the lock: the container may be busy. */
	ret = iommufd_vfio_compat_ioas_create(ictx);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_iommufd_refused, -ret, 0);
		goto out_ictx;
	}
	ret = vfio_group_join_container(group, ictx, &op);
out_ictx:
	if (ret)
		iommufd_ctx_put(ictx);
out:
	vfio_op_end(&op, ret);
	return ret;
}

static int vfio_group_unset_container(struct vfio_group *group)
{
	int group_id = iommu_group_id(group->iommu_group);
	struct vfio_op op;
	int ret;

	vfio_group_op_begin(&op, group, VFIO_OPERATION_unset_container);
	ret = vfio_group_lock(group, &op);
	if (ret)
		goto out;
	if (!group->ictx || group->changing)
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_no_container, group_id, 0);
	else if (group->devices_open)
		ret = vfio_op_fail(&op, -EBUSY, VFIO_REASON_container_busy, group_id,
				   group->devices_open);
	else
		group->changing = true;
	mutex_unlock(&group->lock);
	if (!ret)
		iommufd_ctx_put(vfio_group_leave_container(group));
out:
	vfio_op_end(&op, ret);
	return ret;
}

/* Finds a device by name, and takes a user reference on it. */
static struct vfio_device *vfio_group_find_device(struct vfio_group *group, char *name)
{
	struct vfio_device *device;
	int match;

	lockdep_assert_held(&group->lock);

	list_for_each_entry(device, &group->devices, group_next) {
		if (device->ops->match)
			match = device->ops->match(device, name);
		else
			match = !strcmp(dev_name(device->dev), name);
		if (match < 0)
			return ERR_PTR(match);
		if (match && vfio_device_get_user(device))
			return device;
	}
	return ERR_PTR(-ENODEV);
}

static int vfio_group_bind(struct vfio_file *vf, struct iommufd_ctx *ictx, const char *name)
{
	struct vfio_op op;
	int ret;

	vfio_op_begin(&op, vf->device, VFIO_OPERATION_bind);
	vfio_op_note(&op, via_group, 1);
	vfio_op_start(&op);
	iommufd_ctx_get(ictx);
	ret = vfio_session_begin(vf, &op, ictx, name);
	if (ret)
		iommufd_ctx_put(ictx);
	vfio_op_end(&op, ret);
	return ret;
}

static void vfio_group_unbind(struct vfio_file *vf)
{
	struct vfio_op op;

	vfio_op_begin(&op, vf->device, VFIO_OPERATION_unbind);
	vfio_op_note(&op, via_group, 1);
	vfio_session_end(vf, &op);
	vfio_op_end(&op, 0);
}

/* Creates a ready file on the device, which no user can see yet. */
static struct file *vfio_group_open_device(struct vfio_group *group, struct file *group_file,
					   struct vfio_device *device, const char *name,
					   struct vfio_op *op)
{
	struct vfio_file *vf;
	struct file *filp;
	int ret;

	vf = vfio_file_alloc(device);
	if (!vf)
		return ERR_PTR(vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, sizeof(*vf), 0));
	vf->group = group;

	/* The device was counted as open, so the container cannot be removed. */
	ret = vfio_group_bind(vf, group->ictx, name);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_driver_refused, -ret, 0);
		goto err_free;
	}

	filp = anon_inode_getfile("[vfio-device]", &vfio_device_fops, vf, O_RDWR);
	if (IS_ERR(filp)) {
		ret = PTR_ERR(filp);
		goto err_unbind;
	}
	filp->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	filp->f_mapping = device->inode->i_mapping;

	vf->group_file = get_file(group_file);
	vfio_op_note(op, device_id, vf->devid);
	vfio_session_publish(vf);
	return filp;

err_unbind:
	vfio_group_unbind(vf);
err_free:
	kfree(vf);
	return ERR_PTR(ret);
}

/* Finds the device to open, takes a user reference on it and counts it as open. */
static struct vfio_device *vfio_group_claim_device(struct vfio_group *group, const char *name,
						   struct vfio_op *op)
{
	int group_id = iommu_group_id(group->iommu_group);
	struct vfio_device *device;
	char *copy;
	int ret;

	/* Drivers modify the string while they match it. */
	copy = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, 0, 0));
	ret = vfio_group_lock(group, op);
	if (ret) {
		kfree(copy);
		return ERR_PTR(ret);
	}
	/* A dead group has no devices, so nothing is found. */
	device = vfio_group_find_device(group, copy);
	kfree(copy);
	if (IS_ERR(device)) {
		ret = PTR_ERR(device);
		if (ret == -ENODEV)
			vfio_op_fail(op, ret, VFIO_REASON_no_such_device, group_id, 0);
		else
			vfio_op_fail(op, ret, VFIO_REASON_token_refused, -ret, 0);
	} else if (!group->ictx || group->changing) {
		vfio_op_device(op, device);
		vfio_device_put_user(device);
		ret = vfio_op_fail(op, -EINVAL, VFIO_REASON_no_container, group_id, 0);
		device = ERR_PTR(ret);
	} else {
		vfio_op_device(op, device);
		group->devices_open++;
	}
	mutex_unlock(&group->lock);
	return device;
}

static int vfio_group_get_device_fd(struct vfio_group *group, struct file *group_file,
				    char __user *arg)
{
	struct vfio_device *device;
	struct file *filp;
	struct vfio_op op;
	char *name;
	int fd, ret;

	name = strndup_user(arg, PAGE_SIZE);
	if (IS_ERR(name))
		return PTR_ERR(name);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto out_name;
	}

	vfio_group_op_begin(&op, group, VFIO_OPERATION_open);
	device = vfio_group_claim_device(group, name, &op);
	ret = PTR_ERR_OR_ZERO(device);
	if (!ret) {
		filp = vfio_group_open_device(group, group_file, device, name, &op);
		ret = PTR_ERR_OR_ZERO(filp);
		if (ret)
			vfio_group_count_down(group);
		vfio_device_put_user(device);
	}
	vfio_op_end(&op, ret);
	if (ret) {
		put_unused_fd(fd);
	} else {
		fd_install(fd, filp);
		ret = fd;
	}
out_name:
	kfree(name);
	return ret;
}

static long vfio_group_fop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct vfio_group *group = filp->private_data;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_GROUP_GET_STATUS:
		return vfio_group_get_status(group, uarg);
	case VFIO_GROUP_SET_CONTAINER:
		return vfio_group_set_container(group, uarg);
	case VFIO_GROUP_UNSET_CONTAINER:
		return vfio_group_unset_container(group);
	case VFIO_GROUP_GET_DEVICE_FD:
		return vfio_group_get_device_fd(group, filp, uarg);
	default:
		return -ENOTTY;
	}
}

static int vfio_group_fop_open(struct inode *inode, struct file *filp)
{
	struct vfio_group *group = container_of(inode->i_cdev, struct vfio_group, cdev);
	int group_id = iommu_group_id(group->iommu_group);
	struct vfio_op op;
	int ret;

	vfio_group_op_begin(&op, group, VFIO_OPERATION_group_open);
	ret = vfio_group_lock(group, &op);
	if (ret)
		goto out;
	if (group->dead) {
		ret = vfio_op_fail(&op, -ENODEV, VFIO_REASON_device_gone, 0, 0);
	} else if (group->opened) {
		ret = vfio_op_fail(&op, -EBUSY, VFIO_REASON_group_in_use, group_id, 0);
	} else if (group->nodes_bound) {
		ret = vfio_op_fail(&op, -EBUSY, VFIO_REASON_node_in_use, group_id,
				   group->nodes_bound);
	} else {
		group->opened = true;
		filp->private_data = group;
	}
	mutex_unlock(&group->lock);
out:
	vfio_op_end(&op, ret);
	return ret;
}

static int vfio_group_fop_release(struct inode *inode, struct file *filp)
{
	struct vfio_group *group = filp->private_data;
	struct iommufd_ctx *ictx = NULL;

	vfio_group_set_kvm(group, NULL);
	/* No call is in flight, so no other thread changes the container. */
	if (group->ictx)
		ictx = vfio_group_leave_container(group);
	mutex_lock(&group->lock);
	WARN_ON(group->devices_open);
	group->opened = false;
	mutex_unlock(&group->lock);
	if (ictx)
		iommufd_ctx_put(ictx);
	return 0;
}

const struct file_operations vfio_group_fops = {
	.owner = THIS_MODULE,
	.open = vfio_group_fop_open,
	.release = vfio_group_fop_release,
	.unlocked_ioctl = vfio_group_fop_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * vfio_group_from_file() - get the group that is open in a file
 * @file: any file
 *
 * Return: the group, or NULL if the file is something else.
 */
struct vfio_group *vfio_group_from_file(struct file *file)
{
	return file->f_op == &vfio_group_fops ? file->private_data : NULL;
}
