/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of vfio.  tracepoints/README.md is their catalogue.
 *
 * There are three classes of finished operations (on a device, its interrupts and its regions) and
 * one class of start events.  Every probe gets the whole struct vfio_op, so one BPF program serves
 * all events of a class.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(IOMMUSCOPE_TRACE_VFIO_H) || defined(TRACE_HEADER_MULTI_READ)
#define IOMMUSCOPE_TRACE_VFIO_H

#include <linux/tracepoint.h>

#include "vfio_op.h"
#include "vfio_reasons.h"

#ifndef VFIO_TRACE_ONCE
#define VFIO_TRACE_ONCE
/* Called when the first probe is attached to an event and when the last one is removed. */
int vfio_event_enabled(void);
void vfio_event_disabled(void);
#endif

#define VFIO_REASON_DEFINE(name, a, b, text) TRACE_DEFINE_ENUM(VFIO_REASON_##name);
VFIO_REASONS(VFIO_REASON_DEFINE)
#undef VFIO_REASON_DEFINE

#undef VFIO_REASON_SYMBOL
#define VFIO_REASON_SYMBOL(name, a, b, text) { VFIO_REASON_##name, #name },
#undef vfio_show_reason
#define vfio_show_reason(reason) \
	__print_symbolic(reason, VFIO_REASONS(VFIO_REASON_SYMBOL) { -1, "?" })

DECLARE_EVENT_CLASS(vfio_device,
	TP_PROTO(const struct vfio_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, device_id)
		__field(u32, pt_id)
		__field(u32, group)
		__field(u32, via_group)
		__field(u32, count)
		__field(u32, flags)
		__field(u64, value)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
		__field(u64, iommufd_ns)
		__field(u64, driver_ns)
		__field(u64, reset_ns)
		__string(device, op->device)
		__string(node, op->node)
	),
	TP_fast_assign(
		__entry->device_id = op->device_id;
		__entry->pt_id = op->pt_id;
		__entry->group = op->group_id;
		__entry->via_group = op->via_group;
		__entry->count = op->count;
		__entry->flags = op->flags;
		__entry->value = op->value;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[VFIO_PHASE_wait];
		__entry->iommufd_ns = op->phase_ns[VFIO_PHASE_iommufd];
		__entry->driver_ns = op->phase_ns[VFIO_PHASE_driver];
		__entry->reset_ns = op->phase_ns[VFIO_PHASE_reset];
		__assign_str(device);
		__assign_str(node);
	),
	TP_printk("device=%s node=%s device_id=%u pt_id=%u group=%u via_group=%u count=%u flags=0x%x value=%llu ret=%d reason=%s reason_a=%llu reason_b=%llu dur_ns=%llu wait_ns=%llu iommufd_ns=%llu driver_ns=%llu reset_ns=%llu",
		  __get_str(device), __get_str(node), __entry->device_id, __entry->pt_id,
		  __entry->group, __entry->via_group, __entry->count, __entry->flags,
		  __entry->value, __entry->ret, vfio_show_reason(__entry->reason),
		  __entry->reason_a, __entry->reason_b, __entry->dur_ns, __entry->wait_ns,
		  __entry->iommufd_ns, __entry->driver_ns, __entry->reset_ns)
);

DECLARE_EVENT_CLASS(vfio_irq,
	TP_PROTO(const struct vfio_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, index)
		__field(u32, start)
		__field(u32, count)
		__field(u32, flags)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
		__string(device, op->device)
		__string(node, op->node)
	),
	TP_fast_assign(
		__entry->index = op->index;
		__entry->start = op->start;
		__entry->count = op->count;
		__entry->flags = op->flags;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[VFIO_PHASE_wait];
		__assign_str(device);
		__assign_str(node);
	),
	TP_printk("device=%s node=%s index=%u start=%u count=%u flags=0x%x ret=%d reason=%s reason_a=%llu reason_b=%llu dur_ns=%llu wait_ns=%llu",
		  __get_str(device), __get_str(node), __entry->index, __entry->start,
		  __entry->count, __entry->flags, __entry->ret,
		  vfio_show_reason(__entry->reason), __entry->reason_a, __entry->reason_b,
		  __entry->dur_ns, __entry->wait_ns)
);

DECLARE_EVENT_CLASS(vfio_region,
	TP_PROTO(const struct vfio_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, index)
		__field(u64, offset)
		__field(u64, length)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
		__string(device, op->device)
		__string(node, op->node)
	),
	TP_fast_assign(
		__entry->index = op->index;
		__entry->offset = op->offset;
		__entry->length = op->length;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[VFIO_PHASE_wait];
		__assign_str(device);
		__assign_str(node);
	),
	TP_printk("device=%s node=%s index=%u offset=0x%llx length=0x%llx ret=%d reason=%s reason_a=%llu reason_b=%llu dur_ns=%llu wait_ns=%llu",
		  __get_str(device), __get_str(node), __entry->index, __entry->offset,
		  __entry->length, __entry->ret, vfio_show_reason(__entry->reason),
		  __entry->reason_a, __entry->reason_b, __entry->dur_ns, __entry->wait_ns)
);

DECLARE_EVENT_CLASS(vfio_start,
	TP_PROTO(const struct vfio_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, device_id)
		__field(u32, pt_id)
		__string(device, op->device)
		__string(node, op->node)
	),
	TP_fast_assign(
		__entry->device_id = op->device_id;
		__entry->pt_id = op->pt_id;
		__assign_str(device);
		__assign_str(node);
	),
	TP_printk("device=%s node=%s device_id=%u pt_id=%u",
		  __get_str(device), __get_str(node), __entry->device_id, __entry->pt_id)
);

#undef VFIO_EVENT
#define VFIO_EVENT(class, name)                                                                    \
	DEFINE_EVENT_FN(class, name, TP_PROTO(const struct vfio_op *op), TP_ARGS(op),              \
			vfio_event_enabled, vfio_event_disabled)

#undef VFIO_DEVICE_EVENT
#define VFIO_DEVICE_EVENT(name, number) VFIO_EVENT(vfio_device, vfio_##name);
VFIO_DEVICE_OPERATIONS(VFIO_DEVICE_EVENT)
#undef VFIO_IRQ_EVENT
#define VFIO_IRQ_EVENT(name, number) VFIO_EVENT(vfio_irq, vfio_##name);
VFIO_IRQ_OPERATIONS(VFIO_IRQ_EVENT)
#undef VFIO_REGION_EVENT
#define VFIO_REGION_EVENT(name, number) VFIO_EVENT(vfio_region, vfio_##name);
VFIO_REGION_OPERATIONS(VFIO_REGION_EVENT)
#undef VFIO_START_EVENT
#define VFIO_START_EVENT(name) VFIO_EVENT(vfio_start, vfio_##name##_start);
VFIO_START_EVENTS(VFIO_START_EVENT)

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio
#include <trace/define_trace.h>
