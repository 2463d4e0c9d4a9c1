/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two files of the legacy groups share.
 */
#ifndef IOMMUSCOPE_VFIO_GROUP_H
#define IOMMUSCOPE_VFIO_GROUP_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

struct iommu_group;
struct iommufd_ctx;
struct kvm;

/**
 * struct vfio_group - an IOMMU group in which VFIO drivers hold devices
 * @dev: its place in sysfs and its memory
 * @cdev: its node
 * @item: in the list of all groups
 * @drivers: devices that joined; guarded by the lock of that list
 * @iommu_group: the IOMMU group, held
 * @emulated: the IOMMU group was made up for a device whose driver does its DMA
 * @lock: guards all below but @kvm
 * @devices: the devices that users may open, by vfio_device.group_next
 * @dead: the last device has left
 * @opened: the node is open; one at a time
 * @nodes_bound: devices in use by their nodes
 * @devices_open: files on devices that came from this group
 * @ictx: the container, held, or NULL
 * @kvm_lock: guards @kvm
 * @kvm: the virtual machine that announced itself, not held
 */
struct vfio_group {
	struct device dev;
	struct cdev cdev;
	struct list_head item;
	unsigned int drivers;
	struct iommu_group *iommu_group;
	bool emulated;

	struct mutex lock;
	struct list_head devices;
	bool dead;
	bool opened;
	unsigned int nodes_bound;
	unsigned int devices_open;
	struct iommufd_ctx *ictx;

	spinlock_t kvm_lock;
	struct kvm *kvm;
};

/* group.c */
void vfio_group_count_down(struct vfio_group *group);

#endif
