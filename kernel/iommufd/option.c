// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_OPTION: sets and reads simple values of a context or an object.
 */
#include <linux/capability.h>

#include "call.h"
#include "iommufd_private.h"

static int check_flag(struct iommufd_op *op, u64 value)
{
	if (value > 1)
		return iommufd_op_fail(op, -EINVAL, IOMMUFD_REASON_bad_value, value, 1);
	return 0;
}

/*
 * The mode can change only while the context is empty, so that all its memory is accounted alike.
 */
static int set_rlimit_mode(struct iommufd_ctx *ictx, struct iommufd_op *op, u64 value)
{
	int rc;

	if (!capable(CAP_SYS_RESOURCE))
		return iommufd_op_fail(op, -EPERM, IOMMUFD_REASON_not_permitted, 0, 0);
	rc = check_flag(op, value);
	if (rc)
		return rc;
	xa_lock(&ictx->objects);
	if (xa_empty(&ictx->objects))
		ictx->account_mode = value ? IOMMUFD_ACCOUNT_PROCESS : IOMMUFD_ACCOUNT_USER;
	else
		rc = iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_object_busy, 0, 0);
	xa_unlock(&ictx->objects);
	return rc;
}

static int option_rlimit_mode(struct iommufd_call *call, struct iommu_option *cmd)
{
	if (cmd->object_id)
		return iommufd_op_fail(call->op, -EOPNOTSUPP, IOMMUFD_REASON_bad_value,
				       cmd->object_id, 0);
	if (cmd->op == IOMMU_OPTION_OP_SET)
		return set_rlimit_mode(call->ictx, call->op, cmd->val64);
	cmd->val64 = READ_ONCE(call->ictx->account_mode) == IOMMUFD_ACCOUNT_PROCESS;
	return 0;
}

static int option_huge_pages(struct iommufd_call *call, struct iommu_option *cmd)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_get_ioas(call->ictx, call->op, cmd->object_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	call->op->object_type = IOMMUFD_OBJECT_IOAS;
	if (cmd->op == IOMMU_OPTION_OP_SET) {
		rc = check_flag(call->op, cmd->val64);
		if (!rc)
			rc = iommufd_ioas_set_huge_pages(ioas, call->op, cmd->val64);
	} else {
		cmd->val64 = READ_ONCE(ioas->huge_pages) && !READ_ONCE(ioas->cuts);
	}
	iommufd_object_put(call->ictx, &ioas->obj);
	return rc;
}

/**
 * iommufd_option_ioctl() - IOMMU_OPTION
 * @call: the call
 *
 * Return: 0 or a negative errno.
 */
int iommufd_option_ioctl(struct iommufd_call *call)
{
	struct iommu_option *cmd = call->arg;
	struct iommufd_op *op = call->op;
	int rc;

	op->object_id = cmd->object_id;
	op->value = cmd->val64;
	op->flags = cmd->option_id;
	if (cmd->__reserved)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_reserved_not_zero,
				       cmd->__reserved, 0);
	if (cmd->op != IOMMU_OPTION_OP_SET && cmd->op != IOMMU_OPTION_OP_GET)
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported, cmd->op, 0);

	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		rc = option_rlimit_mode(call, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		rc = option_huge_pages(call, cmd);
		break;
	default:
		return iommufd_op_fail(op, -EOPNOTSUPP, IOMMUFD_REASON_not_supported,
				       cmd->option_id, 0);
	}
	return rc ?: iommufd_call_respond(call);
}
