/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of the contents of a context, for observers.  ctx.c describes how an observer keeps a
 * context.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_STATE_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_STATE_H

#include "iommufd_private.h"
#include "iommufd_state.h"

struct seq_file;

/* state_record.c */
void iommufd_state_of_ctx(struct iommufd_ctx *ictx, struct iommufd_state_ctx *record);
void iommufd_state_of_object(struct iommufd_ctx *ictx, struct iommufd_object *obj, void *record);
int iommufd_state_of_area(struct iommufd_ioas *ioas, u64 iova, struct iommufd_state_area *record);
void iommufd_state_show(struct seq_file *file, struct iommufd_ctx *ictx);

/* state_iter.c */
int iommufd_state_iter_init(void);

#endif
