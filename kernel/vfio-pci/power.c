// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power management of unused devices, and of devices whose user lets them sleep.
 *
 * Unused devices sleep under runtime PM.  A user can put its device into D3hot with the device's
 * own power register (config_hooks.c).  It can also hand the device to runtime PM (low power entry)
 * and be notified when something wakes it.  pm_runtime_engaged is set while runtime PM has the
 * device.  memory_lock, held for write, guards it and pm_wake_eventfd_ctx.
 */
#include <linux/eventfd.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

static void power_exit_low(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held_write(&vdev->memory_lock);

	if (!vdev->pm_runtime_engaged)
		return;
	vdev->pm_runtime_engaged = false;
	pm_runtime_get_noresume(&vdev->pdev->dev);
	if (vdev->pm_wake_eventfd_ctx) {
		eventfd_ctx_put(vdev->pm_wake_eventfd_ctx);
		vdev->pm_wake_eventfd_ctx = NULL;
	}
}

/**
 * vfio_pci_power_wake() - wake the device from runtime PM and from the user's D3hot
 * @vdev: the device, being closed
 */
void vfio_pci_power_wake(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	power_exit_low(vdev);
	up_write(&vdev->memory_lock);
	/* Without the lock, because the callback takes memory_lock. */
	pm_runtime_resume(&vdev->pdev->dev);

	down_write(&vdev->memory_lock);
	vfio_pci_set_power_state(vdev, PCI_D0);
	up_write(&vdev->memory_lock);
}

/* The ioctl itself keeps the device awake; it may sleep once the ioctl returns. */
static int power_enter_low(struct vfio_pci_core_device *vdev, struct eventfd_ctx *wake)
{
	int ret = vfio_pci_memory_shut(vdev);

	if (ret)
		return ret;
	if (vdev->pm_runtime_engaged) {
		ret = -EINVAL;
	} else {
		vdev->pm_runtime_engaged = true;
		vdev->pm_wake_eventfd_ctx = wake;
		pm_runtime_put_noidle(&vdev->pdev->dev);
	}
	up_write(&vdev->memory_lock);
	return ret;
}

/**
 * vfio_pci_feature_low_power_entry() - VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
 * @vdev: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_feature_low_power_entry(struct vfio_pci_core_device *vdev, u32 flags,
				     void __user *arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	return ret == 1 ? power_enter_low(vdev, NULL) : ret;
}

/**
 * vfio_pci_feature_low_power_wakeup() - VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
 * @vdev: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_feature_low_power_wakeup(struct vfio_pci_core_device *vdev, u32 flags,
				      void __user *arg, size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	struct eventfd_ctx *wake;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(entry));
	if (ret != 1)
		return ret;
	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0 || entry.reserved)
		return -EINVAL;

	wake = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(wake))
		return PTR_ERR(wake);
	ret = power_enter_low(vdev, wake);
	if (ret)
		eventfd_ctx_put(wake);
	return ret;
}

/**
 * vfio_pci_feature_low_power_exit() - VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
 * @vdev: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_feature_low_power_exit(struct vfio_pci_core_device *vdev, u32 flags,
				    void __user *arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	if (ret != 1)
		return ret;
	ret = down_write_killable(&vdev->memory_lock);
	if (ret)
		return ret;
	power_exit_low(vdev);
	up_write(&vdev->memory_lock);
	return 0;
}

static void power_hold_intx(struct vfio_pci_core_device *vdev, bool hold)
{
	spin_lock_irq(&vdev->irqlock);
	vdev->pm_intx_masked = hold;
	vfio_pci_intx_update(vdev);
	spin_unlock_irq(&vdev->irqlock);
}

static int power_runtime_suspend(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);

	/*
	 * The user may have left the device in D3hot, with pm_save set.  The PCI core saves the
	 * current state, so wake the device first; no access is possible in the meantime.
	 */
	down_write(&vdev->memory_lock);
	vfio_pci_set_power_state(vdev, PCI_D0);
	up_write(&vdev->memory_lock);

	/* An interrupt on a shared line must not be attributed to a sleeping device. */
	power_hold_intx(vdev, true);
	return 0;
}

static int power_runtime_resume(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);

	/*
	 * A user that asked for a wake-up event gets one for the first wake-up; the device then
	 * stays awake.
	 */
	down_write(&vdev->memory_lock);
	if (vdev->pm_wake_eventfd_ctx) {
		eventfd_signal(vdev->pm_wake_eventfd_ctx);
		eventfd_ctx_put(vdev->pm_wake_eventfd_ctx);
		vdev->pm_wake_eventfd_ctx = NULL;
		vdev->pm_runtime_engaged = false;
		pm_runtime_get_noresume(dev);
	}
	up_write(&vdev->memory_lock);

	power_hold_intx(vdev, false);
	return 0;
}

const struct dev_pm_ops vfio_pci_core_pm_ops = {
	SET_RUNTIME_PM_OPS(power_runtime_suspend, power_runtime_resume, NULL)
};
