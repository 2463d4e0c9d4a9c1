// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices there are behind the mock IOMMU, and the groups they share.
 *
 * A device is found by its index, which is its id at the IOMMU (iommu_fwspec), from before it is
 * added to the bus, when the IOMMU core probes it, until it is removed.  Devices made with the same
 * key share a group for as long as one of them exists.
 *
 * mock_groups_mutex guards the list of groups and their use counts.  It is taken inside of the
 * IOMMU core's locks, and nothing is called under it that takes those.
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
 * @key: what its makers call it; 0 for a group of one device, which is never found by key
 * @users: devices
 * @iommu_group: the core's group, made when its first device is probed
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
 * mock_group_get() - a group for a device that is being made
 * @key: what the maker calls the group, or 0
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
 * mock_group_put() - a device leaves its group
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
 * mock_device_group() - the core's group of a device that it probes
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
 * mock_device_list() - let a device be found
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
 * Return: the device, or NULL; it stays while its struct device does
 */
struct mock_device *mock_device_by_index(u32 index)
{
	return xa_load(&mock_devices, index);
}
