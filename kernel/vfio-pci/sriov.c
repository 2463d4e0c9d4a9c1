// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical and virtual functions in user space.
 *
 * The user of a PF can harm the users of its VFs, so they must trust each other.  A PF therefore
 * has a token, a UUID, which its users and those of its VFs must know.  The token belongs to the
 * PF's vfio_pci_core_device; its lock guards the token and the number of VFs in use.  PFs whose
 * SR-IOV was enabled through this driver are on sriov_pfs, guarded by sriov_pfs_lock, where their
 * VFs find them.
 *
 * A token is checked before a device is opened, and can change in between, because a VF can be
 * opened before its PF.  Each device therefore records the token that its next user passed, and the
 * open checks it again, together with the user count.  The core lets only one user at a time
 * through both steps.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

/**
 * struct vfio_pci_vf_token - state of a PF or a VF
 * @lock: guards @uuid and @users
 * @uuid: PF: the token
 * @users: PF: number of its VFs in use
 * @given: token from the user that is about to open this device
 * @has_given: the user passed a token
 */
struct vfio_pci_vf_token {
	struct mutex lock;
	uuid_t uuid;
	unsigned int users;
	uuid_t given;
	bool has_given;
};

static DEFINE_MUTEX(sriov_pfs_lock);
static LIST_HEAD(sriov_pfs);

/* Kernels differ in where they store the driver override of a device. */
static void sriov_override_driver(struct pci_dev *pdev, const char *name)
{
#ifdef IOMMUSCOPE_HAVE_DEVICE_DRIVER_OVERRIDE
	device_set_driver_override(&pdev->dev, name);
#else
	driver_set_override(&pdev->dev, &pdev->driver_override, name, strlen(name));
#endif
}

/* VFs of a PF in user space are for user space as well. */
static int sriov_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vfio_pci_core_device *vdev = container_of(nb, struct vfio_pci_core_device, nb);
	struct pci_dev *pdev = to_pci_dev(data);

	if (action == BUS_NOTIFY_ADD_DEVICE && pdev->is_virtfn && pci_physfn(pdev) == vdev->pdev)
		sriov_override_driver(pdev, vdev->vdev.ops->name);
	return NOTIFY_OK;
}

static struct vfio_pci_core_device *sriov_find_pf(struct pci_dev *vf)
{
	struct vfio_pci_core_device *pf, *found = NULL;

	mutex_lock(&sriov_pfs_lock);
	list_for_each_entry(pf, &sriov_pfs, sriov_pfs_item) {
		if (pf->pdev == pci_physfn(vf)) {
			found = pf;
			break;
		}
	}
	mutex_unlock(&sriov_pfs_lock);
	return found;
}

/**
 * vfio_pci_sriov_init() - give a PF its token, or find the PF of a VF
 * @vdev: the device, being registered
 *
 * A PF that enabled SR-IOV for this VF does not go away before the VF.
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pdev->is_virtfn && !pdev->is_physfn)
		return 0;
	vdev->vf_token = kzalloc(sizeof(*vdev->vf_token), GFP_KERNEL);
	if (!vdev->vf_token)
		return -ENOMEM;
	mutex_init(&vdev->vf_token->lock);
	if (pdev->is_virtfn) {
		vdev->sriov_pf_core_dev = sriov_find_pf(pdev);
		return 0;
	}
	/*
	 * No process knows this token, so no VF can be used before the PF's user has set another
	 * one.
	 */
	uuid_gen(&vdev->vf_token->uuid);

	vdev->nb.notifier_call = sriov_notify;
	ret = bus_register_notifier(&pci_bus_type, &vdev->nb);
	if (ret) {
		kfree(vdev->vf_token);
		vdev->vf_token = NULL;
	}
	return ret;
}

/**
 * vfio_pci_sriov_exit() - undo vfio_pci_sriov_init()
 * @vdev: the device
 */
void vfio_pci_sriov_exit(struct vfio_pci_core_device *vdev)
{
	if (!vdev->vf_token)
		return;
	if (!vdev->pdev->is_virtfn)
		bus_unregister_notifier(&pci_bus_type, &vdev->nb);
	mutex_destroy(&vdev->vf_token->lock);
	kfree(vdev->vf_token);
	vdev->vf_token = NULL;
}

static bool sriov_knows(const struct vfio_pci_vf_token *user, const struct vfio_pci_vf_token *pf)
{
	lockdep_assert_held(&pf->lock);

	return user->has_given && uuid_equal(&user->given, &pf->uuid);
}

/**
 * vfio_pci_sriov_open() - check the token again and count a user, when a PF or VF is opened
 * @vdev: the device, being opened
 *
 * Return: 0; -EACCES if the token has changed since it was checked; -EINTR.
 */
int vfio_pci_sriov_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_device *pf = vdev->pdev->is_virtfn ? vdev->sriov_pf_core_dev : vdev;
	struct vfio_pci_vf_token *token = pf ? pf->vf_token : NULL;
	int ret;

	if (!token)
		return 0;
	ret = mutex_lock_killable(&token->lock);
	if (ret)
		return ret;
	if (pf == vdev) {
		if (token->users && !sriov_knows(token, token))
			ret = -EACCES;
	} else if (sriov_knows(vdev->vf_token, token)) {
		token->users++;
	} else {
		ret = -EACCES;
	}
	mutex_unlock(&token->lock);
	return ret;
}

/**
 * vfio_pci_sriov_close() - undo vfio_pci_sriov_open()
 * @vdev: the device, being closed
 */
void vfio_pci_sriov_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_vf_token *token;

	if (!vdev->sriov_pf_core_dev)
		return;
	token = vdev->sriov_pf_core_dev->vf_token;
	mutex_lock(&token->lock);
	token->users--;
	mutex_unlock(&token->lock);
}

static int sriov_check_vf(struct vfio_pci_core_device *pf, const uuid_t *given)
{
	int ret = -EACCES;

	/* The kernel has the PF, so there is no user to distrust. */
	if (!pf)
		return given ? -EINVAL : 0;
	if (!given)
		return ret;
	mutex_lock(&pf->vf_token->lock);
	if (uuid_equal(given, &pf->vf_token->uuid))
		ret = 0;
	mutex_unlock(&pf->vf_token->lock);
	return ret;
}

static int sriov_check_pf(struct vfio_pci_vf_token *token, const uuid_t *given)
{
	int ret = 0;

	mutex_lock(&token->lock);
	if (token->users) {
		if (!given || !uuid_equal(given, &token->uuid))
			ret = -EACCES;
	} else if (given) {
		uuid_copy(&token->uuid, given);
	}
	mutex_unlock(&token->lock);
	return ret;
}

/**
 * vfio_pci_sriov_check_token() - check that a token permits opening the device
 * @vdev: the device
 * @token: the token, or NULL
 *
 * If no VF of a PF is in use, the user of the PF sets the token.
 *
 * Return: 0; -EACCES; -EINVAL if a token is passed where none is needed.
 */
int vfio_pci_sriov_check_token(struct vfio_pci_core_device *vdev, const uuid_t *token)
{
	if (!vdev->vf_token)
		return token ? -EINVAL : 0;
	vdev->vf_token->has_given = token;
	if (token)
		uuid_copy(&vdev->vf_token->given, token);
	if (vdev->pdev->is_virtfn)
		return sriov_check_vf(vdev->sriov_pf_core_dev, token);
	return sriov_check_pf(vdev->vf_token, token);
}

/**
 * vfio_pci_feature_vf_token() - VFIO_DEVICE_FEATURE_PCI_VF_TOKEN
 * @vdev: the device
 * @flags: flags of the feature call
 * @arg: data of the feature call
 * @argsz: size of the data
 *
 * Return: 0; -ENOTTY if the device is no PF; -EBUSY while a VF is in use; or another error.
 */
int vfio_pci_feature_vf_token(struct vfio_pci_core_device *vdev, u32 flags, void __user *arg,
			      size_t argsz)
{
	struct vfio_pci_vf_token *token = vdev->vf_token;
	uuid_t uuid;
	int ret;

	if (!token || vdev->pdev->is_virtfn)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(uuid));
	if (ret != 1)
		return ret;
	if (copy_from_user(&uuid, arg, sizeof(uuid)))
		return -EFAULT;

	ret = mutex_lock_killable(&token->lock);
	if (ret)
		return ret;
	if (token->users)
		ret = -EBUSY;
	else
		uuid_copy(&token->uuid, &uuid);
	mutex_unlock(&token->lock);
	return ret;
}

static int sriov_enable(struct vfio_pci_core_device *vdev, int nr)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	mutex_lock(&sriov_pfs_lock);
	/* The PCI core permits no second call, but a PF must be on the list only once. */
	if (!list_empty(&vdev->sriov_pfs_item)) {
		mutex_unlock(&sriov_pfs_lock);
		return -EINVAL;
	}
	list_add_tail(&vdev->sriov_pfs_item, &sriov_pfs);
	mutex_unlock(&sriov_pfs_lock);

	/* VFs do not work without the PF, so it stays awake as long as they exist. */
	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		goto err_unlist;
	down_write(&vdev->memory_lock);
	ret = vfio_pci_set_power_state(vdev, PCI_D0);
	vdev->sriov_active = !ret;
	up_write(&vdev->memory_lock);
	if (!ret)
		ret = pci_enable_sriov(pdev, nr);
	if (ret)
		goto err_sleep;
	return nr;

err_sleep:
	down_write(&vdev->memory_lock);
	vdev->sriov_active = false;
	up_write(&vdev->memory_lock);
	pm_runtime_put(&pdev->dev);
err_unlist:
	mutex_lock(&sriov_pfs_lock);
	list_del_init(&vdev->sriov_pfs_item);
	mutex_unlock(&sriov_pfs_lock);
	return ret;
}

static void sriov_disable(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	bool ours;

	/* Waits until the users of the VFs have closed them. */
	if (pci_num_vf(pdev))
		pci_disable_sriov(pdev);

	mutex_lock(&sriov_pfs_lock);
	ours = !list_empty(&vdev->sriov_pfs_item);
	list_del_init(&vdev->sriov_pfs_item);
	mutex_unlock(&sriov_pfs_lock);
	if (!ours)
		return;

	down_write(&vdev->memory_lock);
	vdev->sriov_active = false;
	up_write(&vdev->memory_lock);
	pm_runtime_put(&pdev->dev);
}

/**
 * vfio_pci_core_sriov_configure() - the sriov_configure() callback of drivers
 * @vdev: the PF; the caller holds its device lock
 * @nr_virtfn: number of VFs, or 0 to remove them
 *
 * Return: the number of VFs, 0, or a negative errno.
 */
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev, int nr_virtfn)
{
	device_lock_assert(&vdev->pdev->dev);

	if (nr_virtfn)
		return sriov_enable(vdev, nr_virtfn);
	sriov_disable(vdev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_sriov_configure);
