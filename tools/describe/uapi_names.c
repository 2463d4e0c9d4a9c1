// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of ioctls and of VFIO's features.
 */
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stddef.h>

#include "describe/uapi_names.h"

struct named {
	uint64_t number;
	const char *name;
};

#define NAMED(macro) { macro, #macro }

static const struct named of_vfio[] = {
	NAMED(VFIO_GET_API_VERSION),
	NAMED(VFIO_CHECK_EXTENSION),
	NAMED(VFIO_SET_IOMMU),
	NAMED(VFIO_GROUP_GET_STATUS),
	NAMED(VFIO_GROUP_SET_CONTAINER),
	NAMED(VFIO_GROUP_UNSET_CONTAINER),
	NAMED(VFIO_GROUP_GET_DEVICE_FD),
	NAMED(VFIO_DEVICE_GET_INFO),
	NAMED(VFIO_DEVICE_GET_REGION_INFO),
	NAMED(VFIO_DEVICE_GET_IRQ_INFO),
	NAMED(VFIO_DEVICE_SET_IRQS),
	NAMED(VFIO_DEVICE_RESET),
	NAMED(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	NAMED(VFIO_DEVICE_PCI_HOT_RESET),
	NAMED(VFIO_DEVICE_QUERY_GFX_PLANE),
	NAMED(VFIO_DEVICE_GET_GFX_DMABUF),
	NAMED(VFIO_DEVICE_IOEVENTFD),
	NAMED(VFIO_DEVICE_FEATURE),
	NAMED(VFIO_DEVICE_BIND_IOMMUFD),
	NAMED(VFIO_DEVICE_ATTACH_IOMMUFD_PT),
	NAMED(VFIO_DEVICE_DETACH_IOMMUFD_PT),
	NAMED(VFIO_MIG_GET_PRECOPY_INFO),
};

static const struct named of_iommufd[] = {
	NAMED(IOMMU_DESTROY),
	NAMED(IOMMU_IOAS_ALLOC),
	NAMED(IOMMU_IOAS_ALLOW_IOVAS),
	NAMED(IOMMU_IOAS_COPY),
	NAMED(IOMMU_IOAS_IOVA_RANGES),
	NAMED(IOMMU_IOAS_MAP),
	NAMED(IOMMU_IOAS_UNMAP),
	NAMED(IOMMU_OPTION),
	NAMED(IOMMU_VFIO_IOAS),
	NAMED(IOMMU_HWPT_ALLOC),
	NAMED(IOMMU_GET_HW_INFO),
	NAMED(IOMMU_HWPT_SET_DIRTY_TRACKING),
	NAMED(IOMMU_HWPT_GET_DIRTY_BITMAP),
	NAMED(IOMMU_HWPT_INVALIDATE),
	NAMED(IOMMU_FAULT_QUEUE_ALLOC),
	NAMED(VFIO_GET_API_VERSION),
	NAMED(VFIO_CHECK_EXTENSION),
	NAMED(VFIO_SET_IOMMU),
	NAMED(VFIO_IOMMU_GET_INFO),
	NAMED(VFIO_IOMMU_MAP_DMA),
	NAMED(VFIO_IOMMU_UNMAP_DMA),
	NAMED(VFIO_IOMMU_ENABLE),
	NAMED(VFIO_IOMMU_DISABLE),
	NAMED(VFIO_IOMMU_DIRTY_PAGES),
};

#define FEATURE(name) { VFIO_DEVICE_FEATURE_##name, #name }

static const struct named features[] = {
	FEATURE(PCI_VF_TOKEN),
	FEATURE(MIGRATION),
	FEATURE(MIG_DEVICE_STATE),
	FEATURE(LOW_POWER_ENTRY),
	FEATURE(LOW_POWER_ENTRY_WITH_WAKEUP),
	FEATURE(LOW_POWER_EXIT),
	FEATURE(DMA_LOGGING_START),
	FEATURE(DMA_LOGGING_STOP),
	FEATURE(DMA_LOGGING_REPORT),
	FEATURE(MIG_DATA_SIZE),
	FEATURE(BUS_MASTER),
};

#define NR(list) (sizeof(list) / sizeof((list)[0]))

static const char *find(const struct named *list, size_t nr, uint64_t number)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (list[i].number == number)
			return list[i].name;
	return NULL;
}

const char *ioctl_name(enum ioctl_of of, uint64_t number)
{
	return of == IOCTL_OF_VFIO ? find(of_vfio, NR(of_vfio), number) :
				     find(of_iommufd, NR(of_iommufd), number);
}

const char *feature_name(uint64_t flags)
{
	return find(features, NR(features), flags & VFIO_DEVICE_FEATURE_MASK);
}

const char *feature_request(uint64_t flags)
{
	static const char *const names[] = { "", "get", "set", "get and set", "probe",
					     "probe for get", "probe for set",
					     "probe for get and set" };

	/* one bit each, in this order */
	const uint64_t requests = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_PROBE;

	return names[(flags & requests) / VFIO_DEVICE_FEATURE_GET];
}
