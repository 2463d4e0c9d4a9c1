// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that no device sends: an error was reported, or the device must be released.
 *
 * err_trigger and req_trigger each point to a struct vfio_pci_eventfd, or are NULL.  They are
 * changed under igate and used under RCU, because error handlers and callers in the driver core
 * must not wait for an ioctl that holds igate.
 */
#include <linux/eventfd.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "core_private.h"

static void event_free(struct rcu_head *rcu)
{
	struct vfio_pci_eventfd *eventfd = container_of(rcu, struct vfio_pci_eventfd, rcu);

	eventfd_ctx_put(eventfd->ctx);
	kfree(eventfd);
}

/* Sets another eventfd, or none. */
static void event_replace(struct vfio_pci_core_device *vdev, struct vfio_pci_eventfd __rcu **event,
			  struct vfio_pci_eventfd *new)
{
	struct vfio_pci_eventfd *old;

	lockdep_assert_held(&vdev->igate);

	old = rcu_replace_pointer(*event, new, lockdep_is_held(&vdev->igate));
	if (old)
		call_rcu(&old->rcu, event_free);
}

static int event_set_fd(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			struct vfio_pci_eventfd __rcu **event, s32 fd)
{
	struct vfio_pci_eventfd *new;

	if (fd == -1) {
		event_replace(vdev, event, NULL);
		return 0;
	}
	if (fd < 0)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_eventfd, fd, 0);

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return vfio_op_fail(op, -ENOMEM, VFIO_REASON_no_memory, sizeof(*new), 0);
	new->ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(new->ctx)) {
		int ret = PTR_ERR(new->ctx);

		kfree(new);
		return vfio_op_fail(op, ret, VFIO_REASON_bad_eventfd, fd, 0);
	}
	event_replace(vdev, event, new);
	return 0;
}

/* Signals the eventfd, if there is one; returns whether there is. */
static bool event_signal(struct vfio_pci_eventfd __rcu **event)
{
	struct vfio_pci_eventfd *eventfd;

	rcu_read_lock();
	eventfd = rcu_dereference(*event);
	if (eventfd)
		eventfd_signal(eventfd->ctx);
	rcu_read_unlock();
	return eventfd;
}

static int event_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data,
			 struct vfio_pci_eventfd __rcu **event)
{
	if (set->start || set->count > 1)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_range, set->start, set->count);

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return event_set_fd(vdev, op, event, *(s32 *)data);
	case VFIO_IRQ_SET_DATA_NONE:
		if (!set->count)
			event_replace(vdev, event, NULL);
		else if (!event_signal(event))
			break;
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (*(u8 *)data)
			event_signal(event);
		return 0;
	}
	return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_action, set->flags, set->index);
}

/**
 * vfio_pci_err_trigger() - VFIO_IRQ_SET_ACTION_TRIGGER of the error interrupt
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_err_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data)
{
	return event_trigger(vdev, op, set, data, &vdev->err_trigger);
}

/**
 * vfio_pci_req_trigger() - VFIO_IRQ_SET_ACTION_TRIGGER of the request interrupt
 * @vdev: the device, igate held
 * @op: the operation that this is a part of
 * @set: user's argument, checked
 * @data: data of the argument
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_req_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data)
{
	return event_trigger(vdev, op, set, data, &vdev->req_trigger);
}

/**
 * vfio_pci_events_close() - release both eventfds
 * @vdev: the device, igate held, being closed
 */
void vfio_pci_events_close(struct vfio_pci_core_device *vdev)
{
	event_replace(vdev, &vdev->err_trigger, NULL);
	event_replace(vdev, &vdev->req_trigger, NULL);
}

/**
 * vfio_pci_core_request() - the request() callback of drivers: ask the user to release the device
 * @core_vdev: the device
 * @count: number of earlier requests
 *
 * A user that set the request interrupt up is notified.  Any other user can keep the device as long
 * as it wants.
 */
void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count)
{
	event_signal(&to_core(core_vdev)->req_trigger);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_request);

/**
 * vfio_pci_core_aer_err_detected() - handle an error that a device reported
 * @pdev: the device
 * @state: state of its link
 *
 * Return: that it can recover: the user is notified and will reset it.
 */
pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	event_signal(&vdev->err_trigger);
	return PCI_ERS_RESULT_CAN_RECOVER;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_aer_err_detected);

const struct pci_error_handlers vfio_pci_core_err_handlers = {
	.error_detected = vfio_pci_core_aer_err_detected,
};
EXPORT_SYMBOL_GPL(vfio_pci_core_err_handlers);
