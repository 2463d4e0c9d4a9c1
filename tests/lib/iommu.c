// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of /dev/iommu as functions, see iommu.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommu.h"

#define KNOBS "/sys/kernel/debug/iommufd-mock"

/**
 * iommu_open() - a new context
 *
 * Return: the file descriptor or a negative errno
 */
int iommu_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int iommu_call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int ioas_alloc(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int rc = iommu_call(fd, IOMMU_IOAS_ALLOC, &cmd);

	if (!rc)
		*id = cmd.out_ioas_id;
	return rc;
}

int object_destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return iommu_call(fd, IOMMU_DESTROY, &cmd);
}

int ioas_map(int fd, uint32_t ioas, const void *va, uint64_t length, uint64_t *iova,
	     uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = *iova,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_MAP, &cmd);

	*iova = cmd.iova;
	return rc;
}

int ioas_map_at(int fd, uint32_t ioas, const void *va, uint64_t length, uint64_t iova)
{
	return ioas_map(fd, ioas, va, length, &iova, MAP_RW_FIXED);
}

int ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	return ioas_unmap_count(fd, ioas, iova, &length);
}

int ioas_unmap_count(int fd, uint32_t ioas, uint64_t iova, uint64_t *length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.iova = iova,
		.length = *length,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_UNMAP, &cmd);

	*length = cmd.length;
	return rc;
}

int ioas_copy(int fd, uint32_t dst, uint64_t *dst_iova, uint32_t src, uint64_t src_iova,
	      uint64_t length, uint32_t flags)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *dst_iova,
		.src_iova = src_iova,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_COPY, &cmd);

	*dst_iova = cmd.dst_iova;
	return rc;
}

int ioas_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges, uint32_t nr)
{
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = nr,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return iommu_call(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

int ioas_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges, uint32_t *nr,
		uint64_t *alignment)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = *nr,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int rc = iommu_call(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);

	*nr = cmd.num_iovas;
	if (alignment)
		*alignment = cmd.out_iova_alignment;
	return rc;
}

int iommu_option(int fd, uint32_t option, uint16_t op, uint32_t object, uint64_t *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = op,
		.object_id = object,
		.val64 = *value,
	};
	int rc = iommu_call(fd, IOMMU_OPTION, &cmd);

	*value = cmd.val64;
	return rc;
}

int vfio_ioas(int fd, uint16_t op, uint32_t *ioas)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .ioas_id = *ioas, .op = op };
	int rc = iommu_call(fd, IOMMU_VFIO_IOAS, &cmd);

	*ioas = cmd.ioas_id;
	return rc;
}

int hwpt_alloc(int fd, uint32_t device, uint32_t pt, uint32_t flags, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = device,
		.pt_id = pt,
	};
	int rc = iommu_call(fd, IOMMU_HWPT_ALLOC, &cmd);

	if (!rc)
		*hwpt = cmd.out_hwpt_id;
	return rc;
}

int hw_info(int fd, uint32_t device, void *data, uint32_t *length, uint32_t *type,
	    uint64_t *capabilities)
{
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = device,
		.data_len = *length,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iommu_call(fd, IOMMU_GET_HW_INFO, &cmd);

	*length = cmd.data_len;
	if (type)
		*type = cmd.out_data_type;
	if (capabilities)
		*capabilities = cmd.out_capabilities;
	return rc;
}

static int test_cmd(int fd, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

static int test_mock(int fd, struct iommu_test_mock *cmd)
{
	cmd->size = sizeof(*cmd);
	return iommu_call(fd, IOMMU_TEST_CMD, cmd);
}

int test_reserve(int fd, uint32_t ioas, uint64_t start, uint64_t length)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ADD_RESERVED,
		.id = ioas,
		.add_reserved = { .start = start, .length = length },
	};

	return test_cmd(fd, &cmd);
}

int mock_domain(int fd, uint32_t pt, struct test_device *device)
{
	return mock_domain_flags(fd, pt, 0, device);
}

int mock_domain_flags(int fd, uint32_t pt, uint32_t flags, struct test_device *device)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = pt,
		.mock_domain_flags = { .dev_flags = flags },
	};
	int rc = test_cmd(fd, &cmd);

	if (!rc && device)
		*device = (struct test_device){
			.stdev = cmd.mock_domain_flags.out_stdev_id,
			.idev = cmd.mock_domain_flags.out_idev_id,
			.hwpt = cmd.mock_domain_flags.out_hwpt_id,
		};
	return rc;
}

/**
 * device_add() - make a mock device, bound but not attached
 * @fd: the context
 * @how: its properties, in @how->device_add; NULL for the default
 * @device: the device
 *
 * Return: 0 or a negative errno
 */
int device_add(int fd, const struct iommu_test_mock *how, struct test_device *device)
{
	struct iommu_test_mock cmd = {};
	int rc;

	if (how)
		cmd = *how;
	cmd.op = IOMMU_TEST_OP_DEVICE_ADD;
	rc = test_mock(fd, &cmd);
	if (!rc)
		*device = (struct test_device){
			.stdev = cmd.device_add.out_stdev_id,
			.idev = cmd.device_add.out_idev_id,
			.index = cmd.device_add.out_index,
			.group = cmd.device_add.out_group_id,
		};
	return rc;
}

int device_attach(int fd, struct test_device *device, uint32_t pt)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_DEVICE_ATTACH,
		.id = device->stdev,
		.attach = { .pt_id = pt },
	};
	int rc = test_mock(fd, &cmd);

	if (!rc)
		device->hwpt = cmd.attach.pt_id;
	return rc;
}

int device_replace(int fd, struct test_device *device, uint32_t pt)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = device->stdev,
		.mock_domain_replace = { .pt_id = pt },
	};
	int rc = test_cmd(fd, &cmd);

	if (!rc)
		device->hwpt = cmd.mock_domain_replace.pt_id;
	return rc;
}

int device_detach(int fd, struct test_device *device)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_DEVICE_DETACH,
		.id = device->stdev,
	};
	int rc = test_mock(fd, &cmd);

	if (!rc)
		device->hwpt = 0;
	return rc;
}

int device_has_group(int fd, const struct test_device *device, bool *owned)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_HAS_GROUP,
		.id = device->stdev,
	};
	int rc = test_mock(fd, &cmd);

	*owned = cmd.has_group.out_owned;
	return rc;
}

static int write_string(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

/**
 * device_knob() - set a knob of a mock device, see kernel/mock/knobs.c
 * @device: the device, made by device_add()
 * @name: the knob
 * @value: what to write
 *
 * Return: 0 or a negative errno
 */
int device_knob(const struct test_device *device, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), KNOBS "/iommufd-mock.%u/%s", device->index, name);
	return write_string(path, value);
}

int mock_knob(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), KNOBS "/%s", name);
	return write_string(path, value);
}

/**
 * device_stat() - read a counter of a mock device
 * @device: the device, made by device_add()
 * @name: the counter
 * @value: its value
 *
 * Return: 0 or a negative errno
 */
int device_stat(const struct test_device *device, const char *name, uint64_t *value)
{
	char path[128], line[128];
	size_t n = strlen(name);
	int rc = -ENOENT;
	FILE *file;

	snprintf(path, sizeof(path), KNOBS "/iommufd-mock.%u/stats", device->index);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (rc && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, n) && line[n] == ' ') {
			*value = strtoull(line + n, NULL, 10);
			rc = 0;
		}
	}
	fclose(file);
	return rc;
}

int check_map(int fd, uint32_t hwpt, uint64_t iova, const void *va, uint64_t length)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_MAP,
		.id = hwpt,
		.check_map = { .iova = iova, .length = length, .uptr = (uintptr_t)va },
	};

	return test_cmd(fd, &cmd);
}

int check_pins(int fd, const void *va, uint64_t length, uint32_t refs)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = { .length = length, .uptr = (uintptr_t)va, .refs = refs },
	};

	return test_cmd(fd, &cmd);
}

int memory_limit(int fd, uint32_t bytes)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
		.memory_limit = { .limit = bytes },
	};

	return test_cmd(fd, &cmd);
}

int access_create(int fd, uint32_t ioas, uint32_t flags, int *access)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_CREATE_ACCESS,
		.id = ioas,
		.create_access = { .flags = flags },
	};
	int rc = test_cmd(fd, &cmd);

	if (!rc)
		*access = cmd.create_access.out_access_fd;
	return rc;
}

int access_add(int fd, uint32_t flags, int *access, uint32_t *id)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_ACCESS_ADD,
		.access = { .flags = flags },
	};
	int rc = test_mock(fd, &cmd);

	if (!rc) {
		*access = cmd.access.out_fd;
		*id = cmd.access.out_id;
	}
	return rc;
}

int access_attach(int fd, int access, uint32_t ioas)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_ACCESS_ATTACH,
		.id = access,
		.access = { .ioas_id = ioas },
	};

	return test_mock(fd, &cmd);
}

int access_replace(int fd, int access, uint32_t ioas)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
		.id = access,
		.access_replace_ioas = { .ioas_id = ioas },
	};

	return test_cmd(fd, &cmd);
}

int access_detach(int fd, int access)
{
	struct iommu_test_mock cmd = {
		.op = IOMMU_TEST_OP_ACCESS_DETACH,
		.id = access,
	};

	return test_mock(fd, &cmd);
}

int access_pin(int fd, int access, uint64_t iova, uint64_t length, const void *va, uint32_t flags,
	       uint32_t *id)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_PAGES,
		.id = access,
		.access_pages = {
			.flags = flags,
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)va,
		},
	};
	int rc = test_cmd(fd, &cmd);

	if (!rc && id)
		*id = cmd.access_pages.out_access_pages_id;
	return rc;
}

int access_unpin(int fd, int access, uint32_t id)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
		.id = access,
		.destroy_access_pages = { .access_pages_id = id },
	};

	return test_cmd(fd, &cmd);
}

int access_rw(int fd, int access, uint64_t iova, void *data, uint64_t length, uint32_t flags)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_RW,
		.id = access,
		.access_rw = {
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)data,
			.flags = flags,
		},
	};

	return test_cmd(fd, &cmd);
}

/**
 * memory() - private anonymous memory, in small pages, not touched
 * @length: bytes
 *
 * Return: the memory; the test ends if there is none
 */
void *memory(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	madvise(p, length, MADV_NOHUGEPAGE);
	return p;
}

/**
 * memory_huge() - private anonymous memory in transparent huge pages, filled
 * @length: bytes, a multiple of 2 MiB
 *
 * Return: the memory, aligned to 2 MiB; the test ends if there is none
 */
void *memory_huge(size_t length)
{
	void *p = mmap(NULL, length + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	p = (void *)(((uintptr_t)p + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	madvise(p, length, MADV_HUGEPAGE);
	memset(p, 0x5a, length);
	return p;
}

/**
 * pinned_pages() - pages that are pinned in the whole system
 *
 * Return: pins acquired minus pins released
 */
uint64_t pinned_pages(void)
{
	uint64_t acquired = 0, released = 0;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "nr_foll_pin_acquired %lu", &acquired);
		sscanf(line, "nr_foll_pin_released %lu", &released);
	}
	fclose(file);
	return acquired - released;
}

/**
 * locked_bytes() - memory of a process that is accounted as pinned, VmPin
 * @pid: the process, 0 for the caller
 *
 * Return: bytes
 */
uint64_t locked_bytes(pid_t pid)
{
	uint64_t kib = 0;
	char path[64], line[128];
	FILE *file;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/status");
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %lu", &kib);
	fclose(file);
	return kib << 10;
}
