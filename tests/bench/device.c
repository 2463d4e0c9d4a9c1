// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that are measured: plain iommufd and VFIO ioctls, no library between.
 *
 * Model: a session has one device that is attached to one IOAS from session_open() to
 * session_close(), so that the IOAS always has exactly one hardware page table of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static uint32_t ioas_alloc(struct session *s)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(s->iommufd, IOMMU_IOAS_ALLOC, &alloc))
		die("IOMMU_IOAS_ALLOC");
	return alloc.out_ioas_id;
}

/**
 * device_replace() - attach the device, or replace its translation if it is attached
 * @s: the session
 * @id: the HWPT or IOAS
 */
void device_replace(struct session *s, uint32_t id)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = id };

	if (ioctl(s->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		die("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

static void ioas_attach_new(struct session *s)
{
	s->ioas_id = ioas_alloc(s);
	device_replace(s, s->ioas_id);
}

static void ioas_detach(struct session *s)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	if (ioctl(s->device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach))
		die("VFIO_DEVICE_DETACH_IOMMUFD_PT");
	object_destroy(s, s->ioas_id);
}

/**
 * session_open() - open an iommufd and a device, bind, and attach an empty IOAS
 * @s: the session to set up
 * @node: the device's node, /dev/vfio/devices/vfioX
 */
void session_open(struct session *s, const char *node)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };

	errno = 0;
	s->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (s->iommufd < 0)
		die("/dev/iommu");
	s->device = open(node, O_RDWR | O_CLOEXEC);
	if (s->device < 0)
		die("%s", node);
	bind.iommufd = s->iommufd;
	if (ioctl(s->device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		die("VFIO_DEVICE_BIND_IOMMUFD");
	s->dev_id = bind.out_devid;
	ioas_attach_new(s);
}

/**
 * session_close() - undo session_open()
 * @s: the session
 */
void session_close(struct session *s)
{
	ioas_detach(s);
	close(s->device);
	close(s->iommufd);
}

/**
 * ioas_renew() - swap the IOAS for a new one
 * @s: the session
 *
 * Each case starts with this, so that it does not inherit structures of an earlier one.
 */
void ioas_renew(struct session *s)
{
	ioas_detach(s);
	ioas_attach_new(s);
}

/**
 * ioas_allow() - restrict the IOVAs that the kernel chooses
 * @s: the session
 * @start: first IOVA
 * @last: last IOVA
 */
void ioas_allow(struct session *s, uint64_t start, uint64_t last)
{
	struct iommu_iova_range range = { .start = start, .last = last };
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow),
		.ioas_id = s->ioas_id,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};

	if (ioctl(s->iommufd, IOMMU_IOAS_ALLOW_IOVAS, &allow))
		die("IOMMU_IOAS_ALLOW_IOVAS");
}

/**
 * ioas_map() - map memory at an IOVA
 * @s: the session
 * @va: the memory
 * @length: bytes
 * @iova: where
 *
 * Return: nanoseconds the call took.
 */
uint64_t ioas_map(struct session *s, void *va, uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.ioas_id = s->ioas_id,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = iova,
	};
	uint64_t start = now_ns();

	if (ioctl(s->iommufd, IOMMU_IOAS_MAP, &map))
		die("IOMMU_IOAS_MAP of %llu bytes at 0x%llx", (unsigned long long)length,
		    (unsigned long long)iova);
	return now_ns() - start;
}

/**
 * ioas_map_anywhere() - map memory at an IOVA that the kernel chooses
 * @s: the session
 * @va: the memory
 * @length: bytes
 *
 * Return: the IOVA.
 */
uint64_t ioas_map_anywhere(struct session *s, void *va, uint64_t length)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = s->ioas_id,
		.user_va = (uintptr_t)va,
		.length = length,
	};

	if (ioctl(s->iommufd, IOMMU_IOAS_MAP, &map))
		die("IOMMU_IOAS_MAP of %llu bytes anywhere", (unsigned long long)length);
	return map.iova;
}

/**
 * ioas_unmap() - unmap a range
 * @s: the session
 * @iova: start
 * @length: bytes, all of them mapped
 *
 * Return: nanoseconds the call took.
 */
uint64_t ioas_unmap(struct session *s, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = s->ioas_id,
		.iova = iova,
		.length = length,
	};
	uint64_t start = now_ns();

	if (ioctl(s->iommufd, IOMMU_IOAS_UNMAP, &unmap))
		die("IOMMU_IOAS_UNMAP of %llu bytes at 0x%llx", (unsigned long long)length,
		    (unsigned long long)iova);
	start = now_ns() - start;
	errno = 0;
	if (unmap.length != length)
		die("IOMMU_IOAS_UNMAP undid %llu of %llu bytes", (unsigned long long)unmap.length,
		    (unsigned long long)length);
	return start;
}

/**
 * ioas_unmap_all() - empty the IOAS with one call
 * @s: the session; its IOAS is not empty
 */
void ioas_unmap_all(struct session *s)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = s->ioas_id,
		.length = UINT64_MAX,
	};

	if (ioctl(s->iommufd, IOMMU_IOAS_UNMAP, &unmap))
		die("IOMMU_IOAS_UNMAP of everything");
}

/**
 * ioas_copy_all() - another IOAS with the same pages at the same IOVAs
 * @s: the session
 * @iova: start of the mapped range
 * @length: bytes of it
 *
 * Return: its id.
 */
uint32_t ioas_copy_all(struct session *s, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.dst_ioas_id = ioas_alloc(s),
		.src_ioas_id = s->ioas_id,
		.length = length,
		.dst_iova = iova,
		.src_iova = iova,
	};

	if (ioctl(s->iommufd, IOMMU_IOAS_COPY, &copy))
		die("IOMMU_IOAS_COPY");
	return copy.dst_ioas_id;
}

/**
 * hwpt_alloc() - one more hardware page table with everything the IOAS maps
 * @s: the session
 *
 * Return: its id.
 */
uint32_t hwpt_alloc(struct session *s)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = s->dev_id,
		.pt_id = s->ioas_id,
	};

	if (ioctl(s->iommufd, IOMMU_HWPT_ALLOC, &alloc))
		die("IOMMU_HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

/**
 * object_destroy() - IOMMU_DESTROY
 * @s: the session
 * @id: the object
 */
void object_destroy(struct session *s, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	if (ioctl(s->iommufd, IOMMU_DESTROY, &destroy))
		die("IOMMU_DESTROY of object %u", id);
}
