/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Usable IOVAs of an IOAS; iova.c describes the model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_IOVA_H
#define IOMMUSCOPE_IOMMUFD_IOVA_H

#include <uapi/linux/iommufd.h>

#include "op.h"

struct iommufd_ioas;
struct iommufd_op;

/**
 * struct iommufd_iova_set - sorted, disjoint ranges
 * @nr: number of ranges
 * @ranges: the ranges, inclusive
 */
struct iommufd_iova_set {
	unsigned int nr;
	struct iommu_iova_range ranges[];
};

/**
 * struct iommufd_iova_space - free space of an IOAS
 * @ranges: number of usable ranges
 * @first: first usable IOVA
 * @last: last usable IOVA
 * @bytes: sum of the usable ranges; the largest number for the whole space
 * @largest_hole: largest free range
 * @alloc_hole: largest area that iommufd_iova_alloc() can place
 * @only_allowed: allowed ranges restrict the space
 */
struct iommufd_iova_space {
	unsigned int ranges;
	unsigned long first;
	unsigned long last;
	unsigned long bytes;
	unsigned long largest_hole;
	unsigned long alloc_hole;
	bool only_allowed;
};

int iommufd_iova_init(struct iommufd_ioas *ioas);
void iommufd_iova_fini(struct iommufd_ioas *ioas);
int iommufd_iova_reserve_locked(struct iommufd_ioas *ioas, struct iommufd_op *op,
				unsigned long start, unsigned long last, const void *owner,
				enum iommufd_reason reason);
void iommufd_iova_unreserve_locked(struct iommufd_ioas *ioas, const void *owner);
void iommufd_iova_measure(struct iommufd_ioas *ioas, struct iommufd_iova_space *space);

#endif
