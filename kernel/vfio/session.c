// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files on a device, and their sessions.  A session is the time during which a file uses its
 * device.
 *
 * vfio_device.open_count counts the sessions.  The first one binds the device to the iommufd, opens
 * it in its driver and, for a group, attaches it.  The last one undoes all of this in reverse
 * order.  A node admits one session at a time.  A group admits any number, all on the iommufd of
 * the group's container.
 *
 * The whole start and the whole end of a session run under the device's vfio_sessions.lock.  Only
 * the driver's part runs under the lock of the device's set as well.
 */
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "vfio_private.h"

/**
 * vfio_file_alloc() - allocate a file's private data
 * @device: the device of the file
 *
 * Return: the data, not ready, or NULL.
 */
struct vfio_file *vfio_file_alloc(struct vfio_device *device)
{
	struct vfio_file *vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);

	if (vf) {
		vf->device = device;
		spin_lock_init(&vf->kvm_lock);
	}
	return vf;
}

/* Attaches the device of a group to the container's address space, if no earlier session has. */
static int vfio_session_attach_container(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	u32 ioas_id;
	int ret;

	lockdep_assert_held(&vfio_sessions(device)->lock);

	if (vfio_device_is_attached(device))
		return 0;
	vfio_op_phase(op, VFIO_PHASE_iommufd);
	ret = iommufd_vfio_compat_ioas_get_id(vf->ictx, &ioas_id);
	if (!ret)
		ret = device->ops->attach_ioas(device, &ioas_id);
	vfio_op_phase(op, VFIO_PHASE_other);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_iommufd_refused, -ret, 0);
	vfio_op_note(op, pt_id, ioas_id);
	return 0;
}

/* Passes the virtual machine of the first session to the device's driver. */
static void vfio_session_take_kvm(struct vfio_file *vf)
{
	lockdep_assert_held(&vfio_sessions(vf->device)->lock);

	if (vf->group) {
		vfio_group_take_kvm(vf->group, vf->device);
		return;
	}
	spin_lock(&vf->kvm_lock);
	vfio_device_hold_kvm(vf->device, vf->kvm);
	spin_unlock(&vf->kvm_lock);
}

static void vfio_session_set_holder(struct vfio_device *device, struct pid *holder)
{
	struct vfio_sessions *sessions = vfio_sessions(device);

	spin_lock(&sessions->holder_lock);
	swap(sessions->holder, holder);
	spin_unlock(&sessions->holder_lock);
	put_pid(holder);
}

/**
 * vfio_session_holder() - get the process whose session keeps a device
 * @device: the device
 *
 * Return: the process, with a reference for put_pid(), or NULL if there is no session.
 */
struct pid *vfio_session_holder(struct vfio_device *device)
{
	struct vfio_sessions *sessions = vfio_sessions(device);
	struct pid *holder;

	spin_lock(&sessions->holder_lock);
	holder = get_pid(sessions->holder);
	spin_unlock(&sessions->holder_lock);
	return holder;
}

/*
 * The driver resets the device here.  A device of a node reaches no memory yet; one of a container
 * reaches only that of the container, to which its group is attached.
 */
static int vfio_session_open_driver(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	int ret;

	vfio_op_phase(op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&device->dev_set->lock);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
	vfio_op_phase(op, VFIO_PHASE_driver);
	/*
	 * open_device() may use the device as its user would, so the device counts as open from
	 * here on.
	 */
	device->open_count = 1;
	if (device->ops->open_device)
		ret = device->ops->open_device(device);
	if (ret) {
		device->open_count = 0;
		vfio_op_fail(op, ret, VFIO_REASON_driver_refused, -ret, 0);
	} else {
		device->cdev_opened = !vf->group;
	}
	mutex_unlock(&device->dev_set->lock);
	return ret;
}

static int vfio_session_open_device(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	int ret;

	vfio_session_take_kvm(vf);

	vfio_op_phase(op, VFIO_PHASE_iommufd);
	ret = device->ops->bind_iommufd(device, vf->ictx, &vf->devid);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_iommufd_refused, -ret, 0);
		goto err_kvm;
	}
	vfio_op_note(op, device_id, vf->devid);
	ret = vfio_session_open_driver(vf, op);
	if (ret)
		goto err_unbind;
	vfio_op_phase(op, VFIO_PHASE_other);
	vfio_session_set_holder(device, get_task_pid(current, PIDTYPE_TGID));
	return 0;

err_unbind:
	vfio_op_phase(op, VFIO_PHASE_iommufd);
	device->ops->unbind_iommufd(device);
err_kvm:
	vfio_op_phase(op, VFIO_PHASE_other);
	vfio_device_drop_kvm(device);
	return ret;
}

/* Adds a session of the group that already has the device open. */
static int vfio_session_join(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	int ret;

	ret = mutex_lock_killable(&device->dev_set->lock);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
	device->open_count++;
	mutex_unlock(&device->dev_set->lock);
	return 0;
}

/* Ends a session.  The last one closes the device, then detaches its memory, then unbinds it. */
static void vfio_session_leave(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	bool last;

	lockdep_assert_held(&vfio_sessions(device)->lock);

	vfio_op_phase(op, VFIO_PHASE_wait);
	mutex_lock(&device->dev_set->lock);
	vfio_op_phase(op, VFIO_PHASE_driver);
	last = device->open_count == 1;
	if (last) {
		if (device->ops->close_device)
			device->ops->close_device(device);
		device->cdev_opened = false;
	}
	device->open_count--;
	mutex_unlock(&device->dev_set->lock);

	if (last) {
		vfio_session_set_holder(device, NULL);
		vfio_op_phase(op, VFIO_PHASE_iommufd);
		device->ops->unbind_iommufd(device);
		vfio_device_drop_kvm(device);
	}
	vfio_op_phase(op, VFIO_PHASE_other);
	vf->ictx = NULL;
}

/*
 * Checks that the caller may use the device.  This happens at the last moment, because the token
 * can change.
 */
static int vfio_session_match(struct vfio_device *device, struct vfio_op *op, const char *name)
{
	char *copy;
	int ret;

	if (!device->ops->match)
		return 0;
	copy = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, 0, 0);
	ret = device->ops->match(device, copy);
	kfree(copy);
	if (ret > 0)
		return 0;
	if (!ret)
		ret = -ENODEV;
	return vfio_op_fail(op, ret, VFIO_REASON_token_refused, -ret, 0);
}

static int vfio_session_begin_locked(struct vfio_file *vf, struct vfio_op *op,
				     struct iommufd_ctx *ictx, const char *name)
{
	struct vfio_device *device = vf->device;
	int ret;

	lockdep_assert_held(&vfio_sessions(device)->lock);

	if (vf->ictx)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_already_bound, vf->devid, 0);
	if (device->open_count && !vf->group)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_device_busy, device->open_count, 0);
	ret = vfio_session_match(device, op, name);
	if (ret)
		return ret;

	vf->ictx = ictx;
	if (device->open_count)
		ret = vfio_session_join(vf, op);
	else
		ret = vfio_session_open_device(vf, op);
	if (ret) {
		vf->ictx = NULL;
		return ret;
	}

	if (vf->group) {
		ret = vfio_session_attach_container(vf, op);
		if (ret)
			vfio_session_leave(vf, op);
	}
	return ret;
}

/**
 * vfio_session_begin() - bind a file's device and open it
 * @vf: the file
 * @op: the operation that this is a part of
 * @ictx: the iommufd; on success the session owns the caller's reference
 * @name: for the driver's match(): name of the device, and the token that permits its use
 *
 * The file is not ready before vfio_session_publish().
 *
 * Return: 0, or a negative errno.  On failure nothing has changed.
 */
int vfio_session_begin(struct vfio_file *vf, struct vfio_op *op, struct iommufd_ctx *ictx,
		       const char *name)
{
	struct vfio_device *device = vf->device;
	struct module *owner;
	int ret;

	if (!vfio_device_get_user(device))
		return vfio_op_fail(op, -ENODEV, VFIO_REASON_device_gone, 0, 0);

	/* A registered device has a driver, and the user reference keeps it registered. */
	owner = device->dev->driver ? device->dev->driver->owner : NULL;
	if (!try_module_get(owner)) {
		ret = vfio_op_fail(op, -ENODEV, VFIO_REASON_driver_unloading, 0, 0);
		goto err_user;
	}

	if (!vf->group) {
		ret = vfio_group_claim_node(device, op);
		if (ret)
			goto err_module;
	}

	vfio_op_phase(op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&vfio_sessions(device)->lock);
	vfio_op_phase(op, VFIO_PHASE_other);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
		goto err_node;
	}
	ret = vfio_session_begin_locked(vf, op, ictx, name);
	mutex_unlock(&vfio_sessions(device)->lock);
	if (ret)
		goto err_node;
	vf->owner = owner;
	return 0;

err_node:
	if (!vf->group)
		vfio_group_release_node(device);
err_module:
	module_put(owner);
err_user:
	vfio_device_put_user(device);
	return ret;
}

/**
 * vfio_session_publish() - allow the file's user to use the device
 * @vf: the file, its session has started
 */
void vfio_session_publish(struct vfio_file *vf)
{
	/* Pairs with vfio_file_ready(). */
	smp_store_release(&vf->ready, true);
}

/**
 * vfio_session_end() - close a file's device and unbind it
 * @vf: the file; it was never ready, or no call on it can run any more
 * @op: the operation that this is a part of
 */
void vfio_session_end(struct vfio_file *vf, struct vfio_op *op)
{
	struct vfio_device *device = vf->device;
	struct iommufd_ctx *ictx = vf->ictx;
	struct module *owner = vf->owner;

	vfio_op_note(op, device_id, vf->devid);
	vfio_op_phase(op, VFIO_PHASE_wait);
	mutex_lock(&vfio_sessions(device)->lock);
	vfio_session_leave(vf, op);
	vf->owner = NULL;
	mutex_unlock(&vfio_sessions(device)->lock);

	if (!vf->group)
		vfio_group_release_node(device);
	iommufd_ctx_put(ictx);
	/*
	 * From here on the device may be freed; the module reference keeps its code until the end.
	 */
	vfio_device_put_user(device);
	module_put(owner);
}
