/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of the kernel's own vfio: their records, from the start to the end (vfio.bpf.h has the
 * probes).
 *
 * A call is an ioctl, an open, a close, a page fault in a BAR, or a driver that registers a
 * device.  It often contains an operation of type1 or iommufd, which has a slot.  So calls have
 * records of their own, in @ios_vfio_calls (slots.h).  They are rare, and a probe may cost a
 * look-up in a hash.  The probes are kprobes: each call costs more than with fentry and fexit, but
 * they are attached without a wait for other threads.
 *
 * Phases are the steps that vfio leaves to others: iommufd, the driver that opens or closes the
 * device, the PCI core's reset.  Waits for locks are not seen.  vfio keeps no reason of a failure:
 * where a step failed, that is the reason, otherwise it is unknown.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_VFIO_CALLS_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_VFIO_CALLS_BPF_H

#include "bpf/kernel/vfio_types.bpf.h"
#include "bpf/sources/probed.bpf.h"

/* The numbers of ioctls, from linux/vfio.h. */
enum {
	VFIO_GROUP_SET_CONTAINER = 0x3b68,
	VFIO_GROUP_UNSET_CONTAINER = 0x3b69,
	VFIO_GROUP_GET_DEVICE_FD = 0x3b6a,
	VFIO_DEVICE_SET_IRQS = 0x3b6e,
	VFIO_DEVICE_RESET = 0x3b6f,
	VFIO_DEVICE_PCI_HOT_RESET = 0x3b71,
	VFIO_DEVICE_FEATURE = 0x3b75,
	VFIO_DEVICE_BIND_IOMMUFD = 0x3b76,
	VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77,
	VFIO_DEVICE_DETACH_IOMMUFD_PT = 0x3b78,
};

#define VFIO_FEATURE_MASK 0xffff
#define VFIO_EAGAIN 11
#define VFIO_ENODEV 19
#define VFIO_EFAULT 14

/* What the first words of the users' structures are: argsz, and then these. */
struct vfio_given {
	__u32 argsz;
	__u32 flags;
	union {
		__u32 pt_id;
		__u32 index;
		__u32 iommufd;
	};
	union {
		__u32 start;
		__u32 devid;
	};
	__u32 count;
};

/* An argument by its name (arguments.bpf.h), at the entry of the function. */
#define VFIO_ARGUMENT(ctx, function, parameter) \
	vfio_argument((ctx), function##__argument__##parameter)

static __always_inline __u64 vfio_argument(struct pt_regs *ctx, __u32 number)
{
	switch (number) {
	case 0:
		return PT_REGS_PARM1_CORE(ctx);
	case 1:
		return PT_REGS_PARM2_CORE(ctx);
	case 2:
		return PT_REGS_PARM3_CORE(ctx);
	case 3:
		return PT_REGS_PARM4_CORE(ctx);
	}
	return 0;
}

static __always_inline __u64 vfio_returned(struct pt_regs *ctx)
{
	return PT_REGS_RC_CORE(ctx);
}

static __always_inline struct vfio_call *vfio_call_in_flight(__u64 inner)
{
	__u64 key = bpf_get_current_task() + inner;

	return bpf_map_lookup_elem(&ios_vfio_calls, &key);
}

/* The call of this thread, if it is this operation: the end of another one may have been unseen. */
static __always_inline struct vfio_call *vfio_call_doing(__u32 operation, __u64 inner)
{
	struct vfio_call *call = vfio_call_in_flight(inner);

	return call && call->operation == operation ? call : NULL;
}

static __always_inline struct vfio_call *vfio_begin(__u32 operation, __u64 inner)
{
	__u64 key = bpf_get_current_task() + inner;
	struct vfio_call call = {
		.phase = SCOPE_NR_VFIO_PHASES,
		.operation = operation,
		.op.source = SCOPE_SOURCE_VFIO,
	};

	call.op.clock.start_ns = bpf_ktime_get_ns();
	call.phase_start_ns = call.op.clock.start_ns;
	if (bpf_map_update_elem(&ios_vfio_calls, &key, &call, BPF_ANY)) {
		__sync_fetch_and_add(&slots_lost, 1);
		return NULL;
	}
	return bpf_map_lookup_elem(&ios_vfio_calls, &key);
}

static __always_inline void vfio_enter(struct vfio_call *call, __u32 phase)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 before = call->phase;

	if (before > SCOPE_NR_VFIO_PHASES)
		before = SCOPE_NR_VFIO_PHASES;
	call->op.phase_ns[before] += now - call->phase_start_ns;
	call->phase_start_ns = now;
	call->phase = phase;
}

/* A step has ended.  The innermost one ends first: its failure explains the others'. */
static __always_inline void vfio_step_ends(struct vfio_call *call, enum vfio_step step, __s32 ret)
{
	if (ret >= 0 || call->step != VFIO_STEP_NONE)
		return;
	call->step = step;
	call->step_ret = ret;
}

static __always_inline void vfio_name_device(struct probed_vfio_op *op,
					     const struct vfio_device___vfio *device)
{
	const struct device *dev = BPF_CORE_READ(device, dev);

	name_of_device(op->device, sizeof(op->device), dev);
	op->group_id = BPF_CORE_READ(dev, iommu_group, id);
	if (bpf_core_field_exists(device->device))
		bpf_probe_read_kernel_str(op->node, sizeof(op->node),
					  BPF_CORE_READ(device, device.kobj.name));
}

static __always_inline void vfio_name_group(struct vfio_call *call,
					    const struct vfio_group___vfio *group)
{
	call->group = (__u64)group;
	call->op.group_id = BPF_CORE_READ(group, iommu_group, id);
}

/* The device of an open file; 6.1 has it in the file itself. */
static __always_inline void vfio_name_file(struct vfio_call *call, const struct file *file)
{
	const void *data = BPF_CORE_READ(file, private_data);
	const struct vfio_device_file___vfio *df = data;

	if (!bpf_core_type_exists(struct vfio_device_file___vfio)) {
		vfio_name_device(&call->op, data);
		return;
	}
	vfio_name_device(&call->op, BPF_CORE_READ(df, device));
	if (bpf_core_field_exists(df->devid))
		call->op.device_id = BPF_CORE_READ(df, devid);
}

/* Is there no device of the name that the user gave?  The driver has not been asked yet then. */
static __always_inline bool vfio_names_nothing(const struct vfio_call *call)
{
	return call->operation == SCOPE_OPERATION_vfio_open && call->group &&
	       call->op.clock.ret == -VFIO_ENODEV && call->step == VFIO_STEP_NONE;
}

static __always_inline void vfio_explain(struct vfio_call *call)
{
	struct probed_clock *clock = &call->op.clock;

	clock->reason = SCOPE_REASON_probed_unknown;
	clock->reason_a = 0;
	clock->reason_b = 0;
	switch (call->step) {
	case VFIO_STEP_IOMMUFD:
		clock->reason = SCOPE_REASON_vfio_iommufd_refused;
		clock->reason_a = -call->step_ret;
		clock->reason_b = call->op.pt_id;
		return;
	case VFIO_STEP_RESET:
		if (call->step_ret == -VFIO_EAGAIN) {
			clock->reason = SCOPE_REASON_vfio_device_locked;
			return;
		}
		clock->reason = SCOPE_REASON_vfio_reset_failed;
		clock->reason_a = -call->step_ret;
		return;
	case VFIO_STEP_DRIVER:
		clock->reason = SCOPE_REASON_vfio_driver_refused;
		clock->reason_a = -call->step_ret;
		return;
	}
	if (vfio_names_nothing(call)) {
		clock->reason = SCOPE_REASON_vfio_no_such_device;
		clock->reason_a = call->op.group_id;
	}
}

static __always_inline int vfio_ends(struct vfio_call *call, __s32 ret, __u64 inner)
{
	__u64 key = bpf_get_current_task() + inner;
	struct probed_clock *clock = &call->op.clock;

	vfio_enter(call, SCOPE_NR_VFIO_PHASES);
	clock->dur_ns = call->phase_start_ns - clock->start_ns;
	clock->ret = ret;
	if (ret < 0 && NEEDS_REASON && clock->reason == SCOPE_REASON_vfio_none)
		vfio_explain(call);
	/* a name that the user made up becomes no label */
	if (vfio_names_nothing(call))
		call->op.device[0] = '\0';
	finished_vfio(&call->op, call->operation);
	bpf_map_delete_elem(&ios_vfio_calls, &key);
	return 0;
}

#endif
