// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations under observation: the dispatch of an operation to its event.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "vfio_private.h"

#define CREATE_TRACE_POINTS
#include "vfio.h"

/* Counts the enabled events, so that the clocks run while any event is enabled. */
DEFINE_STATIC_KEY_FALSE(vfio_op_key);
EXPORT_SYMBOL_NS_GPL(vfio_op_key, IOMMUSCOPE_VFIO);

/* See op_cycle_ns(). */
static u64 cycle_ns;

/**
 * vfio_event_enabled() - called when an event gets its first probe
 *
 * Return: 0.
 */
int vfio_event_enabled(void)
{
	WRITE_ONCE(cycle_ns, op_cycle_ns());
	static_branch_inc(&vfio_op_key);
	return 0;
}

/**
 * vfio_event_disabled() - called when an event loses its last probe
 */
void vfio_event_disabled(void)
{
	static_branch_dec(&vfio_op_key);
}

/**
 * __vfio_op_device() - the part of vfio_op_device() that runs while an event is enabled
 * @op: the operation
 * @device: the device
 */
void __vfio_op_device(struct vfio_op *op, struct vfio_device *device)
{
	struct iommu_group *group;

	strscpy(op->device, dev_name(device->dev), sizeof(op->device));
	strscpy(op->node, dev_name(&device->device), sizeof(op->node));
	group = iommu_group_get(device->dev);
	if (group) {
		op->group_id = iommu_group_id(group);
		iommu_group_put(group);
	}
}

/**
 * __vfio_op_begin() - the part of vfio_op_begin() that runs while an event is enabled
 * @op: the operation
 * @device: the device it works on, or NULL
 * @opcode: its kind
 */
void __vfio_op_begin(struct vfio_op *op, struct vfio_device *device, enum vfio_opcode opcode)
{
	u64 tick_ns = READ_ONCE(cycle_ns);

	op_zero(&op->story, sizeof(op->story));
	op_clock_begin(&op->clock, opcode, VFIO_PHASE_other, tick_ns);
	if (device)
		__vfio_op_device(op, device);
}
EXPORT_SYMBOL_NS_GPL(__vfio_op_begin, IOMMUSCOPE_VFIO);

/**
 * __vfio_op_start() - the part of vfio_op_start() that runs while an event is enabled
 * @op: the operation
 */
void __vfio_op_start(struct vfio_op *op)
{
	switch (op->clock.opcode) {
#define VFIO_START_CASE(name)                                                                      \
	case VFIO_OPERATION_##name:                                                                \
		trace_vfio_##name##_start(op);                                                     \
		break;
	VFIO_START_EVENTS(VFIO_START_CASE)
#undef VFIO_START_CASE
	}
}
EXPORT_SYMBOL_NS_GPL(__vfio_op_start, IOMMUSCOPE_VFIO);

/**
 * __vfio_op_end() - the part of vfio_op_end() that runs while an event is enabled
 * @op: the operation
 * @ret: its result
 */
void __vfio_op_end(struct vfio_op *op, int ret)
{
	op_clock_end(&op->clock, op->phase_ns, ret, VFIO_PHASE_other, VFIO_NR_PHASES);

	switch (op->clock.opcode) {
#define VFIO_END_CASE(name, number)                                                                \
	case VFIO_OPERATION_##name:                                                                \
		trace_vfio_##name(op);                                                             \
		break;
	VFIO_DEVICE_OPERATIONS(VFIO_END_CASE)
	VFIO_IRQ_OPERATIONS(VFIO_END_CASE)
	VFIO_REGION_OPERATIONS(VFIO_END_CASE)
#undef VFIO_END_CASE
	}
}
EXPORT_SYMBOL_NS_GPL(__vfio_op_end, IOMMUSCOPE_VFIO);
