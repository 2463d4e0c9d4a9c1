// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space as the user sees it: reading and writing.
 *
 * While a device is open, every byte of its configuration space has an entry in the map
 * (pci_config_map, built by config_map.c) that says which of its bits come from us and which the
 * user may change, and a byte in vconfig that holds ours.  A read mixes the two; a write changes
 * what it may in both.  Fields whose change has consequences have a hook, which then does the
 * whole write.  map and vconfig belong to the open device; the map is constant.
 *
 * Accesses are cut so that each stays within an aligned dword and is as wide as can be: devices
 * may care.
 */
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "core_private.h"

/**
 * vfio_pci_vconfig_word() - a word of our copy
 * @vdev: the device, open
 * @pos: where
 *
 * Return: the word.
 */
u16 vfio_pci_vconfig_word(struct vfio_pci_core_device *vdev, int pos)
{
	return get_unaligned_le16(vdev->vconfig + pos);
}

/**
 * vfio_pci_vconfig_dword() - a dword of our copy
 * @vdev: the device, open
 * @pos: where
 *
 * Return: the dword.
 */
u32 vfio_pci_vconfig_dword(struct vfio_pci_core_device *vdev, int pos)
{
	return get_unaligned_le32(vdev->vconfig + pos);
}

/**
 * vfio_pci_vconfig_set_word() - change a word of our copy
 * @vdev: the device, open
 * @pos: where
 * @val: the word
 */
void vfio_pci_vconfig_set_word(struct vfio_pci_core_device *vdev, int pos, u16 val)
{
	put_unaligned_le16(val, vdev->vconfig + pos);
}

/**
 * vfio_pci_vconfig_set_dword() - change a dword of our copy
 * @vdev: the device, open
 * @pos: where
 * @val: the dword
 */
void vfio_pci_vconfig_set_dword(struct vfio_pci_core_device *vdev, int pos, u32 val)
{
	put_unaligned_le32(val, vdev->vconfig + pos);
}

/* The widest access at @pos that is aligned and not longer than @count. */
static int config_step(int pos, int count)
{
	if (!(pos & 3) && count >= 4)
		return 4;
	if (!(pos & 1) && count >= 2)
		return 2;
	return 1;
}

/* The user's accessors wait while a reset or a self test has the configuration space blocked. */
static int config_hw_read(struct pci_dev *pdev, int pos, int count, u8 *val)
{
	u32 dword;
	u16 word;
	int ret;

	switch (count) {
	case 4:
		ret = pci_user_read_config_dword(pdev, pos, &dword);
		put_unaligned_le32(dword, val);
		return ret;
	case 2:
		ret = pci_user_read_config_word(pdev, pos, &word);
		put_unaligned_le16(word, val);
		return ret;
	default:
		return pci_user_read_config_byte(pdev, pos, val);
	}
}

static int config_hw_write(struct pci_dev *pdev, int pos, int count, const u8 *val)
{
	switch (count) {
	case 4:
		return pci_user_write_config_dword(pdev, pos, get_unaligned_le32(val));
	case 2:
		return pci_user_write_config_word(pdev, pos, get_unaligned_le16(val));
	default:
		return pci_user_write_config_byte(pdev, pos, *val);
	}
}

/* Read @count bytes, 1, 2 or 4, aligned. */
static int config_load(struct vfio_pci_core_device *vdev, int pos, int count, u8 *val)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev) + pos;
	bool device = false;
	int i, ret;

	for (i = 0; i < count; i++)
		device |= map[i].virt != 0xff;
	if (device) {
		ret = config_hw_read(vdev->pdev, pos, count, val);
		if (ret)
			return pcibios_err_to_errno(ret);
	} else {
		memset(val, 0, count);
	}

	for (i = 0; i < count; i++)
		val[i] = (val[i] & ~map[i].virt) | (vdev->vconfig[pos + i] & map[i].virt);
	return 0;
}

/* Write the bits of the device's own that the user may change; @count is 1, 2 or 4, aligned. */
static int config_store_hw(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev) + pos;
	bool whole = true;
	u8 out[4];
	int i, ret;

	for (i = 0; i < count; i++)
		whole &= map[i].virt == 0 && map[i].write == 0xff;

	if (!whole) {
		ret = config_hw_read(vdev->pdev, pos, count, out);
		if (ret)
			return pcibios_err_to_errno(ret);
	}
	for (i = 0; i < count; i++) {
		u8 mask = map[i].write & ~map[i].virt;

		out[i] = whole ? val[i] : (out[i] & ~mask) | (val[i] & mask);
	}
	return pcibios_err_to_errno(config_hw_write(vdev->pdev, pos, count, out));
}

/**
 * vfio_pci_config_store() - write what the map lets the user write, and no more
 * @vdev: the device
 * @pos: where
 * @count: bytes, at most 4
 * @val: what
 *
 * Bytes of the device of which nothing may change are not written at all: a bit in them might be
 * cleared by writing a one.
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_config_store(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev);
	int i, run, ret;

	for (i = 0; i < count; i++) {
		u8 mask = map[pos + i].write & map[pos + i].virt;
		u8 *byte = &vdev->vconfig[pos + i];

		*byte = (*byte & ~mask) | (val[i] & mask);
	}

	for (i = 0; i < count; i += run) {
		for (run = 0; i + run < count; run++) {
			struct vfio_pci_cfg_byte *byte = &map[pos + i + run];

			if (!(byte->write & ~byte->virt))
				break;
		}
		if (!run) {
			run = 1;
			continue;
		}
		run = config_step(pos + i, run);
		ret = config_store_hw(vdev, pos + i, run, val + i);
		if (ret)
			return ret;
	}
	return 0;
}

/* Write @count bytes, 1, 2 or 4, aligned: neighbours with the same hook together. */
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

/**
 * vfio_pci_config_rw() - read or write the configuration space
 * @vdev: the device
 * @buf: user's buffer
 * @count: bytes
 * @ppos: offset in the device's file
 * @iswrite: write
 *
 * Return: bytes done, or a negative errno if there were none.
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
	count = min_t(size_t, count, vdev->pdev->cfg_size - pos);

	while (done < count) {
		step = config_step(pos, min_t(size_t, count - done, 4));
		if (iswrite) {
			if (copy_from_user(val, buf + done, step)) {
				ret = -EFAULT;
				goto out;
			}
			ret = config_write(vdev, pos, step, val);
		} else {
			ret = config_load(vdev, pos, step, val);
			if (!ret && copy_to_user(buf + done, val, step))
				ret = -EFAULT;
		}
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
