/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a context, and the register of open contexts.  ctx.c describes the model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_CTX_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_CTX_H

#include "iommufd_private.h"

int iommufd_ctx_register(struct iommufd_ctx *ictx);
void iommufd_ctx_publish(struct iommufd_ctx *ictx);
void iommufd_ctx_unregister(struct iommufd_ctx *ictx);
void iommufd_ctx_note_user(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_look_up(u32 *id);
void iommufd_ctx_let_go(struct iommufd_ctx *ictx);

#endif
