/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO compatibility: an iommufd in the role of a VFIO container.
 */
#ifndef IOMMUSCOPE_IOMMUFD_VFIO_COMPAT_H
#define IOMMUSCOPE_IOMMUFD_VFIO_COMPAT_H

struct iommufd_ctx;
struct iommufd_ioas;
struct iommufd_op;

/* vfio_ioas.c */
struct iommufd_ioas *iommufd_vfio_ioas_get(struct iommufd_ctx *ictx, struct iommufd_op *op);

/* vfio_group.c */
int iommufd_vfio_groups_attach(struct iommufd_ctx *ictx, struct iommufd_op *op,
			       struct iommufd_ioas *ioas);

/* vfio_info.c */
int iommufd_vfio_get_info(struct iommufd_ctx *ictx, struct iommufd_op *op, void __user *arg);

#endif
