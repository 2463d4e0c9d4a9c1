// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to the configuration space that have side effects.
 *
 * Each hook performs the whole write of its bytes, which are all or a part of its field.  A hook
 * finds the start of its field from the PCI core's record of the capability.
 *
 * A hook runs under vfio_pci_cfg.lock, which excludes other writers, but not resets, the setup of
 * interrupts, and interrupts themselves.  A hook therefore first takes the lock that guards its
 * decision, and reads the state for that decision under the lock.
 */
#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <linux/unaligned.h>

#include "core_private.h"

/*
 * Returns the value of a field after a write.  vconfig alone defines the values that the user sees.
 */
static u16 word_written(struct vfio_pci_core_device *vdev, int field, int pos, int count,
			const u8 *val)
{
	u8 word[2];
	int i;

	memcpy(word, vdev->vconfig + field, sizeof(word));
	for (i = 0; i < count; i++)
		word[pos + i - field] = val[i];
	return get_unaligned_le16(word);
}

/* A device that another reset has hit has lost its addresses; restore them. */
static void restore_bars(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	bool lost = false;
	u32 bar;
	int i;

	if (pdev->is_virtfn)
		return;
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i, &bar);
		lost |= bar != vdev->rbar[i];
	}
	if (!lost)
		return;
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		pci_write_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i, vdev->rbar[i]);
	pci_write_config_dword(pdev, PCI_ROM_ADDRESS, vdev->rbar[6]);
}

/*
 * Applies the value @new that the user wants to the device's command register and to INTx; the user
 * wrote the bits in @written.  The interrupt handler changes a bit of the same register, so irqlock
 * excludes it between the read and the write.
 */
static int command_apply(struct vfio_pci_core_device *vdev, u16 new, u16 written)
{
	struct vfio_pci_cfg_byte *map = &vfio_pci_cfg_map(vdev)[PCI_COMMAND];
	u16 mask = written & ((map[0].write & ~map[0].virt) | (map[1].write & ~map[1].virt) << 8);
	struct pci_dev *pdev = vdev->pdev;
	u16 device = 0;
	int ret;

	/* Waits while another thread resets the device, and excludes further resets. */
	pci_cfg_access_lock(pdev);
	/* Read from the device, not cached: a reset by others may have disabled decoding. */
	pci_read_config_word(pdev, PCI_COMMAND, &device);
	if (new & ~device & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO))
		restore_bars(vdev);

	spin_lock_irq(&vdev->irqlock);
	pci_read_config_word(pdev, PCI_COMMAND, &device);
	ret = pci_write_config_word(pdev, PCI_COMMAND, (device & ~mask) | (new & mask));
	if (!ret) {
		vfio_pci_vconfig_set_word(vdev, PCI_COMMAND, new);
		vdev->virq_disabled = new & PCI_COMMAND_INTX_DISABLE;
		vfio_pci_intx_update(vdev);
	}
	spin_unlock_irq(&vdev->irqlock);
	pci_cfg_access_unlock(pdev);
	return pcibios_err_to_errno(ret);
}

/*
 * vconfig holds the whole command register, including the bits that the user reads from the device,
 * so that the state of the memory is known without a read from the device.
 */
static int hook_command(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	u16 new, written = GENMASK(8 * count - 1, 0) << 8 * (pos - PCI_COMMAND);
	int ret;

	ret = down_write_killable(&vdev->memory_lock);
	if (ret)
		return ret;
	new = word_written(vdev, PCI_COMMAND, pos, count, val);
	/*
	 * Zap even if memory was already disabled: a fault may have mapped a page between two
	 * writes.
	 */
	if (!(new & PCI_COMMAND_MEMORY))
		vfio_pci_memory_zap(vdev);
	ret = command_apply(vdev, new, written);
	up_write(&vdev->memory_lock);
	return ret;
}

/* Sets the bits of an address register that its size and type determine. */
static void fix_up_bar(struct vfio_pci_core_device *vdev, int off, u32 mask, u32 bits)
{
	u32 bar = vfio_pci_vconfig_dword(vdev, off);

	vfio_pci_vconfig_set_dword(vdev, off, (bar & mask) | bits);
}

static u32 bar_kind(struct vfio_pci_core_device *vdev, int bar)
{
	unsigned long flags = pci_resource_flags(vdev->pdev, bar);
	u32 bits;

	if (flags & IORESOURCE_IO)
		return PCI_BASE_ADDRESS_SPACE_IO;
	bits = PCI_BASE_ADDRESS_SPACE_MEMORY;
	if (flags & IORESOURCE_PREFETCH)
		bits |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (flags & IORESOURCE_MEM_64)
		bits |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	return bits;
}

/**
 * vfio_pci_bar_fix_up() - make the virtual address registers consistent with the device's BARs
 * @vdev: the device
 *
 * After a write of all ones to one of them, a read returns the size, as on a device.
 */
void vfio_pci_bar_fix_up(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u64 mask;
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		int off = PCI_BASE_ADDRESS_0 + 4 * i;

		if (!vfio_pci_has_bar(vdev, i)) {
			fix_up_bar(vdev, off, 0, 0);
			continue;
		}
		mask = ~(u64)(pci_resource_len(pdev, i) - 1);
		fix_up_bar(vdev, off, mask, bar_kind(vdev, i));
		if (pci_resource_flags(pdev, i) & IORESOURCE_MEM_64) {
			i++;
			fix_up_bar(vdev, off + 4, mask >> 32, 0);
		}
	}

	if (vfio_pci_has_bar(vdev, PCI_ROM_RESOURCE)) {
		mask = ~(u64)(pci_resource_len(pdev, PCI_ROM_RESOURCE) - 1);
		fix_up_bar(vdev, PCI_ROM_ADDRESS, mask | PCI_ROM_ADDRESS_ENABLE, 0);
	} else {
		fix_up_bar(vdev, PCI_ROM_ADDRESS, 0, 0);
	}
}

static int hook_bar(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	int ret = vfio_pci_config_store(vdev, pos, count, val);

	vfio_pci_bar_fix_up(vdev);
	return ret;
}

static int hook_power(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	int ctrl = vdev->pdev->pm_cap + PCI_PM_CTRL;
	pci_power_t state;
	int ret;

	ret = down_write_killable(&vdev->memory_lock);
	if (ret)
		return ret;
	ret = vfio_pci_config_store(vdev, pos, count, val);
	/*
	 * The state is in the low byte.  A capability that the kernel does not use has no effect.
	 */
	if (ret || !vdev->pdev->pm_cap || pos != ctrl)
		goto out;

	state = (__force pci_power_t)(vfio_pci_vconfig_word(vdev, ctrl) & PCI_PM_CTRL_STATE_MASK);
	if (state != PCI_D0)
		vfio_pci_memory_zap(vdev);
	vfio_pci_set_power_state(vdev, state);
	/* The device may not have reached the requested state, so show the actual one. */
	vfio_pci_note_power(vdev);
out:
	up_write(&vdev->memory_lock);
	return ret;
}

/* VFIO_DEVICE_SET_IRQS sets interrupts up; only interrupts that are set up can be enabled here. */
static int hook_msi(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	int field = vdev->pdev->msi_cap + PCI_MSI_FLAGS;
	u16 flags;
	int ret;

	ret = mutex_lock_killable(&vdev->igate);
	if (ret)
		return ret;
	ret = vfio_pci_config_store(vdev, pos, count, val);
	flags = vfio_pci_vconfig_word(vdev, field);
	if (vdev->irq_type != VFIO_PCI_MSI_IRQ_INDEX)
		flags &= ~PCI_MSI_FLAGS_ENABLE;
	if ((flags & PCI_MSI_FLAGS_QSIZE) >> 4 > vdev->msi_qmax) {
		flags &= ~PCI_MSI_FLAGS_QSIZE;
		flags |= vdev->msi_qmax << 4;
	}
	vfio_pci_vconfig_set_word(vdev, field, flags);
	mutex_unlock(&vdev->igate);
	return ret;
}

static int hook_exp(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	struct pci_dev *pdev = vdev->pdev;
	int field = pdev->pcie_cap + PCI_EXP_DEVCTL;
	u16 before, after;
	u32 cap = 0;
	int ret;

	before = vfio_pci_vconfig_word(vdev, field);
	ret = vfio_pci_config_store(vdev, pos, count, val);
	if (ret)
		return ret;
	after = vfio_pci_vconfig_word(vdev, field);

	/* The bit always reads as zero. */
	if (after & PCI_EXP_DEVCTL_BCR_FLR) {
		after &= ~PCI_EXP_DEVCTL_BCR_FLR;
		vfio_pci_vconfig_set_word(vdev, field, after);
		pcie_capability_read_dword(pdev, PCI_EXP_DEVCAP, &cap);
		if (cap & PCI_EXP_DEVCAP_FLR)
			ret = vfio_pci_function_reset(vdev);
		if (ret == -EINTR)
			return ret;
	}
	if ((before ^ after) & PCI_EXP_DEVCTL_READRQ)
		pcie_set_readrq(pdev, 128 << min((after & PCI_EXP_DEVCTL_READRQ) >> 12, 5));
	return 0;
}

static int hook_af(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	int field = pci_find_capability(vdev->pdev, PCI_CAP_ID_AF) + PCI_AF_CTRL;
	u8 cap;
	int ret;

	ret = vfio_pci_config_store(vdev, pos, count, val);
	if (ret || !(vdev->vconfig[field] & PCI_AF_CTRL_FLR))
		return ret;

	vdev->vconfig[field] &= ~PCI_AF_CTRL_FLR;
	pci_read_config_byte(vdev->pdev, field - PCI_AF_CTRL + PCI_AF_CAP, &cap);
	if (cap & PCI_AF_CAP_FLR)
		ret = vfio_pci_function_reset(vdev);
	/* A failed reset is ignored, as it would be on a device without the capability. */
	return ret == -EINTR ? ret : 0;
}

/*
 * The device's VPD registers are shared with readers of its vpd file in sysfs, so the user's
 * accesses take the same lock, which belongs to the PCI core.  To the user, each access completes
 * at once.
 */
static int hook_vpd(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val)
{
	int cap = pci_find_capability(vdev->pdev, PCI_CAP_ID_VPD);
	u8 *data = vdev->vconfig + cap + PCI_VPD_DATA;
	u16 addr;
	int ret;

	ret = vfio_pci_config_store(vdev, pos, count, val);
	/* The flag that starts an access is in the high byte. */
	if (ret || pos + count <= cap + PCI_VPD_ADDR + 1)
		return ret;

	addr = vfio_pci_vconfig_word(vdev, cap + PCI_VPD_ADDR);
	if (addr & PCI_VPD_ADDR_F) {
		addr &= PCI_VPD_ADDR_MASK;
		/* On failure the flag stays unchanged: to the user, the access never completes. */
		if (pci_write_vpd_any(vdev->pdev, addr & ~3, 4, data) != 4)
			return 0;
		vfio_pci_vconfig_set_word(vdev, cap + PCI_VPD_ADDR, addr);
	} else {
		if (pci_read_vpd_any(vdev->pdev, addr & ~3, 4, data) != 4)
			return 0;
		vfio_pci_vconfig_set_word(vdev, cap + PCI_VPD_ADDR, addr | PCI_VPD_ADDR_F);
	}
	return 0;
}

typedef int (*config_hook_fn)(struct vfio_pci_core_device *vdev, int pos, int count,
			      const u8 *val);

static const config_hook_fn config_hooks[CFG_NR_HOOKS] = {
	[CFG_HOOK_COMMAND] = hook_command,
	[CFG_HOOK_BAR] = hook_bar,
	[CFG_HOOK_POWER] = hook_power,
	[CFG_HOOK_MSI] = hook_msi,
	[CFG_HOOK_EXP] = hook_exp,
	[CFG_HOOK_AF] = hook_af,
	[CFG_HOOK_VPD] = hook_vpd,
};

/**
 * vfio_pci_config_hook() - perform a write that has side effects
 * @vdev: the device
 * @hook: enum vfio_pci_cfg_hook, not CFG_HOOK_NONE
 * @pos: offset
 * @count: bytes
 * @val: the bytes
 *
 * Return: 0 or a negative errno.
 */
int vfio_pci_config_hook(struct vfio_pci_core_device *vdev, int hook, int pos, int count,
			 const u8 *val)
{
	return config_hooks[hook](vdev, pos, count, val);
}
