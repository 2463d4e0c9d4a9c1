// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are refused: out of order, with wrong files, with arguments that are too short.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/iommu.h"
#include "e2e.h"

static int open_node(char *bdf)
{
	int fd;

	e2e_need_api(VFIO_API_NODE);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	return fd;
}

TEST(misuse, bind_to_wrong_file)
{
	char bdf[PCI_BDF_SIZE];
	struct vfio_space space;
	int fd = open_node(bdf);
	uint32_t devid;
	int other;

	FAILS(EBADF, "bad_fd", vfio_node_bind(fd, 9999, &devid));
	FAILS(EINVAL, "bad_fd", vfio_node_bind(fd, -1, &devid));
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK_GE(other, 0);
	FAILS(EBADFD, "not_iommufd", vfio_node_bind(fd, other, &devid));
	close(other);
	/* closed a moment ago */
	FAILS(EBADF, "bad_fd", vfio_node_bind(fd, other, &devid));
	/* the device's own file */
	FAILS(EBADFD, "not_iommufd", vfio_node_bind(fd, fd, &devid));
	/* none of these did harm */
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
	CHECK_NE(devid, 0);
}

TEST(misuse, bind_twice)
{
	struct vfio_space space, other;
	char bdf[PCI_BDF_SIZE];
	int fd = open_node(bdf);
	uint32_t devid, pt;

	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_space_open(&other, VFIO_API_NODE));
	CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
	FAILS(EINVAL, "already_bound", vfio_node_bind(fd, space.fd, &devid));
	FAILS(EINVAL, "already_bound", vfio_node_bind(fd, other.fd, &devid));
	/* an address space of another iommufd is not one of this one */
	pt = 0x123456;
	FAILS(ENOENT, "iommufd_refused", vfio_node_attach(fd, &pt));
	CHECK_EQ(pt, 0x123456);
	pt = space.ioas;
	CHECK_OK(vfio_node_attach(fd, &pt));
}

/* Replaced by an HWPT of another IOMMU, a device would reach a driver that does not know it. */
TEST(misuse, hwpt_of_another_iommu)
{
	struct test_device mock;
	struct vfio_space space;
	struct vfio_dev dev;
	uint32_t hwpt, pt;
	int rc;

	e2e_open(&dev, &space, VFIO_API_NODE, EDU_VENDOR, EDU_DEVICE);
	rc = mock_domain(space.fd, space.ioas, &mock);
	if (rc == -ENOTTY)
		tap_skip("a production build has no mock IOMMU");
	CHECK_OK(rc);
	CHECK_OK(hwpt_alloc(space.fd, dev.devid, space.ioas, 0, &hwpt));
	CHECK_ERR(EINVAL, device_replace(space.fd, &mock, hwpt));
	pt = mock.hwpt;
	FAILS(EINVAL, "iommufd_refused", vfio_node_attach(dev.fd, &pt));
	/* both are still where they were */
	CHECK_OK(device_replace(space.fd, &mock, space.ioas));
	pt = hwpt;
	CHECK_OK(vfio_node_attach(dev.fd, &pt));
}

TEST(misuse, bind_arguments)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	int fd = open_node(bdf);

	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	bind.iommufd = space.fd;
	bind.flags = 1;
	FAILS(EINVAL, "bad_size", vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	bind.flags = 0;
	bind.argsz = sizeof(bind) - 1;
	FAILS(EINVAL, "bad_size", vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	FAILS(EFAULT, "bad_user_pointer", vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, NULL));
	/* an argument larger than today's structure comes from a program of the future */
	bind.argsz = sizeof(bind) + 64;
	CHECK_OK(vfio_call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind));
}

static void allow_unsafe(const char *value)
{
	int fd = open("/sys/module/iommufd/parameters/allow_unsafe_interrupts",
		      O_WRONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, value, 1), 1);
	close(fd);
}

/* A device that could send the interrupts of others needs the administrator's permission. */
TEST(misuse, unsafe_interrupts)
{
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	int fd = open_node(bdf);
	uint32_t devid;
	int rc;

	if (!strcmp(pci_iommu_kind(bdf), "intel"))
		tap_skip("this machine isolates interrupts");
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	allow_unsafe("N");
	rc = vfio_node_bind(fd, space.fd, &devid);
	allow_unsafe("Y");
	CHECK_EQ(rc, -EPERM);
	CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
}

/* Before the bind nothing works, not even reading. */
TEST(misuse, unbound_node)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct vfio_irq_info irq = { .argsz = sizeof(irq) };
	char bdf[PCI_BDF_SIZE], byte;
	int fd = open_node(bdf);
	uint32_t pt = 1;

	FAILS(EINVAL, "not_bound", vfio_node_attach(fd, &pt));
	FAILS(EINVAL, "not_bound", vfio_node_detach(fd));
	FAILS(EINVAL, "not_bound", vfio_call(fd, VFIO_DEVICE_GET_INFO, &info));
	FAILS(EINVAL, "not_bound", vfio_call(fd, VFIO_DEVICE_GET_REGION_INFO, &region));
	FAILS(EINVAL, "not_bound", vfio_call(fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	FAILS(EINVAL, "not_bound", vfio_reset(fd));
	CHECK_EQ(pread(fd, &byte, 1, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(pwrite(fd, &byte, 1, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
}

TEST(misuse, attach_arguments)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	int fd = open_node(bdf);
	uint32_t devid;

	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
	attach.pt_id = space.ioas;
	attach.flags = 1;
	FAILS(EINVAL, "unknown_flags", vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	attach.flags = 0;
	attach.argsz = sizeof(attach) - 1;
	FAILS(EINVAL, "bad_size", vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	attach.argsz = sizeof(attach);
	/* the device itself cannot be attached to */
	attach.pt_id = devid;
	FAILS(EINVAL, "iommufd_refused", vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	attach.pt_id = 0;
	FAILS(ENOENT, "iommufd_refused", vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	attach.pt_id = space.ioas;
	CHECK_OK(vfio_call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	CHECK_NE(attach.pt_id, space.ioas);
	CHECK_NE(attach.pt_id, 0);

	detach.flags = 1;
	FAILS(EINVAL, "unknown_flags", vfio_call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	detach.flags = 0;
	detach.argsz = 4;
	FAILS(EINVAL, "bad_size", vfio_call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	detach.argsz = sizeof(detach);
	CHECK_OK(vfio_call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
}

/* These calls belong to the nodes alone. */
TEST(misuse, node_calls_on_group_device)
{
	struct vfio_space container, space;
	struct vfio_dev dev;
	uint32_t id;

	e2e_need_api(VFIO_API_NODE);
	e2e_need_api(VFIO_API_GROUP);
	e2e_open(&dev, &container, VFIO_API_GROUP, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	FAILS(EINVAL, "group_file", vfio_node_bind(dev.fd, space.fd, &id));
	id = space.ioas;
	FAILS(ENOTTY, "group_file", vfio_node_attach(dev.fd, &id));
	FAILS(ENOTTY, "group_file", vfio_node_detach(dev.fd));
}

BOTH(misuse, info_too_short)
{
	struct vfio_pci_hot_reset_info reset = { .argsz = sizeof(reset) - 4 };
	struct vfio_region_info region = { .argsz = offsetof(struct vfio_region_info, offset) + 7 };
	struct vfio_device_info info = { .argsz = offsetof(struct vfio_device_info, num_irqs) + 3 };
	struct vfio_irq_info irq = { .argsz = offsetof(struct vfio_irq_info, count) + 3 };
	struct vfio_device_feature feature = { .argsz = sizeof(feature) - 1 };
	struct vfio_irq_set set = { .argsz = sizeof(set) - 1, .flags = VFIO_IRQ_SET_DATA_NONE };
	struct vfio_space space;
	struct vfio_dev dev;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	FAILS(EINVAL, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_INFO, &info));
	FAILS(EINVAL, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_REGION_INFO, &region));
	FAILS(EINVAL, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	FAILS(EINVAL, "bad_size", vfio_call(dev.fd, VFIO_DEVICE_SET_IRQS, &set));
	FAILS(EINVAL, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &reset));
	FAILS(EINVAL, "bad_size", vfio_call(dev.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	FAILS(EINVAL, "bad_size", vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));

	FAILS(EFAULT, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_INFO, NULL));
	FAILS(EFAULT, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_REGION_INFO, NULL));
	FAILS(EFAULT, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, NULL));
	FAILS(EFAULT, "bad_user_pointer", vfio_call(dev.fd, VFIO_DEVICE_SET_IRQS, NULL));
	FAILS(ENOTTY, "driver_refused", vfio_call(dev.fd, _IO(';', 199), NULL));
}

BOTH(misuse, no_such_index)
{
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct vfio_device_info info;
	struct vfio_irq_info irq;
	struct vfio_space space;
	struct vfio_dev dev;
	int fd = e2e_eventfd();
	char byte;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(vfio_info(dev.fd, &info));
	CHECK(info.flags & VFIO_DEVICE_FLAGS_PCI);
	CHECK_GE(info.num_regions, VFIO_PCI_NUM_REGIONS);
	CHECK_EQ(info.num_irqs, VFIO_PCI_NUM_IRQS);
	region.index = info.num_regions;
	FAILS(EINVAL, "driver_refused", vfio_call(dev.fd, VFIO_DEVICE_GET_REGION_INFO, &region));
	FAILS(EINVAL, "driver_refused", vfio_irq_info(dev.fd, info.num_irqs, &irq));
	FAILS(EINVAL, "bad_index",
	      vfio_irq_eventfds(dev.fd, info.num_irqs, 0, 1, &fd, VFIO_IRQ_SET_ACTION_TRIGGER));
	FAILS(EINVAL, "bad_range",
	      vfio_irq_eventfds(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 1, 1, &fd,
				VFIO_IRQ_SET_ACTION_TRIGGER));
	/* there is no INTx to unmask yet */
	FAILS(EINVAL, "bad_action",
	      vfio_irq_set(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_UNMASK));
	/* no eventfd, and a file that is not one */
	fd = 9999;
	FAILS(EBADF, "bad_eventfd",
	      vfio_irq_eventfds(dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &fd,
				VFIO_IRQ_SET_ACTION_TRIGGER));
	fd = dev.fd;
	FAILS(EINVAL, "bad_eventfd",
	      vfio_irq_eventfds(dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &fd,
				VFIO_IRQ_SET_ACTION_TRIGGER));
	/* beyond the end of a region, and a region that does not exist */
	CHECK_ERR(EINVAL, vfio_region_rw(dev.fd, 0, MIB(1), &byte, 1, false));
	CHECK_ERR(EINVAL, vfio_region_rw(dev.fd, 5, 0, &byte, 1, false));
	CHECK(mmap(NULL, MIB(2), PROT_READ, MAP_SHARED, dev.fd, 0) == MAP_FAILED);
}

BOTH(misuse, features)
{
	struct vfio_device_feature feature = { .argsz = sizeof(feature) };
	struct vfio_space space;
	struct vfio_dev dev;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	/* edu cannot migrate */
	feature.flags = VFIO_DEVICE_FEATURE_MIGRATION | VFIO_DEVICE_FEATURE_PROBE |
			VFIO_DEVICE_FEATURE_GET;
	FAILS(ENOTTY, "not_supported", vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));
	/* probing for both, set where only get exists */
	feature.flags = 0x7000 | VFIO_DEVICE_FEATURE_PROBE;
	FAILS(ENOTTY, "not_supported", vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));
	feature.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | VFIO_DEVICE_FEATURE_GET |
			VFIO_DEVICE_FEATURE_SET;
	FAILS(EINVAL, "unknown_flags", vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));
	feature.flags = VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY | VFIO_DEVICE_FEATURE_PROBE |
			VFIO_DEVICE_FEATURE_SET;
	CHECK_OK(vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));
	/* none of these bits is defined */
	feature.flags |= 1U << 30;
	FAILS(EINVAL, "unknown_flags", vfio_call(dev.fd, VFIO_DEVICE_FEATURE, &feature));
}

/* The group's own calls, out of order. */
TEST(misuse, group_calls)
{
	struct vfio_group_status status = { .argsz = sizeof(status) - 1 };
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	int group, device, null;

	e2e_need_api(VFIO_API_GROUP);
	e2e_claim(EDU_VENDOR, EDU_DEVICE, 0, 0, bdf);
	group = vfio_group_open(bdf);
	CHECK_GE(group, 0);
	CHECK_ERR(EINVAL, vfio_call(group, VFIO_GROUP_GET_STATUS, &status));
	status.argsz = sizeof(status);
	CHECK_OK(vfio_call(group, VFIO_GROUP_GET_STATUS, &status));
	CHECK_EQ(status.flags, VFIO_GROUP_FLAGS_VIABLE);
	/* a device needs a container */
	FAILS(EINVAL, "no_container", vfio_call(group, VFIO_GROUP_GET_DEVICE_FD, bdf));
	FAILS(EINVAL, "no_container", vfio_call(group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK_GE(null, 0);
	FAILS(EBADFD, "not_iommufd", vfio_call(group, VFIO_GROUP_SET_CONTAINER, &null));
	FAILS(EBADF, "bad_fd", vfio_call(group, VFIO_GROUP_SET_CONTAINER, &(int){ 9999 }));

	CHECK_OK(vfio_space_open(&space, VFIO_API_GROUP));
	CHECK_EQ(vfio_call(space.fd, VFIO_GET_API_VERSION, NULL), VFIO_API_VERSION);
	CHECK_EQ(vfio_call(space.fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(vfio_call(space.fd, VFIO_CHECK_EXTENSION, (void *)9999), 0);
	CHECK_OK(vfio_call(group, VFIO_GROUP_SET_CONTAINER, &space.fd));
	FAILS(EINVAL, "container_set", vfio_call(group, VFIO_GROUP_SET_CONTAINER, &space.fd));
	CHECK_OK(vfio_call(space.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	CHECK_OK(vfio_call(group, VFIO_GROUP_GET_STATUS, &status));
	CHECK_EQ(status.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
	FAILS(ENODEV, "no_such_device", vfio_call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:ff:1f.7"));
	device = vfio_call(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	CHECK_GE(device, 0);
	FAILS(EBUSY, "container_busy", vfio_call(group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	close(device);
	CHECK_OK(vfio_call(group, VFIO_GROUP_UNSET_CONTAINER, NULL));
}

/* The end of a page with nothing mapped after it: a structure of @size ends there. */
static void *at_the_end(size_t size)
{
	static uint8_t *page;

	if (!page) {
		page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		CHECK(page != MAP_FAILED);
		CHECK_OK(munmap(page + PAGE_SIZE, PAGE_SIZE));
	}
	memset(page, 0xaa, PAGE_SIZE);
	return page + PAGE_SIZE - size;
}

/* Call with every size from the least to the whole and more: nothing is written after it. */
static void check_room(int fd, unsigned long request, size_t least, size_t most, uint32_t index)
{
	size_t size, i;
	uint8_t *wide;
	uint32_t *at;

	for (size = least; size <= most; size += 4) {
		at = at_the_end(size);
		at[0] = size;
		at[1] = 0;
		if (size > 2 * sizeof(*at))
			at[2] = index;
		/* a count or an array that does not fit is also an answer */
		if (vfio_call(fd, request, at) == -EFAULT)
			tap_fail(__FILE__, __LINE__, "request 0x%lx, argsz %zu: wrote after its end",
				 request, size);
		wide = at_the_end(256);
		((uint32_t *)wide)[0] = size;
		((uint32_t *)wide)[1] = 0;
		if (size > 2 * sizeof(*at))
			((uint32_t *)wide)[2] = index;
		vfio_call(fd, request, wide);
		for (i = size; i < 256; i++)
			if (wide[i] != 0xaa)
				tap_fail(__FILE__, __LINE__, "request 0x%lx, argsz %zu: wrote byte %zu",
					 request, size, i);
	}
}

BOTH(misuse, answers_stay_in_their_room)
{
	struct vfio_device_info info;
	struct vfio_space space;
	struct vfio_dev dev;
	uint32_t i;

	e2e_open(&dev, &space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(vfio_info(dev.fd, &info));
	check_room(dev.fd, VFIO_DEVICE_GET_INFO, offsetof(struct vfio_device_info, num_irqs) + 4, 64, 0);
	for (i = 0; i < info.num_regions; i++)
		check_room(dev.fd, VFIO_DEVICE_GET_REGION_INFO,
			   offsetof(struct vfio_region_info, offset) + 8, 96, i);
	for (i = 0; i < info.num_irqs; i++)
		check_room(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, offsetof(struct vfio_irq_info, count) + 4,
			   64, i);
	check_room(dev.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
		   sizeof(struct vfio_pci_hot_reset_info), 64, 0);
	if (api == VFIO_API_GROUP)
		check_room(dev.group_fd, VFIO_GROUP_GET_STATUS,
			   offsetof(struct vfio_group_status, flags) + 4, 32, 0);
}
