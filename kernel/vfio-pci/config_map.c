// SPDX-License-Identifier: GPL-2.0-only
/*
 * Construction of the configuration space map when the device is opened.
 *
 * Initially every byte belongs to the device and is writable by the user, because devices have
 * registers of their own between the capabilities.  Then the descriptors (config_caps.c) of the
 * header, of each capability in the list and of each extended capability override that.
 * Capabilities without a descriptor are hidden: the list skips them and their bytes read as zero.
 * A hidden capability of unknown length extends up to the start of the next one, so that no part of
 * it is exposed.
 */
#include <linux/bitmap.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "config_caps.h"
#include "core_private.h"

#define EXT_CAP_START	PCI_CFG_SPACE_SIZE
/* No more capabilities fit in the space, so a longer list has a loop. */
#define MAX_CAPS	((PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) / PCI_CAP_SIZEOF)

/* Applies fields to the map, cut off at @len. */
static void map_fields(struct vfio_pci_core_device *vdev, int pos, int len,
		       const struct cfg_field *field)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev);
	int i;

	for (; field && field->len; field++) {
		for (i = 0; i < field->len && field->off + i < len; i++) {
			struct vfio_pci_cfg_byte *byte = &map[pos + field->off + i];

			byte->virt = field->virt >> (8 * i);
			byte->write = field->write >> (8 * i);
			byte->hook = field->hook;
		}
	}
}

/* Makes a whole range virtual or not, and writable or not. */
static void map_range(struct vfio_pci_core_device *vdev, int pos, int len, u8 virt, u8 write)
{
	struct vfio_pci_cfg_byte *map = vfio_pci_cfg_map(vdev);
	int i;

	for (i = pos; i < pos + len; i++)
		map[i] = (struct vfio_pci_cfg_byte){ .virt = virt, .write = write };
}

/* Initialises the virtual copy from the device. */
static void copy_range(struct vfio_pci_core_device *vdev, int pos, int len)
{
	int i;

	for (i = pos; i < pos + len; i++)
		pci_read_config_byte(vdev->pdev, i, &vdev->vconfig[i]);
}

static void map_header(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int i;

	map_range(vdev, 0, PCI_STD_HEADER_SIZEOF, 0, 0);
	copy_range(vdev, 0, PCI_STD_HEADER_SIZEOF);
	map_fields(vdev, 0, PCI_STD_HEADER_SIZEOF, cfg_header_fields);

	vfio_pci_vconfig_set_word(vdev, PCI_VENDOR_ID, pdev->vendor);
	vfio_pci_vconfig_set_word(vdev, PCI_DEVICE_ID, pdev->device);

	if (pdev->no_command_memory) {
		/* Memory is always enabled on this device, but drivers expect to see their bit. */
		vfio_pci_cfg_map(vdev)[PCI_COMMAND].virt |= PCI_COMMAND_MEMORY;
		vdev->vconfig[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	vdev->vconfig[PCI_COMMAND + 1] &= ~(PCI_COMMAND_INTX_DISABLE >> 8);
	vdev->vconfig[PCI_CAPABILITY_LIST] = 0;
	if (vdev->nointx || !pdev->irq)
		vdev->vconfig[PCI_INTERRUPT_PIN] = 0;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		pci_read_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * i, &vdev->rbar[i]);
	pci_read_config_dword(pdev, PCI_ROM_ADDRESS, &vdev->rbar[6]);

	/* The address registers of a virtual function are void: its memory is part of the PF's. */
	for (i = 0; pdev->is_virtfn && i < PCI_STD_NUM_BARS; i++) {
		u64 start = pci_resource_start(pdev, i);

		if (!vfio_pci_has_bar(vdev, i))
			continue;
		vfio_pci_vconfig_set_dword(vdev, PCI_BASE_ADDRESS_0 + 4 * i, start);
		if (pci_resource_flags(pdev, i) & IORESOURCE_MEM_64) {
			i++;
			vfio_pci_vconfig_set_dword(vdev, PCI_BASE_ADDRESS_0 + 4 * i, start >> 32);
		}
	}
	vfio_pci_bar_fix_up(vdev);
}

/* Start of the next capability after @pos, or the end of the space. */
static int next_begin(const unsigned long *begins, int pos, int end)
{
	return min_t(int, find_next_bit(begins, end, pos + 1), end);
}

/* Length of a capability; it never overlaps the next one. */
static int cap_length(struct vfio_pci_core_device *vdev, const struct cfg_cap *cap, int pos,
		      int limit)
{
	int len = 0;

	if (cap)
		len = cap->len ? cap->len : cap->length ? cap->length(vdev, pos) : 0;
	return len && len < limit - pos ? len : limit - pos;
}

static void map_cap(struct vfio_pci_core_device *vdev, const struct cfg_cap *cap, int pos, int len,
		    int header)
{
	/* Hidden: reads as zeroes. */
	if (!cap) {
		map_range(vdev, pos, len, 0xff, 0);
		return;
	}
	map_range(vdev, pos, len, 0, cap->all_write ? 0xff : 0);
	copy_range(vdev, pos, len);
	map_fields(vdev, pos, len, cap->fields);
	map_range(vdev, pos, header, 0xff, 0);
}

/*
 * The layout of the MSI capability depends on the width of the address, which a table of fields
 * cannot express.
 */
static void map_msi_finish(struct vfio_pci_core_device *vdev, int pos, int len)
{
	u16 flags = vfio_pci_vconfig_word(vdev, pos + PCI_MSI_FLAGS);
	int i;

	/* The virtual copy starts with the message unset and disabled. */
	memset(vdev->vconfig + pos + PCI_MSI_ADDRESS_LO, 0, len - PCI_MSI_ADDRESS_LO);
	vfio_pci_vconfig_set_word(vdev, pos + PCI_MSI_FLAGS,
				  flags & ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE));

	if (!(flags & PCI_MSI_FLAGS_64BIT)) {
		/* The data is where the high address would be. */
		for (i = PCI_MSI_ADDRESS_HI; i < len; i++)
			vfio_pci_cfg_map(vdev)[pos + i] =
				(struct vfio_pci_cfg_byte){ .virt = 0xff, .write = 0xff };
	}
	if (flags & PCI_MSI_FLAGS_MASKBIT) {
		int pending = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_PENDING_64 :
							    PCI_MSI_PENDING_32;

		map_range(vdev, pos + pending, min(4, len - pending), 0, 0);
	}
}

static void map_pm_finish(struct vfio_pci_core_device *vdev, int pos)
{
	u16 pmc = vfio_pci_vconfig_word(vdev, pos + PCI_PM_PMC);
	u16 ctrl = vfio_pci_vconfig_word(vdev, pos + PCI_PM_CTRL);

	vfio_pci_vconfig_set_word(vdev, pos + PCI_PM_PMC, pmc & ~PCI_PM_CAP_PME_MASK);
	vfio_pci_vconfig_set_word(vdev, pos + PCI_PM_CTRL,
				  ctrl & (PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_NO_SOFT_RESET));
}

static void map_caps(struct vfio_pci_core_device *vdev)
{
	DECLARE_BITMAP(begins, PCI_CFG_SPACE_SIZE) = {};
	struct pci_dev *pdev = vdev->pdev;
	u8 order[MAX_CAPS], pos, link;
	int i, nr = 0, len;
	u16 status;

	pci_read_config_word(pdev, PCI_STATUS, &status);
	if (!(status & PCI_STATUS_CAP_LIST))
		return;

	pci_read_config_byte(pdev, PCI_CAPABILITY_LIST, &pos);
	pos &= ~3;
	while (pos >= PCI_STD_HEADER_SIZEOF && nr < MAX_CAPS && !test_bit(pos, begins)) {
		__set_bit(pos, begins);
		order[nr++] = pos;
		pci_read_config_byte(pdev, pos + PCI_CAP_LIST_NEXT, &pos);
		pos &= ~3;
	}

	link = PCI_CAPABILITY_LIST;
	for (i = 0; i < nr; i++) {
		const struct cfg_cap *cap;
		u8 id;

		pos = order[i];
		pci_read_config_byte(pdev, pos + PCI_CAP_LIST_ID, &id);
		cap = cfg_find_cap(id);
		len = cap_length(vdev, cap, pos, next_begin(begins, pos, PCI_CFG_SPACE_SIZE));
		map_cap(vdev, cap, pos, len, 2);
		if (!cap)
			continue;

		if (id == PCI_CAP_ID_MSI)
			map_msi_finish(vdev, pos, len);
		if (id == PCI_CAP_ID_PM)
			map_pm_finish(vdev, pos);
		if (id == PCI_CAP_ID_MSIX)
			vdev->vconfig[pos + PCI_MSIX_FLAGS + 1] &=
				~((PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8);
		if (id == PCI_CAP_ID_VPD)
			memset(vdev->vconfig + pos + PCI_VPD_ADDR, 0,
			       PCI_CAP_VPD_SIZEOF - PCI_VPD_ADDR);
		vdev->vconfig[link] = pos;
		link = pos + PCI_CAP_LIST_NEXT;
		vdev->vconfig[link] = 0;
	}
}

static void map_ext_caps(struct vfio_pci_core_device *vdev)
{
	DECLARE_BITMAP(begins, PCI_CFG_SPACE_EXP_SIZE) = {};
	struct pci_dev *pdev = vdev->pdev;
	int pos, len, i, nr = 0, last = 0;
	u32 header, next;

	if (pdev->cfg_size <= EXT_CAP_START)
		return;
	vdev->extended_caps = true;

	for (pos = EXT_CAP_START; pos >= EXT_CAP_START && !test_bit(pos, begins);
	     pos = PCI_EXT_CAP_NEXT(header)) {
		pci_read_config_dword(pdev, pos, &header);
		if (!header || header == ~0U)
			break;
		__set_bit(pos, begins);
		nr++;
	}

	for (i = 0, pos = EXT_CAP_START; i < nr; i++, pos = next) {
		const struct cfg_cap *cap;

		pci_read_config_dword(pdev, pos, &header);
		next = PCI_EXT_CAP_NEXT(header);
		cap = cfg_find_ext_cap(PCI_EXT_CAP_ID(header));
		len = cap_length(vdev, cap, pos, next_begin(begins, pos, pdev->cfg_size));
		map_cap(vdev, cap, pos, len, 4);

		/*
		 * The first header is the root of the list, so it stays as a link even if it is
		 * hidden.
		 */
		if (!cap && pos != EXT_CAP_START)
			continue;
		vfio_pci_vconfig_set_dword(vdev, pos, cap ? header & 0x000fffff : 0);
		if (last)
			vfio_pci_vconfig_set_dword(vdev, last,
						   vfio_pci_vconfig_dword(vdev, last) | pos << 20);
		last = pos;
	}
}

/**
 * vfio_pci_config_open() - build the map and the virtual copy of the configuration space
 * @vdev: the device, being opened
 *
 * Return: 0 or -ENOMEM.
 */
int vfio_pci_config_open(struct vfio_pci_core_device *vdev)
{
	int size = vdev->pdev->cfg_size;

	struct vfio_pci_cfg *cfg;

	cfg = kvzalloc(struct_size(cfg, map, size), GFP_KERNEL_ACCOUNT);
	if (!cfg)
		return -ENOMEM;
	mutex_init(&cfg->lock);
	vdev->pci_config_map = (u8 *)cfg;
	vdev->vconfig = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!vdev->vconfig) {
		vfio_pci_config_close(vdev);
		return -ENOMEM;
	}

	map_range(vdev, 0, size, 0, 0xff);
	map_header(vdev);
	map_caps(vdev);
	map_ext_caps(vdev);
	return 0;
}

/**
 * vfio_pci_config_close() - undo vfio_pci_config_open()
 * @vdev: the device, being closed
 */
void vfio_pci_config_close(struct vfio_pci_core_device *vdev)
{
	if (vdev->pci_config_map)
		mutex_destroy(&vfio_pci_cfg(vdev)->lock);
	kvfree(vdev->pci_config_map);
	vdev->pci_config_map = NULL;
	kvfree(vdev->vconfig);
	vdev->vconfig = NULL;
	vdev->extended_caps = false;
}
