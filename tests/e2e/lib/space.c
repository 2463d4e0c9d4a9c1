// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O address spaces, see vfio.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include "vfio.h"

#define CONTAINER "/dev/vfio/vfio"

bool vfio_have_api(enum vfio_api api)
{
	return !access(api == VFIO_API_NODE ? "/dev/iommu" : CONTAINER, F_OK);
}

int vfio_space_open(struct vfio_space *space, enum vfio_api api)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_space new = { .api = api };
	int rc;

	new.fd = open(api == VFIO_API_NODE ? "/dev/iommu" : CONTAINER, O_RDWR | O_CLOEXEC);
	if (new.fd < 0)
		return -errno;
	if (api == VFIO_API_NODE) {
		rc = vfio_call(new.fd, IOMMU_IOAS_ALLOC, &alloc);
		if (rc) {
			close(new.fd);
			return rc;
		}
		new.ioas = alloc.out_ioas_id;
	}
	*space = new;
	return 0;
}

void vfio_space_close(struct vfio_space *space)
{
	close(space->fd);
	space->fd = -1;
}

int vfio_map(struct vfio_space *space, void *va, uint64_t length, uint64_t iova, bool writable)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = space->ioas,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = iova,
	};
	struct vfio_iommu_type1_dma_map legacy = {
		.argsz = sizeof(legacy),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = length,
	};

	if (space->api == VFIO_API_GROUP) {
		if (writable)
			legacy.flags |= VFIO_DMA_MAP_FLAG_WRITE;
		return vfio_call(space->fd, VFIO_IOMMU_MAP_DMA, &legacy);
	}
	if (writable)
		map.flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return vfio_call(space->fd, IOMMU_IOAS_MAP, &map);
}

int vfio_unmap(struct vfio_space *space, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = space->ioas,
		.iova = iova,
		.length = length,
	};
	struct vfio_iommu_type1_dma_unmap legacy = {
		.argsz = sizeof(legacy),
		.iova = iova,
		.size = length,
	};
	int rc;

	if (space->api == VFIO_API_NODE)
		return vfio_call(space->fd, IOMMU_IOAS_UNMAP, &unmap);
	rc = vfio_call(space->fd, VFIO_IOMMU_UNMAP_DMA, &legacy);
	/* if nothing is mapped it returns success, but has unmapped nothing */
	if (!rc && legacy.size != length)
		return -ENOENT;
	return rc;
}

void *vfio_memory(struct vfio_space *space, uint64_t length, uint64_t iova)
{
	void *va = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (va == MAP_FAILED)
		return NULL;
	rc = vfio_map(space, va, length, iova, true);
	if (rc) {
		munmap(va, length);
		errno = -rc;
		return NULL;
	}
	return va;
}
