// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI and MSI-X: vectors, each with an eventfd that it signals.
 *
 * Enabling allocates as many vectors as the user's first call names.  Where the platform supports
 * it, further MSI-X vectors are allocated on first use.  A vector with an eventfd has a struct
 * vfio_pci_irq in ctx, and a handler.  The MSI-X table is in the device's memory, so code that
 * writes the table enables the memory for that time.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/irqbypass.h>
#include <linux/log2.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "core_private.h"

static irqreturn_t msi_handler(int nr, void *data)
{
	struct vfio_pci_irq *irq = data;

	eventfd_signal(irq->trigger);
	return IRQ_HANDLED;
}

static bool msi_is_msix(struct vfio_pci_core_device *vdev)
{
	return vdev->irq_type == VFIO_PCI_MSIX_IRQ_INDEX;
}

/* Returns the Linux interrupt of a vector, allocating it if necessary. */
static int msi_vector_irq(struct vfio_pci_core_device *vdev, unsigned int vector)
{
	struct vfio_pci_forced before;
	struct msi_map map;
	int irq, ret;

	irq = pci_irq_vector(vdev->pdev, vector);
	if (irq > 0)
		return irq;
	if (!msi_is_msix(vdev) || !vdev->has_dyn_msix)
		return -EINVAL;

	ret = vfio_pci_memory_force_killable(vdev, &before);
	if (ret)
		return ret;
	map = pci_msix_alloc_irq_at(vdev->pdev, vector, NULL);
	vfio_pci_memory_unforce(vdev, &before);
	return map.index < 0 ? map.index : map.virq;
}

static void msi_vector_free(struct vfio_pci_core_device *vdev, unsigned int vector)
{
	struct vfio_pci_irq *irq = xa_erase(&vdev->ctx, vector);
	struct vfio_pci_forced before;

	if (!irq)
		return;
	if (irq->producer.token)
		irq_bypass_unregister_producer(&irq->producer);
	/* Masks the vector in the device's table. */
	vfio_pci_memory_force(vdev, &before);
	free_irq(irq->irq, irq);
	vfio_pci_memory_unforce(vdev, &before);
	eventfd_ctx_put(irq->trigger);
	kfree(irq->name);
	kfree(irq);
}

static int msi_vector_request(struct vfio_pci_core_device *vdev, struct vfio_pci_irq *irq)
{
	struct vfio_pci_forced before;
	struct msi_msg msg;
	int ret;

	ret = vfio_pci_memory_force_killable(vdev, &before);
	if (ret)
		return ret;
	if (msi_is_msix(vdev)) {
		/* A reset may have cleared the device's table since the message was written. */
		get_cached_msi_msg(irq->irq, &msg);
		pci_write_msi_msg(irq->irq, &msg);
	}
	ret = request_irq(irq->irq, msi_handler, 0, irq->name, irq);
	vfio_pci_memory_unforce(vdev, &before);
	return ret;
}

static int msi_vector_set(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			  unsigned int vector, unsigned int place, s32 fd)
{
	struct vfio_pci_irq *irq;
	int ret;

	lockdep_assert_held(&vdev->igate);

	msi_vector_free(vdev, vector);
	if (fd < 0)
		return 0;

	irq = kzalloc(sizeof(*irq), GFP_KERNEL_ACCOUNT);
	if (!irq)
		return vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, sizeof(*irq), 0);
	irq->vdev = vdev;
	irq->name = kasprintf(GFP_KERNEL_ACCOUNT, "vfio-msi%s[%u](%s)",
			      msi_is_msix(vdev) ? "x" : "", vector, pci_name(vdev->pdev));
	if (!irq->name) {
		ret = vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, 0, 0);
		goto err_free;
	}
	irq->trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(irq->trigger)) {
		ret = vfio_op_fail(op, PTR_ERR(irq->trigger), VFIO_REASON_bad_eventfd, fd, place);
		goto err_free;
	}
	irq->irq = msi_vector_irq(vdev, vector);
	if (irq->irq < 0) {
		ret = vfio_op_fail(op, irq->irq, VFIO_REASON_irq_setup_failed, vector, -irq->irq);
		goto err_trigger;
	}
	ret = xa_err(xa_store(&vdev->ctx, vector, irq, GFP_KERNEL_ACCOUNT));
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_no_memory, 0, 0);
		goto err_trigger;
	}
	ret = msi_vector_request(vdev, irq);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_irq_setup_failed, vector, -ret);
		goto err_erase;
	}

	/* Without a producer everything works, but more slowly. */
	irq->producer.token = irq->trigger;
	irq->producer.irq = irq->irq;
	if (irq_bypass_register_producer(&irq->producer))
		irq->producer.token = NULL;
	return 0;

err_erase:
	xa_erase(&vdev->ctx, vector);
err_trigger:
	eventfd_ctx_put(irq->trigger);
err_free:
	kfree(irq->name);
	kfree(irq);
	return ret;
}

/* Sets the whole range, or none of it. */
static int msi_set_range(struct vfio_pci_core_device *vdev, struct vfio_op *op, unsigned int start,
			 unsigned int count, const s32 *fds)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = msi_vector_set(vdev, op, start + i, i, fds[i]);
		if (ret)
			goto err_undo;
	}
	return 0;

err_undo:
	while (i--)
		msi_vector_free(vdev, start + i);
	return ret;
}

static int msi_enable(struct vfio_pci_core_device *vdev, struct vfio_op *op, unsigned int index,
		      unsigned int count)
{
	unsigned int flag = index == VFIO_PCI_MSIX_IRQ_INDEX ? PCI_IRQ_MSIX : PCI_IRQ_MSI;
	struct vfio_pci_forced before;
	int ret;

	lockdep_assert_held(&vdev->igate);

	ret = vfio_pci_memory_force_killable(vdev, &before);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
	ret = pci_alloc_irq_vectors(vdev->pdev, 1, count, flag);
	if (ret > 0 && ret < count)
		pci_free_irq_vectors(vdev->pdev);
	vfio_pci_memory_unforce(vdev, &before);
	if (ret < 0)
		return vfio_op_fail(op, ret, VFIO_REASON_irq_setup_failed, 0, -ret);
	/* The user may retry with as many vectors as are available. */
	if (ret < count)
		return ret;

	vdev->irq_type = index;
	/* The log2 of the number of vectors that the user can enable in the capability's field. */
	if (index == VFIO_PCI_MSI_IRQ_INDEX)
		vdev->msi_qmax = order_base_2(count);
	return 0;
}

/**
 * vfio_pci_msi_disable() - tear down MSI or MSI-X
 * @vdev: the device, igate held, one of them set up
 */
void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_forced before;
	struct vfio_pci_irq *irq;
	unsigned long vector;

	lockdep_assert_held(&vdev->igate);

	xa_for_each(&vdev->ctx, vector, irq)
		msi_vector_free(vdev, vector);

	vfio_pci_memory_force(vdev, &before);
	pci_free_irq_vectors(vdev->pdev);
	vfio_pci_memory_unforce(vdev, &before);
	/* The PCI core has just unmasked the INTx line, for which there is no handler. */
	if (vdev->pci_2_3)
		pci_intx(vdev->pdev, 0);
	vdev->irq_type = VFIO_PCI_IRQ_NONE;
	vdev->msi_qmax = 0;
}

/* Signals the eventfds as if the device had sent the interrupts. */
static void msi_loop_back(struct vfio_pci_core_device *vdev, const struct vfio_irq_set *set,
			  const u8 *wanted)
{
	struct vfio_pci_irq *irq;
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		irq = xa_load(&vdev->ctx, set->start + i);
		if (irq && (!wanted || wanted[i]))
			eventfd_signal(irq->trigger);
	}
}

/**
 * vfio_pci_msi_trigger() - VFIO_IRQ_SET_ACTION_TRIGGER of MSI and MSI-X
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0; the number of available vectors if fewer than requested; or a negative errno.
 */
int vfio_pci_msi_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data)
{
	bool mine = vdev->irq_type == set->index;
	int ret;

	if (mine && !set->count && set->flags & VFIO_IRQ_SET_DATA_NONE) {
		vfio_pci_msi_disable(vdev);
		return 0;
	}
	if (!mine && vdev->irq_type != VFIO_PCI_IRQ_NONE)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_irq_type_in_use, vdev->irq_type,
				    set->index);

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (mine)
			return msi_set_range(vdev, op, set->start, set->count, data);
		ret = msi_enable(vdev, op, set->index, set->start + set->count);
		if (ret)
			return ret;
		ret = msi_set_range(vdev, op, set->start, set->count, data);
		if (ret)
			vfio_pci_msi_disable(vdev);
		return ret;
	}

	if (!mine)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_action, set->flags, set->index);
	msi_loop_back(vdev, set, set->flags & VFIO_IRQ_SET_DATA_BOOL ? data : NULL);
	return 0;
}
