// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices behind the mock IOMMU, and the groups they share.
 *
 * A device is found by its index, which is also its id at the IOMMU (iommu_fwspec).  It can be
 * found from before it is added to the bus, which makes the IOMMU core probe it, until it is
 * removed.  Devices created with the same key share a group for as long as one of them exists.
 *
 * mock_groups_mutex guards the list of groups and their use counts.  It is taken inside the IOMMU
 * core's locks, so nothing that takes those is called under it.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "mock.h"

/**
 * struct mock_group - an IOMMU group of mock devices
 * @item: in mock_groups
 * @key: key that its creators use; 0 for a group of one device, which is never found by key
 * @users: number of devices
 * @iommu_group: the core's group, created when its first device is probed
 */
struct mock_group {
	struct list_head item;
	u32 key;
	unsigned int users;
	struct iommu_group *iommu_group;
};

static DEFINE_MUTEX(mock_groups_mutex);
static LIST_HEAD(mock_groups);
static DEFINE_XARRAY_ALLOC(mock_devices);

/**
 * mock_group_get() - get the group for a device that is being created
 * @key: the creator's key of the group, or 0
 *
 * Return: the group, for mock_group_put(), or NULL
 */
struct mock_group *mock_group_get(u32 key)
{
	struct mock_group *group;

	mutex_lock(&mock_groups_mutex);
	if (key)
		list_for_each_entry(group, &mock_groups, item)
			if (group->key == key)
				goto found;

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		goto out;
	group->key = key;
	list_add(&group->item, &mock_groups);
found:
	group->users++;
out:
	mutex_unlock(&mock_groups_mutex);
	return group;
}

/**
 * mock_group_put() - remove a device from its group
 * @group: the group
 */
void mock_group_put(struct mock_group *group)
{
	bool last;

	mutex_lock(&mock_groups_mutex);
	last = !--group->users;
	if (last)
		list_del(&group->item);
	mutex_unlock(&mock_groups_mutex);
	if (!last)
		return;
	if (group->iommu_group)
		iommu_group_put(group->iommu_group);
	kfree(group);
}

/**
 * mock_device_group() - get the core's group of a device that is being probed
 * @mdev: the device
 *
 * Return: the group with a reference for the caller, or an error pointer
 */
struct iommu_group *mock_device_group(struct mock_device *mdev)
{
	struct mock_group *group = mdev->group;
	struct iommu_group *iommu_group;

	mutex_lock(&mock_groups_mutex);
	iommu_group = group->iommu_group;
	if (!iommu_group) {
		iommu_group = iommu_group_alloc();
		if (!IS_ERR(iommu_group))
			group->iommu_group = iommu_group;
	}
	if (!IS_ERR(iommu_group))
		iommu_group_ref_get(iommu_group);
	mutex_unlock(&mock_groups_mutex);
	return iommu_group;
}

/**
 * mock_device_list() - make a device visible to lookups
 * @mdev: the device; out: its index
 *
 * Return: 0 or a negative errno
 */
int mock_device_list(struct mock_device *mdev)
{
	return xa_alloc(&mock_devices, &mdev->index, mdev, xa_limit_31b, GFP_KERNEL);
}

/**
 * mock_device_unlist() - undo mock_device_list()
 * @mdev: the device
 */
void mock_device_unlist(struct mock_device *mdev)
{
	xa_erase(&mock_devices, mdev->index);
}

/**
 * mock_device_by_index() - find a device
 * @index: its index
 *
 * Return: the device, or NULL; it exists as long as its struct device
 */
struct mock_device *mock_device_by_index(u32 index)
{
	return xa_load(&mock_devices, index);
}
