// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file on a device: the path of every call to the driver.
 *
 * Files come from a device node (node.c) or from a group (group_file.c).  Once they are ready, both
 * kinds behave the same.  Before that, a file accepts nothing but a bind.
 */
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "iommufd_fdinfo.h"
#include "vfio_private.h"

static int vfio_device_fop_release(struct inode *inode, struct file *filp)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_op op, unbind;

	vfio_op_begin(&op, vf->device, VFIO_OPERATION_close);
	vfio_op_note(&op, via_group, !!vf->group);
	vfio_op_note(&op, device_id, vf->devid);
	vfio_op_start(&op);

	if (vf->ready) {
		vfio_op_begin(&unbind, vf->device, VFIO_OPERATION_unbind);
		vfio_op_note(&unbind, via_group, !!vf->group);
		vfio_session_end(vf, &unbind);
		vfio_op_end(&unbind, 0);
	}
	if (vf->group)
		vfio_group_file_closed(vf);
	kfree(vf);

	vfio_op_end(&op, 0);
	return 0;
}

/* Wakes the device for the duration of a call, if its driver uses runtime power management. */
static int vfio_device_wake(struct vfio_device *device)
{
	struct device *dev = device->dev;

	if (!dev->driver || !dev->driver->pm)
		return 0;
	return pm_runtime_resume_and_get(dev) < 0 ? -EIO : 0;
}

static void vfio_device_rest(struct vfio_device *device)
{
	struct device *dev = device->dev;

	if (dev->driver && dev->driver->pm)
		pm_runtime_put(dev);
}

/* Returns whether the call is for device nodes, and not for devices opened through their group. */
static bool vfio_ioctl_needs_node(unsigned int cmd)
{
	return cmd == VFIO_DEVICE_ATTACH_IOMMUFD_PT || cmd == VFIO_DEVICE_DETACH_IOMMUFD_PT;
}

/* Returns whether the operation has its own event, more detailed than that of an ioctl. */
static bool vfio_ioctl_has_event(struct vfio_file *vf, unsigned int cmd)
{
	if (vfio_ioctl_needs_node(cmd))
		return !vf->group;
	switch (cmd) {
	case VFIO_DEVICE_FEATURE:
		return true;
	case VFIO_DEVICE_RESET:
	case VFIO_DEVICE_PCI_HOT_RESET:
	case VFIO_DEVICE_SET_IRQS:
		/* For PCI devices, vfio-pci-core fires these events. */
		return dev_is_pci(vf->device->dev);
	default:
		return false;
	}
}

static long vfio_device_call(struct vfio_file *vf, unsigned int cmd, void __user *arg)
{
	struct vfio_device *device = vf->device;

	if (!vf->group) {
		switch (cmd) {
		case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
			return vfio_node_attach(vf, arg);
		case VFIO_DEVICE_DETACH_IOMMUFD_PT:
			return vfio_node_detach(vf, arg);
		}
	}
	if (cmd == VFIO_DEVICE_FEATURE)
		return vfio_device_feature(device, arg);
	if (!device->ops->ioctl)
		return -ENOTTY;
	return device->ops->ioctl(device, cmd, (unsigned long)arg);
}

static long vfio_device_fop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_op op;
	long ret;

	if (cmd == VFIO_DEVICE_BIND_IOMMUFD)
		return vfio_node_bind(vf, (void __user *)arg);

	vfio_op_begin(&op, vf->device, VFIO_OPERATION_ioctl);
	vfio_op_note(&op, value, cmd);
	vfio_op_note(&op, device_id, vf->devid);
	if (!vfio_file_ready(vf)) {
		ret = vfio_op_fail(&op, -EINVAL, VFIO_REASON_not_bound, cmd, 0);
		goto out;
	}

	ret = vfio_device_wake(vf->device);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_runtime_pm, -ret, 0);
		goto out;
	}
	ret = vfio_device_call(vf, cmd, (void __user *)arg);
	if (ret < 0 && vf->group && vfio_ioctl_needs_node(cmd))
		vfio_op_fail(&op, ret, VFIO_REASON_group_file, cmd, 0);
	else if (ret < 0)
		vfio_op_fail(&op, ret, VFIO_REASON_driver_refused, -ret, 0);
	vfio_device_rest(vf->device);
	if (vfio_ioctl_has_event(vf, cmd))
		return ret;
out:
	vfio_op_end(&op, ret);
	return ret;
}

static ssize_t vfio_device_fop_read(struct file *filp, char __user *buf, size_t count,
				    loff_t *ppos)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_device *device = vf->device;

	if (!vfio_file_ready(vf) || !device->ops->read)
		return -EINVAL;
	return device->ops->read(device, buf, count, ppos);
}

static ssize_t vfio_device_fop_write(struct file *filp, const char __user *buf, size_t count,
				     loff_t *ppos)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_device *device = vf->device;

	if (!vfio_file_ready(vf) || !device->ops->write)
		return -EINVAL;
	return device->ops->write(device, buf, count, ppos);
}

static int vfio_device_fop_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_device *device = vf->device;

	if (!vfio_file_ready(vf) || !device->ops->mmap)
		return -EINVAL;
	return device->ops->mmap(device, vma);
}

#ifdef CONFIG_PROC_FS
static void vfio_device_fop_show_fdinfo(struct seq_file *seq, struct file *filp)
{
	struct vfio_file *vf = filp->private_data;
	struct vfio_device *device = vf->device;
	struct iommu_group *group = iommu_group_get(device->dev);
	const char *state = "opened";

	if (vfio_file_ready(vf))
		state = vfio_device_is_attached(device) ? "attached" : "bound";

	seq_printf(seq, "vfio-device:\t%s\n", dev_name(device->dev));
	seq_printf(seq, "vfio-node:\t%s\n", dev_name(&device->device));
	seq_printf(seq, "vfio-opened-by:\t%s\n", vf->group ? "group" : "node");
	seq_printf(seq, "vfio-state:\t%s\n", state);
	if (vfio_file_ready(vf))
		seq_printf(seq, "vfio-device-id:\t%u\n", vf->devid);
	if (group) {
		seq_printf(seq, "vfio-iommu-group:\t%d\n", iommu_group_id(group));
		iommu_group_put(group);
	}
	/* A session that was seen ready lasts as long as this file, which the reader holds. */
	if (vfio_file_ready(vf) && device->iommufd_device)
		iommufd_device_show_state(device->iommufd_device, seq);
}
#endif

const struct file_operations vfio_device_fops = {
	.owner = THIS_MODULE,
	.open = vfio_node_open,
	.release = vfio_device_fop_release,
	.read = vfio_device_fop_read,
	.write = vfio_device_fop_write,
	.unlocked_ioctl = vfio_device_fop_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vfio_device_fop_mmap,
#ifdef CONFIG_PROC_FS
	.show_fdinfo = vfio_device_fop_show_fdinfo,
#endif
};

/**
 * vfio_file_from() - get the private data of an open file on a device
 * @file: any file
 *
 * Return: the data, or NULL if the file is something else.
 */
struct vfio_file *vfio_file_from(struct file *file)
{
	return file->f_op == &vfio_device_fops ? file->private_data : NULL;
}
