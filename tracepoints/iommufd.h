/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of iommufd.  tracepoints/README.md is their catalogue.
 *
 * There are three classes of finished operations (memory, translation, object), one class of start
 * events, and the fine-grained events of the pin/map core.  Every probe gets the whole struct
 * iommufd_op, so one BPF program serves all events of a class.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(IOMMUSCOPE_TRACE_IOMMUFD_H) || defined(TRACE_HEADER_MULTI_READ)
#define IOMMUSCOPE_TRACE_IOMMUFD_H

#include <linux/tracepoint.h>

#include "iommufd_op.h"
#include "iommufd_reasons.h"

#ifndef IOMMUFD_TRACE_ONCE
#define IOMMUFD_TRACE_ONCE
/* Called when the first probe is attached to an event and when the last one is removed. */
int iommufd_event_enabled(void);
void iommufd_event_disabled(void);
#endif

#define IOMMUFD_REASON_DEFINE(name, a, b, text) TRACE_DEFINE_ENUM(IOMMUFD_REASON_##name);
IOMMUFD_REASONS(IOMMUFD_REASON_DEFINE)
#undef IOMMUFD_REASON_DEFINE

#undef IOMMUFD_REASON_SYMBOL
#define IOMMUFD_REASON_SYMBOL(name, a, b, text) { IOMMUFD_REASON_##name, #name },
#undef iommufd_show_reason
#define iommufd_show_reason(reason) \
	__print_symbolic(reason, IOMMUFD_REASONS(IOMMUFD_REASON_SYMBOL) { -1, "?" })

DECLARE_EVENT_CLASS(iommufd_memory,
	TP_PROTO(const struct iommufd_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u32, src_ioas)
		__field(u32, device_id)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, user_va)
		__field(u32, flags)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, pages)
		__field(u64, extents)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
		__field(u64, account_ns)
		__field(u64, pin_ns)
		__field(u64, map_ns)
		__field(u64, unmap_ns)
		__field(u64, sync_ns)
		__field(u64, unpin_ns)
	),
	TP_fast_assign(
		__entry->ctx = op->ctx_id;
		__entry->ioas = op->ioas_id;
		__entry->src_ioas = op->src_ioas_id;
		__entry->device_id = op->device_id;
		__entry->iova = op->iova;
		__entry->length = op->length;
		__entry->user_va = op->user_va;
		__entry->flags = op->flags;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->pages = op->pages;
		__entry->extents = op->extents;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[IOMMUFD_PHASE_wait];
		__entry->account_ns = op->phase_ns[IOMMUFD_PHASE_account];
		__entry->pin_ns = op->phase_ns[IOMMUFD_PHASE_pin];
		__entry->map_ns = op->phase_ns[IOMMUFD_PHASE_map];
		__entry->unmap_ns = op->phase_ns[IOMMUFD_PHASE_unmap];
		__entry->sync_ns = op->phase_ns[IOMMUFD_PHASE_sync];
		__entry->unpin_ns = op->phase_ns[IOMMUFD_PHASE_unpin];
	),
	TP_printk("ctx=%u ioas=%u src_ioas=%u device_id=%u iova=0x%llx length=0x%llx user_va=0x%llx flags=0x%x ret=%d reason=%s reason_a=%llu reason_b=%llu pages=%llu extents=%llu dur_ns=%llu wait_ns=%llu account_ns=%llu pin_ns=%llu map_ns=%llu unmap_ns=%llu sync_ns=%llu unpin_ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->src_ioas, __entry->device_id,
		  __entry->iova, __entry->length, __entry->user_va, __entry->flags,
		  __entry->ret, iommufd_show_reason(__entry->reason), __entry->reason_a,
		  __entry->reason_b, __entry->pages, __entry->extents, __entry->dur_ns,
		  __entry->wait_ns, __entry->account_ns, __entry->pin_ns, __entry->map_ns,
		  __entry->unmap_ns, __entry->sync_ns, __entry->unpin_ns)
);

DECLARE_EVENT_CLASS(iommufd_translation,
	TP_PROTO(const struct iommufd_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, device_id)
		__field(u32, group)
		__field(u32, devices)
		__field(u32, hwpt)
		__field(u32, old_hwpt)
		__field(u32, ioas)
		__field(u32, old_ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u32, flags)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, pages)
		__field(u64, extents)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
		__field(u64, check_ns)
		__field(u64, alloc_ns)
		__field(u64, fill_ns)
		__field(u64, switch_ns)
		__field(u64, drop_ns)
		__string(device, op->device)
		__string(iommu_driver, op->iommu_driver)
	),
	TP_fast_assign(
		__entry->ctx = op->ctx_id;
		__entry->device_id = op->device_id;
		__entry->group = op->group_id;
		__entry->devices = op->devices;
		__entry->hwpt = op->hwpt_id;
		__entry->old_hwpt = op->old_hwpt_id;
		__entry->ioas = op->ioas_id;
		__entry->old_ioas = op->old_ioas_id;
		__entry->iova = op->iova;
		__entry->length = op->length;
		__entry->flags = op->flags;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->pages = op->pages;
		__entry->extents = op->extents;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[IOMMUFD_PHASE_wait];
		__entry->check_ns = op->phase_ns[IOMMUFD_PHASE_check];
		__entry->alloc_ns = op->phase_ns[IOMMUFD_PHASE_alloc];
		__entry->fill_ns = op->phase_ns[IOMMUFD_PHASE_fill];
		__entry->switch_ns = op->phase_ns[IOMMUFD_PHASE_switch];
		__entry->drop_ns = op->phase_ns[IOMMUFD_PHASE_drop];
		__assign_str(device);
		__assign_str(iommu_driver);
	),
	TP_printk("ctx=%u device_id=%u device=%s iommu_driver=%s group=%u devices=%u hwpt=%u old_hwpt=%u ioas=%u old_ioas=%u iova=0x%llx length=0x%llx flags=0x%x ret=%d reason=%s reason_a=%llu reason_b=%llu pages=%llu extents=%llu dur_ns=%llu wait_ns=%llu check_ns=%llu alloc_ns=%llu fill_ns=%llu switch_ns=%llu drop_ns=%llu",
		  __entry->ctx, __entry->device_id, __get_str(device), __get_str(iommu_driver),
		  __entry->group, __entry->devices, __entry->hwpt, __entry->old_hwpt,
		  __entry->ioas, __entry->old_ioas, __entry->iova, __entry->length,
		  __entry->flags, __entry->ret, iommufd_show_reason(__entry->reason),
		  __entry->reason_a, __entry->reason_b, __entry->pages, __entry->extents,
		  __entry->dur_ns, __entry->wait_ns, __entry->check_ns, __entry->alloc_ns,
		  __entry->fill_ns, __entry->switch_ns, __entry->drop_ns)
);

DECLARE_EVENT_CLASS(iommufd_object,
	TP_PROTO(const struct iommufd_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, object_type)
		__field(u32, object_id)
		__field(u64, value)
		__field(u32, flags)
		__field(int, ret)
		__field(u32, reason)
		__field(u64, reason_a)
		__field(u64, reason_b)
		__field(u64, dur_ns)
		__field(u64, wait_ns)
	),
	TP_fast_assign(
		__entry->ctx = op->ctx_id;
		__entry->object_type = op->object_type;
		__entry->object_id = op->object_id;
		__entry->value = op->value;
		__entry->flags = op->flags;
		__entry->ret = op->clock.ret;
		__entry->reason = op->clock.reason;
		__entry->reason_a = op->clock.reason_a;
		__entry->reason_b = op->clock.reason_b;
		__entry->dur_ns = op->clock.dur_ns;
		__entry->wait_ns = op->phase_ns[IOMMUFD_PHASE_wait];
	),
	TP_printk("ctx=%u object_type=%u object_id=%u value=%llu flags=0x%x ret=%d reason=%s reason_a=%llu reason_b=%llu dur_ns=%llu wait_ns=%llu",
		  __entry->ctx, __entry->object_type, __entry->object_id, __entry->value,
		  __entry->flags, __entry->ret, iommufd_show_reason(__entry->reason),
		  __entry->reason_a, __entry->reason_b, __entry->dur_ns, __entry->wait_ns)
);

DECLARE_EVENT_CLASS(iommufd_start,
	TP_PROTO(const struct iommufd_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u32, device_id)
		__field(u32, hwpt)
		__field(u64, iova)
		__field(u64, length)
		__string(device, op->device)
	),
	TP_fast_assign(
		__entry->ctx = op->ctx_id;
		__entry->ioas = op->ioas_id;
		__entry->device_id = op->device_id;
		__entry->hwpt = op->hwpt_id;
		__entry->iova = op->iova;
		__entry->length = op->length;
		__assign_str(device);
	),
	TP_printk("ctx=%u ioas=%u device_id=%u device=%s hwpt=%u iova=0x%llx length=0x%llx",
		  __entry->ctx, __entry->ioas, __entry->device_id, __get_str(device),
		  __entry->hwpt, __entry->iova, __entry->length)
);

#undef IOMMUFD_EVENT
#define IOMMUFD_EVENT(class, name)                                                                 \
	DEFINE_EVENT_FN(class, name, TP_PROTO(const struct iommufd_op *op), TP_ARGS(op),           \
			iommufd_event_enabled, iommufd_event_disabled)

#undef IOMMUFD_MEMORY_EVENT
#define IOMMUFD_MEMORY_EVENT(name, number) IOMMUFD_EVENT(iommufd_memory, iommufd_##name);
IOMMUFD_MEMORY_OPERATIONS(IOMMUFD_MEMORY_EVENT)
#undef IOMMUFD_TRANSLATION_EVENT
#define IOMMUFD_TRANSLATION_EVENT(name, number) IOMMUFD_EVENT(iommufd_translation, iommufd_##name);
IOMMUFD_TRANSLATION_OPERATIONS(IOMMUFD_TRANSLATION_EVENT)
#undef IOMMUFD_OBJECT_EVENT
#define IOMMUFD_OBJECT_EVENT(name, number) IOMMUFD_EVENT(iommufd_object, iommufd_##name);
IOMMUFD_OBJECT_OPERATIONS(IOMMUFD_OBJECT_EVENT)
#undef IOMMUFD_START_EVENT
#define IOMMUFD_START_EVENT(name) IOMMUFD_EVENT(iommufd_start, iommufd_##name##_start);
IOMMUFD_START_EVENTS(IOMMUFD_START_EVENT)

DECLARE_EVENT_CLASS(iommufd_pin_batch,
	TP_PROTO(u64 user_va, unsigned long pages, long ret),
	TP_ARGS(user_va, pages, ret),
	TP_STRUCT__entry(
		__field(u64, user_va)
		__field(u64, pages)
		__field(s64, ret)
	),
	TP_fast_assign(
		__entry->user_va = user_va;
		__entry->pages = pages;
		__entry->ret = ret;
	),
	TP_printk("user_va=0x%llx pages=%llu ret=%lld",
		  __entry->user_va, __entry->pages, __entry->ret)
);

DEFINE_EVENT(iommufd_pin_batch, iommufd_pin,
	TP_PROTO(u64 user_va, unsigned long pages, long ret),
	TP_ARGS(user_va, pages, ret));
DEFINE_EVENT(iommufd_pin_batch, iommufd_unpin,
	TP_PROTO(u64 user_va, unsigned long pages, long ret),
	TP_ARGS(user_va, pages, ret));

DECLARE_EVENT_CLASS(iommufd_domain_range,
	TP_PROTO(u32 hwpt, u64 iova, u64 length, int ret),
	TP_ARGS(hwpt, iova, length, ret),
	TP_STRUCT__entry(
		__field(u32, hwpt)
		__field(int, ret)
		__field(u64, iova)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->hwpt = hwpt;
		__entry->ret = ret;
		__entry->iova = iova;
		__entry->length = length;
	),
	TP_printk("hwpt=%u iova=0x%llx length=0x%llx ret=%d",
		  __entry->hwpt, __entry->iova, __entry->length, __entry->ret)
);

DEFINE_EVENT(iommufd_domain_range, iommufd_domain_map,
	TP_PROTO(u32 hwpt, u64 iova, u64 length, int ret),
	TP_ARGS(hwpt, iova, length, ret));
DEFINE_EVENT(iommufd_domain_range, iommufd_domain_unmap,
	TP_PROTO(u32 hwpt, u64 iova, u64 length, int ret),
	TP_ARGS(hwpt, iova, length, ret));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE iommufd
#include <trace/define_trace.h>
