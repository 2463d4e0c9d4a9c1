// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAS of a context that the ioctls of VFIO containers work on.
 *
 * iommufd_ctx.vfio_ioas is a plain pointer, guarded by the lock of the object table.  A destroy of
 * the IOAS clears it.  Without an IOMMU there is no such IOAS, and the context is in no-IOMMU mode
 * for the rest of its life.
 */
#include <linux/iommufd.h>

#include "call.h"
#include "iommufd_private.h"
#include "vfio_compat.h"

/**
 * iommufd_vfio_ioas_get() - look up the compatibility IOAS
 * @ictx: the context
 * @op: the operation; gets the reason no_compat_ioas
 *
 * Return: the IOAS, which the caller releases with iommufd_object_put(), or ERR_PTR(-ENODEV).
 */
struct iommufd_ioas *iommufd_vfio_ioas_get(struct iommufd_ctx *ictx, struct iommufd_op *op)
{
	struct iommufd_ioas *ioas;

	xa_lock(&ictx->objects);
	ioas = ictx->vfio_ioas;
	/*
	 * If the count is 0, a destroy has already waited for the last user and is about to free
	 * the IOAS.
	 */
	if (ioas && !refcount_inc_not_zero(&ioas->obj.short_users))
		ioas = NULL;
	xa_unlock(&ictx->objects);
	if (!ioas)
		return ERR_PTR(iommufd_op_fail(op, -ENODEV, IOMMUFD_REASON_no_compat_ioas, 0, 0));
	return ioas;
}

/**
 * iommufd_vfio_compat_ioas_get_id() - id of the compatibility IOAS
 * @ictx: the context
 * @out_ioas_id: out: the id
 *
 * Return: 0 or -ENODEV.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	int rc = -ENODEV;

	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas) {
		*out_ioas_id = ictx->vfio_ioas->obj.id;
		rc = 0;
	}
	xa_unlock(&ictx->objects);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu() - restrict the context to devices without an IOMMU
 * @ictx: the context
 *
 * Return: 0; -EINVAL: it has a compatibility IOAS.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	int rc = 0;

	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas)
		rc = -EINVAL;
	else
		ictx->no_iommu_mode = 1;
	xa_unlock(&ictx->objects);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_ioas_create() - make sure that there is a compatibility IOAS
 * @ictx: the context
 *
 * An IOAS that is set already stays.  A user that wants to avoid the automatic IOAS sets one with
 * IOMMU_VFIO_IOAS first.
 *
 * Return: 0; -EINVAL: the context is in no-IOMMU mode; -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	struct iommufd_op op;
	bool unused = true;
	int rc = 0;

	iommufd_op_begin(&op, ictx, IOMMUFD_OPERATION_ioas_alloc);
	op.object_type = IOMMUFD_OBJECT_IOAS;
	ioas = iommufd_ioas_alloc(ictx, &op);
	if (IS_ERR(ioas)) {
		rc = PTR_ERR(ioas);
		goto out_end;
	}

	xa_lock(&ictx->objects);
	if (ictx->no_iommu_mode) {
		rc = iommufd_op_fail(&op, -EINVAL, IOMMUFD_REASON_not_supported, 0, 0);
	} else if (!ictx->vfio_ioas) {
		/* Finalize it under the same lock: a reader of the id may use it at once. */
		iommufd_object_finalize_locked(ictx, &ioas->obj);
		ictx->vfio_ioas = ioas;
		unused = false;
	}
	op.object_id = ictx->vfio_ioas ? ictx->vfio_ioas->obj.id : 0;
	xa_unlock(&ictx->objects);

	if (unused) {
		iommufd_ioas_fini(ioas);
		iommufd_object_abort(ictx, &ioas->obj);
	}
out_end:
	iommufd_op_end(&op, rc);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

static int vfio_ioas_get(struct iommufd_call *call, struct iommu_vfio_ioas *cmd)
{
	struct iommufd_ioas *ioas = iommufd_vfio_ioas_get(call->ictx, call->op);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->ioas_id = ioas->obj.id;
	call->op->object_id = ioas->obj.id;
	iommufd_object_put(call->ictx, &ioas->obj);
	return iommufd_call_respond(call);
}

static int vfio_ioas_set(struct iommufd_call *call, struct iommu_vfio_ioas *cmd)
{
	struct iommufd_ctx *ictx = call->ictx;
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_get_ioas(ictx, call->op, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ictx->objects);
	if (ictx->no_iommu_mode)
		rc = iommufd_op_fail(call->op, -EINVAL, IOMMUFD_REASON_not_supported, 0, 0);
	else
		ictx->vfio_ioas = ioas;
	xa_unlock(&ictx->objects);
	/* Only now: a destroy, which clears the pointer, may continue after this. */
	iommufd_object_put(ictx, &ioas->obj);
	return rc;
}

/**
 * iommufd_vfio_ioas_ioctl() - IOMMU_VFIO_IOAS
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_vfio_ioas_ioctl(struct iommufd_call *call)
{
	struct iommu_vfio_ioas *cmd = call->arg;
	struct iommufd_op *op = call->op;

	op->object_type = IOMMUFD_OBJECT_IOAS;
	op->object_id = cmd->ioas_id;
	op->flags = cmd->op;
	if (cmd->__reserved)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved, 0);
	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		return vfio_ioas_get(call, cmd);
	case IOMMU_VFIO_IOAS_SET:
		return vfio_ioas_set(call, cmd);
	case IOMMU_VFIO_IOAS_CLEAR:
		xa_lock(&call->ictx->objects);
		call->ictx->vfio_ioas = NULL;
		xa_unlock(&call->ictx->objects);
		return 0;
	default:
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported, cmd->op, 0);
	}
}
