/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of the kernel's own iommufd: the structures from the user, which do not change, and
 * accesses to its private ones (iommufd_types.bpf.h).
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_UPSTREAM_TYPES_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_UPSTREAM_TYPES_BPF_H

#include "bpf/kernel/iommufd_types.bpf.h"
#include "bpf/sources/probed.bpf.h"
#include "bpf/kernel/xarray.bpf.h"

/*
 * struct iommu_ioas_map and similar structures of linux/iommufd.h; a map of a file has the same
 * form
 */
struct upstream_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__u64 user_va;
	__u64 length;
	__u64 iova;
};

struct upstream_unmap {
	__u32 size;
	__u32 ioas_id;
	__u64 iova;
	__u64 length;
};

struct upstream_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__u64 length;
	__u64 dst_iova;
	__u64 src_iova;
};

struct upstream_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
};

struct upstream_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

struct upstream_destroy {
	__u32 size;
	__u32 id;
};

/* The object with an id in a context; 0 for none. */
static __always_inline __u64 upstream_object(__u64 ictx, __u32 id)
{
	const struct iommufd_ctx___upstream *ctx = (void *)ictx;

	return ictx ? xarray_at((__u64)&ctx->objects, id) : 0;
}

/* The numbers of types differ between kernels. */
static __always_inline bool upstream_is_ioas(__u64 address)
{
	const struct iommufd_object___upstream *object = (void *)address;

	return object && BPF_CORE_READ(object, type) ==
			 bpf_core_enum_value(enum iommufd_object_type___upstream,
					     IOMMUFD_OBJ_IOAS___upstream);
}

static __always_inline __u32 upstream_id(const struct iommufd_device___upstream *idev)
{
	return BPF_CORE_READ(idev, obj.id);
}

static __always_inline __u32 upstream_vfio_ioas(__u64 ictx)
{
	const struct iommufd_ctx___upstream *ctx = (void *)ictx;

	return BPF_CORE_READ(ctx, vfio_ioas, obj.id);
}

/* The page table of a device's group; 0 if there is none. */
static __noinline __u64 upstream_hwpt_of(const struct iommufd_device___upstream *idev)
{
	const struct iommufd_group___upstream *group = BPF_CORE_READ(idev, igroup);
	const struct iommufd_attach___upstream *attach;

	if (!group)
		return 0;
	if (bpf_core_field_exists(group->hwpt))
		return (__u64)BPF_CORE_READ(group, hwpt);
	if (!bpf_core_field_exists(group->pasid_attach))
		return 0;
	attach = (void *)xarray_at((__u64)&group->pasid_attach, 0);
	return attach ? (__u64)BPF_CORE_READ(attach, hwpt) : 0;
}

/* __IOMMU_DOMAIN_PAGING of linux/iommu.h: other page tables have no IOAS of their own */
#define UPSTREAM_DOMAIN_PAGING 1

/* The id of a page table and that of its IOAS. */
static __always_inline void upstream_tell_hwpt(__u64 address, __u32 *id, __u32 *ioas)
{
	const struct iommufd_hw_pagetable___upstream *hwpt = (void *)address;
	const struct iommufd_hwpt_paging___upstream *paging = (void *)address;

	*id = 0;
	*ioas = 0;
	if (!hwpt)
		return;
	*id = BPF_CORE_READ(hwpt, obj.id);
	if (bpf_core_field_exists(hwpt->ioas))
		*ioas = BPF_CORE_READ(hwpt, ioas, obj.id);
	else if (BPF_CORE_READ(hwpt, domain, type) & UPSTREAM_DOMAIN_PAGING)
		*ioas = BPF_CORE_READ(paging, ioas, obj.id);
}

static __always_inline void upstream_name_nothing(struct probed_op *op)
{
	op->device[0] = '\0';
	op->iommu_driver[0] = '\0';
	op->group_id = 0;
	op->devices = 0;
}

/* The name of the IOMMU driver: that of its module, or that of a known built-in driver. */
static __always_inline void upstream_name_driver(struct probed_op *op, const struct device *dev)
{
	const struct module *module = BPF_CORE_READ(dev, iommu, iommu_dev, ops, owner);
	const char *name;
	char begin[8] = {};

	op->iommu_driver[0] = '\0';
	if (module) {
		bpf_probe_read_kernel_str(op->iommu_driver, sizeof(op->iommu_driver), module->name);
		return;
	}
	name = BPF_CORE_READ(dev, iommu, iommu_dev, dev, kobj.name);
	bpf_probe_read_kernel_str(begin, sizeof(begin), name);
	if (begin[0] == 'd' && begin[1] == 'm' && begin[2] == 'a' && begin[3] == 'r')
		__builtin_memcpy(op->iommu_driver, "intel_iommu", sizeof("intel_iommu"));
	else if (begin[0] == 'i' && begin[1] == 'v' && begin[2] == 'h' && begin[3] == 'd')
		__builtin_memcpy(op->iommu_driver, "amd_iommu", sizeof("amd_iommu"));
	else if (begin[0] == 's' && begin[1] == 'm' && begin[2] == 'm' && begin[3] == 'u')
		__builtin_memcpy(op->iommu_driver, "arm_smmu", sizeof("arm_smmu"));
}

/* Sets the names of a device and its IOMMU driver, and the number of its group. */
static __noinline int upstream_name_device(struct probed_op *op, const struct device *dev)
{
	const struct iommu_group *group;

	if (!op)
		return 0;
	upstream_name_nothing(op);
	if (!dev)
		return 0;
	group = BPF_CORE_READ(dev, iommu_group);
	if (group)
		type1_name_group(op, group);
	upstream_name_driver(op, dev);
	op_name_device(op, dev);
	return 0;
}

#endif
