// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx: a level-triggered line, shared with other devices.
 *
 * The line stays asserted until the user's driver has served the device.  Each interrupt is
 * therefore masked when it is delivered, and stays masked until the user unmasks it.  Three
 * conditions mask the line: the user or the last interrupt (irq->masked), the INTx disable bit in
 * the user's command register (virq_disabled), and a sleeping device (pm_intx_masked).  irq->quiet
 * is the state of the hardware; vfio_pci_intx_update() derives it from the three conditions.  A
 * device of PCI 2.3 is masked at the device, with its own disable bit.  An older one is masked at
 * the interrupt controller, and then cannot share its line.
 *
 * irqlock guards the state, igate the setup.  While no INTx is set up, the disable bit of a device
 * that has one is set, because no handler would serve the line.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "core_private.h"

static struct vfio_pci_irq *intx_get(struct vfio_pci_core_device *vdev)
{
	return vdev->irq_type == VFIO_PCI_INTX_IRQ_INDEX ? xa_load(&vdev->ctx, 0) : NULL;
}

static void intx_signal(struct vfio_pci_irq *irq)
{
	struct eventfd_ctx *trigger = READ_ONCE(irq->trigger);

	if (trigger)
		eventfd_signal(trigger);
}

static void intx_sync(struct vfio_pci_core_device *vdev, struct vfio_pci_irq *irq)
{
	bool quiet = irq->masked || vdev->virq_disabled || vdev->pm_intx_masked;

	lockdep_assert_held(&vdev->irqlock);

	if (quiet == irq->quiet)
		return;
	irq->quiet = quiet;
	if (vdev->pci_2_3)
		pci_intx(vdev->pdev, !quiet);
	else if (quiet)
		disable_irq_nosync(irq->irq);
	else
		enable_irq(irq->irq);
}

/**
 * vfio_pci_intx_update() - mask or unmask the line after one of its conditions has changed
 * @vdev: the device, irqlock held
 *
 * If an interrupt is pending when the line is unmasked, it arrives at once.
 */
void vfio_pci_intx_update(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_irq *irq = intx_get(vdev);

	lockdep_assert_held(&vdev->irqlock);

	if (irq)
		intx_sync(vdev, irq);
}

static bool intx_is_open(struct pci_dev *pdev)
{
	u16 command = PCI_COMMAND_INTX_DISABLE;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return !(command & PCI_COMMAND_INTX_DISABLE);
}

static irqreturn_t intx_handler(int nr, void *data)
{
	struct vfio_pci_irq *irq = data;
	struct vfio_pci_core_device *vdev = irq->vdev;
	irqreturn_t ret = IRQ_NONE;
	unsigned long flags;
	bool notify = false;

	spin_lock_irqsave(&vdev->irqlock, flags);
	if (!vdev->pci_2_3) {
		irq->masked = true;
		intx_sync(vdev, irq);
		ret = IRQ_HANDLED;
		notify = true;
	} else if (!irq->quiet && pci_check_and_mask_intx(vdev->pdev)) {
		/* The interrupt came from this device, which is now masked. */
		irq->masked = true;
		irq->quiet = true;
		ret = IRQ_HANDLED;
		notify = true;
	} else if (irq->quiet && intx_is_open(vdev->pdev)) {
		/* A reset has restored a register that was saved before the line was masked. */
		pci_intx(vdev->pdev, 0);
		ret = IRQ_HANDLED;
	}
	spin_unlock_irqrestore(&vdev->irqlock, flags);

	if (notify)
		intx_signal(irq);
	return ret;
}

static void intx_set_masked(struct vfio_pci_core_device *vdev, struct vfio_pci_irq *irq,
			    bool masked)
{
	unsigned long flags;

	spin_lock_irqsave(&vdev->irqlock, flags);
	irq->masked = masked;
	intx_sync(vdev, irq);
	spin_unlock_irqrestore(&vdev->irqlock, flags);
}

/* Eventfds of the user that mask and unmask; these functions run with interrupts off. */
static int intx_unmask_signalled(void *opaque, void *data)
{
	intx_set_masked(opaque, data, false);
	return 0;
}

static int intx_mask_signalled(void *opaque, void *data)
{
	intx_set_masked(opaque, data, true);
	return 0;
}

static void intx_free(struct vfio_pci_irq *irq)
{
	vfio_virqfd_disable(&irq->unmask);
	vfio_virqfd_disable(&irq->mask);
	if (irq->trigger)
		eventfd_ctx_put(irq->trigger);
	kfree(irq->name);
	kfree(irq);
}

static int intx_enable(struct vfio_pci_core_device *vdev, struct vfio_op *op,
		       struct eventfd_ctx *trigger)
{
	struct pci_dev *pdev = vdev->pdev;
	struct vfio_pci_irq *irq;
	int ret = -ENOMEM;

	lockdep_assert_held(&vdev->igate);

	irq = kzalloc(sizeof(*irq), GFP_KERNEL_ACCOUNT);
	if (!irq)
		return vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, sizeof(*irq), 0);
	irq->name = kasprintf(GFP_KERNEL_ACCOUNT, "vfio-intx(%s)", pci_name(pdev));
	if (!irq->name)
		goto err_free;
	ret = xa_err(xa_store(&vdev->ctx, 0, irq, GFP_KERNEL_ACCOUNT));
	if (ret)
		goto err_free;

	irq->vdev = vdev;
	irq->irq = pdev->irq;
	irq->trigger = trigger;
	/*
	 * A device of PCI 2.3 is already masked; for an older one, request_irq() unmasks the line.
	 */
	irq->quiet = vdev->pci_2_3;

	ret = request_irq(irq->irq, intx_handler, vdev->pci_2_3 ? IRQF_SHARED : 0, irq->name, irq);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_irq_setup_failed, 0, -ret);
		goto err_erase;
	}

	spin_lock_irq(&vdev->irqlock);
	vdev->irq_type = VFIO_PCI_INTX_IRQ_INDEX;
	intx_sync(vdev, irq);
	spin_unlock_irq(&vdev->irqlock);
	return 0;

err_erase:
	xa_erase(&vdev->ctx, 0);
err_free:
	irq->trigger = NULL;
	intx_free(irq);
	return ret;
}

/**
 * vfio_pci_intx_disable() - tear down INTx
 * @vdev: the device, igate held, INTx set up
 */
void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_irq *irq = intx_get(vdev);

	lockdep_assert_held(&vdev->igate);

	/* The eventfds first: they must not unmask the line again. */
	vfio_virqfd_disable(&irq->unmask);
	vfio_virqfd_disable(&irq->mask);

	spin_lock_irq(&vdev->irqlock);
	if (vdev->pci_2_3)
		pci_intx(vdev->pdev, 0);
	vdev->irq_type = VFIO_PCI_IRQ_NONE;
	spin_unlock_irq(&vdev->irqlock);

	free_irq(irq->irq, irq);
	xa_erase(&vdev->ctx, 0);
	intx_free(irq);
}

/* Replaces the eventfd that is signalled; the old one is released once no handler can use it. */
static void intx_set_trigger(struct vfio_pci_irq *irq, struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *old = irq->trigger;

	WRITE_ONCE(irq->trigger, trigger);
	synchronize_irq(irq->irq);
	if (old)
		eventfd_ctx_put(old);
}

/* Reads the user's data, of which INTx has one item at most. */
static bool intx_wanted(const struct vfio_irq_set *set, void *data)
{
	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return true;
	case VFIO_IRQ_SET_DATA_BOOL:
		return *(u8 *)data;
	default:
		return false;
	}
}

/**
 * vfio_pci_intx_trigger() - VFIO_IRQ_SET_ACTION_TRIGGER of INTx
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_intx_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			  const struct vfio_irq_set *set, void *data)
{
	struct vfio_pci_irq *irq = intx_get(vdev);
	struct eventfd_ctx *trigger = NULL;
	int ret;
	s32 fd;

	if (irq && !set->count && set->flags & VFIO_IRQ_SET_DATA_NONE) {
		vfio_pci_intx_disable(vdev);
		return 0;
	}
	if (!irq && vdev->irq_type != VFIO_PCI_IRQ_NONE)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_irq_type_in_use, vdev->irq_type,
				    set->index);
	if (set->start || set->count != 1)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_range, set->start, set->count);

	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
		if (!irq)
			return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_action, set->flags,
					    set->index);
		if (intx_wanted(set, data))
			intx_signal(irq);
		return 0;
	}

	fd = *(s32 *)data;
	if (fd >= 0) {
		trigger = eventfd_ctx_fdget(fd);
		if (IS_ERR(trigger))
			return vfio_op_fail(op, PTR_ERR(trigger), VFIO_REASON_bad_eventfd, fd, 0);
	}
	if (irq) {
		intx_set_trigger(irq, trigger);
		return 0;
	}
	ret = intx_enable(vdev, op, trigger);
	if (ret && trigger)
		eventfd_ctx_put(trigger);
	return ret;
}

/* Mask and unmask differ only in these details. */
static int intx_mask_or_unmask(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			       const struct vfio_irq_set *set, void *data, bool mask)
{
	struct vfio_pci_irq *irq = intx_get(vdev);
	struct virqfd **virqfd;
	int ret;
	s32 fd;

	if (!irq)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_action, set->flags, set->index);
	if (set->start || set->count != 1)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_range, set->start, set->count);

	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
		if (intx_wanted(set, data))
			intx_set_masked(vdev, irq, mask);
		return 0;
	}

	virqfd = mask ? &irq->mask : &irq->unmask;
	fd = *(s32 *)data;
	if (fd < 0) {
		vfio_virqfd_disable(virqfd);
		return 0;
	}
	ret = vfio_virqfd_enable(vdev, mask ? intx_mask_signalled : intx_unmask_signalled, NULL,
				 irq, virqfd, fd);
	if (ret == -EBUSY)
		vfio_op_fail(op, ret, VFIO_REASON_eventfd_in_use, fd, 0);
	else if (ret)
		vfio_op_fail(op, ret, VFIO_REASON_bad_eventfd, fd, 0);
	return ret;
}

/**
 * vfio_pci_intx_mask_action() - VFIO_IRQ_SET_ACTION_MASK of INTx
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_intx_mask_action(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			      const struct vfio_irq_set *set, void *data)
{
	return intx_mask_or_unmask(vdev, op, set, data, true);
}

/**
 * vfio_pci_intx_unmask_action() - VFIO_IRQ_SET_ACTION_UNMASK of INTx
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_intx_unmask_action(struct vfio_pci_core_device *vdev, struct vfio_op *op,
				const struct vfio_irq_set *set, void *data)
{
	return intx_mask_or_unmask(vdev, op, set, data, false);
}
