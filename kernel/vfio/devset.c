// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device sets: devices that are always reset together share one struct vfio_device_set.
 *
 * A set is identified by an id on which the drivers of its devices agree: the address of the bus or
 * slot, or of the device itself for a set of one.  vfio_sets_lock guards the table and every
 * vfio_device_set.device_count; the set's own lock guards its device_list.  A set exists from its
 * first device to its last one.  A device stays in its set until it is unregistered, however long
 * files on it stay open.  The members of a locked set are therefore exactly the devices that VFIO
 * currently owns.
 */
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "vfio_private.h"

static DEFINE_MUTEX(vfio_sets_lock);
static DEFINE_XARRAY(vfio_sets);

static struct vfio_device_set *vfio_set_create(void *set_id)
{
	struct vfio_device_set *set;
	int ret;

	lockdep_assert_held(&vfio_sets_lock);

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return ERR_PTR(-ENOMEM);
	mutex_init(&set->lock);
	INIT_LIST_HEAD(&set->device_list);
	set->set_id = set_id;

	ret = xa_insert(&vfio_sets, (unsigned long)set_id, set, GFP_KERNEL);
	if (ret) {
		kfree(set);
		return ERR_PTR(ret);
	}
	return set;
}

/**
 * vfio_assign_device_set() - put a device in a set
 * @device: the device, not registered yet and in no set
 * @set_id: the id that the devices of the set share
 *
 * A device that is in no set when it is registered gets a set of its own.
 *
 * Return: 0, -EINVAL without an id, -ENOMEM.
 */
int vfio_assign_device_set(struct vfio_device *device, void *set_id)
{
	struct vfio_device_set *set;

	if (WARN_ON(!set_id || device->dev_set))
		return -EINVAL;

	mutex_lock(&vfio_sets_lock);
	set = xa_load(&vfio_sets, (unsigned long)set_id);
	if (!set)
		set = vfio_set_create(set_id);
	if (!IS_ERR(set))
		set->device_count++;
	mutex_unlock(&vfio_sets_lock);
	if (IS_ERR(set))
		return PTR_ERR(set);

	mutex_lock(&set->lock);
	device->dev_set = set;
	list_add_tail(&device->dev_set_list, &set->device_list);
	mutex_unlock(&set->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_assign_device_set);

/**
 * vfio_device_leave_set() - remove a device from its set
 * @device: the device, being unregistered, without users; may be in no set
 */
void vfio_device_leave_set(struct vfio_device *device)
{
	struct vfio_device_set *set = device->dev_set;

	if (!set)
		return;

	mutex_lock(&set->lock);
	list_del(&device->dev_set_list);
	device->dev_set = NULL;
	mutex_unlock(&set->lock);

	mutex_lock(&vfio_sets_lock);
	if (!--set->device_count) {
		xa_erase(&vfio_sets, (unsigned long)set->set_id);
		mutex_destroy(&set->lock);
		kfree(set);
	}
	mutex_unlock(&vfio_sets_lock);
}

/**
 * vfio_device_set_open_count() - count the sessions on the devices of a set
 * @dev_set: the set, locked
 *
 * Return: the number of sessions.
 */
unsigned int vfio_device_set_open_count(struct vfio_device_set *dev_set)
{
	struct vfio_device *device;
	unsigned int count = 0;

	lockdep_assert_held(&dev_set->lock);

	list_for_each_entry(device, &dev_set->device_list, dev_set_list)
		count += device->open_count;
	return count;
}
EXPORT_SYMBOL_GPL(vfio_device_set_open_count);

/**
 * vfio_find_device_in_devset() - find the device of a set that represents a physical device
 * @dev_set: the set, locked
 * @dev: the physical device
 *
 * Return: the device, or NULL.
 */
struct vfio_device *vfio_find_device_in_devset(struct vfio_device_set *dev_set,
					       struct device *dev)
{
	struct vfio_device *device;

	lockdep_assert_held(&dev_set->lock);

	list_for_each_entry(device, &dev_set->device_list, dev_set_list) {
		if (device->dev == dev)
			return device;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(vfio_find_device_in_devset);
