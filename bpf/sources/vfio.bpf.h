/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own vfio and vfio-pci: probes on the functions behind the files of groups and
 * devices, on those that drivers call, and on the steps that vfio leaves to others
 * (vfio_calls.bpf.h has the records).
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_VFIO_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_VFIO_BPF_H

#include "bpf/sources/vfio_calls.bpf.h"

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

SEC("kprobe/vfio_device_fops_unl_ioctl")
int ios_vfio_ioctl_begins(struct pt_regs *ctx)
{
	__u32 command = VFIO_ARGUMENT(ctx, vfio_device_fops_unl_ioctl, cmd);
	struct vfio_call *call = vfio_begin(vfio_device_operation(command), 0);

	if (!call)
		return 0;
	if (call->operation == SCOPE_OPERATION_vfio_ioctl)
		call->op.value = command;
	call->argument = VFIO_ARGUMENT(ctx, vfio_device_fops_unl_ioctl, arg);
	call->object = VFIO_ARGUMENT(ctx, vfio_device_fops_unl_ioctl, filep);
	vfio_name_file(call, (void *)call->object);
	if (NEEDS_BEGIN) {
		vfio_read_arguments(call);
		vfio_began(call);
	}
	return 0;
}

SEC("kretprobe/vfio_device_fops_unl_ioctl")
int ios_vfio_ioctl_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (!call)
		return 0;
	vfio_read_arguments(call);
	if (call->operation == SCOPE_OPERATION_vfio_bind)
		vfio_name_file(call, (void *)call->object);
	return vfio_ends(call, vfio_returned(ctx), 0);
}

/* Groups, and devices that are opened through them */

ARGUMENT(vfio_group_fops_open, filep);

/* Once it is open the file shows what it is for. */
static __always_inline int vfio_open_begins(__u32 operation, __u64 file)
{
	struct vfio_call *call = vfio_begin(operation, 0);

	if (call)
		call->object = file;
	return 0;
}

SEC("kprobe/vfio_group_fops_open")
int ios_vfio_group_open_begins(struct pt_regs *ctx)
{
	return vfio_open_begins(SCOPE_OPERATION_vfio_group_open,
				VFIO_ARGUMENT(ctx, vfio_group_fops_open, filep));
}

SEC("kretprobe/vfio_group_fops_open")
int ios_vfio_group_open_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_group_open, 0);
	__s32 ret = vfio_returned(ctx);
	const struct file *file;

	if (!call)
		return 0;
	file = (void *)call->object;
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

SEC("kprobe/vfio_group_fops_unl_ioctl")
int ios_vfio_group_ioctl_begins(struct pt_regs *ctx)
{
	__u32 operation = vfio_group_operation(VFIO_ARGUMENT(ctx, vfio_group_fops_unl_ioctl, cmd));
	const struct file *file = (void *)VFIO_ARGUMENT(ctx, vfio_group_fops_unl_ioctl, filep);
	struct vfio_call *call;

	if (operation == SCOPE_NR_OPERATIONS)
		return 0;
	call = vfio_begin(operation, 0);
	if (!call)
		return 0;
	call->argument = VFIO_ARGUMENT(ctx, vfio_group_fops_unl_ioctl, arg);
	vfio_name_group(call, BPF_CORE_READ(file, private_data));
	if (operation == SCOPE_OPERATION_vfio_open)
		vfio_read_name(call);
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("kretprobe/vfio_group_fops_unl_ioctl")
int ios_vfio_group_ioctl_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);
	__s32 ret = vfio_returned(ctx);

	if (!call || (call->operation != SCOPE_OPERATION_vfio_open &&
		      call->operation != SCOPE_OPERATION_vfio_set_container &&
		      call->operation != SCOPE_OPERATION_vfio_unset_container))
		return 0;
	if (call->operation == SCOPE_OPERATION_vfio_open) {
		/* at the start the user's page may have been absent */
		vfio_read_name(call);
		/* a file descriptor */
		if (ret > 0)
			ret = 0;
	}
	return vfio_ends(call, ret, 0);
}

ARGUMENT(vfio_device_fops_cdev_open, filep);

SEC("kprobe/vfio_device_fops_cdev_open")
int ios_vfio_node_open_begins(struct pt_regs *ctx)
{
	return vfio_open_begins(SCOPE_OPERATION_vfio_open,
				VFIO_ARGUMENT(ctx, vfio_device_fops_cdev_open, filep));
}

SEC("kretprobe/vfio_device_fops_cdev_open")
int ios_vfio_node_open_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_open, 0);
	__s32 ret = vfio_returned(ctx);

	if (!call)
		return 0;
	if (!ret)
		vfio_name_file(call, (void *)call->object);
	return vfio_ends(call, ret, 0);
}

ARGUMENT(vfio_device_fops_release, filep);

SEC("kprobe/vfio_device_fops_release")
int ios_vfio_close_begins(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_begin(SCOPE_OPERATION_vfio_close, 0);

	if (!call)
		return 0;
	vfio_name_file(call, (void *)VFIO_ARGUMENT(ctx, vfio_device_fops_release, filep));
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("kretprobe/vfio_device_fops_release")
int ios_vfio_close_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_close, 0);

	(void)ctx;
	return call ? vfio_ends(call, 0, 0) : 0;
}

ARGUMENT(vfio_df_unbind_iommufd, df);

SEC("kprobe/vfio_df_unbind_iommufd")
int ios_vfio_unbind_begins(struct pt_regs *ctx)
{
	const struct vfio_device_file___vfio *df =
		(void *)VFIO_ARGUMENT(ctx, vfio_df_unbind_iommufd, df);
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

SEC("kretprobe/vfio_df_unbind_iommufd")
int ios_vfio_unbind_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_unbind, VFIO_INNER);

	(void)ctx;
	return call ? vfio_ends(call, 0, VFIO_INNER) : 0;
}

/* Devices that come and go */

ARGUMENT(vfio_register_group_dev, device);
ARGUMENT(vfio_unregister_group_dev, device);

static __always_inline int vfio_registration_begins(__u32 operation, __u64 device)
{
	struct vfio_call *call = vfio_begin(operation, 0);

	if (!call)
		return 0;
	call->object = device;
	vfio_name_device(&call->op, (void *)device);
	if (NEEDS_BEGIN)
		vfio_began(call);
	return 0;
}

SEC("kprobe/vfio_register_group_dev")
int ios_vfio_register_begins(struct pt_regs *ctx)
{
	return vfio_registration_begins(SCOPE_OPERATION_vfio_register,
					VFIO_ARGUMENT(ctx, vfio_register_group_dev, device));
}

SEC("kretprobe/vfio_register_group_dev")
int ios_vfio_register_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_register, 0);

	if (!call)
		return 0;
	/* only now it has a group */
	vfio_name_device(&call->op, (void *)call->object);
	return vfio_ends(call, vfio_returned(ctx), 0);
}

SEC("kprobe/vfio_unregister_group_dev")
int ios_vfio_unregister_begins(struct pt_regs *ctx)
{
	return vfio_registration_begins(SCOPE_OPERATION_vfio_unregister,
					VFIO_ARGUMENT(ctx, vfio_unregister_group_dev, device));
}

SEC("kretprobe/vfio_unregister_group_dev")
int ios_vfio_unregister_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_unregister, 0);

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

SEC("kprobe/vfio_pci_mmap_huge_fault")
int ios_vfio_fault_begins(struct pt_regs *ctx)
{
	const struct vm_fault *vmf = (void *)VFIO_ARGUMENT(ctx, vfio_pci_mmap_huge_fault, vmf);
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
			      (VFIO_ARGUMENT(ctx, vfio_pci_mmap_huge_fault, order) & 31));
	op->offset = (offset & ((1ULL << VFIO_REGION_SHIFT) - 1)) +
		     (BPF_CORE_READ(vmf, address) & -op->length) - start;
	return 0;
}

SEC("kretprobe/__vfio_pci_memory_enabled")
int ios_vfio_memory_looked_at(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_bar_fault, VFIO_INNER);

	if (call)
		call->step = (__u8)vfio_returned(ctx) ? VFIO_STEP_MEMORY_ENABLED :
						   VFIO_STEP_MEMORY_DISABLED;
	return 0;
}

SEC("kretprobe/vfio_pci_mmap_huge_fault")
int ios_vfio_fault_ends(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_doing(SCOPE_OPERATION_vfio_bar_fault, VFIO_INNER);
	__u64 key = bpf_get_current_task() + VFIO_INNER;
	__u32 fault = vfio_returned(ctx);

	if (!call)
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
#define VFIO_RETURNS_INT(ctx) ((__s32)vfio_returned(ctx))
#define VFIO_RETURNS_POINTER(ctx) vfio_error_in(vfio_returned(ctx))

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

#define VFIO_STEP_BEGINS(function, phase)                                               \
	SEC("kprobe/" #function)                                                        \
	int ios_vfio_##function##_begins(struct pt_regs *ctx)                           \
	{                                                                               \
		(void)ctx;                                                              \
		return vfio_step_begins(SCOPE_PHASE_vfio_##phase - SCOPE_FIRST_VFIO_PHASE); \
	}

#define VFIO_STEP_ENDS(function, next, step, ret_of)                                    \
	SEC("kretprobe/" #function)                                                     \
	int ios_vfio_##function##_ends(struct pt_regs *ctx)                             \
	{                                                                               \
		struct vfio_call *call = vfio_call_in_flight(0);                        \
                                                                                        \
		if (!call)                                                              \
			return 0;                                                       \
		vfio_enter(call, (next));                                               \
		vfio_step_ends(call, (step), ret_of(ctx));                              \
		return 0;                                                               \
	}

/* A step of the call itself. */
#define VFIO_STEP(function, phase, step, ret_of)                                        \
	VFIO_STEP_BEGINS(function, phase)                                               \
	VFIO_STEP_ENDS(function, SCOPE_NR_VFIO_PHASES, step, ret_of)

/* A reset may be part of what the driver does. */
#define VFIO_RESET(function)                                                            \
	VFIO_STEP_BEGINS(function, reset)                                               \
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
SEC("kprobe/iommufd_device_replace")
int ios_vfio_iommufd_device_replace_begins(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	(void)ctx;
	if (call && call->operation == SCOPE_OPERATION_vfio_attach)
		call->operation = SCOPE_OPERATION_vfio_replace;
	return vfio_step_begins(SCOPE_PHASE_vfio_iommufd - SCOPE_FIRST_VFIO_PHASE);
}

VFIO_STEP_ENDS(iommufd_device_replace, SCOPE_NR_VFIO_PHASES, VFIO_STEP_IOMMUFD, VFIO_RETURNS_INT)

SEC("kretprobe/vfio_pci_core_ioctl")
int ios_vfio_driver_answered(struct pt_regs *ctx)
{
	struct vfio_call *call = vfio_call_in_flight(0);

	if (call)
		vfio_step_ends(call, VFIO_STEP_DRIVER, VFIO_RETURNS_INT(ctx));
	return 0;
}

#endif
