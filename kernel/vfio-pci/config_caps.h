/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of PCI capabilities: the parts that a user sees and may change.
 *
 * A descriptor lists the fields in which a capability differs from the default.  By default, a byte
 * is read from the device and cannot be written.
 */
#ifndef IOMMUSCOPE_VFIO_PCI_CONFIG_CAPS_H
#define IOMMUSCOPE_VFIO_PCI_CONFIG_CAPS_H

#include <linux/types.h>

struct vfio_pci_core_device;

/**
 * struct cfg_field - a field of up to 4 bytes
 * @off: offset from the start of the capability
 * @len: bytes; 0 ends the table
 * @hook: enum vfio_pci_cfg_hook
 * @virt: virtual bits, which come from vconfig
 * @write: bits that the user may change
 */
struct cfg_field {
	u8 off;
	u8 len;
	u8 hook;
	u32 virt;
	u32 write;
};

/**
 * struct cfg_cap - a capability that users see
 * @known: there is a descriptor; capabilities without one are hidden
 * @all_write: every byte after the header may be written
 * @len: its length, or 0 if @length computes it
 * @length: computes the length from the device's registers; may return 0 for "up to the next one"
 * @fields: the fields that differ from the default, or NULL
 */
struct cfg_cap {
	bool known;
	bool all_write;
	u8 len;
	int (*length)(struct vfio_pci_core_device *vdev, int pos);
	const struct cfg_field *fields;
};

extern const struct cfg_field cfg_header_fields[];
const struct cfg_cap *cfg_find_cap(unsigned int id);
const struct cfg_cap *cfg_find_ext_cap(unsigned int id);

#endif
