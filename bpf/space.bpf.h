/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers for objects that the kernel identifies only by address: a container (its struct
 * vfio_iommu), and a context of the kernel's own iommufd (its struct iommufd_ctx).
 */
#ifndef IOMMUSCOPE_BPF_SPACE_BPF_H
#define IOMMUSCOPE_BPF_SPACE_BPF_H

/*
 * A 24-bit number, the same in all programs of operations and of state, for the lifetime of the
 * object.
 */
static __always_inline __u32 space_number(__u64 address)
{
	return (__u32)(address * 0x9e3779b97f4a7c15ULL >> 40) + 1;
}

#endif
