/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the two files of the legacy groups.
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
 * @dev: its device in sysfs, which owns its memory
 * @cdev: its node
 * @item: in the list of all groups
 * @drivers: devices that joined; guarded by the lock of that list
 * @iommu_group: the IOMMU group, referenced
 * @emulated: the IOMMU group was created for a device whose driver does its DMA
 * @lock: guards all members below except @kvm
 * @devices: the devices that users may open, by vfio_device.group_next
 * @dead: the last device has left
 * @opened: the node is open; only one file at a time can open it
 * @nodes_bound: devices that are bound through their nodes
 * @devices_open: files on devices that were opened through this group
 * @ictx: the container, referenced, or NULL
 * @changing: a call is joining or leaving a container
 * @kvm_lock: guards @kvm
 * @kvm: the virtual machine that KVM set, not referenced
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
	bool changing;

	spinlock_t kvm_lock;
	struct kvm *kvm;
};

/* group.c */
struct vfio_device *vfio_group_first_device(struct vfio_group *group);
void vfio_group_count_down(struct vfio_group *group);

#endif
