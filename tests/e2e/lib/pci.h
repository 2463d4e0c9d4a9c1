/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices in sysfs: find one, bind it to a driver, remove it.
 *
 * Devices are named by their address, "0000:00:03.0". Functions return 0 or a negative errno
 * unless stated otherwise.
 */
#ifndef IOMMUSCOPE_E2E_PCI_H
#define IOMMUSCOPE_E2E_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_BDF_SIZE 16

/**
 * pci_find() - find a device by its ids
 * @vendor: vendor id
 * @device: device id
 * @bus: bus number, or -1 for any
 * @n: index among those that match, in the order of their addresses
 * @bdf: is set to the address, PCI_BDF_SIZE bytes
 *
 * Return: 0, or -ENODEV if there are no more than @n of them
 */
int pci_find(unsigned int vendor, unsigned int device, int bus, unsigned int n, char *bdf);

/**
 * pci_attr() - read an attribute of a device
 * @bdf: the device
 * @name: file in its directory in sysfs
 * @value: is set to the text without the newline
 * @size: of @value
 */
int pci_attr(const char *bdf, const char *name, char *value, size_t size);

/**
 * pci_link() - where a link in a device's directory points to
 * @bdf: the device
 * @name: the link, e.g. "driver", "iommu_group"
 * @value: is set to the last component of its target
 * @size: of @value
 */
int pci_link(const char *bdf, const char *name, char *value, size_t size);

/**
 * pci_group() - the IOMMU group of a device
 * @bdf: the device
 *
 * Return: its number or a negative errno
 */
int pci_group(const char *bdf);

/**
 * pci_iommu_kind() - the kind of IOMMU that a device is behind
 * @bdf: the device
 *
 * Return: "intel", "amd", "virtio", or "none"
 */
const char *pci_iommu_kind(const char *bdf);

/**
 * pci_vfio_node() - the device node that VFIO made for a device
 * @bdf: the device
 * @path: is set to /dev/vfio/devices/vfioX
 * @size: of @path
 */
int pci_vfio_node(const char *bdf, char *path, size_t size);

/**
 * pci_unbind() - take a device from its driver
 * @bdf: the device
 *
 * Waits until the driver has released it. A device without a driver is not an error.
 */
int pci_unbind(const char *bdf);

/**
 * pci_bind() - bind a device to a driver, whichever had it before
 * @bdf: the device
 * @driver: name of the driver
 *
 * Return: 0, or a negative errno: -ENODEV if the driver did not take it
 */
int pci_bind(const char *bdf, const char *driver);

/**
 * pci_remove() - remove a device from the system, as on hot-unplug
 * @bdf: the device
 *
 * Waits until its driver has released it.
 */
int pci_remove(const char *bdf);

/**
 * pci_rescan() - look for devices that were removed
 */
int pci_rescan(void);

/**
 * pci_present() - is there such a device?
 * @bdf: the device
 */
bool pci_present(const char *bdf);

/**
 * pci_slot_power() - switch the power of the slot that a device is in off or on
 * @bdf: the device, directly behind a port with a power controller
 * @on: on
 *
 * The kernel does not notice: the device still exists for it, but does not answer.
 *
 * Return: 0 or a negative errno, -ENODEV if its port has no power controller.
 */
int pci_slot_power(const char *bdf, bool on);

/**
 * pci_tear_out() - remove a device by surprise
 * @bdf: the device, directly behind a port with PCIe hot plug
 *
 * The driver of the port sees an empty slot that has power.
 *
 * Return: 0 or a negative errno.
 */
int pci_tear_out(const char *bdf);

#endif
