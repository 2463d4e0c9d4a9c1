/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an operation failed.
 *
 * Each reason is one line: its name, the meaning of @reason_a and @reason_b of the event, and a
 * text that tools may print.  The number of a reason is part of the events' ABI: new lines go to
 * the end.  The list is an X macro, so that the kernel, the BPF programs and the tools share one
 * copy.
 */
#ifndef IOMMUSCOPE_IOMMUFD_REASONS_H
#define IOMMUSCOPE_IOMMUFD_REASONS_H

/* REASON(name, meaning of reason_a, meaning of reason_b, text) */
#define IOMMUFD_REASONS(REASON)                                                                    \
	REASON(none, "0", "0", "no failure, or one that needs no explanation")                     \
	REASON(unknown_ioctl, "ioctl number", "0", "the ioctl number is not known")                \
	REASON(bad_size, "size given", "smallest size accepted",                                   \
	       "the structure is smaller than the first version of this ioctl")                    \
	REASON(unknown_trailing_bytes, "size given", "size known",                                 \
	       "the structure is longer than this kernel knows and not zero there")                \
	REASON(bad_user_pointer, "address", "length", "user memory could not be read or written")  \
	REASON(unknown_flags, "flags given", "flags known", "a flag is not known or not supported") \
	REASON(reserved_not_zero, "value", "0", "a reserved field is not zero")                    \
	REASON(bad_value, "value", "0 or the bound it broke", "a field has a value out of range")  \
	REASON(bad_object_id, "object id", "0", "no object has this id in this context")           \
	REASON(wrong_object_type, "object id", "type of that object",                              \
	       "the object with this id is of another type than the call needs")                   \
	REASON(object_busy, "object id", "users", "the object is in use by other objects")         \
	REASON(no_memory, "bytes wanted or 0", "0", "the kernel is out of memory")                 \
	REASON(overflow, "start", "length", "start plus length overflows")                         \
	REASON(zero_length, "0", "0", "the length is zero")                                        \
	REASON(memlock_limit, "bytes locked already", "limit in bytes",                            \
	       "RLIMIT_MEMLOCK would be exceeded")                                                 \
	REASON(iova_overlap, "first IOVA of the area in the way", "its last IOVA",                 \
	       "the IOVA range overlaps an area that is mapped already")                           \
	REASON(iova_reserved, "first IOVA of the reserved range", "its last IOVA",                 \
	       "the IOVA range overlaps one that a device or IOMMU reserves")                      \
	REASON(iova_not_allowed, "first IOVA", "last IOVA",                                        \
	       "there is room, but only outside of the allowed IOVA ranges")                                  \
	REASON(iova_misaligned, "address or length", "alignment needed",                           \
	       "IOVA, address or length is not a multiple of the IOMMU's smallest page")           \
	REASON(iova_space_full, "bytes wanted", "alignment wanted",                                \
	       "no free IOVA range is large enough")                                               \
	REASON(iova_not_mapped, "first IOVA not mapped", "last IOVA asked",                        \
	       "part of the IOVA range is not mapped")                                             \
	REASON(allowed_narrower, "first IOVA", "last IOVA",                                        \
	       "the range wanted as allowed is not wholly usable")                                 \
	REASON(gup_fault, "user address", "error code of the pin, negated",                        \
	       "user memory is not there, or not accessible as wanted")                            \
	REASON(process_gone, "pid", "0", "the process that owns the memory has exited")            \
	REASON(not_writeable, "first IOVA", "0",                                                   \
	       "memory that was mapped read-only cannot be used writeable")                        \
	REASON(unmap_splits_area, "first IOVA of the area", "its last IOVA",                       \
	       "the range would unmap only a part of an area")                                     \
	REASON(area_in_use, "first IOVA of the area", "its last IOVA",                             \
	       "an access holds pages of the area pinned and does not let go")                     \
	REASON(group_not_viable, "IOMMU group", "0",                                               \
	       "another driver uses a device of the IOMMU group")                                  \
	REASON(no_iommu_group, "0", "0", "the device is not behind an IOMMU")                      \
	REASON(not_cache_coherent, "IOMMU group", "0",                                             \
	       "the IOMMU cannot keep the device's DMA coherent with the CPU caches")              \
	REASON(msi_not_isolated, "IOMMU group", "0",                                               \
	       "interrupts of the device are not isolated and allow_unsafe_interrupts is off")     \
	REASON(group_owned_by_other_ctx, "IOMMU group", "0",                                       \
	       "another context or process owns the IOMMU group")                                  \
	REASON(already_attached, "device id", "id of the HWPT or IOAS attached",                   \
	       "the device or access is attached already")                                         \
	REASON(not_attached, "device id", "0", "the device or access is not attached")             \
	REASON(domain_incompatible, "HWPT id", "error code of the IOMMU driver, negated",          \
	       "the IOMMU driver refuses this HWPT for the device")                                \
	REASON(group_attached_elsewhere, "IOMMU group", "HWPT id of the group",                    \
	       "other devices of the IOMMU group are attached to another HWPT")                    \
	REASON(reserved_region_in_use, "first IOVA", "last IOVA",                                  \
	       "the device reserves an IOVA range in which an area is mapped or allowed")          \
	REASON(domain_alloc_failed, "device id", "error code of the IOMMU driver, negated",        \
	       "the IOMMU driver did not give a page table")                                       \
	REASON(domain_map_failed, "IOVA", "error code of the IOMMU driver, negated",               \
	       "the IOMMU driver did not map a range")                                             \
	REASON(aperture_exceeded, "first IOVA", "last IOVA",                                       \
	       "an area or allowed range lies in IOVAs that the IOMMU cannot translate")                        \
	REASON(not_permitted, "0", "0", "the caller lacks the privilege")                          \
	REASON(no_compat_ioas, "0", "0", "no IOAS is set for VFIO compatibility")                  \
	REASON(not_supported, "value", "0", "the kernel or IOMMU driver has no such feature")      \
	REASON(interrupted, "0", "0", "a signal interrupted the call")                             \
	REASON(domain_switch_failed, "HWPT id", "error code of the IOMMU driver, negated",         \
	       "the IOMMU driver could not switch to the new HWPT; the old one stays")             \
	REASON(range_table_too_small, "ranges given", "ranges needed",                             \
	       "the array for the IOVA ranges is too small")

#ifdef __KERNEL__
enum iommufd_reason {
#define IOMMUFD_REASON_ENUM(name, a, b, text) IOMMUFD_REASON_##name,
	IOMMUFD_REASONS(IOMMUFD_REASON_ENUM)
#undef IOMMUFD_REASON_ENUM
	IOMMUFD_NR_REASONS,
};
#endif

#endif
