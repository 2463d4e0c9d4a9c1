/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small library for device drivers in user space, on VFIO.
 *
 * A *space* is an I/O address space: an IOAS of an iommufd, or a legacy container. A *device* is
 * opened into a space, through its node or through its group; afterwards both are used alike.
 * Functions return 0 or a negative errno unless stated otherwise, and change nothing when they
 * fail. Nothing here is more thread safe than the kernel's calls.
 */
#ifndef IOMMUSCOPE_E2E_VFIO_H
#define IOMMUSCOPE_E2E_VFIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vfio.h>

#include "pci.h"

/**
 * enum vfio_api - the two APIs for devices
 * @VFIO_API_NODE: /dev/vfio/devices/vfioX and /dev/iommu
 * @VFIO_API_GROUP: /dev/vfio/N and the container /dev/vfio/vfio
 */
enum vfio_api {
	VFIO_API_NODE,
	VFIO_API_GROUP,
};

/**
 * struct vfio_space - an I/O address space
 * @api: which kind
 * @fd: the iommufd or the container
 * @ioas: the IOAS, with VFIO_API_NODE
 * @ready: the container knows its IOMMU, with VFIO_API_GROUP
 */
struct vfio_space {
	enum vfio_api api;
	int fd;
	uint32_t ioas;
	bool ready;
};

#define VFIO_BARS 6

/**
 * struct vfio_dev - an open device
 * @bdf: its address
 * @space: the space it was opened into
 * @fd: the device
 * @group_fd: its group, with VFIO_API_GROUP, else -1
 * @devid: its id in the iommufd, with VFIO_API_NODE
 * @bar: mapped BARs, NULL where not
 * @bar_size: their sizes
 */
struct vfio_dev {
	char bdf[PCI_BDF_SIZE];
	struct vfio_space *space;
	int fd;
	int group_fd;
	uint32_t devid;
	void *bar[VFIO_BARS];
	size_t bar_size[VFIO_BARS];
};

/* space.c: address spaces */

/**
 * vfio_have_api() - does the running kernel have this API?
 * @api: the API
 */
bool vfio_have_api(enum vfio_api api);

/**
 * vfio_space_open() - make an address space
 * @space: is initialised
 * @api: of which kind
 */
int vfio_space_open(struct vfio_space *space, enum vfio_api api);

/**
 * vfio_space_close() - close an address space
 * @space: the space; its devices must be closed before
 */
void vfio_space_close(struct vfio_space *space);

/**
 * vfio_map() - let devices reach memory
 * @space: the address space
 * @va: the memory, aligned to a page
 * @length: in bytes, whole pages
 * @iova: where devices find it
 * @writable: devices may write it, too
 *
 * A container only takes maps once it has a device.
 */
int vfio_map(struct vfio_space *space, void *va, uint64_t length, uint64_t iova, bool writable);

/**
 * vfio_unmap() - undo vfio_map()
 * @space: the address space
 * @iova: as it was mapped
 * @length: as it was mapped
 */
int vfio_unmap(struct vfio_space *space, uint64_t iova, uint64_t length);

/**
 * vfio_memory() - fresh memory that devices can reach
 * @space: the address space
 * @length: in bytes, whole pages
 * @iova: where devices find it
 *
 * Return: the memory, zeroed, or NULL with errno set
 */
void *vfio_memory(struct vfio_space *space, uint64_t length, uint64_t iova);

/* device.c: opening, binding, attaching */

/**
 * vfio_call() - an ioctl
 * @fd: on what
 * @request: which
 * @arg: its argument
 *
 * Return: what ioctl() returns, or a negative errno
 */
int vfio_call(int fd, unsigned long request, void *arg);

/**
 * vfio_node_open() - only open the node of a device
 * @bdf: the device
 *
 * Return: file descriptor or a negative errno
 */
int vfio_node_open(const char *bdf);

/**
 * vfio_node_bind() - bind a device to an iommufd
 * @fd: the device
 * @iommufd: the iommufd
 * @devid: is set to the device's id
 */
int vfio_node_bind(int fd, int iommufd, uint32_t *devid);

/**
 * vfio_node_attach() - attach a device to an IOAS or HWPT, or replace what it is attached to
 * @fd: the device
 * @pt: id of the IOAS or HWPT; is set to the HWPT that the device uses
 */
int vfio_node_attach(int fd, uint32_t *pt);

/**
 * vfio_node_detach() - detach a device from what it is attached to
 * @fd: the device
 */
int vfio_node_detach(int fd);

/**
 * vfio_group_open() - only open the group of a device
 * @bdf: the device
 *
 * Return: file descriptor or a negative errno
 */
int vfio_group_open(const char *bdf);

/**
 * vfio_open() - open a device into an address space, ready for DMA
 * @dev: is initialised
 * @bdf: its address; a VFIO driver must have it
 * @space: the address space
 */
int vfio_open(struct vfio_dev *dev, const char *bdf, struct vfio_space *space);

/**
 * vfio_open_second() - open another device of a group that is open
 * @dev: is initialised
 * @bdf: its address
 * @first: an open device of the same space, and of the same group with VFIO_API_GROUP
 */
int vfio_open_second(struct vfio_dev *dev, const char *bdf, const struct vfio_dev *first);

/**
 * vfio_close() - close a device, unmap its BARs
 * @dev: the device
 */
void vfio_close(struct vfio_dev *dev);

/* access.c: regions, configuration space, interrupts, resets */

/**
 * vfio_info() - get the description of a device
 * @fd: the device
 * @info: is filled
 */
int vfio_info(int fd, struct vfio_device_info *info);

/**
 * vfio_region() - get the description of a region
 * @fd: the device
 * @index: VFIO_PCI_*_REGION_INDEX
 *
 * Return: the description with its capability chain, to be freed, or NULL with errno set
 */
struct vfio_region_info *vfio_region(int fd, uint32_t index);

/**
 * vfio_region_rw() - read or write a region through the file
 * @fd: the device
 * @index: the region
 * @offset: in the region
 * @data: the bytes
 * @length: how many
 * @write: write rather than read
 *
 * Return: bytes moved or a negative errno
 */
int vfio_region_rw(int fd, uint32_t index, uint64_t offset, void *data, size_t length, bool write);

/**
 * vfio_config_read() - read the configuration space
 * @dev: the device
 * @offset: where
 * @width: 1, 2 or 4 bytes
 *
 * Return: the value; all ones if it cannot be read
 */
uint32_t vfio_config_read(const struct vfio_dev *dev, unsigned int offset, unsigned int width);

/**
 * vfio_config_write() - write the configuration space
 * @dev: the device
 * @offset: where
 * @width: 1, 2 or 4 bytes
 * @value: what
 */
int vfio_config_write(const struct vfio_dev *dev, unsigned int offset, unsigned int width,
		      uint32_t value);

/**
 * vfio_config_cap() - find a capability in the configuration space
 * @dev: the device
 * @id: PCI_CAP_ID_*
 *
 * Return: its offset, 0 if there is none
 */
unsigned int vfio_config_cap(const struct vfio_dev *dev, unsigned int id);

/**
 * vfio_bus_master() - allow or forbid DMA and memory access
 * @dev: the device
 * @on: allow
 */
int vfio_bus_master(const struct vfio_dev *dev, bool on);

/**
 * vfio_bar() - map a BAR
 * @dev: the device
 * @n: number of the BAR
 *
 * Return: the address of the whole mapped BAR, or NULL with errno set. It stays until
 * vfio_close().
 */
void *vfio_bar(struct vfio_dev *dev, unsigned int n);

/**
 * vfio_irq_info() - get the description of an interrupt index
 * @fd: the device
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @info: is filled
 */
int vfio_irq_info(int fd, uint32_t index, struct vfio_irq_info *info);

/**
 * vfio_irq_eventfds() - signal interrupts to eventfds
 * @fd: the device
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @start: first interrupt
 * @count: how many
 * @fds: @count eventfds, -1 for none
 * @action: VFIO_IRQ_SET_ACTION_TRIGGER, or MASK, UNMASK: the action of an eventfd
 */
int vfio_irq_eventfds(int fd, uint32_t index, uint32_t start, uint32_t count, const int *fds,
		      uint32_t action);

/**
 * vfio_irq_set() - trigger, mask or unmask interrupts, or free an index with a count of 0
 * @fd: the device
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @start: first interrupt
 * @count: how many
 * @action: VFIO_IRQ_SET_ACTION_*
 */
int vfio_irq_set(int fd, uint32_t index, uint32_t start, uint32_t count, uint32_t action);

/**
 * vfio_wait_event() - wait for an eventfd
 * @eventfd: a non-blocking eventfd
 * @timeout_ms: how long at most
 *
 * Return: how often it was signalled, 0 if it was not
 */
uint64_t vfio_wait_event(int eventfd, int timeout_ms);

/**
 * vfio_reset() - reset a device
 * @fd: the device
 */
int vfio_reset(int fd);

/**
 * vfio_hot_reset_info() - the devices that a hot reset of a device would reset
 * @fd: the device
 *
 * Return: the description, to be freed, or NULL with errno set
 */
struct vfio_pci_hot_reset_info *vfio_hot_reset_info(int fd);

/**
 * vfio_hot_reset() - reset a device and all that share its bus or slot
 * @fd: the device
 * @group_fds: the groups that prove ownership
 * @count: how many, 0 with device nodes
 */
int vfio_hot_reset(int fd, const int *group_fds, unsigned int count);

#endif
