/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look-up of devices on all buses, by name.
 */
#ifndef IOMMUSCOPE_MACHINE_DEVICES_H
#define IOMMUSCOPE_MACHINE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#define DEVICE_NAME_SIZE 64

/**
 * find_device() - check that a device exists
 * @wanted: its name; the PCI domain may be omitted
 * @name: set to the full name
 *
 * Return: whether there is such a device on any bus.
 */
bool find_device(const char *wanted, char name[DEVICE_NAME_SIZE]);

/**
 * device_path() - find the directory of a device in sysfs
 * @device: its name
 * @path: set to the path, "" if there is none
 * @size: size of @path
 *
 * Return: whether there is such a device on any bus.
 */
bool device_path(const char *device, char *path, size_t size);

#endif
