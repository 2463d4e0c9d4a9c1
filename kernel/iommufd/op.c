// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations under observation: the clocks, and the way from an operation to its event.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/string.h>

#include "iommufd_private.h"

#define CREATE_TRACE_POINTS
#include "iommufd.h"

/* Counts the enabled events, so that the clocks of a phase run for whichever of them it is. */
DEFINE_STATIC_KEY_FALSE(iommufd_op_key);

/* See op_cycle_ns(). */
static u64 cycle_ns;

int iommufd_event_enabled(void)
{
	WRITE_ONCE(cycle_ns, op_cycle_ns());
	static_branch_inc(&iommufd_op_key);
	return 0;
}

void iommufd_event_disabled(void)
{
	static_branch_dec(&iommufd_op_key);
}

void __iommufd_op_begin(struct iommufd_op *op, struct iommufd_ctx *ictx,
			enum iommufd_opcode opcode)
{
	u64 tick_ns = READ_ONCE(cycle_ns);

	op_clock_begin(op, opcode, IOMMUFD_PHASE_other, tick_ns);
	op->ctx_id = ictx ? ictx->id : 0;
}

void __iommufd_op_device(struct iommufd_op *op, struct device *dev)
{
	struct iommu_group *group;

	if (!op->armed)
		return;
	strscpy(op->device, dev_name(dev), sizeof(op->device));
	group = iommu_group_get(dev);
	if (group) {
		op->group_id = iommu_group_id(group);
		iommu_group_put(group);
	}
	iommufd_iommu_driver_name(dev, op->iommu_driver, sizeof(op->iommu_driver));
}

void __iommufd_op_start(struct iommufd_op *op)
{
	if (!op->armed)
		return;

	switch (op->opcode) {
#define IOMMUFD_START_CASE(name)                                                                   \
	case IOMMUFD_OPERATION_##name:                                                             \
		trace_iommufd_##name##_start(op);                                                  \
		break;
	IOMMUFD_START_CASE(map)
	IOMMUFD_START_CASE(copy)
	IOMMUFD_START_CASE(unmap)
	IOMMUFD_START_CASE(attach)
	IOMMUFD_START_CASE(replace)
	IOMMUFD_START_CASE(detach)
	IOMMUFD_START_CASE(hwpt_alloc)
#undef IOMMUFD_START_CASE
	}
}

void __iommufd_op_fail(struct iommufd_op *op, enum iommufd_reason reason, u64 a, u64 b)
{
	op_clock_fail(op, reason, a, b);
}

void __iommufd_op_end(struct iommufd_op *op, int ret)
{
	if (!op->armed)
		return;
	op_clock_end(op, ret, IOMMUFD_PHASE_other,
		     op->opcode < IOMMUFD_OPERATION_bind ? IOMMUFD_PHASE_unpin + 1 :
							   IOMMUFD_NR_PHASES);

	switch (op->opcode) {
#define IOMMUFD_END_CASE(name)                                                                     \
	case IOMMUFD_OPERATION_##name:                                                             \
		trace_iommufd_##name(op);                                                          \
		break;
	IOMMUFD_MEMORY_OPERATIONS(IOMMUFD_END_CASE)
	IOMMUFD_TRANSLATION_OPERATIONS(IOMMUFD_END_CASE)
	IOMMUFD_OBJECT_OPERATIONS(IOMMUFD_END_CASE)
#undef IOMMUFD_END_CASE
	}
}
