// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables behind config_caps.h, from the PCI specifications.
 *
 * Three rules decide what the user may do with a field.  A field that affects only the device
 * belongs to the user.  A field with effects beyond the device (interrupt messages, payload sizes,
 * address decoding, wake-up) is virtual: it shows the value that the user wrote.  A field on which
 * the rest of the kernel relies cannot be changed.
 */
#include <linux/array_size.h>
#include <linux/pci.h>
#include <linux/pci_regs.h>

#include "config_caps.h"
#include "core_private.h"

#define ALL	0xffffffffU

const struct cfg_field cfg_header_fields[] = {
	/* On a virtual function, this field reads as all ones. */
	{ PCI_VENDOR_ID, 4, 0, ALL, 0 },
	/* The kernel masks INTx, on behalf of the user and for itself. */
	{ PCI_COMMAND, 2, CFG_HOOK_COMMAND, PCI_COMMAND_INTX_DISABLE,
	  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SPECIAL |
	  PCI_COMMAND_INVALIDATE | PCI_COMMAND_VGA_PALETTE | PCI_COMMAND_PARITY |
	  PCI_COMMAND_WAIT | PCI_COMMAND_SERR | PCI_COMMAND_FAST_BACK |
	  PCI_COMMAND_INTX_DISABLE },
	/* The errors, each cleared by writing a one; the other bits ignore writes. */
	{ PCI_STATUS, 2, 0, 0, 0xffff },
	{ PCI_CACHE_LINE_SIZE, 1, 0, 0, 0xff },
	{ PCI_LATENCY_TIMER, 1, 0, 0, 0xff },
	{ PCI_BIST, 1, 0, 0, 0xff },
	/* The host's addresses stay in the device; the user sizes and moves a copy. */
	{ PCI_BASE_ADDRESS_0, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_BASE_ADDRESS_1, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_BASE_ADDRESS_2, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_BASE_ADDRESS_3, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_BASE_ADDRESS_4, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_BASE_ADDRESS_5, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_ROM_ADDRESS, 4, CFG_HOOK_BAR, ALL, ALL },
	{ PCI_CAPABILITY_LIST, 1, 0, ALL, 0 },
	{ PCI_INTERRUPT_LINE, 1, 0, ALL, ALL },
	{ PCI_INTERRUPT_PIN, 1, 0, ALL, 0 },
	{}
};

static const struct cfg_field pm_fields[] = {
	/* There is no receiver for the wake-up event. */
	{ PCI_PM_PMC, 2, 0, PCI_PM_CAP_PME_MASK, 0 },
	{ PCI_PM_CTRL, 2, CFG_HOOK_POWER, 0xffff, PCI_PM_CTRL_STATE_MASK },
	{}
};

static const struct cfg_field vpd_fields[] = {
	{ PCI_VPD_ADDR, 2, CFG_HOOK_VPD, ALL, ALL },
	{ PCI_VPD_DATA, 4, 0, ALL, ALL },
	{}
};

/*
 * The kernel owns the messages.  The layout depends on the width of the address.  Everything
 * behaves like plain memory, except the pending bits, which config_map.c maps to the device again.
 */
static const struct cfg_field msi_fields[] = {
	{ PCI_MSI_FLAGS, 2, CFG_HOOK_MSI, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE,
	  PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
	{ PCI_MSI_ADDRESS_LO, 4, 0, ALL, ALL & ~3U },
	{ PCI_MSI_ADDRESS_HI, 4, 0, ALL, ALL },
	{ PCI_MSI_DATA_64, 4, 0, ALL, ALL },
	{ PCI_MSI_MASK_64, 4, 0, ALL, ALL },
	{}
};

static const struct cfg_field msix_fields[] = {
	{ PCI_MSIX_FLAGS, 2, 0, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
	{}
};

static const struct cfg_field pcix_fields[] = {
	/* Command: error recovery, relaxed ordering, memory read count, split transactions. */
	{ PCI_X_CMD, 2, 0, 0, 0xffff },
	{ PCI_X_STATUS, 4, 0, 0, 0x20070000 },
	{}
};

#define EXP_DEVCTL_OURS								\
	(PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_READRQ | PCI_EXP_DEVCTL_BCR_FLR)

static const struct cfg_field exp_fields[] = {
	/*
	 * The payload size must suit the whole path, and phantom functions would confuse the IOMMU;
	 * the reset bit is a request to this driver.
	 */
	{ PCI_EXP_DEVCTL, 2, CFG_HOOK_EXP, EXP_DEVCTL_OURS,
	  0xffff & ~PCI_EXP_DEVCTL_PHANTOM },
	{ PCI_EXP_DEVSTA, 2, 0, 0, PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
				   PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD },
	/* Alternative routing was set up when the device was discovered. */
	{ PCI_EXP_DEVCTL2, 2, 0, 0, 0xffff & ~PCI_EXP_DEVCTL2_ARI },
	{}
};

static const struct cfg_field af_fields[] = {
	{ PCI_AF_CTRL, 1, CFG_HOOK_AF, ALL, PCI_AF_CTRL_FLR },
	{}
};

static u8 cap_byte(struct vfio_pci_core_device *vdev, int pos)
{
	u8 byte = 0;

	pci_read_config_byte(vdev->pdev, pos, &byte);
	return byte;
}

static u16 cap_word(struct vfio_pci_core_device *vdev, int pos)
{
	u16 word = 0;

	pci_read_config_word(vdev->pdev, pos, &word);
	return word;
}

static int msi_length(struct vfio_pci_core_device *vdev, int pos)
{
	u16 flags = cap_word(vdev, pos + PCI_MSI_FLAGS);
	int len = flags & PCI_MSI_FLAGS_64BIT ? 14 : 10;

	/* Reserved word, mask and pending bits. */
	return flags & PCI_MSI_FLAGS_MASKBIT ? len + 10 : len;
}

static int pcix_length(struct vfio_pci_core_device *vdev, int pos)
{
	return cap_word(vdev, pos + PCI_X_CMD) & 0x3000 ? PCI_CAP_PCIX_SIZEOF_V2 :
							  PCI_CAP_PCIX_SIZEOF_V0;
}

static int vndr_length(struct vfio_pci_core_device *vdev, int pos)
{
	return cap_byte(vdev, pos + PCI_CAP_FLAGS);
}

static int sata_length(struct vfio_pci_core_device *vdev, int pos)
{
	return (cap_byte(vdev, pos + PCI_SATA_REGS) & PCI_SATA_REGS_MASK) ==
		PCI_SATA_REGS_INLINE ? PCI_SATA_SIZEOF_LONG : PCI_SATA_SIZEOF_SHORT;
}

static int exp_length(struct vfio_pci_core_device *vdev, int pos)
{
	bool link = pci_pcie_type(vdev->pdev) != PCI_EXP_TYPE_RC_END;

	if ((pcie_caps_reg(vdev->pdev) & PCI_EXP_FLAGS_VERS) == 1)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V2 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

static const struct cfg_cap cfg_caps[] = {
	[PCI_CAP_ID_PM]		= { .known = true, .len = PCI_PM_SIZEOF, .fields = pm_fields },
	[PCI_CAP_ID_AGP]	= { .known = true, .len = PCI_AGP_SIZEOF },
	[PCI_CAP_ID_VPD]	= { .known = true, .len = PCI_CAP_VPD_SIZEOF,
				    .fields = vpd_fields },
	[PCI_CAP_ID_SLOTID]	= { .known = true, .len = 4 },
	[PCI_CAP_ID_MSI]	= { .known = true, .length = msi_length, .fields = msi_fields },
	[PCI_CAP_ID_PCIX]	= { .known = true, .length = pcix_length, .fields = pcix_fields },
	[PCI_CAP_ID_HT]		= { .known = true },
	[PCI_CAP_ID_VNDR]	= { .known = true, .all_write = true, .length = vndr_length },
	[PCI_CAP_ID_EXP]	= { .known = true, .length = exp_length, .fields = exp_fields },
	[PCI_CAP_ID_MSIX]	= { .known = true, .len = PCI_CAP_MSIX_SIZEOF,
				    .fields = msix_fields },
	[PCI_CAP_ID_SATA]	= { .known = true, .length = sata_length },
	[PCI_CAP_ID_AF]		= { .known = true, .len = PCI_CAP_AF_SIZEOF,
				    .fields = af_fields },
};

/**
 * cfg_find_cap() - find the descriptor of a capability
 * @id: its id
 *
 * Return: the descriptor, or NULL if the capability is hidden from users.
 */
const struct cfg_cap *cfg_find_cap(unsigned int id)
{
	return id < ARRAY_SIZE(cfg_caps) && cfg_caps[id].known ? &cfg_caps[id] : NULL;
}

/* Error status, masks and severities belong to the device; the header log is read-only. */
static const struct cfg_field err_fields[] = {
	{ PCI_ERR_UNCOR_STATUS, 4, 0, 0, ALL },
	{ PCI_ERR_UNCOR_MASK, 4, 0, 0, ALL },
	{ PCI_ERR_UNCOR_SEVER, 4, 0, 0, ALL },
	{ PCI_ERR_COR_STATUS, 4, 0, 0, ALL },
	{ PCI_ERR_COR_MASK, 4, 0, 0, ALL },
	{ PCI_ERR_CAP, 4, 0, 0, PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE },
	{}
};

static const struct cfg_field pwr_fields[] = {
	{ PCI_PWR_DSR, 1, 0, 0, ALL },
	{}
};

/* The requested substate; pci_regs.h has no name for it. */
#define DPA_CONTROL	0x0c

static const struct cfg_field dpa_fields[] = {
	{ DPA_CONTROL, 2, 0, 0, 0xffff },
	{}
};

static const struct cfg_field ltr_fields[] = {
	{ PCI_LTR_MAX_SNOOP_LAT, 4, 0, ALL, 0 },
	{}
};

static int vsec_length(struct vfio_pci_core_device *vdev, int pos)
{
	return cap_word(vdev, pos + PCI_VNDR_HEADER + 2) >> 4;
}

static int dvsec_length(struct vfio_pci_core_device *vdev, int pos)
{
	return cap_word(vdev, pos + PCI_DVSEC_HEADER1 + 2) >> 4;
}

/*
 * Settings of the IOMMU driver for the device (ATS, PRI, ACS, SR-IOV) can be seen but not changed.
 */
static const struct cfg_cap cfg_ext_caps[] = {
	[PCI_EXT_CAP_ID_ERR]	= { .known = true, .len = PCI_ERR_ROOT_COMMAND,
				    .fields = err_fields },
	[PCI_EXT_CAP_ID_VC]	= { .known = true },
	[PCI_EXT_CAP_ID_DSN]	= { .known = true, .len = PCI_EXT_CAP_DSN_SIZEOF },
	[PCI_EXT_CAP_ID_PWR]	= { .known = true, .len = PCI_EXT_CAP_PWR_SIZEOF,
				    .fields = pwr_fields },
	[PCI_EXT_CAP_ID_MFVC]	= { .known = true },
	[PCI_EXT_CAP_ID_VC9]	= { .known = true },
	[PCI_EXT_CAP_ID_VNDR]	= { .known = true, .all_write = true, .length = vsec_length },
	[PCI_EXT_CAP_ID_ACS]	= { .known = true },
	[PCI_EXT_CAP_ID_ARI]	= { .known = true, .len = PCI_EXT_CAP_ARI_SIZEOF },
	[PCI_EXT_CAP_ID_ATS]	= { .known = true, .len = PCI_EXT_CAP_ATS_SIZEOF },
	[PCI_EXT_CAP_ID_SRIOV]	= { .known = true, .len = PCI_EXT_CAP_SRIOV_SIZEOF },
	[PCI_EXT_CAP_ID_MCAST]	= { .known = true, .len = PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF },
	[PCI_EXT_CAP_ID_PRI]	= { .known = true, .len = PCI_EXT_CAP_PRI_SIZEOF },
	[PCI_EXT_CAP_ID_REBAR]	= { .known = true },
	[PCI_EXT_CAP_ID_DPA]	= { .known = true, .fields = dpa_fields },
	[PCI_EXT_CAP_ID_TPH]	= { .known = true },
	[PCI_EXT_CAP_ID_LTR]	= { .known = true, .len = PCI_EXT_CAP_LTR_SIZEOF,
				    .fields = ltr_fields },
	[PCI_EXT_CAP_ID_DVSEC]	= { .known = true, .all_write = true, .length = dvsec_length },
};

/**
 * cfg_find_ext_cap() - find the descriptor of an extended capability
 * @id: its id
 *
 * Return: the descriptor, or NULL if the capability is hidden from users.
 */
const struct cfg_cap *cfg_find_ext_cap(unsigned int id)
{
	return id < ARRAY_SIZE(cfg_ext_caps) && cfg_ext_caps[id].known ? &cfg_ext_caps[id] : NULL;
}
