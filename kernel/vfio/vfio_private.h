/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of the vfio module.  docs/inside/vfio.md describes the model.
 *
 * A driver registers a struct vfio_device (include/linux/vfio.h).  A struct vfio_file is an open
 * file on it.  A session is the time during which a file may use the device.  It starts with the
 * binding to an iommufd and ends with the close of the file, never earlier.  A file that was seen
 * ready therefore stays ready as long as calls on it are possible.
 *
 * Three things keep a device in place:
 * - Its reference count (vfio_device.device) keeps the memory.
 * - Its user count (vfio_device.refcount) is held by sessions; vfio_unregister_group_dev() waits
 *   for them and asks them to end.
 * - The driver's module is held by files of a node and by sessions.
 *
 * A file on a node that is not bound holds no user count, so it cannot delay the driver.
 *
 * Lock order, outermost first:
 *
 *	vfio_sessions.lock > vfio_device_set.lock
 *	vfio_sessions.lock > vfio_file.kvm_lock, vfio_group.kvm_lock
 *	vfio_group.lock, with none of the others
 *
 * A device's vfio_sessions.lock guards its binding and attachment, and makes the start and the end
 * of a session atomic.  It is held while memory is pinned, which the owner of that memory can delay
 * at will.  Therefore only users of the same device wait for this lock, and a fatal signal ends the
 * wait.
 *
 * All users of the devices of a set share the set's lock.  It is held around the driver's
 * open_device() and close_device().  It guards open_count and vfio_device.iommufd_device, which
 * change only with vfio_sessions.lock held as well.  Nothing is pinned, faulted in or copied under
 * the set's lock.
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
 * @group_file: the open group, referenced so that the group outlives its devices' files
 * @ictx: the iommufd it is bound to, referenced; guarded by the device's vfio_sessions.lock
 * @devid: id of the device in @ictx
 * @ready: the session has started; written once, with release semantics
 * @kvm_lock: guards @kvm
 * @kvm: the virtual machine that KVM set, not referenced; for device nodes
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
 * vfio_file_ready() - check that a file may use its device
 * @vf: the file
 *
 * Return: true from the end of a successful bind until the file is closed.
 */
static inline bool vfio_file_ready(struct vfio_file *vf)
{
	/*
	 * Pairs with vfio_session_publish(): a reader that sees the file ready sees the results of
	 * the bind.
	 */
	return smp_load_acquire(&vf->ready);
}

/**
 * vfio_device_get_user() - take a user reference on a device
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
 * struct vfio_sessions - state of a device that the core keeps outside struct vfio_device
 * @lock: serialises start, attach, detach and end of sessions
 * @holder_lock: guards @holder
 * @holder: the process that the first session belongs to, referenced; NULL if there is none
 *
 * struct vfio_device, which drivers share with the kernel, has no room for this state, so it is
 * allocated directly in front of it.
 */
struct vfio_sessions {
	struct mutex lock;
	spinlock_t holder_lock;
	struct pid *holder;
} ____cacheline_aligned;

/**
 * vfio_sessions() - get the state that the core keeps for a device
 * @device: the device
 *
 * Return: the state.
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
