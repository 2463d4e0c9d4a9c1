/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members that are read of the structures of the kernel's VFIO core, 6.1 and later.
 * iommufd_types.bpf.h describes how offsets are found.
 */
#ifndef IOMMUSCOPE_BPF_VFIO_TYPES_BPF_H
#define IOMMUSCOPE_BPF_VFIO_TYPES_BPF_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vfio_iommu_driver_ops___vfio {
	const char *name;
};

struct vfio_iommu_driver___vfio {
	const struct vfio_iommu_driver_ops___vfio *ops;
};

struct vfio_container___vfio {
	struct list_head group_list;
	struct vfio_iommu_driver___vfio *iommu_driver;
	void *iommu_data;
	bool noiommu;
};

struct vfio_group___vfio {
	struct iommu_group *iommu_group;
	struct vfio_container___vfio *container;
	struct list_head device_list;
	struct list_head container_next;
};

struct vfio_device___vfio {
	struct device *dev;
	/* 6.1 and later: the device of its node, which may have none */
	struct device device;
	struct cdev cdev;
	struct vfio_group___vfio *group;
	struct list_head group_next;
	unsigned int open_count;
};

/* 6.6 and later: private data of a device's file */
struct vfio_device_file___vfio {
	struct vfio_device___vfio *device;
	u32 devid;
};

struct vfio_pci_core_device___vfio {
	struct vfio_device___vfio vdev;
	struct pci_dev *pdev;
};

#pragma clang attribute pop

#endif
