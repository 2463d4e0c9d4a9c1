// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_GET_HW_INFO: type and abilities of the IOMMU behind a bound device.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "call.h"
#include "device.h"
#include "iommu_internal.h"
#include "iommufd_private.h"

/*
 * IOMMU_HW_CAP_DIRTY_TRACKING promises ioctls, not hardware.  Those ioctls are not implemented, so
 * it is never reported.
 */
static void fill_capabilities(struct device *dev, struct iommu_hw_info *cmd)
{
	struct pci_dev *pdev;
	u16 cap, ctrl;

	cmd->out_capabilities = 0;
	cmd->out_max_pasid_log2 = 0;
	if (!dev->iommu->max_pasids || !dev_is_pci(dev))
		return;
	pdev = to_pci_dev(dev);
	cap = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_PASID);
	if (!cap)
		return;
	pci_read_config_word(pdev, cap + PCI_PASID_CTRL, &ctrl);
	if (PCI_POSSIBLE_ERROR(ctrl) || !(ctrl & PCI_PASID_CTRL_ENABLE))
		return;
	cmd->out_max_pasid_log2 = ilog2(dev->iommu->max_pasids);
	if (ctrl & PCI_PASID_CTRL_EXEC)
		cmd->out_capabilities |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (ctrl & PCI_PASID_CTRL_PRIV)
		cmd->out_capabilities |= IOMMU_HW_CAP_PCI_PASID_PRIV;
}

/* Copies the driver's data as far as it fits, and zeroes the rest, which may be gigabytes. */
static int copy_data(struct iommufd_op *op, void __user *user, u32 room, const void *data, u32 len)
{
	u32 done = min(room, len);

	iommufd_may_fault();
	if (done && copy_to_user(user, data, done))
		goto fault;
	while (done < room) {
		u32 chunk = min_t(u32, room - done, SZ_1M);

		if (clear_user(user + done, chunk))
			goto fault;
		done += chunk;
		if (fatal_signal_pending(current))
			return iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
		cond_resched();
	}
	return 0;
fault:
	return iommufd_op_fail(op, -EFAULT, IOMMUFD_REASON_bad_user_pointer, (uintptr_t)user,
			       room);
}

/* Returns the data of the IOMMU driver, or NULL if it has none. */
static void *read_hw_info(struct iommufd_op *op, struct device *dev, struct iommu_hw_info *cmd,
			  u32 *len)
{
	const struct iommu_ops *ops = iommu_driver_ops(dev);
	u32 type = IOMMU_HW_INFO_TYPE_NONE;
	void *data = NULL;

	*len = 0;
	if (ops->hw_info) {
		data = ops->hw_info(dev, len, &type);
		if (IS_ERR(data)) {
			iommufd_op_fail(op, PTR_ERR(data), IOMMUFD_REASON_not_supported, 0, 0);
			return data;
		}
	}
	cmd->out_data_type = type;
	fill_capabilities(dev, cmd);
	return data;
}

/**
 * iommufd_get_hw_info_ioctl() - IOMMU_GET_HW_INFO
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_get_hw_info_ioctl(struct iommufd_call *call)
{
	struct iommu_hw_info *cmd = call->arg;
	struct iommufd_op *op = call->op;
	struct iommufd_device *idev;
	void *data;
	u32 len;
	int rc;

	op->object_type = IOMMUFD_OBJECT_DEVICE;
	op->object_id = cmd->dev_id;
	op->flags = cmd->flags;
	if (cmd->flags)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_unknown_flags, cmd->flags,
				       0);
	if (memchr_inv(cmd->__reserved, 0, sizeof(cmd->__reserved)))
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved[0], 0);
	idev = iommufd_get_device(call->ictx, op, cmd->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	data = read_hw_info(op, idev->dev, cmd, &len);
	/* An unbind waits for this reference, and must not wait for a fault in user memory. */
	iommufd_object_put(call->ictx, &idev->obj);
	if (IS_ERR(data))
		return PTR_ERR(data);
	rc = copy_data(op, u64_to_user_ptr(cmd->data_uptr), cmd->data_len, data, len);
	kfree(data);
	if (rc)
		return rc;
	cmd->data_len = len;
	return iommufd_call_respond(call);
}
