// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <inttypes.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "describe/ioctl_args.h"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && !strcmp(text + length - strlen(end), end);
}

enum ioctl_file ioctl_file(pid_t pid, uint64_t fd, char device[SCOPE_DEVICE_LEN])
{
	char path[64], target[512], *node;
	struct stat st;
	ssize_t length;

	*device = '\0';
	snprintf(path, sizeof(path), "/proc/%d/fd/%" PRIu64, pid, fd);
	if (stat(path, &st) || !S_ISCHR(st.st_mode))
		return IOCTL_FILE_OTHER;
	/* .../misc/iommu, or .../0000:03:00.0/vfio-dev/vfio0 */
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return IOCTL_FILE_OTHER;
	target[length] = '\0';
	if (ends_with(target, "/misc/iommu"))
		return IOCTL_FILE_IOMMUFD;
	if (ends_with(target, "/misc/vfio"))
		return IOCTL_FILE_CONTAINER;
	node = strstr(target, "/vfio-dev/");
	if (!node)
		return IOCTL_FILE_OTHER;
	*node = '\0';
	node = strrchr(target, '/');
	snprintf(device, SCOPE_DEVICE_LEN, "%s", node ? node + 1 : target);
	return IOCTL_FILE_VFIO;
}

static bool read_argument(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = { to, size }, remote = { (void *)(uintptr_t)address, size };

	memset(to, 0, size);
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) > 0;
}

static bool decode_iommufd(pid_t pid, uint64_t request, uint64_t argument,
			   struct scope_op *op)
{
	union {
		struct iommu_ioas_map map;
		struct iommu_ioas_copy copy;
		struct iommu_ioas_unmap unmap;
		struct iommu_hwpt_alloc hwpt_alloc;
		struct iommu_destroy destroy;
	} in;

	read_argument(pid, argument, &in, sizeof(in));
	switch (request) {
	case IOMMU_IOAS_MAP:
		op->operation = SCOPE_OPERATION_iommufd_map;
		op->ioas = in.map.ioas_id;
		op->iova = in.map.iova;
		op->length = in.map.length;
		return true;
	case IOMMU_IOAS_COPY:
		op->operation = SCOPE_OPERATION_iommufd_copy;
		op->ioas = in.copy.dst_ioas_id;
		op->src_ioas = in.copy.src_ioas_id;
		op->iova = in.copy.dst_iova;
		op->length = in.copy.length;
		return true;
	case IOMMU_IOAS_UNMAP:
		op->operation = SCOPE_OPERATION_iommufd_unmap;
		op->ioas = in.unmap.ioas_id;
		op->iova = in.unmap.iova;
		op->length = in.unmap.length;
		return true;
	case IOMMU_HWPT_ALLOC:
		op->operation = SCOPE_OPERATION_iommufd_hwpt_alloc;
		op->device_id = in.hwpt_alloc.dev_id;
		op->ioas = in.hwpt_alloc.pt_id;
		return true;
	case IOMMU_DESTROY:
		op->operation = SCOPE_OPERATION_iommufd_destroy;
		op->object_id = in.destroy.id;
		return true;
	case IOMMU_IOAS_ALLOC:
		op->operation = SCOPE_OPERATION_iommufd_ioas_alloc;
		return true;
	case IOMMU_IOAS_ALLOW_IOVAS:
		op->operation = SCOPE_OPERATION_iommufd_ioas_allow_iovas;
		return true;
	case IOMMU_IOAS_IOVA_RANGES:
		op->operation = SCOPE_OPERATION_iommufd_ioas_iova_ranges;
		return true;
	case IOMMU_OPTION:
		op->operation = SCOPE_OPERATION_iommufd_option;
		return true;
	case IOMMU_VFIO_IOAS:
		op->operation = SCOPE_OPERATION_iommufd_vfio_ioas;
		return true;
	case IOMMU_GET_HW_INFO:
		op->operation = SCOPE_OPERATION_iommufd_get_hw_info;
		return true;
	}
	op->operation = SCOPE_OPERATION_iommufd_unknown_ioctl;
	op->value = request;
	return true;
}

static bool decode_vfio(pid_t pid, uint64_t request, uint64_t argument,
			struct scope_op *op)
{
	union {
		struct vfio_device_attach_iommufd_pt attach;
		struct vfio_irq_set set_irqs;
	} in;

	read_argument(pid, argument, &in, sizeof(in));
	switch (request) {
	case VFIO_DEVICE_BIND_IOMMUFD:
		op->operation = SCOPE_OPERATION_vfio_bind;
		return true;
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		op->operation = SCOPE_OPERATION_vfio_attach;
		op->hwpt = in.attach.pt_id;
		return true;
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		op->operation = SCOPE_OPERATION_vfio_detach;
		return true;
	case VFIO_DEVICE_RESET:
		op->operation = SCOPE_OPERATION_vfio_reset;
		return true;
	case VFIO_DEVICE_PCI_HOT_RESET:
		op->operation = SCOPE_OPERATION_vfio_hot_reset;
		return true;
	case VFIO_DEVICE_SET_IRQS:
		op->operation = SCOPE_OPERATION_vfio_set_irqs;
		op->index = in.set_irqs.index;
		op->start = in.set_irqs.start;
		op->devices = in.set_irqs.count;
		return true;
	case VFIO_DEVICE_FEATURE:
		op->operation = SCOPE_OPERATION_vfio_feature;
		return true;
	}
	op->operation = SCOPE_OPERATION_vfio_ioctl;
	op->value = request;
	return true;
}

static bool decode_container(pid_t pid, uint64_t request, uint64_t argument, struct scope_op *op)
{
	union {
		struct vfio_iommu_type1_dma_map map;
		struct vfio_iommu_type1_dma_unmap unmap;
	} in;

	read_argument(pid, argument, &in, sizeof(in));
	op->source = SCOPE_SOURCE_TYPE1;
	switch (request) {
	case VFIO_IOMMU_MAP_DMA:
		op->operation = SCOPE_OPERATION_type1_map;
		op->iova = in.map.iova;
		op->length = in.map.size;
		return true;
	case VFIO_IOMMU_UNMAP_DMA:
		op->operation = SCOPE_OPERATION_type1_unmap;
		op->iova = in.unmap.iova;
		op->length = in.unmap.size;
		return true;
	case VFIO_SET_IOMMU:
		op->operation = SCOPE_OPERATION_type1_attach;
		return true;
	}
	return false;
}

bool ioctl_args_decode(enum ioctl_file file, pid_t pid, uint64_t request, uint64_t argument,
		       struct scope_op *op)
{
	switch (file) {
	case IOCTL_FILE_IOMMUFD:
		return decode_iommufd(pid, request, argument, op);
	case IOCTL_FILE_VFIO:
		return decode_vfio(pid, request, argument, op);
	case IOCTL_FILE_CONTAINER:
		return decode_container(pid, request, argument, op);
	default:
		return false;
	}
}
