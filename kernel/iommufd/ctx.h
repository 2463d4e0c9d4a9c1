/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lifetime of a context, and the register of open contexts.  ctx.c describes the model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_CTX_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_CTX_H

#include <linux/percpu.h>

#include "iommufd_private.h"

int iommufd_ctx_register(struct iommufd_ctx *ictx);
void iommufd_ctx_publish(struct iommufd_ctx *ictx);
void iommufd_ctx_unregister(struct iommufd_ctx *ictx);
void iommufd_ctx_note_user(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_look_up(u32 *id);
void iommufd_ctx_let_go(struct iommufd_ctx *ictx);
void iommufd_ctx_sum(struct iommufd_ctx *ictx, struct iommufd_ctx_sums *sum);

/**
 * iommufd_ctx_sum_areas() - count areas that were added or removed
 * @ictx: the context
 * @areas: number of areas; negative if they were removed
 * @bytes: sum of their lengths, with the same sign
 *
 * The counters are per CPU, so that concurrent maps and unmaps do not contend for a cache line.
 */
static inline void iommufd_ctx_sum_areas(struct iommufd_ctx *ictx, s64 areas, s64 bytes)
{
	this_cpu_add(ictx->sums->areas, areas);
	this_cpu_add(ictx->sums->mapped_bytes, bytes);
}

#endif
