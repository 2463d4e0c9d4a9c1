// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power states of a device, and the state that it loses in them.
 *
 * pm_save is the saved configuration of a device that loses it in D3hot.  memory_lock, held for
 * write, guards pm_save and the power register that the user sees.
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/**
 * vfio_pci_power_probe() - find out whether the device loses its configuration when it sleeps
 * @vdev: the device, being registered
 */
void vfio_pci_power_probe(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 ctrl;

	if (!pdev->pm_cap)
		return;
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &ctrl);
	vdev->needs_pm_restore = !(ctrl & PCI_PM_CTRL_NO_SOFT_RESET);
}

/**
 * vfio_pci_note_power() - update the user's power register from the device
 * @vdev: the device; memory_lock held for write if it is open
 */
void vfio_pci_note_power(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ctrl = pdev->pm_cap + PCI_PM_CTRL;
	u16 word;

	if (!vdev->vconfig || !pdev->pm_cap)
		return;
	lockdep_assert_held_write(&vdev->memory_lock);

	word = vfio_pci_vconfig_word(vdev, ctrl) & ~PCI_PM_CTRL_STATE_MASK;
	if (vfio_pci_sleeps(pdev->current_state, PCI_D3hot))
		word |= (__force u16)PCI_D3hot;
	else
		word |= (__force u16)pdev->current_state;
	vfio_pci_vconfig_set_word(vdev, ctrl, word);
}

/**
 * vfio_pci_set_power_state() - put the device into a power state, and preserve its configuration
 * @vdev: the device; memory_lock held for write if it has a user
 * @state: the state
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_set_power_state(struct vfio_pci_core_device *vdev, pci_power_t state)
{
	struct pci_dev *pdev = vdev->pdev;
	bool down, up;
	int ret;

	/* The PF cannot sleep while its VFs are in use. */
	if (vfio_pci_sleeps(state, PCI_D1) && vdev->sriov_active)
		return -EBUSY;

	down = vdev->needs_pm_restore && !vfio_pci_sleeps(pdev->current_state, PCI_D3hot) &&
	       vfio_pci_sleeps(state, PCI_D3hot);
	up = vdev->needs_pm_restore && vfio_pci_sleeps(pdev->current_state, PCI_D3hot) &&
	     state == PCI_D0;
	if (down)
		pci_save_state(pdev);

	ret = pci_set_power_state(pdev, state);
	vfio_pci_note_power(vdev);
	if (ret)
		return ret;

	if (down && vfio_pci_sleeps(pdev->current_state, PCI_D3hot)) {
		kfree(vdev->pm_save);
		vdev->pm_save = pci_store_saved_state(pdev);
	} else if (up && vdev->pm_save) {
		pci_load_and_free_saved_state(pdev, &vdev->pm_save);
		pci_restore_state(pdev);
	}
	return 0;
}
