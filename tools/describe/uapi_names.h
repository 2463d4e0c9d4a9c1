/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of ioctls and of VFIO's features, as <linux/iommufd.h> and <linux/vfio.h> have them.
 */
#ifndef IOMMUSCOPE_DESCRIBE_UAPI_NAMES_H
#define IOMMUSCOPE_DESCRIBE_UAPI_NAMES_H

#include <stdint.h>

/* VFIO gives a number to one ioctl of devices and to another one of containers. */
enum ioctl_of {
	/* of VFIO's devices and groups */
	IOCTL_OF_VFIO,
	/* of /dev/iommu, which takes those of containers as well */
	IOCTL_OF_IOMMUFD,
};

/**
 * ioctl_name() - name of an ioctl
 * @of: of what kind of file
 * @number: its number
 *
 * Return: the name of its macro, NULL if this version knows none.
 */
const char *ioctl_name(enum ioctl_of of, uint64_t number);

/**
 * feature_name() - name of a feature of VFIO devices
 * @flags: of struct vfio_device_feature
 *
 * Return: the name of its macro without VFIO_DEVICE_FEATURE_, NULL if this version knows none.
 */
const char *feature_name(uint64_t flags);

/**
 * feature_request() - what is asked of a feature of VFIO devices
 * @flags: of struct vfio_device_feature
 *
 * Return: "get", "set", "probe" and the like, "" if nothing is.
 */
const char *feature_request(uint64_t flags);

#endif
