// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's memory: whether it responds, and how it is disabled.
 *
 * Code that disables it holds memory_lock for write from before the user's mappings are removed
 * until the memory is off.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "core_private.h"

/**
 * vfio_pci_space_enabled() - check that the device responds in a space
 * @vdev: the device, memory_lock held
 * @space: I/O or memory
 *
 * Return: false if the device does not decode its addresses in that space, or sleeps: in any state
 * but D0 it responds only to configuration accesses.
 */
bool vfio_pci_space_enabled(struct vfio_pci_core_device *vdev, enum vfio_pci_space space)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 command = vfio_pci_vconfig_word(vdev, PCI_COMMAND);

	lockdep_assert_held(&vdev->memory_lock);

	if (vdev->pm_runtime_engaged || vfio_pci_sleeps(pdev->current_state, PCI_D1))
		return false;
	if (space == VFIO_PCI_SPACE_IO)
		return command & PCI_COMMAND_IO;
	return pdev->no_command_memory || command & PCI_COMMAND_MEMORY;
}

/**
 * vfio_pci_memory_zap() - unmap the device's memory from all users
 * @vdev: the device, memory_lock held for write, so that no fault maps it again
 */
void vfio_pci_memory_zap(struct vfio_pci_core_device *vdev)
{
	loff_t begin = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX);
	loff_t end = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX);

	lockdep_assert_held_write(&vdev->memory_lock);

	unmap_mapping_range(vdev->vdev.inode->i_mapping, begin, end - begin, true);
}

/**
 * vfio_pci_memory_shut() - lock the device's memory against every access
 * @vdev: the device
 *
 * Takes memory_lock for write; the caller releases it.
 *
 * Return: 0, or -EINTR if the caller was killed; the lock is then not held.
 */
int vfio_pci_memory_shut(struct vfio_pci_core_device *vdev)
{
	int ret = down_write_killable(&vdev->memory_lock);

	if (!ret)
		vfio_pci_memory_zap(vdev);
	return ret;
}

/* Changes bits of the device's command register; the INTx handler changes another bit of it. */
static u16 command_change(struct vfio_pci_core_device *vdev, u16 clear, u16 set)
{
	unsigned long flags;
	u16 old = 0, new;

	spin_lock_irqsave(&vdev->irqlock, flags);
	pci_read_config_word(vdev->pdev, PCI_COMMAND, &old);
	new = (old & ~clear) | set;
	if (new != old)
		pci_write_config_word(vdev->pdev, PCI_COMMAND, new);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
	return old;
}

/**
 * vfio_pci_clear_master() - stop all DMA of the device
 * @vdev: the device, open
 */
void vfio_pci_clear_master(struct vfio_pci_core_device *vdev)
{
	unsigned long flags;

	spin_lock_irqsave(&vdev->irqlock, flags);
	pci_clear_master(vdev->pdev);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
}

static void memory_force_locked(struct vfio_pci_core_device *vdev, struct vfio_pci_forced *before)
{
	before->state = vdev->pdev->current_state;
	if (vfio_pci_sleeps(before->state, PCI_D1))
		vfio_pci_set_power_state(vdev, PCI_D0);
	before->command = command_change(vdev, 0, PCI_COMMAND_MEMORY);
}

/**
 * vfio_pci_memory_force() - wake the device and enable its memory, for an access by the kernel
 * @vdev: the device
 * @before: out: for vfio_pci_memory_unforce()
 *
 * Takes memory_lock for write, so that the user notices nothing.  For callers that must not fail.
 */
void vfio_pci_memory_force(struct vfio_pci_core_device *vdev, struct vfio_pci_forced *before)
{
	down_write(&vdev->memory_lock);
	memory_force_locked(vdev, before);
}

/**
 * vfio_pci_memory_force_killable() - vfio_pci_memory_force() for a user's call
 * @vdev: the device
 * @before: out: for vfio_pci_memory_unforce()
 *
 * Return: 0, or -EINTR if the caller was killed; nothing has then changed.
 */
int vfio_pci_memory_force_killable(struct vfio_pci_core_device *vdev,
				   struct vfio_pci_forced *before)
{
	int ret = down_write_killable(&vdev->memory_lock);

	if (!ret)
		memory_force_locked(vdev, before);
	return ret;
}

/**
 * vfio_pci_memory_unforce() - undo vfio_pci_memory_force()
 * @vdev: the device
 * @before: the state from vfio_pci_memory_force()
 */
void vfio_pci_memory_unforce(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_forced *before)
{
	/* Restore only this bit: other bits may have changed in the meantime. */
	if (!(before->command & PCI_COMMAND_MEMORY))
		command_change(vdev, PCI_COMMAND_MEMORY, 0);
	if (vfio_pci_sleeps(before->state, PCI_D1))
		vfio_pci_set_power_state(vdev, before->state);
	up_write(&vdev->memory_lock);
}
