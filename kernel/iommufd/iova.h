/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which IOVAs of an IOAS may be used; iova.c has the model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_IOVA_H
#define IOMMUSCOPE_IOMMUFD_IOVA_H

#include <uapi/linux/iommufd.h>

#include "op.h"

struct iommufd_ioas;
struct iommufd_op;

/**
 * struct iommufd_iova_set - sorted, disjoint ranges
 * @nr: how many
 * @ranges: the ranges, inclusive
 */
struct iommufd_iova_set {
	unsigned int nr;
	struct iommu_iova_range ranges[];
};

int iommufd_iova_init(struct iommufd_ioas *ioas);
void iommufd_iova_fini(struct iommufd_ioas *ioas);
int iommufd_iova_reserve_locked(struct iommufd_ioas *ioas, struct iommufd_op *op,
				unsigned long start, unsigned long last, const void *owner,
				enum iommufd_reason reason);
void iommufd_iova_unreserve_locked(struct iommufd_ioas *ioas, const void *owner);

#endif
