/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that the kernel exports to iommufd in the symbol namespace IOMMUFD_INTERNAL but
 * declares in no installed header.  A module that uses them needs
 * MODULE_IMPORT_NS(IOMMUFD_INTERNAL).
 */
#ifndef IOMMUSCOPE_IOMMU_INTERNAL_H
#define IOMMUSCOPE_IOMMU_INTERNAL_H

#include <linux/iommu.h>

/**
 * iommu_group_replace_domain() - move all devices of a group to another domain, in one call
 * @group: the group, attached to a domain by iommu_attach_group()
 * @new_domain: the domain to move to
 *
 * The IOMMU driver can switch each device without a gap.  On failure the devices stay on their old
 * domain.
 *
 * Return: 0 or a negative errno; -EINVAL: a device and the domain are not compatible.
 */
int iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *new_domain);

/**
 * iommu_driver_ops() - operations of the IOMMU driver behind a device
 * @dev: the device, which stays in its IOMMU group while the result is used
 *
 * Return: the operations.
 */
static inline const struct iommu_ops *iommu_driver_ops(struct device *dev)
{
	return dev->iommu->iommu_dev->ops;
}

#endif
