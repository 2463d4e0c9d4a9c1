// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy groups, /dev/vfio/N: their lifetime, and their functions for devices and KVM.
 *
 * A struct vfio_group represents an IOMMU group while VFIO drivers hold devices in it.  vfio_groups
 * lists them; vfio_groups_lock guards the list and vfio_group.drivers.  Files on the group's node
 * keep its memory through the character device.  Once the last device has left, the group is dead:
 * its node is gone, and files that are still open can only be closed.
 *
 * A device whose driver does its DMA is in no IOMMU group; VFIO creates one for it.
 */
#include <linux/cdev.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "group.h"
#include "iommufd_vfio.h"
#include "vfio_private.h"

static DEFINE_MUTEX(vfio_groups_lock);
static LIST_HEAD(vfio_groups);
static DEFINE_IDA(vfio_group_minors);
static dev_t vfio_group_base;
static const struct file_operations *vfio_group_node_fops;

static char *vfio_group_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

static const struct class vfio_group_class = {
	.name = "vfio",
	.devnode = vfio_group_devnode,
};

static void vfio_group_release(struct device *dev)
{
	struct vfio_group *group = container_of(dev, struct vfio_group, dev);

	iommu_group_put(group->iommu_group);
	ida_free(&vfio_group_minors, MINOR(group->dev.devt));
	mutex_destroy(&group->lock);
	kfree(group);
}

static struct vfio_group *vfio_group_create(struct iommu_group *iommu_group, bool emulated)
{
	struct vfio_group *group;
	int ret;

	lockdep_assert_held(&vfio_groups_lock);

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	ret = ida_alloc_max(&vfio_group_minors, MINORMASK, GFP_KERNEL);
	if (ret < 0) {
		kfree(group);
		return ERR_PTR(ret);
	}

	mutex_init(&group->lock);
	spin_lock_init(&group->kvm_lock);
	INIT_LIST_HEAD(&group->devices);
	group->emulated = emulated;
	iommu_group_ref_get(iommu_group);
	group->iommu_group = iommu_group;

	device_initialize(&group->dev);
	group->dev.devt = MKDEV(MAJOR(vfio_group_base), ret);
	group->dev.class = &vfio_group_class;
	group->dev.release = vfio_group_release;
	cdev_init(&group->cdev, vfio_group_node_fops);
	group->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&group->dev, "%d", iommu_group_id(iommu_group));
	if (!ret)
		ret = cdev_device_add(&group->cdev, &group->dev);
	if (ret) {
		put_device(&group->dev);
		return ERR_PTR(ret);
	}
	list_add(&group->item, &vfio_groups);
	return group;
}

static struct vfio_group *vfio_group_find(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	lockdep_assert_held(&vfio_groups_lock);

	list_for_each_entry(group, &vfio_groups, item) {
		if (group->iommu_group == iommu_group)
			return group;
	}
	return NULL;
}

/* Returns the IOMMU group of a device, with a reference. */
static struct iommu_group *vfio_group_of_device(struct vfio_device *device, bool emulated)
{
	struct iommu_group *iommu_group;
	int ret;

	if (!emulated) {
		iommu_group = iommu_group_get(device->dev);
		return iommu_group ? iommu_group : ERR_PTR(-EINVAL);
	}

	iommu_group = iommu_group_alloc();
	if (IS_ERR(iommu_group))
		return iommu_group;
	ret = iommu_group_set_name(iommu_group, "vfio-emulated");
	if (!ret)
		ret = iommu_group_add_device(iommu_group, device->dev);
	if (ret) {
		iommu_group_put(iommu_group);
		return ERR_PTR(ret);
	}
	return iommu_group;
}

/**
 * vfio_group_join() - add a device that is being registered to its group
 * @device: the device
 * @emulated: its driver does its DMA
 *
 * The first device creates the group and its node.
 *
 * Return: 0 or a negative errno.
 */
int vfio_group_join(struct vfio_device *device, bool emulated)
{
	struct iommu_group *iommu_group;
	struct vfio_group *group;

	iommu_group = vfio_group_of_device(device, emulated);
	if (IS_ERR(iommu_group))
		return PTR_ERR(iommu_group);

	mutex_lock(&vfio_groups_lock);
	group = vfio_group_find(iommu_group);
	if (!group)
		group = vfio_group_create(iommu_group, emulated);
	if (!IS_ERR(group))
		group->drivers++;
	mutex_unlock(&vfio_groups_lock);

	iommu_group_put(iommu_group);
	if (IS_ERR(group)) {
		if (emulated)
			iommu_group_remove_device(device->dev);
		return PTR_ERR(group);
	}
	device->group = group;
	return 0;
}

/**
 * vfio_group_first_device() - find any device of the group that users may open
 * @group: the group, locked
 *
 * Return: the device, with a user reference, or NULL.
 */
struct vfio_device *vfio_group_first_device(struct vfio_group *group)
{
	struct vfio_device *device;

	lockdep_assert_held(&group->lock);
	list_for_each_entry(device, &group->devices, group_next) {
		if (vfio_device_get_user(device))
			return device;
	}
	return NULL;
}

/* A container holds a group through one of its devices, and another one if this device leaves. */
static void vfio_group_change_holder(struct vfio_group *group, struct vfio_device *device)
{
	struct iommufd_ctx *ictx;
	struct vfio_device *next = NULL;

	mutex_lock(&group->lock);
	ictx = group->ictx;
	if (ictx) {
		iommufd_ctx_get(ictx);
		next = vfio_group_first_device(group);
	}
	mutex_unlock(&group->lock);
	if (!ictx)
		return;
	iommufd_vfio_group_move(ictx, group->iommu_group, device->dev, next ? next->dev : NULL);
	iommufd_ctx_put(ictx);
	if (next)
		vfio_device_put_user(next);
}

/**
 * vfio_group_leave() - undo vfio_group_join()
 * @device: the device, without users
 */
void vfio_group_leave(struct vfio_device *device)
{
	struct vfio_group *group = device->group;
	bool last;

	vfio_group_change_holder(group, device);
	mutex_lock(&vfio_groups_lock);
	last = !--group->drivers;
	if (last) {
		list_del(&group->item);
		mutex_lock(&group->lock);
		group->dead = true;
		mutex_unlock(&group->lock);
		cdev_device_del(&group->cdev, &group->dev);
	}
	mutex_unlock(&vfio_groups_lock);

	if (group->emulated)
		iommu_group_remove_device(device->dev);
	device->group = NULL;
	if (last)
		put_device(&group->dev);
}

/**
 * vfio_group_list() - make a device visible to the users of its group
 * @device: the device, registered
 */
void vfio_group_list(struct vfio_device *device)
{
	mutex_lock(&device->group->lock);
	list_add(&device->group_next, &device->group->devices);
	mutex_unlock(&device->group->lock);
}

/**
 * vfio_group_unlist() - undo vfio_group_list()
 * @device: the device
 */
void vfio_group_unlist(struct vfio_device *device)
{
	mutex_lock(&device->group->lock);
	list_del(&device->group_next);
	mutex_unlock(&device->group->lock);
}

/**
 * vfio_group_claim_node() - keep the group's node closed while a device node is bound
 * @device: the device of the node, with a user reference
 * @op: the operation that this is a part of
 *
 * Return: 0, -EBUSY if the group is open, or -EINTR.
 */
int vfio_group_claim_node(struct vfio_device *device, struct vfio_op *op)
{
	struct vfio_group *group = device->group;
	int ret;

	ret = mutex_lock_killable(&group->lock);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
	if (group->opened)
		ret = vfio_op_fail(op, -EBUSY, VFIO_REASON_group_in_use,
				   iommu_group_id(group->iommu_group), 0);
	else
		group->nodes_bound++;
	mutex_unlock(&group->lock);
	return ret;
}

/**
 * vfio_group_release_node() - undo vfio_group_claim_node()
 * @device: the device of the node
 */
void vfio_group_release_node(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	mutex_lock(&group->lock);
	group->nodes_bound--;
	mutex_unlock(&group->lock);
}

/**
 * vfio_group_iommu_group() - get the IOMMU group of a group
 * @group: the group
 *
 * Return: the IOMMU group, with a reference.
 */
struct iommu_group *vfio_group_iommu_group(struct vfio_group *group)
{
	return iommu_group_ref_get(group->iommu_group);
}

/**
 * vfio_group_enforced_coherent() - check that all DMA of the group is coherent with the CPU caches
 * @group: the group
 *
 * Return: false if this is not enforced for every device of the group.
 */
bool vfio_group_enforced_coherent(struct vfio_group *group)
{
	struct vfio_device *device;
	bool coherent = true;

	mutex_lock(&group->lock);
	list_for_each_entry(device, &group->devices, group_next) {
		if (!device_iommu_capable(device->dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY)) {
			coherent = false;
			break;
		}
	}
	mutex_unlock(&group->lock);
	return coherent;
}

/**
 * vfio_group_set_kvm() - set the virtual machine of a group
 * @group: the group
 * @kvm: the virtual machine, or NULL
 */
void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm)
{
	spin_lock(&group->kvm_lock);
	group->kvm = kvm;
	spin_unlock(&group->kvm_lock);
}

/**
 * vfio_group_take_kvm() - give a device of the group a reference on its virtual machine
 * @group: the group
 * @device: the device, its vfio_sessions.lock held
 */
void vfio_group_take_kvm(struct vfio_group *group, struct vfio_device *device)
{
	spin_lock(&group->kvm_lock);
	vfio_device_hold_kvm(device, group->kvm);
	spin_unlock(&group->kvm_lock);
}

/**
 * vfio_group_has_device() - check that a device is in a group
 * @group: the group
 * @device: the device, registered
 *
 * Return: true if it is.
 */
bool vfio_group_has_device(struct vfio_group *group, struct vfio_device *device)
{
	return device->group == group;
}

/**
 * vfio_group_count_down() - stop counting a device as open
 * @group: the group that it was opened through
 */
void vfio_group_count_down(struct vfio_group *group)
{
	mutex_lock(&group->lock);
	group->devices_open--;
	mutex_unlock(&group->lock);
}

/**
 * vfio_group_file_closed() - release the group when a file on one of its devices is closed
 * @vf: the file, its session has ended
 */
void vfio_group_file_closed(struct vfio_file *vf)
{
	vfio_group_count_down(vf->group);
	fput(vf->group_file);
}

/**
 * vfio_groups_init() - register the class and the device numbers
 * @fops: file operations of the groups' nodes
 *
 * Return: 0 or a negative errno.
 */
int __init vfio_groups_init(const struct file_operations *fops)
{
	int ret;

	vfio_group_node_fops = fops;

	ret = class_register(&vfio_group_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&vfio_group_base, 0, MINORMASK + 1, "vfio");
	if (ret)
		class_unregister(&vfio_group_class);
	return ret;
}

/**
 * vfio_groups_exit() - undo vfio_groups_init()
 */
void vfio_groups_exit(void)
{
	unregister_chrdev_region(vfio_group_base, MINORMASK + 1);
	class_unregister(&vfio_group_class);
	ida_destroy(&vfio_group_minors);
}
