// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions, configuration space, interrupts and resets of a device, see vfio.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "vfio.h"

int vfio_info(int fd, struct vfio_device_info *info)
{
	*info = (struct vfio_device_info){ .argsz = sizeof(*info) };
	return vfio_call(fd, VFIO_DEVICE_GET_INFO, info);
}

struct vfio_region_info *vfio_region(int fd, uint32_t index)
{
	struct vfio_region_info *info = calloc(1, sizeof(*info)), *more;
	int rc;

	if (!info)
		return NULL;
	info->argsz = sizeof(*info);
	info->index = index;
	rc = vfio_call(fd, VFIO_DEVICE_GET_REGION_INFO, info);
	if (!rc && info->argsz > sizeof(*info)) {
		uint32_t size = info->argsz;

		more = realloc(info, size);
		if (!more) {
			free(info);
			return NULL;
		}
		info = more;
		memset(info, 0, size);
		info->argsz = size;
		info->index = index;
		rc = vfio_call(fd, VFIO_DEVICE_GET_REGION_INFO, info);
	}
	if (rc) {
		free(info);
		errno = -rc;
		return NULL;
	}
	return info;
}

int vfio_region_rw(int fd, uint32_t index, uint64_t offset, void *data, size_t length, bool write)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	int rc = vfio_call(fd, VFIO_DEVICE_GET_REGION_INFO, &info);
	ssize_t n;

	if (rc)
		return rc;
	if (write)
		n = pwrite(fd, data, length, info.offset + offset);
	else
		n = pread(fd, data, length, info.offset + offset);
	return n < 0 ? -errno : (int)n;
}

uint32_t vfio_config_read(const struct vfio_dev *dev, unsigned int offset, unsigned int width)
{
	uint32_t value = 0;

	/* little endian, as the bus is */
	if (vfio_region_rw(dev->fd, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value, width, false) !=
	    (int)width)
		return ~0U;
	return value;
}

int vfio_config_write(const struct vfio_dev *dev, unsigned int offset, unsigned int width,
		      uint32_t value)
{
	int rc = vfio_region_rw(dev->fd, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value, width, true);

	if (rc < 0)
		return rc;
	return rc == (int)width ? 0 : -EIO;
}

unsigned int vfio_config_cap(const struct vfio_dev *dev, unsigned int id)
{
	unsigned int at, limit = 48;

	if (!(vfio_config_read(dev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = vfio_config_read(dev, PCI_CAPABILITY_LIST, 1);
	while (at >= 0x40 && limit--) {
		if (vfio_config_read(dev, at, 1) == id)
			return at;
		at = vfio_config_read(dev, at + 1, 1);
	}
	return 0;
}

int vfio_bus_master(const struct vfio_dev *dev, bool on)
{
	uint32_t bits = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	uint32_t command = vfio_config_read(dev, PCI_COMMAND, 2);

	return vfio_config_write(dev, PCI_COMMAND, 2, on ? command | bits : command & ~bits);
}

void *vfio_bar(struct vfio_dev *dev, unsigned int n)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = n };
	void *va;
	int rc;

	if (n >= VFIO_BARS) {
		errno = EINVAL;
		return NULL;
	}
	if (dev->bar[n])
		return dev->bar[n];
	rc = vfio_call(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info);
	if (rc || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
		errno = rc ? -rc : EOPNOTSUPP;
		return NULL;
	}
	va = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, info.offset);
	if (va == MAP_FAILED)
		return NULL;
	dev->bar[n] = va;
	dev->bar_size[n] = info.size;
	return va;
}

int vfio_irq_info(int fd, uint32_t index, struct vfio_irq_info *info)
{
	*info = (struct vfio_irq_info){ .argsz = sizeof(*info), .index = index };
	return vfio_call(fd, VFIO_DEVICE_GET_IRQ_INFO, info);
}

int vfio_irq_eventfds(int fd, uint32_t index, uint32_t start, uint32_t count, const int *fds,
		      uint32_t action)
{
	size_t size = sizeof(struct vfio_irq_set) + count * sizeof(int);
	struct vfio_irq_set *set = calloc(1, size);
	int rc;

	if (!set)
		return -ENOMEM;
	set->argsz = size;
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | action;
	set->index = index;
	set->start = start;
	set->count = count;
	memcpy(set->data, fds, count * sizeof(int));
	rc = vfio_call(fd, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	return rc;
}

int vfio_irq_set(int fd, uint32_t index, uint32_t start, uint32_t count, uint32_t action)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | action,
		.index = index,
		.start = start,
		.count = count,
	};

	return vfio_call(fd, VFIO_DEVICE_SET_IRQS, &set);
}

uint64_t vfio_wait_event(int eventfd, int timeout_ms)
{
	struct pollfd p = { .fd = eventfd, .events = POLLIN };
	uint64_t count;

	if (poll(&p, 1, timeout_ms) != 1 || read(eventfd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

int vfio_reset(int fd)
{
	return vfio_call(fd, VFIO_DEVICE_RESET, NULL);
}

struct vfio_pci_hot_reset_info *vfio_hot_reset_info(int fd)
{
	struct vfio_pci_hot_reset_info *info;
	uint32_t count = 0;
	int rc;

	/* the first call returns how many there are */
	for (;;) {
		size_t size = sizeof(*info) + count * sizeof(info->devices[0]);

		info = calloc(1, size);
		if (!info)
			return NULL;
		info->argsz = size;
		rc = vfio_call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
		if (!rc)
			return info;
		if (rc != -ENOSPC || info->count <= count)
			break;
		count = info->count;
		free(info);
	}
	free(info);
	errno = -rc;
	return NULL;
}

int vfio_hot_reset(int fd, const int *group_fds, unsigned int count)
{
	size_t size = sizeof(struct vfio_pci_hot_reset) + count * sizeof(int);
	struct vfio_pci_hot_reset *reset = calloc(1, size);
	int rc;

	if (!reset)
		return -ENOMEM;
	reset->argsz = size;
	reset->count = count;
	if (count)
		memcpy(reset->group_fds, group_fds, count * sizeof(int));
	rc = vfio_call(fd, VFIO_DEVICE_PCI_HOT_RESET, reset);
	free(reset);
	return rc;
}
