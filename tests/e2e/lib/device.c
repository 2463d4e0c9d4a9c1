// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening devices, see vfio.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio.h"

int vfio_call(int fd, unsigned long request, void *arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vfio_node_open(const char *bdf)
{
	char path[PATH_MAX];
	int rc = pci_vfio_node(bdf, path, sizeof(path));

	return rc ? rc : open_file(path);
}

int vfio_node_bind(int fd, int iommufd, uint32_t *devid)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	int rc = vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

	if (!rc)
		*devid = bind.out_devid;
	return rc;
}

int vfio_node_attach(int fd, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = *pt };
	int rc = vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);

	if (!rc)
		*pt = attach.pt_id;
	return rc;
}

int vfio_node_detach(int fd)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return vfio_call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

int vfio_group_open(const char *bdf)
{
	int group = pci_group(bdf);
	char path[64];

	if (group < 0)
		return group;
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	return open_file(path);
}

static int open_node(struct vfio_dev *dev)
{
	uint32_t pt = dev->space->ioas;
	int rc;

	dev->fd = vfio_node_open(dev->bdf);
	if (dev->fd < 0)
		return dev->fd;
	rc = vfio_node_bind(dev->fd, dev->space->fd, &dev->devid);
	if (!rc)
		rc = vfio_node_attach(dev->fd, &pt);
	if (rc)
		close(dev->fd);
	return rc;
}

static int open_in_group(struct vfio_dev *dev)
{
	dev->fd = vfio_call(dev->group_fd, VFIO_GROUP_GET_DEVICE_FD, dev->bdf);
	return dev->fd < 0 ? dev->fd : 0;
}

static int open_group(struct vfio_dev *dev)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct vfio_space *space = dev->space;
	int rc;

	dev->group_fd = vfio_group_open(dev->bdf);
	if (dev->group_fd < 0)
		return dev->group_fd;
	rc = vfio_call(dev->group_fd, VFIO_GROUP_GET_STATUS, &status);
	if (!rc && !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		rc = -EPERM;
	if (!rc)
		rc = vfio_call(dev->group_fd, VFIO_GROUP_SET_CONTAINER, &space->fd);
	if (!rc && !space->ready)
		rc = vfio_call(space->fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU);
	if (!rc) {
		space->ready = true;
		rc = open_in_group(dev);
	}
	if (rc)
		close(dev->group_fd);
	return rc;
}

static void init(struct vfio_dev *dev, const char *bdf, struct vfio_space *space)
{
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->bdf, sizeof(dev->bdf), "%s", bdf);
	dev->space = space;
	dev->fd = -1;
	dev->group_fd = -1;
}

int vfio_open(struct vfio_dev *dev, const char *bdf, struct vfio_space *space)
{
	init(dev, bdf, space);
	return space->api == VFIO_API_NODE ? open_node(dev) : open_group(dev);
}

int vfio_open_second(struct vfio_dev *dev, const char *bdf, const struct vfio_dev *first)
{
	init(dev, bdf, first->space);
	if (first->space->api == VFIO_API_NODE)
		return open_node(dev);
	dev->group_fd = dup(first->group_fd);
	if (dev->group_fd < 0)
		return -errno;
	return open_in_group(dev);
}

void vfio_close(struct vfio_dev *dev)
{
	unsigned int i;

	for (i = 0; i < VFIO_BARS; i++)
		if (dev->bar[i])
			munmap(dev->bar[i], dev->bar_size[i]);
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group_fd >= 0)
		close(dev->group_fd);
	init(dev, "", NULL);
}
