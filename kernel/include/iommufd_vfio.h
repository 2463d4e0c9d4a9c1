/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The groups of a VFIO container, which is an iommufd.  iommufd's vfio_group.c describes the
 * model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_VFIO_H
#define IOMMUSCOPE_IOMMUFD_VFIO_H

struct device;
struct iommu_group;
struct iommufd_ctx;

int iommufd_vfio_group_join(struct iommufd_ctx *ictx, struct iommu_group *group,
			    struct device *dev);
void iommufd_vfio_group_leave(struct iommufd_ctx *ictx, struct iommu_group *group);
void iommufd_vfio_group_move(struct iommufd_ctx *ictx, struct iommu_group *group,
			     struct device *from, struct device *to);

#endif
