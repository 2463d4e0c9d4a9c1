// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's memory: when it answers, and how it is taken away.
 *
 * Whoever switches it off holds memory_lock for write from before the user's mappings are gone
 * until it is off.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "core_private.h"

/**
 * vfio_pci_memory_enabled() - does the device's memory answer?
 * @vdev: the device, memory_lock held
 *
 * Return: false if memory decoding is off or the device sleeps.
 */
bool vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	lockdep_assert_held(&vdev->memory_lock);

	if (vdev->pm_runtime_engaged || vfio_pci_sleeps(pdev->current_state, PCI_D3hot))
		return false;
	return pdev->no_command_memory ||
	       vfio_pci_vconfig_word(vdev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

/**
 * vfio_pci_memory_zap() - unmap the device's memory from all users
 * @vdev: the device, memory_lock held for write: no fault brings it back
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
 */
void vfio_pci_memory_shut(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	vfio_pci_memory_zap(vdev);
}

/**
 * vfio_pci_memory_force() - switch memory decoding on, for an access of our own
 * @vdev: the device
 *
 * Takes memory_lock for write, so that the user sees nothing of it.
 *
 * Return: what vfio_pci_memory_unforce() wants.
 */
u16 vfio_pci_memory_force(struct vfio_pci_core_device *vdev)
{
	u16 cmd;

	down_write(&vdev->memory_lock);
	pci_read_config_word(vdev->pdev, PCI_COMMAND, &cmd);
	if (!(cmd & PCI_COMMAND_MEMORY))
		pci_write_config_word(vdev->pdev, PCI_COMMAND, cmd | PCI_COMMAND_MEMORY);
	return cmd;
}

/**
 * vfio_pci_memory_unforce() - undo vfio_pci_memory_force()
 * @vdev: the device
 * @cmd: what that returned
 */
void vfio_pci_memory_unforce(struct vfio_pci_core_device *vdev, u16 cmd)
{
	u16 now;

	if (!(cmd & PCI_COMMAND_MEMORY)) {
		/* Other bits may have changed with what was done meanwhile. */
		pci_read_config_word(vdev->pdev, PCI_COMMAND, &now);
		pci_write_config_word(vdev->pdev, PCI_COMMAND, now & ~PCI_COMMAND_MEMORY);
	}
	up_write(&vdev->memory_lock);
}
