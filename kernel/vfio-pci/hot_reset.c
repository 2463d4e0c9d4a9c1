// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot resets: of a slot, or of a bus with everything below it.
 *
 * The devices that such a reset affects form a device set.  While the set's lock is held, its
 * members stay open or closed, and registered: a device leaves the set when its driver releases it,
 * which waits for the lock.  An affected device outside the set belongs to another driver, or to
 * none, and prevents the reset.  A caller that requests a reset must own all affected devices, by
 * group files passed with the call, or by the iommufd to which the caller's device is bound.
 *
 * A virtual function cannot be reset through its bus, which belongs to its PF.  It has a set of its
 * own, so that its users and those of other VFs share no lock.
 */
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/* A bus cannot have more functions below it than this. */
#define MAX_HIT		(256 * 256)

static bool resets_slot(struct pci_dev *pdev)
{
	return pdev->slot && !pci_probe_reset_slot(pdev->slot);
}

/**
 * vfio_pci_join_set() - add a device to the set of devices that are reset together
 * @vdev: the device, being registered
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_join_set(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	/* A root bus cannot be reset, and a VF cannot reset its bus. */
	if (pci_is_root_bus(pdev->bus) || pdev->is_virtfn)
		return vfio_assign_device_set(&vdev->vdev, vdev);
	if (resets_slot(pdev))
		return vfio_assign_device_set(&vdev->vdev, pdev->slot);
	return vfio_assign_device_set(&vdev->vdev, pdev->bus);
}

/**
 * struct hit_walk - a walk over the devices that a reset of @pdev affects
 * @pdev: the device
 * @slot: only its slot is reset
 * @fn: called for each device
 * @arg: second argument of @fn
 * @ret: result of @fn; the walk ends with the first nonzero result
 */
struct hit_walk {
	struct pci_dev *pdev;
	bool slot;
	int (*fn)(struct pci_dev *pdev, void *arg);
	void *arg;
	int ret;
};

static bool is_below(struct pci_dev *pdev, struct pci_bus *bus)
{
	for (; pdev; pdev = pdev->bus->self) {
		if (pdev->bus == bus)
			return true;
	}
	return false;
}

/* Whether a device is in the slot, or below a bridge in the slot. */
static bool is_in_slot(struct pci_dev *pdev, struct pci_dev *in_slot)
{
	for (; pdev; pdev = pdev->bus->self) {
		if (pdev->bus == in_slot->bus)
			return pdev->slot == in_slot->slot;
	}
	return false;
}

static int hit_one(struct pci_dev *pdev, void *arg)
{
	struct hit_walk *walk = arg;

	if (walk->slot ? is_in_slot(pdev, walk->pdev) : is_below(pdev, walk->pdev->bus))
		walk->ret = walk->fn(pdev, walk->arg);
	return walk->ret;
}

static int for_each_hit(struct pci_dev *pdev, int (*fn)(struct pci_dev *pdev, void *arg), void *arg)
{
	struct hit_walk walk = {
		.pdev = pdev,
		.slot = resets_slot(pdev),
		.fn = fn,
		.arg = arg,
	};

	if (!walk.slot && pci_probe_reset_bus(pdev->bus))
		return -ENODEV;
	pci_walk_bus(pdev->bus, hit_one, &walk);
	return walk.ret;
}

static int hit_count(struct pci_dev *pdev, void *arg)
{
	unsigned int *count = arg;

	return ++*count > MAX_HIT ? -ERANGE : 0;
}

/**
 * struct hit_list - the result of GET_PCI_HOT_RESET_INFO
 * @vdev: the device of the call, its set locked
 * @ictx: the iommufd it is bound to, if it was opened through its node
 * @devices: array of @room entries
 * @room: number of entries that fit
 * @count: number of affected devices
 * @all_owned: the caller may reset
 */
struct hit_list {
	struct vfio_pci_core_device *vdev;
	struct iommufd_ctx *ictx;
	struct vfio_pci_dependent_device *devices;
	unsigned int room;
	unsigned int count;
	bool all_owned;
};

static u32 hit_devid(struct hit_list *list, struct pci_dev *pdev)
{
	struct vfio_device_set *set = list->vdev->vdev.dev_set;
	struct vfio_device *device = vfio_find_device_in_devset(set, &pdev->dev);
	int id = device ? vfio_iommufd_get_dev_id(device, list->ictx) : -ENOENT;

	if (id < 0) {
		list->all_owned = false;
		return VFIO_PCI_DEVID_NOT_OWNED;
	}
	return id;
}

static int hit_fill(struct pci_dev *pdev, void *arg)
{
	struct hit_list *list = arg;
	struct vfio_pci_dependent_device *entry;
	struct iommu_group *group;

	/* A device was hot-plugged since the devices were counted. */
	if (list->count == list->room)
		return -EAGAIN;
	entry = &list->devices[list->count++];
	entry->segment = pci_domain_nr(pdev->bus);
	entry->bus = pdev->bus->number;
	entry->devfn = pdev->devfn;

	if (list->ictx) {
		entry->devid = hit_devid(list, pdev);
		return 0;
	}
	group = iommu_group_get(&pdev->dev);
	if (!group)
		return -EPERM;
	entry->group_id = iommu_group_id(group);
	iommu_group_put(group);
	return 0;
}

/**
 * vfio_pci_hot_reset_info() - VFIO_DEVICE_GET_PCI_HOT_RESET_INFO
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0; -ENODEV if neither slot nor bus can be reset; -ENOSPC if the user's array is too
 * short, with the required length in its count; or another error.
 */
long vfio_pci_hot_reset_info(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_hot_reset_info __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset_info, count);
	struct hit_list list = { .vdev = vdev, .all_owned = true };
	struct vfio_pci_hot_reset_info info;
	unsigned int room;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	room = (info.argsz - minsz) / sizeof(info.devices[0]);
	info.flags = 0;
	info.count = 0;

	ret = for_each_hit(vdev->pdev, hit_count, &list.room);
	if (ret)
		return ret;
	if (list.room > room) {
		info.count = list.room;
		return copy_to_user(arg, &info, minsz) ? -EFAULT : -ENOSPC;
	}

	list.devices = kvcalloc(list.room, sizeof(*list.devices), GFP_KERNEL_ACCOUNT);
	if (!list.devices)
		return -ENOMEM;
	ret = mutex_lock_killable(&vdev->vdev.dev_set->lock);
	if (ret)
		goto out;
	if (vfio_device_cdev_opened(&vdev->vdev)) {
		list.ictx = vfio_iommufd_device_ictx(&vdev->vdev);
		info.flags |= VFIO_PCI_HOT_RESET_FLAG_DEV_ID;
	}
	ret = for_each_hit(vdev->pdev, hit_fill, &list);
	mutex_unlock(&vdev->vdev.dev_set->lock);
	if (ret)
		goto out;

	if (list.ictx && list.all_owned)
		info.flags |= VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	info.count = list.count;
	if (copy_to_user(arg, &info, minsz) ||
	    copy_to_user(arg->devices, list.devices, list.count * sizeof(*list.devices)))
		ret = -EFAULT;
out:
	kvfree(list.devices);
	return ret;
}

/**
 * struct owner - the justification of a reset
 * @vdev: the device of the call, its set locked
 * @op: the reset
 * @ictx: the iommufd of the caller, or NULL
 * @groups: the group files of the caller
 * @nr_groups: number of group files
 * @force: no user has any of the devices; the kernel resets on its own behalf
 */
struct owner {
	struct vfio_pci_core_device *vdev;
	struct vfio_op *op;
	struct iommufd_ctx *ictx;
	struct file **groups;
	unsigned int nr_groups;
	bool force;
};

static bool owner_has(struct owner *owner, struct vfio_device *device)
{
	unsigned int i;

	if (owner->force)
		return true;
	if (owner->ictx)
		return vfio_iommufd_get_dev_id(device, owner->ictx) >= 0;
	for (i = 0; i < owner->nr_groups; i++) {
		if (vfio_file_has_dev(owner->groups[i], device))
			return true;
	}
	return false;
}

static int hit_check(struct pci_dev *pdev, void *arg)
{
	u64 place = (u64)pci_domain_nr(pdev->bus) << 8 | pdev->bus->number;
	struct owner *owner = arg;
	struct vfio_device *device;

	device = vfio_find_device_in_devset(owner->vdev->vdev.dev_set, &pdev->dev);
	if (!device)
		return vfio_op_fail(owner->op, -EINVAL, VFIO_REASON_not_in_set, place, pdev->devfn);
	if (!owner_has(owner, device))
		return vfio_op_fail(owner->op, -EINVAL, VFIO_REASON_not_owned, place, pdev->devfn);
	return 0;
}

static int set_wake(struct vfio_device_set *set)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	list_for_each_entry(vdev, &set->device_list, vdev.dev_set_list) {
		ret = pm_runtime_resume_and_get(&vdev->pdev->dev);
		if (ret < 0)
			goto err_put;
	}
	return 0;

err_put:
	list_for_each_entry_continue_reverse(vdev, &set->device_list, vdev.dev_set_list)
		pm_runtime_put(&vdev->pdev->dev);
	return ret;
}

static void set_rest(struct vfio_device_set *set)
{
	struct vfio_pci_core_device *vdev;

	list_for_each_entry(vdev, &set->device_list, vdev.dev_set_list)
		pm_runtime_put(&vdev->pdev->dev);
}

/*
 * Resets the slot or bus.  The memory_lock of each member of the set is taken in the order of the
 * set's list, under the set's lock.  This is the only place that holds more than one memory_lock.
 */
static int set_reset(struct owner *owner)
{
	struct vfio_device_set *set = owner->vdev->vdev.dev_set;
	struct vfio_pci_core_device *vdev;
	unsigned int count = 0;
	int ret;

	lockdep_assert_held(&set->lock);

	ret = for_each_hit(owner->vdev->pdev, hit_check, owner);
	if (ret)
		return ret == -ENODEV ? vfio_op_fail(owner->op, ret, VFIO_REASON_no_reset, 0, 0) :
					ret;
	ret = set_wake(set);
	if (ret)
		return vfio_op_fail(owner->op, ret, VFIO_REASON_runtime_pm, -ret, 0);

	vfio_op_phase(owner->op, VFIO_PHASE_wait);
	list_for_each_entry(vdev, &set->device_list, vdev.dev_set_list) {
		down_write_nest_lock(&vdev->memory_lock, &set->lock);
		vfio_pci_memory_zap(vdev);
		vfio_pci_set_power_state(vdev, PCI_D0);
		count++;
	}
	vfio_op_phase(owner->op, VFIO_PHASE_reset);
	vfio_op_note(owner->op, count, count);
	ret = pci_reset_bus(owner->vdev->pdev);
	vfio_op_phase(owner->op, VFIO_PHASE_other);

	list_for_each_entry(vdev, &set->device_list, vdev.dev_set_list) {
		if (!ret)
			vdev->needs_reset = false;
		up_write(&vdev->memory_lock);
	}
	set_rest(set);
	if (ret == -EAGAIN)
		vfio_op_fail(owner->op, ret, VFIO_REASON_device_locked, 0, 0);
	else if (ret)
		vfio_op_fail(owner->op, ret, VFIO_REASON_reset_failed, -ret, 0);
	return ret;
}

static void put_files(struct file **files, unsigned int nr)
{
	while (nr--)
		fput(files[nr]);
	kfree(files);
}

/* Gets the group files that a call passes as proof of ownership. */
static int get_groups(struct owner *owner, const s32 __user *fds, unsigned int nr)
{
	struct file **files;
	unsigned int i;
	s32 fd;
	int ret;

	files = kcalloc(nr, sizeof(*files), GFP_KERNEL_ACCOUNT);
	if (!files)
		return vfio_op_fail(owner->op, -ENOMEM, VFIO_REASON_no_memory, 0, 0);
	for (i = 0; i < nr; i++) {
		if (get_user(fd, &fds[i])) {
			ret = vfio_op_fail(owner->op, -EFAULT, VFIO_REASON_bad_user_pointer,
					   (ulong)&fds[i], sizeof(fd));
			goto err_put;
		}
		files[i] = fget(fd);
		if (!files[i]) {
			ret = vfio_op_fail(owner->op, -EBADF, VFIO_REASON_bad_fd, fd, i);
			goto err_put;
		}
		if (!vfio_file_is_group(files[i])) {
			fput(files[i]);
			ret = vfio_op_fail(owner->op, -EINVAL, VFIO_REASON_bad_group_fd, fd, i);
			goto err_put;
		}
	}
	owner->groups = files;
	owner->nr_groups = nr;
	return 0;

err_put:
	put_files(files, i);
	return ret;
}

static int hot_reset(struct vfio_pci_core_device *vdev, struct vfio_op *op,
		     struct vfio_pci_hot_reset __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset, count);
	struct owner owner = { .vdev = vdev, .op = op };
	struct vfio_pci_hot_reset hdr;
	unsigned int hit = 0;
	bool node;
	int ret;

	if (copy_from_user(&hdr, arg, minsz))
		return vfio_op_fail(op, -EFAULT, VFIO_REASON_bad_user_pointer, (ulong)arg, minsz);
	if (hdr.argsz < minsz)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_size, hdr.argsz, minsz);
	if (hdr.flags)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_unknown_flags, hdr.flags, 0);

	/* The proof of ownership depends on how the device was opened. */
	node = vfio_device_cdev_opened(&vdev->vdev);
	if (node == !!hdr.count)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_value, hdr.count, 0);

	ret = for_each_hit(vdev->pdev, hit_count, &hit);
	if (ret)
		return vfio_op_fail(op, ret, VFIO_REASON_no_reset, 0, 0);
	if (hdr.count > hit)
		return vfio_op_fail(op, -EINVAL, VFIO_REASON_bad_value, hdr.count, hit);
	if (hdr.count) {
		ret = get_groups(&owner, arg->group_fds, hdr.count);
		if (ret)
			return ret;
	}

	vfio_op_phase(op, VFIO_PHASE_wait);
	ret = mutex_lock_killable(&vdev->vdev.dev_set->lock);
	vfio_op_phase(op, VFIO_PHASE_other);
	if (ret) {
		vfio_op_fail(op, ret, VFIO_REASON_interrupted, 0, 0);
		goto out;
	}
	if (node)
		owner.ictx = vfio_iommufd_device_ictx(&vdev->vdev);
	ret = set_reset(&owner);
	mutex_unlock(&vdev->vdev.dev_set->lock);
out:
	put_files(owner.groups, owner.nr_groups);
	return ret;
}

/**
 * vfio_pci_hot_reset() - VFIO_DEVICE_PCI_HOT_RESET
 * @vdev: the device
 * @arg: user's argument
 *
 * Return: 0; -ENODEV if neither slot nor bus can be reset; -EINVAL if the reset would affect a
 * device of another driver, or one that the caller does not own; -EAGAIN; or another error.
 */
long vfio_pci_hot_reset(struct vfio_pci_core_device *vdev, struct vfio_pci_hot_reset __user *arg)
{
	struct vfio_op op;
	int ret;

	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_hot_reset);
	vfio_op_start(&op);
	ret = hot_reset(vdev, &op, arg);
	vfio_op_end(&op, ret);
	return ret;
}

static bool set_needs_reset(struct vfio_device_set *set, bool answers)
{
	struct vfio_pci_core_device *vdev;

	list_for_each_entry(vdev, &set->device_list, vdev.dev_set_list) {
		if (vdev->needs_reset && (!answers || vfio_pci_answers(vdev->pdev)))
			return true;
	}
	return false;
}

/**
 * vfio_pci_set_try_reset() - reset the set of a device that cannot be reset alone, once unused
 * @vdev: the device, being closed, its set locked
 */
void vfio_pci_set_try_reset(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *set = vdev->vdev.dev_set;
	struct vfio_op op;
	struct owner owner = { .vdev = vdev, .op = &op, .force = true };
	int ret;

	lockdep_assert_held(&set->lock);

	/* The session of this device is still counted; it is about to end. */
	if (!set_needs_reset(set, false) || vfio_device_set_open_count(set) > 1)
		return;
	if (!resets_slot(vdev->pdev) && pci_probe_reset_bus(vdev->pdev->bus))
		return;
	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_hot_reset);
	/* A device without power would look like a dead one, so wake all of them first. */
	ret = set_wake(set);
	if (ret) {
		vfio_op_fail(&op, ret, VFIO_REASON_runtime_pm, -ret, 0);
		vfio_op_end(&op, ret);
		return;
	}
	if (set_needs_reset(set, true)) {
		vfio_op_start(&op);
		ret = set_reset(&owner);
		vfio_op_end(&op, ret);
	}
	set_rest(set);
}
