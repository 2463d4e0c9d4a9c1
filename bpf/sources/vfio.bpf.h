/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own vfio and vfio-pci: what users do with devices, by probes on the functions that serve them.
 *
 * A call is an ioctl, an open, a close, a page fault in a BAR, or a driver that registers a device.  It often contains
 * an operation of type1 or iommufd, which has a slot of its own; so calls have records of their own, in
 * @ios_vfio_calls (slots.h).  They are rare: a probe here may cost a look-up in a hash.
 *
 * Phases are the steps that vfio leaves to others: iommufd, the driver that opens or closes the device, the PCI core's
 * reset.  Waits for locks are not seen.  vfio keeps no reason of a failure: where a step failed, that is the reason,
 * otherwise it is unknown.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_VFIO_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_VFIO_BPF_H

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

static __always_inline struct vfio_call *vfio_call_in_flight(__u64 inner)
{
	__u64 key = bpf_get_current_task() + inner;

	return bpf_map_lookup_elem(&ios_vfio_calls, &key);
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

static __always_inline void vfio_tell_reason(struct vfio_call *call)
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
	/* the driver has not been asked yet */
	if (call->operation == SCOPE_OPERATION_vfio_open && clock->ret == -VFIO_ENODEV && call->group) {
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
		vfio_tell_reason(call);
	/* a name that the user made up is the name of no device */
	if (clock->reason == SCOPE_REASON_vfio_no_such_device)
		call->op.device[0] = '\0';
	finished_vfio(&call->op, call->operation);
	bpf_map_delete_elem(&ios_vfio_calls, &key);
	return 0;
}

/* Ioctls on a device */

static __always_inline __u32 vfio_device_operation(__u32 command)
{
	switch (command) {
	case VFIO_DEVICE_SET_IRQS:
		return SCOPE_OPERATION_vfio_set_irqs;
	case VFIO_DEVICE_RESET:
		return SCOPE_OPERATION_vfio_reset;
	case VFIO_DEVICE_PCI_HOT_RESET:
		return SCOPE_OPERATION_vfio_hot_reset;
	case VFIO_DEVICE_FEATURE:
		return SCOPE_OPERATION_vfio_feature;
	case VFIO_DEVICE_BIND_IOMMUFD:
		return SCOPE_OPERATION_vfio_bind;
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		return SCOPE_OPERATION_vfio_attach;
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		return SCOPE_OPERATION_vfio_detach;
	}
	return SCOPE_OPERATION_vfio_ioctl;
}

/* What the user gave, or, once the call has succeeded, got. */
static __always_inline void vfio_read_arguments(struct vfio_call *call)
{
	struct probed_vfio_op *op = &call->op;
	struct vfio_given given = {};
	__u32 size = sizeof(given);

	switch (call->operation) {
	case SCOPE_OPERATION_vfio_ioctl:
	case SCOPE_OPERATION_vfio_reset:
		return;
	case SCOPE_OPERATION_vfio_detach:
	case SCOPE_OPERATION_vfio_feature:
	case SCOPE_OPERATION_vfio_hot_reset:
		size = __builtin_offsetof(struct vfio_given, pt_id);
		break;
	case SCOPE_OPERATION_vfio_attach:
	case SCOPE_OPERATION_vfio_replace:
		size = __builtin_offsetof(struct vfio_given, start);
		break;
	case SCOPE_OPERATION_vfio_bind:
		size = __builtin_offsetof(struct vfio_given, count);
		break;
	}
	if (bpf_probe_read_user(&given, size, (void *)call->argument))
		return;
	op->flags = given.flags;
	switch (call->operation) {
	case SCOPE_OPERATION_vfio_feature:
		op->value = given.flags & VFIO_FEATURE_MASK;
		return;
	case SCOPE_OPERATION_vfio_attach:
	case SCOPE_OPERATION_vfio_replace:
		op->pt_id = given.pt_id;
		return;
	case SCOPE_OPERATION_vfio_set_irqs:
		op->index = given.index;
		op->start = given.start;
		op->count = given.count;
		return;
	}
}

ARGUMENT(vfio_device_fops_unl_ioctl, filep);
ARGUMENT(vfio_device_fops_unl_ioctl, cmd);
ARGUMENT(vfio_device_fops_unl_ioctl, arg);

SEC("fentry/vfio_device_fops_unl_ioctl")
int ios_vfio_ioctl_begins(void *ctx)
{
	__u32 command = ARGUMENT_OF(ctx, vfio_device_fops_unl_ioctl, cmd);
	struct vfio_call *call = vfio_begin(vfio_device_operation(command), 0);

	if (!call)
		return 0;
	if (call->operation == SCOPE_OPERATION_vfio_ioctl)
		call->op.value = command;
	call->argument = ARGUMENT_OF(ctx, vfio_device_fops_unl_ioctl, arg);
	vfio_name_file(call, (void *)ARGUMENT_OF(ctx, vfio_device_fops_unl_ioctl, filep));
	if (NEEDS_BEGIN) {
		vfio_read_arguments(call);
		vfio_began(call);
	}
	return 0;
}

SEC("fexit/vfio_device_fops_unl_ioctl")
int ios_vfio_ioctl_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (!call)
		return 0;
	vfio_read_arguments(call);
	if (call->operation == SCOPE_OPERATION_vfio_bind)
		vfio_name_file(call, (void *)ARGUMENT_OF(ctx, vfio_device_fops_unl_ioctl, filep));
	return vfio_ends(call, returned(ctx), 0);
}

/* Groups, and devices that are opened through them */

ARGUMENT(vfio_group_fops_open, filep);

SEC("fentry/vfio_group_fops_open")
int ios_vfio_group_open_begins(void *ctx)
{
	(void)ctx;
	vfio_begin(SCOPE_OPERATION_vfio_group_open, 0);
	return 0;
}

SEC("fexit/vfio_group_fops_open")
int ios_vfio_group_open_ends(void *ctx)
{
	const struct file *file = (void *)ARGUMENT_OF(ctx, vfio_group_fops_open, filep);
	struct vfio_call *call = vfio_call_in_flight(0);
	__s32 ret = returned(ctx);

	if (!call)
		return 0;
	if (!ret)
		vfio_name_group(call, BPF_CORE_READ(file, private_data));
	return vfio_ends(call, ret, 0);
}

ARGUMENT(vfio_group_fops_unl_ioctl, filep);
ARGUMENT(vfio_group_fops_unl_ioctl, cmd);
ARGUMENT(vfio_group_fops_unl_ioctl, arg);

/* The operation that an ioctl on a group is, SCOPE_NR_OPERATIONS if it is none. */
static __always_inline __u32 vfio_group_operation(__u32 command)
{
	switch (command) {
	case VFIO_GROUP_SET_CONTAINER:
		return SCOPE_OPERATION_vfio_set_container;
	case VFIO_GROUP_UNSET_CONTAINER:
		return SCOPE_OPERATION_vfio_unset_container;
	case VFIO_GROUP_GET_DEVICE_FD:
		return SCOPE_OPERATION_vfio_open;
	}
	return SCOPE_NR_OPERATIONS;
}

/* The user names the device; behind a space there may be more. */
static __always_inline void vfio_read_name(struct vfio_call *call)
{
	char *name = call->op.device;
	int i;

	if (bpf_probe_read_user_str(name, sizeof(call->op.device), (void *)call->argument) < 0)
		name[0] = '\0';
	for (i = 0; i < SCOPE_DEVICE_LEN; i++)
		if (name[i] == ' ')
			name[i] = '\0';
}

SEC("fentry/vfio_group_fops_unl_ioctl")
int ios_vfio_group_ioctl_begins(void *ctx)
{
	__u32 operation = vfio_group_operation(ARGUMENT_OF(ctx, vfio_group_fops_unl_ioctl, cmd));
	const struct file *file = (void *)ARGUMENT_OF(ctx, vfio_group_fops_unl_ioctl, filep);
	struct vfio_call *call;

	if (operation == SCOPE_NR_OPERATIONS)
		return 0;
	call = vfio_begin(operation, 0);
	if (!call)
		return 0;
	call->argument = ARGUMENT_OF(ctx, vfio_group_fops_unl_ioctl, arg);
	vfio_name_group(call, BPF_CORE_READ(file, private_data));
	if (operation == SCOPE_OPERATION_vfio_open)
		vfio_read_name(call);
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("fexit/vfio_group_fops_unl_ioctl")
int ios_vfio_group_ioctl_ends(void *ctx)
{
	__u32 operation = vfio_group_operation(ARGUMENT_OF(ctx, vfio_group_fops_unl_ioctl, cmd));
	struct vfio_call *call = vfio_call_in_flight(0);
	__s32 ret = returned(ctx);

	if (!call || call->operation != operation)
		return 0;
	if (operation == SCOPE_OPERATION_vfio_open) {
		/* at the begin the user's page may have been absent */
		vfio_read_name(call);
		/* a file descriptor */
		if (ret > 0)
			ret = 0;
	}
	return vfio_ends(call, ret, 0);
}

ARGUMENT(vfio_device_fops_cdev_open, filep);

SEC("fentry/vfio_device_fops_cdev_open")
int ios_vfio_node_open_begins(void *ctx)
{
	(void)ctx;
	vfio_begin(SCOPE_OPERATION_vfio_open, 0);
	return 0;
}

SEC("fexit/vfio_device_fops_cdev_open")
int ios_vfio_node_open_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);
	__s32 ret = returned(ctx);

	if (!call)
		return 0;
	if (!ret)
		vfio_name_file(call, (void *)ARGUMENT_OF(ctx, vfio_device_fops_cdev_open, filep));
	return vfio_ends(call, ret, 0);
}

ARGUMENT(vfio_device_fops_release, filep);

SEC("fentry/vfio_device_fops_release")
int ios_vfio_close_begins(void *ctx)
{
	struct vfio_call *call = vfio_begin(SCOPE_OPERATION_vfio_close, 0);

	if (!call)
		return 0;
	vfio_name_file(call, (void *)ARGUMENT_OF(ctx, vfio_device_fops_release, filep));
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("fexit/vfio_device_fops_release")
int ios_vfio_close_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	(void)ctx;
	return call ? vfio_ends(call, 0, 0) : 0;
}

ARGUMENT(vfio_df_unbind_iommufd, df);

SEC("fentry/vfio_df_unbind_iommufd")
int ios_vfio_unbind_begins(void *ctx)
{
	const struct vfio_device_file___vfio *df =
		(void *)ARGUMENT_OF(ctx, vfio_df_unbind_iommufd, df);
	struct vfio_call *call;

	if (!bpf_core_field_exists(df->devid) || !BPF_CORE_READ(df, devid))
		return 0;
	call = vfio_begin(SCOPE_OPERATION_vfio_unbind, VFIO_INNER);
	if (!call)
		return 0;
	vfio_name_device(&call->op, BPF_CORE_READ(df, device));
	call->op.device_id = BPF_CORE_READ(df, devid);
	return 0;
}

SEC("fexit/vfio_df_unbind_iommufd")
int ios_vfio_unbind_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(VFIO_INNER);

	(void)ctx;
	return call && call->operation == SCOPE_OPERATION_vfio_unbind ? vfio_ends(call, 0, VFIO_INNER) :
									0;
}

/* Devices that come and go */

ARGUMENT(vfio_register_group_dev, device);
ARGUMENT(vfio_unregister_group_dev, device);

static __always_inline int vfio_registration_begins(__u32 operation, __u64 device)
{
	struct vfio_call *call = vfio_begin(operation, 0);

	if (!call)
		return 0;
	vfio_name_device(&call->op, (void *)device);
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("fentry/vfio_register_group_dev")
int ios_vfio_register_begins(void *ctx)
{
	return vfio_registration_begins(SCOPE_OPERATION_vfio_register,
					ARGUMENT_OF(ctx, vfio_register_group_dev, device));
}

SEC("fexit/vfio_register_group_dev")
int ios_vfio_register_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (!call)
		return 0;
	/* only now it has a group */
	vfio_name_device(&call->op, (void *)ARGUMENT_OF(ctx, vfio_register_group_dev, device));
	return vfio_ends(call, returned(ctx), 0);
}

SEC("fentry/vfio_unregister_group_dev")
int ios_vfio_unregister_begins(void *ctx)
{
	return vfio_registration_begins(SCOPE_OPERATION_vfio_unregister,
					ARGUMENT_OF(ctx, vfio_unregister_group_dev, device));
}

SEC("fexit/vfio_unregister_group_dev")
int ios_vfio_unregister_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	(void)ctx;
	return call ? vfio_ends(call, 0, 0) : 0;
}

/* Page faults in BARs that are mapped */

#define VFIO_REGION_SHIFT 40
#define VFIO_PAGE_SHIFT 12
#define VFIO_BARS 6
/* enum vm_fault_reason: all that fail, and the one that asks for smaller pages */
#define VFIO_FAULT_FAILED 0x73
#define VFIO_FAULT_FALLBACK 0x800

ARGUMENT(vfio_pci_mmap_huge_fault, vmf);
ARGUMENT(vfio_pci_mmap_huge_fault, order);

/* Before 6.12 the mapping has the page frame number in place of the region: which BAR is that? */
static __always_inline void vfio_find_bar(struct probed_vfio_op *op, const struct pci_dev *pdev,
					  __u64 address)
{
	const void *bars = (const void *)pdev + bpf_core_field_offset(struct pci_dev, resource);
	const struct resource *bar;
	__u64 start;
	int i;

#pragma unroll
	for (i = 0; i < VFIO_BARS; i++) {
		bar = bars + i * bpf_core_type_size(struct resource);
		start = BPF_CORE_READ(bar, start);
		if (!start || address < start || address > BPF_CORE_READ(bar, end))
			continue;
		op->index = i;
		op->offset = address - start;
		return;
	}
}

SEC("fentry/vfio_pci_mmap_huge_fault")
int ios_vfio_fault_begins(void *ctx)
{
	const struct vm_fault *vmf = (void *)ARGUMENT_OF(ctx, vfio_pci_mmap_huge_fault, vmf);
	const struct vfio_pci_core_device___vfio *vdev;
	const struct vm_area_struct *vma;
	struct probed_vfio_op *op;
	struct vfio_call *call;
	__u64 offset, start;

	call = vfio_begin(SCOPE_OPERATION_vfio_bar_fault, VFIO_INNER);
	if (!call)
		return 0;
	op = &call->op;
	vma = BPF_CORE_READ(vmf, vma);
	vdev = BPF_CORE_READ(vma, vm_private_data);
	vfio_name_device(op, (const void *)vdev +
				     bpf_core_field_offset(struct vfio_pci_core_device___vfio, vdev));
	offset = (__u64)BPF_CORE_READ(vma, vm_pgoff) << VFIO_PAGE_SHIFT;
	start = BPF_CORE_READ(vma, vm_start);
	if (vfio_pci_mmap_huge_fault__argument__order == SCOPE_NO_ARGUMENT) {
		/* there a fault maps all there is */
		op->length = BPF_CORE_READ(vma, vm_end) - start;
		vfio_find_bar(op, BPF_CORE_READ(vdev, pdev), offset);
		return 0;
	}
	op->index = offset >> VFIO_REGION_SHIFT;
	op->length = 1ULL << (VFIO_PAGE_SHIFT +
			      (ARGUMENT_OF(ctx, vfio_pci_mmap_huge_fault, order) & 31));
	op->offset = (offset & ((1ULL << VFIO_REGION_SHIFT) - 1)) +
		     (BPF_CORE_READ(vmf, address) & -op->length) - start;
	return 0;
}

SEC("fexit/__vfio_pci_memory_enabled")
int ios_vfio_memory_looked_at(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(VFIO_INNER);

	if (call && call->operation == SCOPE_OPERATION_vfio_bar_fault)
		call->step = (__u8)returned(ctx) ? VFIO_STEP_MEMORY_ENABLED :
						   VFIO_STEP_MEMORY_DISABLED;
	return 0;
}

SEC("fexit/vfio_pci_mmap_huge_fault")
int ios_vfio_fault_ends(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(VFIO_INNER);
	__u64 key = bpf_get_current_task() + VFIO_INNER;
	__u32 fault = returned(ctx);

	if (!call || call->operation != SCOPE_OPERATION_vfio_bar_fault)
		return 0;
	if (fault & VFIO_FAULT_FALLBACK) {
		bpf_map_delete_elem(&ios_vfio_calls, &key);
		return 0;
	}
	if (!(fault & VFIO_FAULT_FAILED))
		return vfio_ends(call, 0, VFIO_INNER);
	/* a device that sleeps has its memory not looked at */
	call->op.clock.reason = call->step == VFIO_STEP_MEMORY_ENABLED ?
					SCOPE_REASON_vfio_insert_failed :
					SCOPE_REASON_vfio_memory_disabled;
	call->op.clock.reason_a = call->op.index;
	call->op.clock.reason_b = call->op.offset;
	return vfio_ends(call, -VFIO_EFAULT, VFIO_INNER);
}

/* Phases, and the steps that may fail */

/* Of functions that return nothing, an int, and a pointer or an error in its place. */
#define VFIO_RETURNS_NOTHING(ctx) ((void)(ctx), 0)
#define VFIO_RETURNS_INT(ctx) ((__s32)returned(ctx))
#define VFIO_RETURNS_POINTER(ctx) vfio_error_in(returned(ctx))

static __always_inline __s32 vfio_error_in(__u64 pointer)
{
	return pointer >= -4095ULL ? (__s32)pointer : 0;
}

static __always_inline int vfio_step_begins(__u32 phase)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (!call)
		return 0;
	call->before = call->phase;
	vfio_enter(call, phase);
	return 0;
}

#define VFIO_STEP_BEGINS(function, phase)                                                     \
	SEC("fentry/" #function)                                                              \
	int ios_vfio_##function##_begins(void *ctx)                                           \
	{                                                                                     \
		(void)ctx;                                                                    \
		return vfio_step_begins(SCOPE_PHASE_vfio_##phase - SCOPE_FIRST_VFIO_PHASE);   \
	}

#define VFIO_STEP_ENDS(function, next, step, ret_of)                                          \
	SEC("fexit/" #function)                                                               \
	int ios_vfio_##function##_ends(void *ctx)                                             \
	{                                                                                     \
		struct vfio_call *call = vfio_call_in_flight(0);                              \
                                                                                              \
		if (!call)                                                                    \
			return 0;                                                             \
		vfio_enter(call, (next));                                                     \
		vfio_step_ends(call, (step), ret_of(ctx));                                    \
		return 0;                                                                     \
	}

/* A step of the call itself. */
#define VFIO_STEP(function, phase, step, ret_of)                                              \
	VFIO_STEP_BEGINS(function, phase)                                                     \
	VFIO_STEP_ENDS(function, SCOPE_NR_VFIO_PHASES, step, ret_of)

/* A reset may be part of what the driver does. */
#define VFIO_RESET(function)                                                                  \
	VFIO_STEP_BEGINS(function, reset)                                                     \
	VFIO_STEP_ENDS(function, call->before, VFIO_STEP_RESET, VFIO_RETURNS_INT)

VFIO_STEP(iommufd_device_bind, iommufd, VFIO_STEP_IOMMUFD, VFIO_RETURNS_POINTER)
VFIO_STEP(iommufd_device_attach, iommufd, VFIO_STEP_IOMMUFD, VFIO_RETURNS_INT)
VFIO_STEP(iommufd_device_detach, iommufd, VFIO_STEP_IOMMUFD, VFIO_RETURNS_NOTHING)
VFIO_STEP(iommufd_device_unbind, iommufd, VFIO_STEP_IOMMUFD, VFIO_RETURNS_NOTHING)
VFIO_STEP(vfio_pci_core_enable, driver, VFIO_STEP_DRIVER, VFIO_RETURNS_INT)
VFIO_STEP(vfio_pci_core_close_device, driver, VFIO_STEP_DRIVER, VFIO_RETURNS_NOTHING)
VFIO_RESET(pci_try_reset_function)
VFIO_RESET(__pci_reset_function_locked)
VFIO_RESET(pci_reset_bus)

/* To attach a device that has a translation is to replace that. */
SEC("fentry/iommufd_device_replace")
int ios_vfio_iommufd_device_replace_begins(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	(void)ctx;
	if (call && call->operation == SCOPE_OPERATION_vfio_attach)
		call->operation = SCOPE_OPERATION_vfio_replace;
	return vfio_step_begins(SCOPE_PHASE_vfio_iommufd - SCOPE_FIRST_VFIO_PHASE);
}

VFIO_STEP_ENDS(iommufd_device_replace, SCOPE_NR_VFIO_PHASES, VFIO_STEP_IOMMUFD, VFIO_RETURNS_INT)

SEC("fexit/vfio_pci_core_ioctl")
int ios_vfio_driver_answered(void *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (call)
		vfio_step_ends(call, VFIO_STEP_DRIVER, VFIO_RETURNS_INT(ctx));
	return 0;
}

#endif
