// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module iommufd-mock: an IOMMU without hardware and the test ioctl of iommufd.  Test builds
 * only.
 */
#include <linux/module.h>

#include "mock.h"
#include "module_version.h"

static int __init mock_init(void)
{
	int rc;

	rc = mock_iommu_init();
	if (rc)
		return rc;
	rc = mock_driver_init();
	if (rc)
		goto err_iommu;
	mock_knobs_init();
	rc = mock_test_init();
	if (rc)
		goto err_knobs;
	return 0;

err_knobs:
	mock_knobs_exit();
	mock_driver_exit();
err_iommu:
	mock_iommu_exit();
	return rc;
}
module_init(mock_init);

/* Every test object holds a reference on the module, so no device is left when this runs. */
static void __exit mock_exit(void)
{
	mock_test_exit();
	mock_knobs_exit();
	mock_driver_exit();
	mock_iommu_exit();
}
module_exit(mock_exit);

MODULE_DESCRIPTION("Mock IOMMU and test ioctl for iommufd");
MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_TEST);
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_LICENSE("GPL");
MODULE_VERSION(IOMMUSCOPE_MODULE_VERSION);
