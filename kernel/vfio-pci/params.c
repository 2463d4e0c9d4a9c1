// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters that the driver module sets before it has any devices.
 */
#include <linux/export.h>
#include <linux/vfio_pci_core.h>

#include "core_private.h"

bool vfio_pci_nointxmask;
bool vfio_pci_disable_vga;
bool vfio_pci_disable_idle_d3;

/**
 * vfio_pci_core_set_params() - set the parameters of the driver module
 * @nointxmask: do not rely on any device to mask its INTx
 * @is_disable_vga: no device has a VGA region
 * @is_disable_idle_d3: unused devices stay awake
 */
void vfio_pci_core_set_params(bool nointxmask, bool is_disable_vga, bool is_disable_idle_d3)
{
	vfio_pci_nointxmask = nointxmask;
	vfio_pci_disable_vga = is_disable_vga;
	vfio_pci_disable_idle_d3 = is_disable_idle_d3;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_set_params);
