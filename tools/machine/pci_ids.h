/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of PCI devices, from the system's pci.ids.
 */
#ifndef IOMMUSCOPE_MACHINE_PCI_IDS_H
#define IOMMUSCOPE_MACHINE_PCI_IDS_H

#include <stddef.h>
#include <stdint.h>

#define PCI_NAME_SIZE 128

/**
 * pci_ids_find() - look up the name of a device in a file
 * @path: the file, in the format of pci.ids
 * @vendor: id of the vendor
 * @device: id of the device
 * @name: set to the name: vendor and device, only the vendor if the device is not known, or ""
 */
void pci_ids_find(const char *path, uint16_t vendor, uint16_t device, char name[PCI_NAME_SIZE]);

/**
 * pci_device_name() - name of the model of a PCI device
 * @bdf: its name, "0000:01:00.0"
 *
 * Names are cached, so each device is looked up once.
 *
 * Return: the name, "" if it is not a PCI device or not known.
 */
const char *pci_device_name(const char *bdf);

#endif
