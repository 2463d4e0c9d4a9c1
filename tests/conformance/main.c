// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conformance of /dev/iommu with its uAPI, for each errno and flag; each failure with the reason
 * that its event names. A file for each family of ioctls; runs in a guest with the mock IOMMU.
 */
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conformance.h"

/**
 * context_new() - open /dev/iommu and make an IOAS
 *
 * Return: both
 */
struct context context_new(void)
{
	struct context c;

	c.fd = iommu_open();
	CHECK_GE(c.fd, 0);
	CHECK_OK(ioas_alloc(c.fd, &c.ioas));
	return c;
}

/**
 * device_new() - make a mock device, bound to a context and attached to nothing
 * @c: the context
 *
 * Return: the device
 */
struct test_device device_new(struct context *c)
{
	return device_like(c, NULL);
}

/**
 * device_like() - make a mock device with given properties
 * @c: the context
 * @how: its properties
 *
 * Return: the device
 */
struct test_device device_like(struct context *c, const struct iommu_test_mock *how)
{
	struct test_device device;

	CHECK_OK(device_add(c->fd, how, &device));
	return device;
}

/**
 * device_attached() - make a mock device and attach it to the IOAS of a context
 * @c: the context
 *
 * Return: the device
 */
struct test_device device_attached(struct context *c)
{
	struct test_device device = device_new(c);

	CHECK_OK(device_attach(c->fd, &device, c->ioas));
	return device;
}

/**
 * map_somewhere() - map memory at an IOVA that the kernel chooses
 * @c: the context
 * @va: the memory
 * @length: bytes
 *
 * Return: the IOVA
 */
uint64_t map_somewhere(struct context *c, const void *va, uint64_t length)
{
	uint64_t iova = 0;

	CHECK_OK(ioas_map(c->fd, c->ioas, va, length, &iova, MAP_RW));
	return iova;
}

/**
 * limit_memlock() - set RLIMIT_MEMLOCK of this process
 * @bytes: the limit
 */
void limit_memlock(uint64_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

/**
 * keep_capability() - give up all capabilities of this process but one
 * @capability: the capability to keep, below 32; -1: none
 */
void keep_capability(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (capability >= 0)
		data[0].effective = data[0].permitted = 1U << capability;
	CHECK_EQ(syscall(SYS_capset, &header, data), 0);
}

/**
 * become_user() - give up root, and with it what lifts RLIMIT_MEMLOCK; but not the test ioctl
 * @uid: the user to become; no other test uses it, so only its own locked memory counts
 */
void become_user(unsigned int uid)
{
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(uid, uid, uid), 0);
	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
	keep_capability(CAP_SYS_ADMIN);
}

static const char *before(void)
{
	int fd = iommu_open();

	if (fd < 0)
		return "there is no /dev/iommu";
	close(fd);
	return events_open("iommufd");
}

int main(int argc, char **argv)
{
	return tap_main(argc, argv, before, events_close);
}
