// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of the configuration space that the user sees.
 *
 * While a device is open, every byte of its configuration space has an entry in the map
 * (pci_config_map, built by config_map.c) and a byte in vconfig.  The entry defines which bits come
 * from vconfig and which bits the user may change; vconfig holds the virtual bits.  config_access.c
 * reads and writes according to the map.  Fields whose change has side effects have a hook
 * (config_hooks.c), which performs the whole write.  map and vconfig belong to the open device; the
 * map is constant.
 *
 * vfio_pci_cfg.lock is held around each access, so that the hooks of two writers do not interleave.
 * Two fields of vconfig determine whether the device's memory responds: the command register and
 * the power state.  They change only with memory_lock held for write as well.
 *
 * Accesses are split so that each stays within an aligned dword and is as wide as possible, because
 * devices may depend on the width.
 */
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "core_private.h"

/*
 * Writes @count bytes, 1, 2 or 4, aligned; adjacent bytes with the same hook are written together.
 */
static int config_write(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev);
	int i, run, ret;

	for (i = 0; i < count; i += run) {
		u8 hook = map[pos + i].hook;

		run = 1;
		while (i + run < count && map[pos + i + run].hook == hook)
			run++;
		if (hook == CFG_HOOK_NONE)
			ret = vfio_pci_config_store(vdev, pos + i, run, val + i);
		else
			ret = vfio_pci_config_hook(vdev, hook, pos + i, run, val + i);
		if (ret)
			return ret;
	}
	return 0;
}

/* One access with its side effects. */
static int config_access(struct vfio_pci_core_device *vdev, int pos, int count, u8 *val,
			 bool iswrite)
{
	struct vfio_pci_cfg *cfg = vfio_pci_cfg(vdev);
	int ret;

	ret = mutex_lock_killable(&cfg->lock);
	if (ret)
		return ret;
	if (iswrite)
		ret = config_write(vdev, pos, count, val);
	else
		ret = vfio_pci_config_load(vdev, pos, count, val);
	mutex_unlock(&cfg->lock);
	return ret;
}

/**
 * vfio_pci_config_rw() - read or write the configuration space
 * @vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset in the device's file
 * @iswrite: write
 *
 * Return: bytes copied, or a negative errno if no byte was copied.
 */
ssize_t vfio_pci_config_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite)
{
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;
	int step, ret;
	u8 val[4];

	if (pos >= vdev->pdev->cfg_size)
		return -EFAULT;
	pos = array_index_nospec(pos, vdev->pdev->cfg_size);
	count = min_t(size_t, count, vdev->pdev->cfg_size - pos);

	while (done < count) {
		step = vfio_pci_config_step(pos, min_t(size_t, count - done, 4));
		if (iswrite && copy_from_user(val, buf + done, step))
			ret = -EFAULT;
		else
			ret = config_access(vdev, pos, step, val, iswrite);
		if (!ret && !iswrite && copy_to_user(buf + done, val, step))
			ret = -EFAULT;
		if (ret)
			goto out;
		pos += step;
		done += step;
	}
	ret = 0;
out:
	*ppos += done;
	return done ? done : ret;
}
