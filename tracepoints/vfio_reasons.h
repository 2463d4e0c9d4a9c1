/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an operation on a VFIO device failed.
 *
 * Each reason is one line: its name, the meaning of @reason_a and @reason_b of the event, and a
 * text that tools may print.  The number of a reason is part of the events' ABI: new lines go to
 * the end.  If the reason is iommufd_refused, the preceding iommufd event for the same device has
 * the details.
 */
#ifndef IOMMUSCOPE_VFIO_REASONS_H
#define IOMMUSCOPE_VFIO_REASONS_H

/* REASON(name, meaning of reason_a, meaning of reason_b, text) */
#define VFIO_REASONS(REASON)                                                                       \
	REASON(none, "0", "0", "no failure, or one that needs no explanation")                     \
	REASON(bad_size, "size given", "smallest size accepted",                                   \
	       "the structure is smaller than this call needs")                                    \
	REASON(bad_user_pointer, "address", "length", "user memory could not be read or written")  \
	REASON(unknown_flags, "flags given", "flags known", "a flag is not known or not supported") \
	REASON(bad_value, "value", "0 or the bound it broke", "a field has a value out of range")  \
	REASON(bad_fd, "fd", "0", "the file descriptor is not open")                               \
	REASON(not_iommufd, "fd", "0", "the file descriptor is not an open /dev/iommu")            \
	REASON(already_bound, "device id", "0", "this file has bound the device already")          \
	REASON(device_busy, "openers", "0", "another open file uses the device")                   \
	REASON(group_in_use, "IOMMU group", "0",                                                   \
	       "the device's group is open through /dev/vfio/GROUP")                               \
	REASON(node_in_use, "IOMMU group", "device nodes bound",                                   \
	       "a device of the group is bound through its node")                                  \
	REASON(not_bound, "ioctl number", "0", "the device is not bound to an iommufd yet")        \
	REASON(group_file, "ioctl number", "0",                                                    \
	       "the call is for device nodes, and the device was opened through its group")        \
	REASON(device_gone, "0", "0", "the driver let the device go")                              \
	REASON(driver_unloading, "0", "0", "the device's driver is being unloaded")                \
	REASON(no_memory, "bytes wanted or 0", "0", "the kernel is out of memory")                 \
	REASON(iommufd_refused, "error code, negated", "id given",                                 \
	       "iommufd refused; its own event names the reason")                                  \
	REASON(driver_refused, "error code, negated", "0", "the device's driver refused")          \
	REASON(no_iommu_group, "0", "0", "the device is not behind an IOMMU")                      \
	REASON(not_cache_coherent, "IOMMU group", "0",                                             \
	       "the IOMMU cannot keep the device's DMA coherent with the CPU caches")              \
	REASON(not_attached, "device id", "0", "the device has no address space attached")         \
	REASON(no_container, "IOMMU group", "0", "the group has no container")                     \
	REASON(container_set, "IOMMU group", "0", "the group has a container already")             \
	REASON(container_busy, "IOMMU group", "open devices",                                      \
	       "a device of the group is still open")                                              \
	REASON(no_such_device, "IOMMU group", "0",                                                 \
	       "the group has no device of this name that a VFIO driver holds")                    \
	REASON(not_supported, "value", "0", "the device has no such feature, region or interrupt") \
	REASON(no_reset, "0", "0", "the device knows no way to be reset")                          \
	REASON(reset_failed, "error code, negated", "0", "the PCI core could not reset")           \
	REASON(device_locked, "0", "0", "another user of the device holds a lock, try again")      \
	REASON(not_owned, "PCI segment and bus", "device and function",                            \
	       "the reset would hit a device that the caller does not own")                        \
	REASON(not_in_set, "PCI segment and bus", "device and function",                           \
	       "the reset would hit a device that no VFIO driver holds")                           \
	REASON(bad_group_fd, "fd", "its place in the array",                                       \
	       "a file descriptor given as proof of ownership is not a VFIO group")                \
	REASON(bad_index, "index", "indexes there are", "there is no region or interrupt of this index") \
	REASON(bad_range, "start", "count", "the range of interrupts is out of bounds")            \
	REASON(bad_action, "flags given", "index", "the action is not defined for this interrupt") \
	REASON(bad_eventfd, "fd", "its place in the array", "the file descriptor is not an eventfd") \
	REASON(irq_type_in_use, "interrupt index in use", "index given",                           \
	       "another type of interrupt is set up on the device")                                \
	REASON(irq_setup_failed, "vector", "error code, negated",                                  \
	       "the kernel could not set the interrupt up")                                        \
	REASON(memory_disabled, "region index", "offset",                                          \
	       "memory space is switched off, or the device sleeps")                               \
	REASON(insert_failed, "region index", "offset", "the page could not be put in the page table") \
	REASON(interrupted, "0", "0", "a signal interrupted the call")                             \
	REASON(runtime_pm, "error code, negated", "0", "the device did not wake up")               \
	REASON(eventfd_in_use, "fd", "0", "an eventfd does this for the interrupt already")        \
	REASON(token_refused, "error code, negated", "0",                                          \
	       "the driver wants a VF token that was not given, or not this one")

#ifdef __KERNEL__
enum vfio_reason {
#define VFIO_REASON_ENUM(name, a, b, text) VFIO_REASON_##name,
	VFIO_REASONS(VFIO_REASON_ENUM)
#undef VFIO_REASON_ENUM
	VFIO_NR_REASONS,
};
#endif

#endif
