// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI device managed by VFIO: the callbacks of drivers that have no file of their own, and the
 * dispatch of ioctls.
 *
 * From register to unregister, the device is a vfio_device; open.c covers the time between open and
 * close.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"
#include "module_version.h"

static long core_reset(struct vfio_pci_core_device *vdev, void __user *arg)
{
	return vfio_pci_reset(vdev);
}

#define CORE_IOCTL(name)							\
static long core_##name(struct vfio_pci_core_device *vdev, void __user *arg)	\
{										\
	return vfio_pci_##name(vdev, arg);					\
}

CORE_IOCTL(get_info)
CORE_IOCTL(get_region_info)
CORE_IOCTL(get_irq_info)
CORE_IOCTL(set_irqs)
CORE_IOCTL(hot_reset_info)
CORE_IOCTL(hot_reset)
CORE_IOCTL(ioeventfd)

static const struct {
	unsigned int cmd;
	long (*fn)(struct vfio_pci_core_device *vdev, void __user *arg);
} core_ioctls[] = {
	{ VFIO_DEVICE_GET_INFO, core_get_info },
	{ VFIO_DEVICE_GET_REGION_INFO, core_get_region_info },
	{ VFIO_DEVICE_GET_IRQ_INFO, core_get_irq_info },
	{ VFIO_DEVICE_SET_IRQS, core_set_irqs },
	{ VFIO_DEVICE_RESET, core_reset },
	{ VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, core_hot_reset_info },
	{ VFIO_DEVICE_PCI_HOT_RESET, core_hot_reset },
	{ VFIO_DEVICE_IOEVENTFD, core_ioeventfd },
};

/**
 * vfio_pci_core_ioctl() - the ioctl() callback of drivers
 * @core_vdev: the device
 * @cmd: ioctl number
 * @arg: user's argument
 *
 * Return: result of the ioctl, -ENOTTY if there is no such ioctl.
 */
long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd, unsigned long arg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(core_ioctls); i++) {
		if (core_ioctls[i].cmd == cmd)
			return core_ioctls[i].fn(to_core(core_vdev), (void __user *)arg);
	}
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl);

/**
 * vfio_pci_core_ioctl_feature() - the device_feature() callback of drivers
 * @device: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: result of the feature, -ENOTTY if there is no such feature.
 */
int vfio_pci_core_ioctl_feature(struct vfio_device *device, u32 flags, void __user *arg,
				size_t argsz)
{
	struct vfio_pci_core_device *vdev = to_core(device);

	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
		return vfio_pci_feature_low_power_entry(vdev, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		return vfio_pci_feature_low_power_wakeup(vdev, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return vfio_pci_feature_low_power_exit(vdev, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_PCI_VF_TOKEN:
		return vfio_pci_feature_vf_token(vdev, flags, arg, argsz);
	default:
		return -ENOTTY;
	}
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl_feature);

/**
 * vfio_pci_core_match() - the match() callback of drivers
 * @core_vdev: the device
 * @buf: name of the device as the user passed it, followed by options: " vf_token=UUID"
 *
 * Return: 1 if the name is that of this device and the user may open it; 0 if it is another name;
 * -EINVAL for bad options, -EACCES for a wrong token.
 */
int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf)
{
	static const char option[] = "vf_token=";
	struct vfio_pci_core_device *vdev = to_core(core_vdev);
	size_t len = strlen(pci_name(vdev->pdev));
	bool has_token = false;
	char *word, *rest;
	uuid_t token;
	int ret;

	if (strncmp(pci_name(vdev->pdev), buf, len) || (buf[len] && buf[len] != ' '))
		return 0;

	rest = buf + len;
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (has_token || strncmp(word, option, sizeof(option) - 1) ||
		    uuid_parse(word + sizeof(option) - 1, &token))
			return -EINVAL;
		has_token = true;
	}
	ret = vfio_pci_sriov_check_token(vdev, has_token ? &token : NULL);
	return ret ? ret : 1;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_match);

/**
 * vfio_pci_core_init_dev() - the init() callback of drivers
 * @core_vdev: the device, being allocated
 *
 * Return: 0.
 */
int vfio_pci_core_init_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);

	vdev->pdev = to_pci_dev(core_vdev->dev);
	vdev->irq_type = VFIO_PCI_IRQ_NONE;
	spin_lock_init(&vdev->irqlock);
	mutex_init(&vdev->igate);
	mutex_init(&vdev->ioeventfds_lock);
	init_rwsem(&vdev->memory_lock);
	INIT_LIST_HEAD(&vdev->dummy_resources_list);
	INIT_LIST_HEAD(&vdev->ioeventfds_list);
	INIT_LIST_HEAD(&vdev->sriov_pfs_item);
	xa_init(&vdev->ctx);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_init_dev);

/**
 * vfio_pci_core_release_dev() - the release() callback of drivers
 * @core_vdev: the device
 */
void vfio_pci_core_release_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);

	mutex_destroy(&vdev->igate);
	mutex_destroy(&vdev->ioeventfds_lock);
	xa_destroy(&vdev->ctx);
	kfree(vdev->region);
	kfree(vdev->pm_save);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_release_dev);

/**
 * vfio_pci_core_register_device() - make a PCI device available to user space
 * @vdev: the device; it must be the PCI device's driver data
 *
 * Called from a driver's probe().
 *
 * Return: 0; -EINVAL for bridges and devices without an IOMMU; -EBUSY for a PF with VFs; or another
 * error.
 */
int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	struct device *dev = &pdev->dev;
	int ret;

	if (WARN_ON(vdev != dev_get_drvdata(dev)))
		return -EINVAL;
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return -EINVAL;
	/*
	 * The users of VFs that another driver created did not choose to trust a user of this PF.
	 */
	if (pci_num_vf(pdev))
		return -EBUSY;

	ret = vfio_pci_join_set(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_sriov_init(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_vga_register(vdev);
	if (ret)
		goto err_sriov;

	vfio_pci_power_probe(vdev);
	/* The device may be asleep at probe; runtime PM assumes that an active device is in D0. */
	vfio_pci_set_power_state(vdev, PCI_D0);
	/*
	 * A container's memory is attached to the group before the device is opened and reset.
	 * Until then the device must not continue what it did for its last driver.
	 */
	pci_clear_master(pdev);
	dev->driver->pm = &vfio_pci_core_pm_ops;
	vdev->disable_idle_d3 = vfio_pci_disable_idle_d3;
	pm_runtime_allow(dev);
	if (!vdev->disable_idle_d3)
		pm_runtime_put(dev);

	ret = vfio_register_group_dev(&vdev->vdev);
	if (ret)
		goto err_power;
	return 0;

err_power:
	if (!vdev->disable_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
	vfio_pci_vga_unregister(vdev);
err_sriov:
	vfio_pci_sriov_exit(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_device);

/**
 * vfio_pci_core_unregister_device() - take a PCI device away from user space
 * @vdev: the device
 *
 * Returns once the last user has closed it.
 */
void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev)
{
	struct device *dev = &vdev->pdev->dev;

	vfio_pci_core_sriov_configure(vdev, 0);
	vfio_unregister_group_dev(&vdev->vdev);
	/*
	 * The close may have left the reset to this function, whose caller holds the necessary
	 * lock.
	 */
	if (vdev->needs_reset && vfio_pci_answers(vdev->pdev) &&
	    !pci_reset_function_locked(vdev->pdev))
		vdev->needs_reset = false;
	vfio_pci_sriov_exit(vdev);
	vfio_pci_vga_unregister(vdev);

	if (!vdev->disable_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_unregister_device);

static void __exit vfio_pci_core_exit(void)
{
	/*
	 * Replaced eventfds may still wait for RCU readers, and their callback is code of this
	 * module.
	 */
	rcu_barrier();
}
module_exit(vfio_pci_core_exit);

static int __init vfio_pci_core_init(void)
{
	return 0;
}
module_init(vfio_pci_core_init);

MODULE_DESCRIPTION("VFIO: what drivers of PCI devices have in common");
MODULE_LICENSE("GPL");
MODULE_VERSION(IOMMUSCOPE_MODULE_VERSION);
MODULE_IMPORT_NS(IOMMUSCOPE_VFIO);
