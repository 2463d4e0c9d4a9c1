// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices behind the mock IOMMU, and their groups.
 *
 * A device is a platform device, without a driver but for those that are to be in use by one.  It
 * is found by its index, which is its id at the IOMMU (iommu_fwspec), from before it is added to
 * the bus, when the IOMMU core probes it, until it is removed.  Devices made with the same key
 * share a group for as long as one of them exists.
 *
 * mock_groups_mutex guards the list of groups and their use counts.  It is taken inside of the
 * IOMMU core's locks, and nothing is called under it that takes those.
 */
#include <linux/idr.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommufd_test.h"
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

static struct mock_group *mock_group_get(u32 key)
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

static void mock_group_put(struct mock_group *group)
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
 * mock_device_by_index() - find a device
 * @index: its index
 *
 * Return: the device, or NULL; it stays while its struct device does
 */
struct mock_device *mock_device_by_index(u32 index)
{
	return xa_load(&mock_devices, index);
}

/**
 * mock_device_create() - make a device behind the mock IOMMU
 * @profile: what it can do
 * @group_key: devices with the same key share a group; 0: a group of its own
 *
 * Return: the device, which the IOMMU core has probed, or an error pointer
 */
struct mock_device *mock_device_create(const struct mock_profile *profile, u32 group_key)
{
	bool behind_iommu = !(profile->flags & MOCK_DEVICE_NO_IOMMU);
	struct iommu_group *iommu_group;
	struct mock_device *mdev;
	struct device *dev;
	int rc;

	mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	if (!mdev)
		return ERR_PTR(-ENOMEM);
	mdev->profile = *profile;
	mock_dma_init(&mdev->dma);

	mdev->group = mock_group_get(group_key);
	if (!mdev->group) {
		rc = -ENOMEM;
		goto err_free;
	}
	rc = xa_alloc(&mock_devices, &mdev->index, mdev, xa_limit_31b, GFP_KERNEL);
	if (rc)
		goto err_group;
	mdev->pdev = platform_device_alloc(profile->flags & MOCK_DEVICE_DRIVEN ? MOCK_DRIVEN_NAME :
									  MOCK_NAME,
					   mdev->index);
	if (!mdev->pdev) {
		rc = -ENOMEM;
		goto err_index;
	}
	dev = &mdev->pdev->dev;
	if (!(profile->flags & MOCK_DEVICE_MSI_NOT_ISOLATED))
		dev_set_msi_domain(dev, mock_iommu_msi_domain());

	/* The core probes with what the fwspec names, so it must be there before the device is. */
	if (behind_iommu) {
		rc = iommu_fwspec_init(dev, mock_iommu_fwnode());
		if (rc)
			goto err_put;
		rc = iommu_fwspec_add_ids(dev, &mdev->index, 1);
		if (rc)
			goto err_fwspec;
	}
	rc = platform_device_add(mdev->pdev);
	if (rc)
		goto err_fwspec;

	iommu_group = iommu_group_get(dev);
	if (behind_iommu != !!iommu_group) {
		/* The core has dropped the fwspec of what it could not probe. */
		rc = -ENODEV;
		platform_device_del(mdev->pdev);
		goto err_put;
	}
	iommu_group_put(iommu_group);
	mock_knobs_add(mdev);
	return mdev;

err_fwspec:
	if (behind_iommu)
		iommu_fwspec_free(dev);
err_put:
	platform_device_put(mdev->pdev);
err_index:
	xa_erase(&mock_devices, mdev->index);
err_group:
	mock_group_put(mdev->group);
err_free:
	kfree(mdev);
	return ERR_PTR(rc);
}

/**
 * mock_device_destroy() - remove a device that no iommufd has bound
 * @mdev: the device
 */
void mock_device_destroy(struct mock_device *mdev)
{
	mock_knobs_remove(mdev);
	mock_dma_stop(mdev);
	platform_device_unregister(mdev->pdev);
	xa_erase(&mock_devices, mdev->index);
	mock_group_put(mdev->group);
	kfree(mdev);
}

/*
 * The driver of devices that are in use.  It does nothing with them, but it does not say that its
 * user manages DMA, hence the driver core takes the group for it.
 */
static int mock_driver_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver mock_driver = {
	.driver = {
		.name = MOCK_DRIVEN_NAME,
	},
	.probe = mock_driver_probe,
};

/**
 * mock_driver_init() - register the driver of devices that are in use
 *
 * Return: 0 or a negative errno
 */
int mock_driver_init(void)
{
	return platform_driver_register(&mock_driver);
}

/**
 * mock_driver_exit() - undo mock_driver_init()
 */
void mock_driver_exit(void)
{
	platform_driver_unregister(&mock_driver);
}
