// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot resets: of a slot, or of a bus with all that is below it.
 *
 * The devices that such a reset hits form a device set.  Its lock keeps the set's members open or
 * closed as they are, and registered: a device leaves the set as its driver lets it go, which
 * waits for the lock.  A device that is hit but is not in the set belongs to another driver, or
 * to none, and forbids the reset.  A caller that wants a reset must own all that is hit: by group
 * files given with the call, or by the iommufd that the caller's device is bound to.
 *
 * A virtual function cannot be reset by its bus, which is its PF's.  It has a set of its own, so
 * that its users and those of other VFs have no lock in common.
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

/* More functions than this cannot be below a bus. */
#define MAX_HIT		(256 * 256)

static bool resets_slot(struct pci_dev *pdev)
{
	return pdev->slot && !pci_probe_reset_slot(pdev->slot);
}

/**
 * vfio_pci_join_set() - put a device in the set of those that are reset with it
 * @vdev: the device, being registered
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_join_set(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	/* A root bus cannot be reset, and the bus of a VF is not the VF's to reset. */
	if (pci_is_root_bus(pdev->bus) || pdev->is_virtfn)
		return vfio_assign_device_set(&vdev->vdev, vdev);
	if (resets_slot(pdev))
		return vfio_assign_device_set(&vdev->vdev, pdev->slot);
	return vfio_assign_device_set(&vdev->vdev, pdev->bus);
}

/**
 * struct hit_walk - a walk over the devices that a reset of @pdev hits
 * @pdev: the device
 * @slot: only its slot is reset
 * @fn: called for each
 * @arg: its second argument
 * @ret: what @fn returned; the walk ends with the first that is not 0
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

/* Is it in the slot, or below a bridge that is? */
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
 * struct hit_list - what GET_PCI_HOT_RESET_INFO answers
 * @vdev: the device that asks, its set locked
 * @ictx: the iommufd it is bound to, if it was opened by its node
 * @devices: room for @room entries
 * @room: how many
 * @count: how many there are
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

	/* A device was plugged in since they were counted. */
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
 * short, and its count says how long it must be; other errors.
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
 * struct owner - on what grounds somebody wants a reset
 * @vdev: the device that the call is for, its set locked
 * @op: the reset
 * @ictx: the iommufd that owns, or NULL
 * @groups: the group files that own
 * @nr_groups: how many
 * @force: nobody uses any of the devices, we want it ourselves
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
 * Reset slot or bus.  The members of the set are locked in the order of the set's list, under its
 * lock, which is the only place where somebody holds more than one memory_lock.
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

/* The group files that a call gives as proof. */
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

	/* The way the device was opened decides on how ownership is proved. */
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
 * Return: 0; -ENODEV if neither slot nor bus can be reset; -EINVAL if the reset would hit a
 * device of another driver, or one that the caller does not own; -EAGAIN; other errors.
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
 * vfio_pci_set_try_reset() - reset what could not be reset alone, once nobody uses its neighbours
 * @vdev: the device, being closed, its set locked
 */
void vfio_pci_set_try_reset(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *set = vdev->vdev.dev_set;
	struct vfio_op op;
	struct owner owner = { .vdev = vdev, .op = &op, .force = true };
	int ret;

	lockdep_assert_held(&set->lock);

	/* Our own session is the last one, and about to end. */
	if (!set_needs_reset(set, false) || vfio_device_set_open_count(set) > 1)
		return;
	if (!resets_slot(vdev->pdev) && pci_probe_reset_bus(vdev->pdev->bus))
		return;
	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_hot_reset);
	/* Asleep, a device without power answers no more than a dead one. */
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
