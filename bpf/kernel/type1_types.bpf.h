/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members that are read of the structures of the kernel's VFIO type1, 6.1 and later.
 * iommufd_types.bpf.h describes how offsets are found.
 */
#ifndef IOMMUSCOPE_BPF_TYPE1_TYPES_BPF_H
#define IOMMUSCOPE_BPF_TYPE1_TYPES_BPF_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vfio_iommu___type1 {
	struct list_head domain_list;
	struct list_head iova_list;
	struct mutex lock;
	struct rb_root dma_list;
	unsigned int dma_avail;
	u64 pgsize_bitmap;
	struct list_head emulated_iommu_groups;
};

struct vfio_domain___type1 {
	struct iommu_domain *domain;
	struct list_head next;
	struct list_head group_list;
	bool enforce_cache_coherency : 1;
};

struct vfio_iommu_group___type1 {
	struct iommu_group *iommu_group;
	struct list_head next;
};

struct vfio_iova___type1 {
	struct list_head list;
	dma_addr_t start;
	dma_addr_t end;
};

struct vfio_dma___type1 {
	struct rb_node node;
	dma_addr_t iova;
	unsigned long vaddr;
	size_t size;
	int prot;
	bool iommu_mapped;
	struct task_struct *task;
	size_t locked_vm;
};

#pragma clang attribute pop

#endif
