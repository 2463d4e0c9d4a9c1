// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of one function: by ioctl, and by the reset bits of its capabilities.
 *
 * While it is reset, and until the PCI core has restored its configuration, the device's memory is
 * locked against all accesses; the user's mappings come back with their next fault.
 *
 * A device that answers no more (pulled out, or fallen off its bus) would be waited for at each
 * reset, a minute for each of its ways, with its configuration locked, often the lock of its set
 * held, and no signal to end it.  So it is not reset, and it cannot be opened; the reset that it
 * owes is done once it is back.  A hot reset is tried: it may bring the device back.
 */
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/**
 * vfio_pci_answers() - is the device there at all?
 * @pdev: the device, awake
 *
 * Return: false if it does not answer to its configuration.  One that is busy does answer.
 */
bool vfio_pci_answers(struct pci_dev *pdev)
{
	u32 val;

	/* A VF has no identity of its own to read: it is there as its PF is. */
	pci_read_config_dword(pci_physfn(pdev), PCI_VENDOR_ID, &val);
	return !PCI_POSSIBLE_ERROR(val);
}

/**
 * vfio_pci_function_reset() - reset a function as gently as it knows how
 * @vdev: the device, open
 *
 * Return: 0; -EAGAIN if somebody else works on the device; -ENOTTY if it knows no reset; -EIO if it
 * does not answer; -EINTR.
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
	/* What is saved and restored around the reset must be the state of an awake device. */
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
 * Return: 0; -EINVAL if the device knows no reset; -EAGAIN; -EIO; -EINTR.
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
