// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of one function: by ioctl, and by the reset bits of its capabilities.
 *
 * During the reset, and until the PCI core has restored the configuration, the device's memory is
 * locked against all accesses; the user's mappings come back with their next fault.
 *
 * The kernel waits at each reset for a device that no longer responds (unplugged, or fallen off its
 * bus): a minute for each reset method, with the configuration locked, often with the lock of its
 * set held, and without a signal that ends the wait.  Such a device is therefore not reset and
 * cannot be opened; the pending reset happens once the device responds again.  A hot reset is still
 * tried, because it may revive the device.
 */
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/**
 * vfio_pci_answers() - check that the device responds at all
 * @pdev: the device, awake
 *
 * Return: false if it does not respond to configuration accesses.  A busy device does respond.
 */
bool vfio_pci_answers(struct pci_dev *pdev)
{
	u32 val;

	/* A VF has no identity register of its own; it responds if its PF does. */
	pci_read_config_dword(pci_physfn(pdev), PCI_VENDOR_ID, &val);
	return !PCI_POSSIBLE_ERROR(val);
}

/**
 * vfio_pci_function_reset() - reset a function with the gentlest method it supports
 * @vdev: the device, open
 *
 * Return: 0; -EAGAIN if another thread is using the device; -ENOTTY if it has no reset method; -EIO
 * if it does not respond; -EINTR.
 */
int vfio_pci_function_reset(struct vfio_pci_core_device *vdev)
{
	struct vfio_op op;
	int ret;

	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_reset);
	vfio_op_start(&op);

	vfio_op_phase(&op, VFIO_PHASE_wait);
	ret = vfio_pci_memory_shut(vdev);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_interrupted, 0, 0);
		goto out;
	}
	vfio_op_phase(&op, VFIO_PHASE_reset);
	/* The state that is saved and restored around the reset must be that of an awake device. */
	vfio_pci_set_power_state(vdev, PCI_D0);
	ret = vfio_pci_answers(vdev->pdev) ? pci_try_reset_function(vdev->pdev) : -EIO;
	vfio_op_phase(&op, VFIO_PHASE_other);
	up_write(&vdev->memory_lock);

	if (ret == -EAGAIN)
		vfio_op_fail(&op, ret, VFIO_REASON_device_locked, 0, 0);
	else if (ret)
		vfio_op_fail(&op, ret, VFIO_REASON_reset_failed, -ret, 0);
out:
	vfio_op_end(&op, ret);
	return ret;
}

/**
 * vfio_pci_reset() - VFIO_DEVICE_RESET
 * @vdev: the device
 *
 * Return: 0; -EINVAL if the device has no reset method; -EAGAIN; -EIO; -EINTR.
 */
long vfio_pci_reset(struct vfio_pci_core_device *vdev)
{
	struct vfio_op op;
	int ret;

	if (vdev->reset_works)
		return vfio_pci_function_reset(vdev);

	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_reset);
	ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_no_reset, 0, 0);
	vfio_op_end(&op, ret);
	return ret;
}
