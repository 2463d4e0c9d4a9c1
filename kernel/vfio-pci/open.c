// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open and close: an open resets the device and examines it, a close resets and restores it.
 *
 * Runs under the lock of the device's set, with the device bound to an iommufd.  At the open
 * nothing is attached yet, so the device cannot reach any user's memory before bus mastering is off
 * and the reset is complete.
 */
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/* Finds out how the device's INTx can be masked, or that it has none. */
static void open_intx(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	vdev->pci_2_3 = !vfio_pci_nointxmask && pci_intx_mask_supported(pdev);
	vdev->nointx = !pdev->irq || pdev->irq == IRQ_NOTCONNECTED;
	vdev->virq_disabled = false;
	vdev->pm_intx_masked = false;
	if (vdev->pci_2_3)
		pci_intx(pdev, 0);
}

static void open_msix(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u32 table;
	u16 flags;

	vdev->msix_bar = 0;
	vdev->msix_offset = 0;
	vdev->msix_size = 0;
	vdev->has_dyn_msix = false;
	if (!pdev->msix_cap)
		return;
	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &flags);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	vdev->msix_bar = table & PCI_MSIX_TABLE_BIR;
	vdev->msix_offset = table & PCI_MSIX_TABLE_OFFSET;
	vdev->msix_size = ((flags & PCI_MSIX_FLAGS_QSIZE) + 1) * PCI_MSIX_ENTRY_SIZE;
	vdev->has_dyn_msix = pci_msix_can_alloc_dyn(pdev);
}

/**
 * vfio_pci_core_enable() - the first part of open_device() of drivers
 * @vdev: the device
 *
 * Return: 0 or a negative errno, -EAGAIN if another thread is using the device, -EIO if it does not
 * respond.
 */
int vfio_pci_core_enable(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	ret = vfio_pci_sriov_open(vdev);
	if (ret)
		return ret;
	if (!vdev->disable_idle_d3) {
		ret = pm_runtime_resume_and_get(&pdev->dev);
		if (ret < 0)
			goto err_sriov;
	}

	ret = -EIO;
	if (!vfio_pci_answers(pdev))
		goto err_power;
	/* No DMA before the user enables it. */
	pci_clear_master(pdev);
	ret = pci_enable_device(pdev);
	if (ret)
		goto err_power;

	ret = pci_try_reset_function(pdev);
	if (ret == -EAGAIN)
		goto err_disable;
	vdev->reset_works = !ret;
	pci_save_state(pdev);
	/* Without a saved state, the close leaves the device as it is. */
	vdev->pci_saved_state = pci_store_saved_state(pdev);

	open_intx(vdev);
	open_msix(vdev);
	ret = vfio_pci_config_open(vdev);
	if (ret)
		goto err_state;
	vdev->has_vga = !vfio_pci_disable_vga && pci_is_vga(pdev);
	return 0;

err_state:
	kfree(vdev->pci_saved_state);
	vdev->pci_saved_state = NULL;
err_disable:
	pci_disable_device(pdev);
err_power:
	if (!vdev->disable_idle_d3)
		pm_runtime_put(&pdev->dev);
err_sriov:
	vfio_pci_sriov_close(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_enable);

/**
 * vfio_pci_core_finish_enable() - the last part of open_device() of drivers
 * @vdev: the device
 */
void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev)
{
	vfio_pci_bar_probe_mmap(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_finish_enable);

/*
 * Resets the device and restores its configuration.  The locks are only tried, because their holder
 * may be waiting for this close, as an unbind does that asked the user to close.
 */
static void close_reset(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	vdev->needs_reset = true;
	if (vdev->pci_saved_state)
		pci_load_and_free_saved_state(pdev, &vdev->pci_saved_state);
	else
		pci_save_state(pdev);

	/* The interrupts of a function that the user left enabled must not reach the next user. */
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);

	if (vdev->reset_works && vfio_pci_answers(pdev) && pci_cfg_access_trylock(pdev)) {
		if (device_trylock(&pdev->dev)) {
			if (!__pci_reset_function_locked(pdev))
				vdev->needs_reset = false;
			device_unlock(&pdev->dev);
		}
		pci_cfg_access_unlock(pdev);
	}
	pci_restore_state(pdev);
}

/**
 * vfio_pci_core_disable() - undo vfio_pci_core_enable()
 * @vdev: the device
 *
 * Also for drivers whose open fails after vfio_pci_core_enable().
 */
void vfio_pci_core_disable(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	/* Tearing down MSI-X writes to the device's memory, so the device must be awake. */
	vfio_pci_power_wake(vdev);
	vfio_pci_clear_master(vdev);
	vfio_pci_ioeventfds_close(vdev);
	vfio_pci_irqs_close(vdev);

	vfio_pci_regions_close(vdev);
	vfio_pci_bar_close(vdev);
	vfio_pci_config_close(vdev);

	close_reset(vdev);
	pci_disable_device(pdev);
	vfio_pci_set_try_reset(vdev);
	if (!vdev->disable_idle_d3)
		pm_runtime_put(&pdev->dev);
	vfio_pci_sriov_close(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_disable);

/**
 * vfio_pci_core_close_device() - the close_device() callback of drivers
 * @core_vdev: the device
 */
void vfio_pci_core_close_device(struct vfio_device *core_vdev)
{
	vfio_pci_core_disable(to_core(core_vdev));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_close_device);
