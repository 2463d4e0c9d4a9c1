// SPDX-License-Identifier: GPL-2.0-only
/*
 * One access to the configuration space that the user sees, in a width that the device supports.
 *
 * A read combines the bits of the device with those of vconfig.  A write changes, in both, the bits
 * that the map lets the user change, and has no other effect.  config.c describes map and vconfig.
 */
#include <linux/pci.h>
#include <linux/unaligned.h>

#include "core_private.h"

/**
 * vfio_pci_config_step() - get the width of the widest aligned access
 * @pos: offset
 * @count: remaining bytes
 *
 * Return: 1, 2 or 4 bytes.
 */
int vfio_pci_config_step(int pos, int count)
{
	if (!(pos & 3) && count >= 4)
		return 4;
	if (!(pos & 1) && count >= 2)
		return 2;
	return 1;
}

/* The user's accessors wait while a reset or a self test blocks the configuration space. */
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

/**
 * vfio_pci_config_load() - read what the user sees
 * @vdev: the device
 * @pos: offset, aligned
 * @count: 1, 2 or 4 bytes
 * @val: out: the bytes
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_config_load(struct vfio_pci_core_device *vdev, int pos, int count, u8 *val)
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

/* Writes the bits of the device that the user may change; @count is 1, 2 or 4, aligned. */
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
 * vfio_pci_config_store() - write the bits that the map lets the user write
 * @vdev: the device
 * @pos: offset
 * @count: bytes, at most 4
 * @val: the bytes
 *
 * Bytes of the device in which the user may change nothing are not written at all, because a write
 * could clear a write-one-to-clear bit.
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
		run = vfio_pci_config_step(pos + i, run);
		ret = config_store_hw(vdev, pos + i, run, val + i);
		if (ret)
			return ret;
	}
	return 0;
}
