/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One ioctl in flight, as main.c passes it to the file that serves it.
 *
 * main.c has copied the structure from user space and checked its size; bytes beyond what user
 * space passed are zero.  A call belongs to the thread that makes it and needs no lock.
 */
#ifndef IOMMUSCOPE_IOMMUFD_CALL_H
#define IOMMUSCOPE_IOMMUFD_CALL_H

#include <linux/types.h>
#include <linux/uaccess.h>

#include "memory/fault.h"
#include "iommufd_private.h"

/**
 * struct iommufd_call - one ioctl
 * @ictx: the context
 * @op: the operation, started
 * @arg: the kernel's copy of the structure
 * @user: the structure in user space
 * @user_size: size that user space passed
 * @size: size known to this kernel
 */
struct iommufd_call {
	struct iommufd_ctx *ictx;
	struct iommufd_op *op;
	void *arg;
	void __user *user;
	u32 user_size;
	u32 size;
};

/**
 * iommufd_call_respond() - copy the structure back to user space
 * @call: the call
 *
 * Return: 0 or -EFAULT.
 */
static inline int iommufd_call_respond(struct iommufd_call *call)
{
	iommufd_may_fault();
	if (copy_to_user(call->user, call->arg, min(call->user_size, call->size)))
		return iommufd_op_fail(call->op, -EFAULT, IOMMUFD_REASON_bad_user_pointer,
				       (uintptr_t)call->user, call->size);
	return 0;
}

/* ioas_ioctl.c */
int iommufd_ioas_alloc_ioctl(struct iommufd_call *call);
int iommufd_ioas_allow_iovas_ioctl(struct iommufd_call *call);
int iommufd_ioas_iova_ranges_ioctl(struct iommufd_call *call);
int iommufd_ioas_map_ioctl(struct iommufd_call *call);
int iommufd_ioas_copy_ioctl(struct iommufd_call *call);
int iommufd_ioas_unmap_ioctl(struct iommufd_call *call);

/* option.c */
int iommufd_option_ioctl(struct iommufd_call *call);

/* hwpt.c */
int iommufd_hwpt_alloc_ioctl(struct iommufd_call *call);

/* hw_info.c */
int iommufd_get_hw_info_ioctl(struct iommufd_call *call);

/* vfio_ioas.c */
int iommufd_vfio_ioas_ioctl(struct iommufd_call *call);

/* vfio_compat.c */
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd, unsigned long arg);

#endif
