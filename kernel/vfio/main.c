// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload of the vfio module.
 */
#include <linux/module.h>

#include "module_version.h"
#include "vfio_private.h"

static int __init vfio_init(void)
{
	int ret;

	ret = vfio_virqfd_init();
	if (ret)
		return ret;

	ret = vfio_devices_init(&vfio_device_fops);
	if (ret)
		goto err_virqfd;

	ret = vfio_groups_init(&vfio_group_fops);
	if (ret)
		goto err_devices;
	return 0;

err_devices:
	vfio_devices_exit();
err_virqfd:
	vfio_virqfd_exit();
	return ret;
}
module_init(vfio_init);

static void __exit vfio_exit(void)
{
	vfio_groups_exit();
	vfio_devices_exit();
	vfio_virqfd_exit();
}
module_exit(vfio_exit);

MODULE_DESCRIPTION("VFIO: device access for user space, with translation by iommufd");
MODULE_LICENSE("GPL");
MODULE_VERSION(IOMMUSCOPE_MODULE_VERSION);
MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_VFIO);
