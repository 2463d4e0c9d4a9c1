// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_SET_IRQS: dispatch of the user's argument to the function that serves it.
 *
 * INTx, MSI and MSI-X exclude each other: irq_type is the one that is set up.  Interrupts that are
 * set up are struct vfio_pci_irq in the xarray ctx, by vector.  igate guards all of this.
 */
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "core_private.h"

typedef int (*irq_fn)(struct vfio_pci_core_device *vdev, struct vfio_op *op,
		      const struct vfio_irq_set *set, void *data);

enum irq_action {
	IRQ_MASK,
	IRQ_UNMASK,
	IRQ_TRIGGER,
	IRQ_NR_ACTIONS,
};

static const irq_fn irq_table[VFIO_PCI_NUM_IRQS][IRQ_NR_ACTIONS] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {
		[IRQ_MASK] = vfio_pci_intx_mask_action,
		[IRQ_UNMASK] = vfio_pci_intx_unmask_action,
		[IRQ_TRIGGER] = vfio_pci_intx_trigger,
	},
	[VFIO_PCI_MSI_IRQ_INDEX] = { [IRQ_TRIGGER] = vfio_pci_msi_trigger },
	[VFIO_PCI_MSIX_IRQ_INDEX] = { [IRQ_TRIGGER] = vfio_pci_msi_trigger },
	[VFIO_PCI_ERR_IRQ_INDEX] = { [IRQ_TRIGGER] = vfio_pci_err_trigger },
	[VFIO_PCI_REQ_IRQ_INDEX] = { [IRQ_TRIGGER] = vfio_pci_req_trigger },
};

/**
 * vfio_pci_irq_count() - get the number of interrupts of an index
 * @vdev: the device, open
 * @index: VFIO_PCI_*_IRQ_INDEX
 *
 * Return: the number, 0 if the device has no interrupt of this kind.
 */
int vfio_pci_irq_count(struct vfio_pci_core_device *vdev, unsigned int index)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 flags;

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return vdev->vconfig[PCI_INTERRUPT_PIN] && !vdev->nointx && pdev->irq &&
		       pdev->irq != IRQ_NOTCONNECTED;
	case VFIO_PCI_MSI_IRQ_INDEX:
		if (!pdev->msi_cap)
			return 0;
		pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &flags);
		return 1 << ((flags & PCI_MSI_FLAGS_QMASK) >> 1);
	case VFIO_PCI_MSIX_IRQ_INDEX:
		if (!pdev->msix_cap)
			return 0;
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &flags);
		return (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return pci_is_pcie(pdev);
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

static irq_fn irq_find(const struct vfio_irq_set *set)
{
	const irq_fn *actions = irq_table[array_index_nospec(set->index, VFIO_PCI_NUM_IRQS)];

	switch (set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_MASK:
		return actions[IRQ_MASK];
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return actions[IRQ_UNMASK];
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return actions[IRQ_TRIGGER];
	default:
		return NULL;
	}
}

/**
 * vfio_pci_set_irqs() - VFIO_DEVICE_SET_IRQS
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0; a positive number if only so many vectors are available; a negative errno, -ENOTTY for
 * an action that the interrupt does not support.
 */
long vfio_pci_set_irqs(struct vfio_pci_core_device *vdev, struct vfio_irq_set __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;
	size_t data_size = 0;
	struct vfio_op op;
	void *data = NULL;
	irq_fn fn;
	int ret;

	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_set_irqs);
	if (copy_from_user(&set, arg, minsz)) {
		ret = vfio_op_fail(&op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
		goto out;
	}
	vfio_op_note(&op, flags, set.flags);
	vfio_op_note(&op, index, set.index);
	vfio_op_note(&op, start, set.start);
	vfio_op_note(&op, count, set.count);

	if (set.index >= VFIO_PCI_NUM_IRQS) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_bad_index, set.index,
				   VFIO_PCI_NUM_IRQS);
		goto out;
	}
	ret = vfio_set_irqs_validate_and_prepare(&set, vfio_pci_irq_count(vdev, set.index),
						 VFIO_PCI_NUM_IRQS, &data_size);
	if (ret) {
		if (set.argsz < minsz)
			vfio_op_fail(&op, ret, VFIO_REASON_bad_size, set.argsz, minsz);
		vfio_op_fail(&op, ret, VFIO_REASON_bad_range, set.start, set.count);
		goto out;
	}
	if (data_size) {
		data = memdup_user(arg->data, data_size);
		if (IS_ERR(data)) {
			ret = vfio_op_fail(&op, PTR_ERR(data), VFIO_REASON_bad_user_pointer,
					   (ulong)arg->data, data_size);
			goto out;
		}
	}

	fn = irq_find(&set);
	if (!fn) {
		ret = vfio_op_fail(&op, -ENOTTY, VFIO_REASON_bad_action, set.flags, set.index);
		goto out_free;
	}
	vfio_op_phase(&op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&vdev->igate);
	vfio_op_phase(&op, VFIO_PHASE_other);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_interrupted, 0, 0);
		goto out_free;
	}
	ret = fn(vdev, &op, &set, data);
	mutex_unlock(&vdev->igate);
out_free:
	kfree(data);
out:
	vfio_op_end(&op, ret);
	return ret;
}

/**
 * vfio_pci_irqs_close() - tear down all interrupts
 * @vdev: the device, being closed
 */
void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev)
{
	mutex_lock(&vdev->igate);
	if (vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX)
		vfio_pci_intx_disable(vdev);
	else if (vdev->irq_type != VFIO_PCI_IRQ_NONE)
		vfio_pci_msi_disable(vdev);
	vfio_pci_events_close(vdev);
	mutex_unlock(&vdev->igate);
}
