/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices bound to a context, their groups, and the translation of both.
 *
 * The driver that binds a device owns it from iommufd_device_bind() to iommufd_device_unbind() and
 * is its long-term user.  The group object exists while devices of the IOMMU group are bound to the
 * context; each of them holds a reference.
 *
 * All devices of an IOMMU group share one translation, so the HWPT belongs to the group.  The
 * group's list holds the attached devices.  Each attached device is a long-term user of the HWPT
 * and owns the ranges reserved for it in the HWPT's IOAS.  The IOMMU driver is called when the
 * first device is attached and when the last is detached, and once for the whole group when its
 * HWPT is replaced.
 */
#ifndef IOMMUSCOPE_IOMMUFD_DEVICE_H
#define IOMMUSCOPE_IOMMUFD_DEVICE_H

#include "iommufd_private.h"

/**
 * struct iommufd_group - an IOMMU group with devices bound to a context
 * @users: bound devices; reaches 0 only under xa_lock of iommufd_ctx.groups
 * @ictx: the context
 * @group: the IOMMU group, referenced
 * @id: its number, the key in iommufd_ctx.groups
 * @lock: guards all members below
 * @hwpt: translates @devices; NULL if there are none
 * @devices: attached devices
 * @nr_devices: length of @devices
 * @nr_holders: those of @devices that hold the group for a VFIO container
 * @sw_msi_start: window for software-managed MSIs, PHYS_ADDR_MAX if the hardware needs none
 * @iommu_driver: name of the IOMMU driver, constant
 * @published_lock: guards @published, which is written with @lock held and read without it, so that
 *	a reader of state never waits for a replacement
 * @published: state of the group that is shown to observers @published.hwpt_id: id of @hwpt, 0 if
 *	there is none @published.ioas_id: id of its IOAS @published.nr_devices: @nr_devices without
 *	@nr_holders @published.replacements: number of replacements of @hwpt @published.last_ns:
 *	CLOCK_MONOTONIC at the end of the last replacement @published.last_dur_ns: duration of the
 *	last replacement
 */
struct iommufd_group {
	refcount_t users;
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	u32 id;

	struct mutex lock;
	struct iommufd_hwpt *hwpt;
	struct list_head devices;
	unsigned int nr_devices;
	unsigned int nr_holders;
	phys_addr_t sw_msi_start;
	char iommu_driver[16];

	spinlock_t published_lock;
	struct {
		u32 hwpt_id;
		u32 ioas_id;
		u32 nr_devices;
		u64 replacements;
		u64 last_ns;
		u64 last_dur_ns;
	} published;
};

/**
 * struct iommufd_device - a device bound to a context
 * @obj: its object
 * @ictx: the context, referenced unless @mock
 * @igroup: its group, referenced
 * @dev: the device; DMA ownership is claimed
 * @group_item: in iommufd_group.devices while it is attached, otherwise empty
 * @attached: whether it is attached; guarded by iommufd_group.published_lock
 * @enforce_cache_coherency: its IOMMU can make no-snoop DMA coherent, so its HWPTs must do so
 * @mock: created by a test module, see struct iommufd_test_hook
 * @holder: holds the group for a VFIO container and is no device of user space, see vfio_group.c
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct iommufd_group *igroup;
	struct device *dev;
	struct list_head group_item;
	bool attached;
	bool enforce_cache_coherency;
	bool mock;
	bool holder;
};

static inline struct iommufd_device *iommufd_get_device(struct iommufd_ctx *ictx,
							struct iommufd_op *op, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, op, id, IOMMUFD_OBJECT_DEVICE);

	return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, struct iommufd_device, obj);
}

static inline bool iommufd_device_attached(struct iommufd_device *idev)
{
	lockdep_assert_held(&idev->igroup->lock);
	return !list_empty(&idev->group_item);
}

/* group.c */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx, struct iommu_group *group,
					struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);
int iommufd_group_reserve(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_ioas *ioas);
int iommufd_group_reserve_all(struct iommufd_group *igroup, struct iommufd_op *op,
			      struct iommufd_ioas *ioas);
void iommufd_group_unreserve_all(struct iommufd_group *igroup, struct iommufd_ioas *ioas);
int iommufd_group_attach(struct iommufd_device *idev, struct iommufd_op *op,
			 struct iommufd_hwpt *hwpt);
struct iommufd_hwpt *iommufd_group_detach(struct iommufd_device *idev, struct iommufd_op *op);
int iommufd_group_replace(struct iommufd_device *idev, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt);
void iommufd_group_note_replace(struct iommufd_group *igroup, u64 start_ns);

/* device.c */
struct iommufd_device *iommufd_device_own(struct iommufd_ctx *ictx, struct iommufd_op *op,
					  struct device *dev, bool holder);
void iommufd_device_disown(struct iommufd_device *idev);
int iommufd_device_check_msi(struct iommufd_device *idev, struct iommufd_op *op);

/* attach.c */
int iommufd_device_change_pt(struct iommufd_device *idev, struct iommufd_op *op, u32 *pt_id,
			     bool replace);

/* hwpt.c */
struct iommufd_hwpt *iommufd_hwpt_alloc(struct iommufd_ioas *ioas, struct iommufd_op *op,
					struct iommufd_device *idev, u32 flags, bool auto_domain);
void iommufd_hwpt_abort(struct iommufd_hwpt *hwpt, struct iommufd_op *op);
bool iommufd_hwpt_enforce_cache_coherency(struct iommufd_hwpt *hwpt);
int iommufd_hwpt_set_msi_cookie(struct iommufd_hwpt *hwpt, phys_addr_t start);

#endif
