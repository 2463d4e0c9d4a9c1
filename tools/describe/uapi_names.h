/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of ioctls and of VFIO's features, as in <linux/iommufd.h> and <linux/vfio.h>.
 */
#ifndef IOMMUSCOPE_DESCRIBE_UAPI_NAMES_H
#define IOMMUSCOPE_DESCRIBE_UAPI_NAMES_H

#include <stdint.h>

/* VFIO uses the same number for an ioctl of devices and for another one of containers. */
enum ioctl_of {
	/* VFIO's devices and groups */
	IOCTL_OF_VFIO,
	/* /dev/iommu, which also accepts the ioctls of containers */
	IOCTL_OF_IOMMUFD,
};

/**
 * ioctl_name() - name of an ioctl
 * @of: the kind of file
 * @number: its number
 *
 * Return: the name of its macro, NULL if this version does not know it.
 */
const char *ioctl_name(enum ioctl_of of, uint64_t number);

/**
 * feature_name() - name of a feature of VFIO devices
 * @flags: of struct vfio_device_feature
 *
 * Return: the name of its macro without VFIO_DEVICE_FEATURE_, or NULL.
 */
const char *feature_name(uint64_t flags);

/**
 * feature_request() - name of the request on a feature of VFIO devices
 * @flags: of struct vfio_device_feature
 *
 * Return: "get", "set", "probe" etc.; "" if nothing is requested.
 */
const char *feature_request(uint64_t flags);

#endif
