/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the vfio module share.  docs/inside/vfio.md tells the model as a whole.
 *
 * A struct vfio_device (include/linux/vfio.h) is what a driver registers.  A struct vfio_file is
 * an open file on it.  A session is the time during which a file may use the device: it begins
 * with the binding to an iommufd and ends with the close of the file, never earlier, so a file
 * that was seen ready stays so as long as somebody can call into it.
 *
 * Three things keep a device where it is:
 *  - its reference count (vfio_device.device): the memory;
 *  - its user count (vfio_device.refcount): vfio_unregister_group_dev() waits for the sessions,
 *    which hold it, and asks them to go;
 *  - the driver's module: files of a node and sessions hold it.
 * A file on a node that has not been bound holds no user count: it cannot delay the driver.
 *
 * Lock order, outermost first:
 *
 *	vfio_sessions.lock > vfio_device_set.lock
 *	vfio_sessions.lock > vfio_file.kvm_lock, vfio_group.kvm_lock
 *	vfio_group.lock, with none of the others
 *
 * A device's vfio_sessions.lock guards its binding and attachment, and makes a session begin or end
 * as a whole.  It is held while memory is pinned, which can take as long as that memory's owner
 * likes: so only users of the same device wait for it, and only until they are killed.
 *
 * The lock of a set is shared by the users of all its devices.  It is held around the driver's
 * open_device() and close_device(), and guards open_count and vfio_device.iommufd_device, which
 * both change under vfio_sessions.lock besides.  Nothing is pinned, faulted in or copied under
 * it.
 */
#ifndef IOMMUSCOPE_VFIO_PRIVATE_H
#define IOMMUSCOPE_VFIO_PRIVATE_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/cache.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "op.h"

struct iommufd_ctx;
struct kvm;
struct module;
struct pid;
struct vfio_group;

/**
 * struct vfio_file - an open file on a device
 * @device: the device
 * @owner: module of the driver, held by the session
 * @group: the group it was opened through, or NULL for a device node
 * @group_file: the open group, held so that the group outlives its devices' files
 * @ictx: the iommufd it is bound to, held; guarded by the device's vfio_sessions.lock
 * @devid: id of the device in @ictx
 * @ready: the session has begun; written once, with release semantics
 * @kvm_lock: guards @kvm
 * @kvm: the virtual machine that announced itself, not held; for device nodes
 */
struct vfio_file {
	struct vfio_device *device;
	struct module *owner;
	struct vfio_group *group;
	struct file *group_file;
	struct iommufd_ctx *ictx;
	u32 devid;
	bool ready;
	spinlock_t kvm_lock;
	struct kvm *kvm;
};

/**
 * vfio_file_ready() - may this file use its device?
 * @vf: the file
 *
 * Return: true from the end of a successful bind on, until the file is gone.
 */
static inline bool vfio_file_ready(struct vfio_file *vf)
{
	/* Pairs with vfio_session_publish(): what the bind set up is seen. */
	return smp_load_acquire(&vf->ready);
}

/**
 * vfio_device_get_user() - start to use a device
 * @device: the device
 *
 * Return: false if the device is not registered (any more).
 */
static inline bool vfio_device_get_user(struct vfio_device *device)
{
	return refcount_inc_not_zero(&device->refcount);
}

/**
 * vfio_device_put_user() - pairs with vfio_device_get_user()
 * @device: the device, not to be touched afterwards
 */
static inline void vfio_device_put_user(struct vfio_device *device)
{
	if (refcount_dec_and_test(&device->refcount))
		complete(&device->comp);
}

/**
 * struct vfio_sessions - what the core knows of a device besides struct vfio_device
 * @lock: one session begins, attaches, detaches or ends at a time
 * @holder_lock: guards @holder
 * @holder: the process that the first session belongs to, held; NULL while there is none
 *
 * The structure that drivers share with the kernel has no room for it: it is in front of it.
 */
struct vfio_sessions {
	struct mutex lock;
	spinlock_t holder_lock;
	struct pid *holder;
} ____cacheline_aligned;

/**
 * vfio_sessions() - what the core knows of a device
 * @device: the device
 *
 * Return: it.
 */
static inline struct vfio_sessions *vfio_sessions(struct vfio_device *device)
{
	return (struct vfio_sessions *)device - 1;
}

/* device.c */
int vfio_devices_init(const struct file_operations *fops);
void vfio_devices_exit(void);

/* devset.c */
void vfio_device_leave_set(struct vfio_device *device);

/* file.c */
extern const struct file_operations vfio_device_fops;
struct vfio_file *vfio_file_from(struct file *file);

/* node.c: /dev/vfio/devices/vfioX */
int vfio_node_open(struct inode *inode, struct file *filp);
long vfio_node_bind(struct vfio_file *vf, struct vfio_device_bind_iommufd __user *arg);
long vfio_node_attach(struct vfio_file *vf, struct vfio_device_attach_iommufd_pt __user *arg);
long vfio_node_detach(struct vfio_file *vf, struct vfio_device_detach_iommufd_pt __user *arg);

/* session.c */
struct vfio_file *vfio_file_alloc(struct vfio_device *device);
int vfio_session_begin(struct vfio_file *vf, struct vfio_op *op, struct iommufd_ctx *ictx,
		       const char *name);
void vfio_session_publish(struct vfio_file *vf);
struct pid *vfio_session_holder(struct vfio_device *device);
void vfio_session_end(struct vfio_file *vf, struct vfio_op *op);

/* kvm.c */
void vfio_device_hold_kvm(struct vfio_device *device, struct kvm *kvm);
void vfio_device_drop_kvm(struct vfio_device *device);

/* iommufd.c */
bool vfio_device_is_attached(struct vfio_device *device);

/* feature.c, migration.c, dma_logging.c */
long vfio_device_feature(struct vfio_device *device, struct vfio_device_feature __user *arg);
int vfio_feature_migration(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz);
int vfio_feature_mig_state(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz);
int vfio_feature_mig_data_size(struct vfio_device *device, u32 flags, void __user *arg,
			       size_t argsz);
int vfio_feature_log_start(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz);
int vfio_feature_log_stop(struct vfio_device *device, u32 flags, void __user *arg, size_t argsz);
int vfio_feature_log_report(struct vfio_device *device, u32 flags, void __user *arg,
			    size_t argsz);

/* virqfd.c */
int vfio_virqfd_init(void);
void vfio_virqfd_exit(void);

/* group.c, group_file.c: /dev/vfio/N */
extern const struct file_operations vfio_group_fops;
#ifndef IOMMUSCOPE_NO_VFIO_GROUP
int vfio_groups_init(const struct file_operations *fops);
void vfio_groups_exit(void);
int vfio_group_join(struct vfio_device *device, bool emulated);
void vfio_group_leave(struct vfio_device *device);
void vfio_group_list(struct vfio_device *device);
void vfio_group_unlist(struct vfio_device *device);
int vfio_group_claim_node(struct vfio_device *device, struct vfio_op *op);
void vfio_group_release_node(struct vfio_device *device);
struct vfio_group *vfio_group_from_file(struct file *file);
struct iommu_group *vfio_group_iommu_group(struct vfio_group *group);
bool vfio_group_enforced_coherent(struct vfio_group *group);
void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm);
void vfio_group_take_kvm(struct vfio_group *group, struct vfio_device *device);
bool vfio_group_has_device(struct vfio_group *group, struct vfio_device *device);
void vfio_group_file_closed(struct vfio_file *vf);
#else
static inline int vfio_groups_init(const struct file_operations *fops)
{
	return 0;
}

static inline void vfio_groups_exit(void)
{
}

static inline int vfio_group_join(struct vfio_device *device, bool emulated)
{
	return 0;
}

static inline void vfio_group_leave(struct vfio_device *device)
{
}

static inline void vfio_group_list(struct vfio_device *device)
{
}

static inline void vfio_group_unlist(struct vfio_device *device)
{
}

static inline int vfio_group_claim_node(struct vfio_device *device, struct vfio_op *op)
{
	return 0;
}

static inline void vfio_group_release_node(struct vfio_device *device)
{
}

static inline struct vfio_group *vfio_group_from_file(struct file *file)
{
	return NULL;
}

static inline struct iommu_group *vfio_group_iommu_group(struct vfio_group *group)
{
	return NULL;
}

static inline bool vfio_group_enforced_coherent(struct vfio_group *group)
{
	return true;
}

static inline void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm)
{
}

static inline void vfio_group_take_kvm(struct vfio_group *group, struct vfio_device *device)
{
}

static inline bool vfio_group_has_device(struct vfio_group *group, struct vfio_device *device)
{
	return false;
}

static inline void vfio_group_file_closed(struct vfio_file *vf)
{
}
#endif

#endif
