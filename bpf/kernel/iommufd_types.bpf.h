/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members that are read of the structures of the kernel's own iommufd, 6.2 and later.  Offsets
 * are found by the names of structures and members in the BTF of the running kernel.  The part of a
 * name after three underscores is ignored, and distinguishes these types from our modules' types in
 * vmlinux.h.
 */
#ifndef IOMMUSCOPE_BPF_IOMMUFD_TYPES_BPF_H
#define IOMMUSCOPE_BPF_IOMMUFD_TYPES_BPF_H

/*
 * The numbers behind these names differ between versions; those of the running kernel are inserted.
 */
enum iommufd_object_type___upstream {
	IOMMUFD_OBJ_DEVICE___upstream = 1,
	IOMMUFD_OBJ_HWPT_PAGING___upstream,
	IOMMUFD_OBJ_HWPT_NESTED___upstream,
	IOMMUFD_OBJ_IOAS___upstream,
	IOMMUFD_OBJ_ACCESS___upstream,
	/* until 6.6, instead of the two others */
	IOMMUFD_OBJ_HW_PAGETABLE___upstream,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct iommufd_object___upstream {
	enum iommufd_object_type___upstream type;
	unsigned int id;
};

struct io_pagetable___upstream {
	struct rb_root_cached area_itree;
	struct rb_root_cached allowed_itree;
	struct rb_root_cached reserved_itree;
	u8 disable_large_pages;
	unsigned long iova_alignment;
};

struct iommufd_ioas___upstream {
	struct iommufd_object___upstream obj;
	struct io_pagetable___upstream iopt;
};

struct iommufd_ctx___upstream {
	struct xarray objects;
	u8 account_mode;
	u8 no_iommu_mode;
	struct iommufd_ioas___upstream *vfio_ioas;
};

struct iommufd_ucmd___upstream {
	struct iommufd_ctx___upstream *ictx;
	void *cmd;
};

struct iommufd_hw_pagetable___upstream {
	struct iommufd_object___upstream obj;
	struct iommu_domain *domain;
	/* until 6.6; later those of the next structure */
	struct iommufd_ioas___upstream *ioas;
	bool auto_domain : 1;
	bool enforce_cache_coherency : 1;
};

struct iommufd_hwpt_paging___upstream {
	struct iommufd_hw_pagetable___upstream common;
	struct iommufd_ioas___upstream *ioas;
	bool auto_domain : 1;
	bool enforce_cache_coherency : 1;
	bool nest_parent : 1;
};

struct iommufd_hwpt_nested___upstream {
	struct iommufd_hwpt_paging___upstream *parent;
};

struct iommufd_attach___upstream {
	struct iommufd_hw_pagetable___upstream *hwpt;
	struct xarray device_array;
};

struct iommufd_group___upstream {
	struct iommu_group *group;
	struct iommufd_hw_pagetable___upstream *hwpt;
	/* replaces it since 6.15: an iommufd_attach for each PASID; index 0 is no PASID */
	struct xarray pasid_attach;
};

struct iommufd_device___upstream {
	struct iommufd_object___upstream obj;
	struct iommufd_ctx___upstream *ictx;
	struct iommufd_group___upstream *igroup;
	struct list_head group_item;
	struct device *dev;
};

struct iommufd_access_ops___upstream {
	u8 needs_pin_pages : 1;
};

struct iommufd_access___upstream {
	struct iommufd_object___upstream obj;
	struct iommufd_ctx___upstream *ictx;
	struct iommufd_ioas___upstream *ioas;
	const struct iommufd_access_ops___upstream *ops;
};

struct iopt_pages___upstream {
	size_t npinned;
	struct task_struct *source_task;
	struct mm_struct *source_mm;
	struct user_struct *source_user;
	u8 account_mode;
	struct rb_root_cached domains_itree;
	/* since 7.0 there are several kinds of memory; 0 is the memory of a process */
	unsigned int type;
	void *uptr;
};

struct iopt_area___upstream {
	struct interval_tree_node node;
	struct interval_tree_node pages_node;
	struct iopt_pages___upstream *pages;
	struct iommu_domain *storage_domain;
	unsigned int page_offset;
	int iommu_prot;
	unsigned int num_accesses;
};

#pragma clang attribute pop

#endif
