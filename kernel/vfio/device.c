// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetime of a device: allocated by a driver, registered, unregistered, released.
 *
 * A registered device has an index, a device in sysfs (vfio-dev/vfioX below the physical device)
 * and a node.  vfio_device.refcount counts the registration itself and the sessions.  It falls to
 * zero once, in or after vfio_unregister_group_dev(), and can never rise again from there.
 *
 * All mappings of the device's regions, through any file, belong to one inode of this module, so
 * that a driver can remove all of them with one unmap_mapping_range().
 */
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "vfio_private.h"

#define VFIO_FS_MAGIC		0x7666696f
/* Interval at which a user that keeps a device is asked again to release it. */
#define VFIO_REQUEST_INTERVAL	(10 * HZ)
/* Time after which the kernel log names that user. */
#define VFIO_REQUEST_PATIENCE	HZ

static DEFINE_IDA(vfio_indexes);
static dev_t vfio_node_base;
static const struct file_operations *vfio_node_fops;
static struct vfsmount *vfio_mount;
static int vfio_mount_users;

static char *vfio_device_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

static const struct class vfio_device_class = {
	.name = "vfio-dev",
	.devnode = vfio_device_devnode,
};

static int vfio_fs_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, VFIO_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type vfio_fs_type = {
	.name = "vfio",
	.owner = THIS_MODULE,
	.init_fs_context = vfio_fs_init_fs_context,
	.kill_sb = kill_anon_super,
};

static struct inode *vfio_inode_new(void)
{
	struct inode *inode;
	int ret;

	ret = simple_pin_fs(&vfio_fs_type, &vfio_mount, &vfio_mount_users);
	if (ret)
		return ERR_PTR(ret);

	inode = alloc_anon_inode(vfio_mount->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&vfio_mount, &vfio_mount_users);
	return inode;
}

static void vfio_inode_put(struct inode *inode)
{
	iput(inode);
	simple_release_fs(&vfio_mount, &vfio_mount_users);
}

static struct vfio_device *vfio_device_new(size_t size)
{
	struct vfio_sessions *sessions = kvzalloc(size_add(sizeof(*sessions), size),
						  GFP_KERNEL_ACCOUNT);

	if (!sessions)
		return NULL;
	mutex_init(&sessions->lock);
	spin_lock_init(&sessions->holder_lock);
	return (struct vfio_device *)(sessions + 1);
}

static void vfio_device_free(struct vfio_device *device)
{
	struct vfio_sessions *sessions = vfio_sessions(device);

	mutex_destroy(&sessions->lock);
	kvfree(sessions);
}

static void vfio_device_release(struct device *dev)
{
	struct vfio_device *device = container_of(dev, struct vfio_device, device);

	/* A device that was never registered may still be in its set. */
	vfio_device_leave_set(device);
	if (device->ops->release)
		device->ops->release(device);
	ida_free(&vfio_indexes, device->index);
	vfio_inode_put(device->inode);
	put_device(device->dev);
	vfio_device_free(device);
}

/**
 * _vfio_alloc_device() - allocate a device; drivers call vfio_alloc_device()
 * @size: size of the driver's structure, whose first member is a struct vfio_device
 * @dev: the physical device
 * @ops: the driver's callbacks
 *
 * Calls the driver's init().  vfio_put_device() undoes it.
 *
 * Return: the device, or an error pointer.
 */
struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev,
				       const struct vfio_device_ops *ops)
{
	struct vfio_device *device;
	int ret;

	if (WARN_ON(size < sizeof(*device)))
		return ERR_PTR(-EINVAL);

	device = vfio_device_new(size);
	if (!device)
		return ERR_PTR(-ENOMEM);

	ret = ida_alloc_max(&vfio_indexes, MINORMASK, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	device->index = ret;
	/* Files that stay open after the device is gone still report its name. */
	device->dev = get_device(dev);
	device->ops = ops;
	init_completion(&device->comp);

	device->inode = vfio_inode_new();
	if (IS_ERR(device->inode)) {
		ret = PTR_ERR(device->inode);
		goto err_index;
	}

	if (ops->init) {
		ret = ops->init(device);
		if (ret)
			goto err_inode;
	}

	device_initialize(&device->device);
	device->device.release = vfio_device_release;
	device->device.class = &vfio_device_class;
	device->device.parent = dev;
	cdev_init(&device->cdev, vfio_node_fops);
	device->device.devt = MKDEV(MAJOR(vfio_node_base), device->index);
	return device;

err_inode:
	/* A driver's init() may have joined a set before it failed. */
	vfio_device_leave_set(device);
	vfio_inode_put(device->inode);
err_index:
	put_device(dev);
	ida_free(&vfio_indexes, device->index);
err_free:
	vfio_device_free(device);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(_vfio_alloc_device);

static bool vfio_ops_are_complete(const struct vfio_device_ops *ops)
{
	return ops->bind_iommufd && ops->unbind_iommufd && ops->attach_ioas && ops->detach_ioas;
}

/* The DMA of a device must be coherent, because user space cannot maintain caches. */
static int vfio_check_iommu(struct vfio_device *device, struct vfio_op *op)
{
	struct iommu_group *group = iommu_group_get(device->dev);
	int id;

	if (!group)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_no_iommu_group, 0, 0);
	id = iommu_group_id(group);
	iommu_group_put(group);
	if (!device_iommu_capable(device->dev, IOMMU_CAP_CACHE_COHERENCY))
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_not_cache_coherent, id, 0);
	return 0;
}

static int vfio_register(struct vfio_device *device, bool emulated)
{
	struct vfio_op op;
	int ret;

	if (WARN_ON(!vfio_ops_are_complete(device->ops)))
		return -EINVAL;

	ret = dev_set_name(&device->device, "vfio%d", device->index);
	if (ret)
		return ret;

	vfio_op_begin(&op, device, VFIO_OPERATION_register);
	if (!emulated) {
		ret = vfio_check_iommu(device, &op);
		if (ret)
			goto out;
	}

	if (!device->dev_set) {
		ret = vfio_assign_device_set(device, device);
		if (ret)
			goto out;
	}

	ret = vfio_group_join(device, emulated);
	if (ret)
		goto out;

	/* From here on files can be opened; the count lets them bind. */
	refcount_set(&device->refcount, 1);
	device->cdev.owner = device->dev->driver ? device->dev->driver->owner : NULL;
	ret = cdev_device_add(&device->cdev, &device->device);
	if (ret) {
		refcount_set(&device->refcount, 0);
		vfio_group_leave(device);
		goto out;
	}
	vfio_group_list(device);
out:
	vfio_op_end(&op, ret);
	return ret;
}

/**
 * vfio_register_group_dev() - register a device that does DMA through an IOMMU
 * @device: the device
 *
 * Return: 0, -EINVAL if it is not behind an IOMMU that keeps its DMA coherent, or another error.
 */
int vfio_register_group_dev(struct vfio_device *device)
{
	return vfio_register(device, false);
}
EXPORT_SYMBOL_GPL(vfio_register_group_dev);

/**
 * vfio_register_emulated_iommu_dev() - register a device whose driver does its DMA
 * @device: the device; its driver uses vfio_pin_pages() and vfio_dma_rw()
 *
 * Return: 0 or a negative errno.
 */
int vfio_register_emulated_iommu_dev(struct vfio_device *device)
{
	return vfio_register(device, true);
}
EXPORT_SYMBOL_GPL(vfio_register_emulated_iommu_dev);

/* Logs which process waits for which; once for each device that is unregistered. */
static void vfio_say_who_waits(struct vfio_device *device)
{
	struct pid *holder = vfio_session_holder(device);
	struct task_struct *task = get_pid_task(holder, PIDTYPE_TGID);

	if (task) {
		dev_notice(device->dev, "%s[%d] waits until %s[%d] has closed the device\n",
			   current->comm, task_tgid_nr(current), task->comm, pid_nr(holder));
		put_task_struct(task);
	} else {
		/* The process has exited and has passed the file to another one. */
		dev_notice(device->dev, "%s[%d] waits until the device is closed\n",
			   current->comm, task_tgid_nr(current));
	}
	put_pid(holder);
}

/* Waits for the last user.  After a signal, the wait can no longer be interrupted. */
static bool vfio_wait_unused(struct vfio_device *device, unsigned long timeout, bool *insist)
{
	long left;

	if (!*insist) {
		left = wait_for_completion_interruptible_timeout(&device->comp, timeout);
		if (left >= 0)
			return left;
		*insist = true;
	}
	return wait_for_completion_timeout(&device->comp, timeout);
}

/* Asks the users to release a device until they have done so.  Returns the number of requests. */
static unsigned int vfio_wait_for_users(struct vfio_device *device)
{
	unsigned int asked = 0;
	bool insist = false;

	if (try_wait_for_completion(&device->comp))
		return 0;
	for (;;) {
		if (device->ops->request)
			device->ops->request(device, asked);
		if (!asked++) {
			if (vfio_wait_unused(device, VFIO_REQUEST_PATIENCE, &insist))
				return asked;
			vfio_say_who_waits(device);
		}
		if (vfio_wait_unused(device, VFIO_REQUEST_INTERVAL, &insist))
			return asked;
	}
}

/**
 * vfio_unregister_group_dev() - take a device away from user space
 * @device: the device
 *
 * From here on no file can start to use the device.  The driver's request() asks the users to
 * release the device, repeatedly, until they have done so.  The function returns only then.  The
 * device is in no set any more, so a reset of its neighbours does not treat it as a device of VFIO.
 */
void vfio_unregister_group_dev(struct vfio_device *device)
{
	unsigned int asked;
	struct vfio_op op;

	vfio_op_begin(&op, device, VFIO_OPERATION_unregister);
	vfio_op_start(&op);

	vfio_group_unlist(device);
	/* From here on no file can be opened on the node. */
	cdev_device_del(&device->cdev, &device->device);

	vfio_op_phase(&op, VFIO_PHASE_wait);
	vfio_device_put_user(device);
	asked = vfio_wait_for_users(device);
	/*
	 * Only now, because the last close needs the set.  This waits for a reset that relies on
	 * the membership.
	 */
	vfio_device_leave_set(device);
	vfio_op_phase(&op, VFIO_PHASE_other);

	vfio_group_leave(device);
	vfio_op_note(&op, value, asked);
	vfio_op_end(&op, 0);
}
EXPORT_SYMBOL_GPL(vfio_unregister_group_dev);

/**
 * vfio_devices_init() - register the class and the device numbers
 * @fops: file operations of the nodes
 *
 * Return: 0 or a negative errno.
 */
int __init vfio_devices_init(const struct file_operations *fops)
{
	int ret;

	vfio_node_fops = fops;

	ret = class_register(&vfio_device_class);
	if (ret)
		return ret;

	ret = alloc_chrdev_region(&vfio_node_base, 0, MINORMASK + 1, "vfio-dev");
	if (ret)
		class_unregister(&vfio_device_class);
	return ret;
}

/**
 * vfio_devices_exit() - undo vfio_devices_init()
 */
void vfio_devices_exit(void)
{
	unregister_chrdev_region(vfio_node_base, MINORMASK + 1);
	class_unregister(&vfio_device_class);
	ida_destroy(&vfio_indexes);
}
