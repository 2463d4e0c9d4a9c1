// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetime of a device behind the mock IOMMU.
 *
 * A device is a platform device.  It has no driver, except those devices that must be in use by
 * one.
 */
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include "iommufd_test.h"
#include "mock.h"

/*
 * Sets the IOMMU and the id of a device before the core probes it.  iommu_fwspec_init() cannot be
 * used: it is for callers that hold the probe lock, which is private to the core.  No other code
 * knows the device yet.
 */
static int mock_fwspec_create(struct mock_device *mdev)
{
	struct device *dev = &mdev->pdev->dev;
	struct iommu_fwspec *fwspec;
	struct dev_iommu *param;

	param = kzalloc(sizeof(*param), GFP_KERNEL);
	/* iommu_fwspec_add_ids() expects room for one id. */
	fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);
	if (!param || !fwspec) {
		kfree(param);
		kfree(fwspec);
		return -ENOMEM;
	}
	mutex_init(&param->lock);
	fwspec->iommu_fwnode = fwnode_handle_get(mock_iommu_fwnode());
	dev->iommu = param;
	dev_iommu_fwspec_set(dev, fwspec);
	return iommu_fwspec_add_ids(dev, &mdev->index, 1);
}

/* Frees the state of a device that the core never probed; otherwise the core frees it itself. */
static void mock_fwspec_free(struct device *dev)
{
	if (!dev->iommu)
		return;
	iommu_fwspec_free(dev);
	kfree(dev->iommu);
	dev->iommu = NULL;
}

/**
 * mock_device_create() - create a device behind the mock IOMMU
 * @profile: its properties
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
	rc = mock_device_list(mdev);
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

	/*
	 * The core probes the IOMMU that the fwspec names, so the fwspec must exist before the
	 * device.
	 */
	if (behind_iommu) {
		rc = mock_fwspec_create(mdev);
		if (rc)
			goto err_put;
	}
	rc = platform_device_add(mdev->pdev);
	if (rc)
		goto err_put;

	iommu_group = iommu_group_get(dev);
	if (behind_iommu != !!iommu_group) {
		rc = -ENODEV;
		platform_device_del(mdev->pdev);
		goto err_put;
	}
	iommu_group_put(iommu_group);
	mock_knobs_add(mdev);
	return mdev;

err_put:
	mock_fwspec_free(dev);
	platform_device_put(mdev->pdev);
err_index:
	mock_device_unlist(mdev);
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
	mock_device_unlist(mdev);
	mock_group_put(mdev->group);
	kfree(mdev);
}

/*
 * The driver of devices that are in use.  It does nothing with them.  It does not declare that its
 * user manages DMA, so the driver core claims the group for it.
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
