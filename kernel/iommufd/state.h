/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at contexts from outside of them: the register of open contexts, and records of what is
 * in one.  state.c tells the model.
 */
#ifndef IOMMUSCOPE_IOMMUFD_KERNEL_STATE_H
#define IOMMUSCOPE_IOMMUFD_KERNEL_STATE_H

#include "iommufd_private.h"
#include "iommufd_state.h"

struct seq_file;

/* state.c: the register, and who stands behind a context */
int iommufd_ctx_register(struct iommufd_ctx *ictx);
void iommufd_ctx_publish(struct iommufd_ctx *ictx);
void iommufd_ctx_unregister(struct iommufd_ctx *ictx);
void iommufd_ctx_note_user(struct iommufd_ctx *ictx);
struct iommufd_ctx *iommufd_ctx_look_up(u32 *id);
void iommufd_ctx_let_go(struct iommufd_ctx *ictx);

/* state_record.c */
void iommufd_state_of_ctx(struct iommufd_ctx *ictx, struct iommufd_state_ctx *record);
int iommufd_state_of_object(struct iommufd_ctx *ictx, struct iommufd_object *obj, void *record);
int iommufd_state_of_area(struct iommufd_ioas *ioas, u64 iova, struct iommufd_state_area *record);
void iommufd_state_show(struct seq_file *file, struct iommufd_ctx *ictx);

/* state_iter.c */
int iommufd_state_iter_init(void);

#endif
