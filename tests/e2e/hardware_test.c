// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices as they are on real hosts, and not in QEMU: hardware/lab_hardware.c gives them what
 * QEMU's lack.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "e2e.h"
#include "lib/e1000e.h"
#include "lib/nvme.h"

#define MODULE "lab_hardware"
#define ROM_BYTES 3000

static void hardware_load(const char *parameters)
{
	char path[PATH_MAX];
	struct utsname name;
	ssize_t n;
	int fd;

	CHECK_OK(uname(&name));
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	CHECK_GE(n, 0);
	path[n] = 0;
	*strrchr(path, '/') = 0;
	n = strlen(path);
	snprintf(path + n, sizeof(path) - n, "/../hardware-%s/" MODULE ".ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tap_skip(MODULE " is not built for this kernel");
	CHECK_OK(syscall(SYS_finit_module, fd, parameters, 0));
	close(fd);
}

static void hardware_unload(void)
{
	CHECK_OK(syscall(SYS_delete_module, MODULE, 0));
}

static unsigned int host_read(const char *bdf, unsigned int at, unsigned int size)
{
	char path[128];
	uint32_t value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &value, size, at), size);
	close(fd);
	return value;
}

/* The place of the PCI Express capability, as the host sees it. */
static unsigned int host_express(const char *bdf)
{
	unsigned int at = host_read(bdf, PCI_CAPABILITY_LIST, 1), n;

	for (n = 0; at && n < 48; n++) {
		if (host_read(bdf, at, 1) == PCI_CAP_ID_EXP)
			return at;
		at = host_read(bdf, at + 1, 1);
	}
	tap_fail(__FILE__, __LINE__, "%s has no PCI Express capability", bdf);
}

/* An NVMe controller: QEMU's e1000e has no second control register. */
static void claim_behind_port(char *bdf)
{
	int bus;

	for (bus = 1; bus < 16; bus++) {
		if (pci_find(NVME_VENDOR, NVME_DEVICE, bus, 0, bdf))
			continue;
		CHECK_OK(pci_bind(bdf, "vfio-pci"));
		return;
	}
	tap_skip("this machine has no NVMe controller behind a port");
}

/* The port that a device is behind. */
static void port_of(const char *bdf, char *port)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/..", bdf);
	CHECK(realpath(path, target));
	CHECK(strlen(strrchr(target, '/') + 1) < PCI_BDF_SIZE);
	strcpy(port, strrchr(target, '/') + 1);
}

/* The atomic operations that VFIO_DEVICE_GET_INFO names, -1 for none. */
static int64_t atomics(const struct vfio_dev *dev)
{
	union {
		struct vfio_device_info info;
		uint8_t room[256];
	} answer = { .info.argsz = sizeof(answer) };
	struct vfio_device_info_cap_pci_atomic_comp *cap;
	uint32_t at;

	CHECK_OK(vfio_call(dev->fd, VFIO_DEVICE_GET_INFO, &answer));
	if (!(answer.info.flags & VFIO_DEVICE_FLAGS_CAPS))
		return -1;
	/* vfio-pci has no other capability of this kind */
	at = answer.info.cap_offset;
	CHECK_EQ(at, sizeof(answer.info));
	cap = (void *)(answer.room + at);
	CHECK_EQ(cap->header.id, VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP);
	CHECK_EQ(cap->header.version, 1);
	CHECK_EQ(cap->header.next, 0);
	return cap->flags;
}

struct atomics_case {
	/* what the hardware has */
	bool port_completes;
	bool device_requests;
	/* what the user sees */
	int64_t seen;
};

static void check_atomics(enum vfio_api api, const struct atomics_case *it)
{
	static const uint32_t completes = PCI_EXP_DEVCAP2_ATOMIC_COMP32 | PCI_EXP_DEVCAP2_ATOMIC_COMP64;
	char bdf[PCI_BDF_SIZE], port[PCI_BDF_SIZE], parameters[256];
	struct vfio_device_info brief = { .argsz = sizeof(brief) };
	struct vfio_space space;
	struct vfio_dev dev;
	unsigned int control;

	claim_behind_port(bdf);
	port_of(bdf, port);
	control = host_express(bdf) + PCI_EXP_DEVCTL2;
	snprintf(parameters, sizeof(parameters), "registers=%s+%x=%x/0,%s+%x=0/%x", port,
		 host_express(port) + PCI_EXP_DEVCAP2, it->port_completes ? completes : 0, bdf, control,
		 it->device_requests ? PCI_EXP_DEVCTL2_ATOMIC_REQ : 0);
	hardware_load(parameters);
	CHECK_OK(vfio_space_open(&space, api));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	CHECK_EQ(atomics(&dev), it->seen);
	/* a question changes nothing for a device that cannot send them, or that no port serves */
	if (it->seen < 0)
		CHECK_EQ(host_read(bdf, control, 2) & PCI_EXP_DEVCTL2_ATOMIC_REQ, 0);
	/* the least room: the size that would do is returned, and no capability */
	CHECK_OK(vfio_call(dev.fd, VFIO_DEVICE_GET_INFO, &brief));
	CHECK_EQ(brief.cap_offset, 0);
	CHECK_EQ(brief.argsz,
		 sizeof(brief) + (it->seen < 0 ? 0 : sizeof(struct vfio_device_info_cap_pci_atomic_comp)));
	vfio_close(&dev);
	vfio_space_close(&space);
	hardware_unload();
}

/* Atomic operations work only if the port completes them and the device can send them. */
BOTH(hardware, atomics)
{
	static const struct atomics_case cases[] = {
		{ false, false, -1 },
		{ true, false, -1 },
		{ false, true, -1 },
		{ true, true, VFIO_PCI_ATOMIC_COMP32 | VFIO_PCI_ATOMIC_COMP64 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_atomics(api, &cases[i]);
}

static ssize_t rom_read(const struct vfio_dev *dev, uint64_t at, void *data, size_t length)
{
	return vfio_region_rw(dev->fd, VFIO_PCI_ROM_REGION_INDEX, at, data, length, false);
}

static void set_memory(struct vfio_dev *dev, bool on)
{
	uint32_t command = vfio_config_read(dev, PCI_COMMAND, 2) & ~PCI_COMMAND_MEMORY;

	CHECK_OK(vfio_config_write(dev, PCI_COMMAND, 2, command | (on ? PCI_COMMAND_MEMORY : 0)));
}

/*
 * On a host with EFI the kernel keeps a copy of a device's ROM. It does not replace the ROM of a
 * device that has one: while the device does not answer, its user reads nothing.
 */
BOTH(hardware, rom_of_device_with_copy)
{
	char bdf[PCI_BDF_SIZE], parameters[64];
	struct vfio_space space;
	uint8_t first[64];
	struct vfio_dev dev;
	unsigned int pm;

	e2e_claim(E1000E_VENDOR, E1000E_DEVICE, 0, 0, bdf);
	snprintf(parameters, sizeof(parameters), "rom=%s", bdf);
	hardware_load(parameters);
	CHECK_OK(vfio_space_open(&space, api));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	pm = vfio_config_cap(&dev, PCI_CAP_ID_PM);
	CHECK(pm);
	set_memory(&dev, true);
	CHECK_EQ(rom_read(&dev, 0, first, sizeof(first)), sizeof(first));
	CHECK_EQ(first[0], 0x55);
	CHECK_EQ(first[1], 0xaa);
	set_memory(&dev, false);
	CHECK_ERR(EIO, rom_read(&dev, 0, first, sizeof(first)));
	set_memory(&dev, true);
	CHECK_OK(vfio_config_write(&dev, pm + PCI_PM_CTRL, 2, 3));
	CHECK_ERR(EIO, rom_read(&dev, 0, first, sizeof(first)));
	CHECK_OK(vfio_config_write(&dev, pm + PCI_PM_CTRL, 2, 0));
	CHECK_EQ(rom_read(&dev, 0, first, sizeof(first)), sizeof(first));
	CHECK_EQ(first[0], 0x55);
	vfio_close(&dev);
	vfio_space_close(&space);
	hardware_unload();
}

/* A device without a ROM of its own shows the copy, which is memory of the host. */
BOTH(hardware, rom_that_is_only_a_copy)
{
	char bdf[PCI_BDF_SIZE], parameters[64];
	static uint8_t bytes[4097];
	struct vfio_region_info *rom;
	struct vfio_space space;
	struct vfio_dev dev;
	int i;

	e2e_claim(EDU_VENDOR, EDU_DEVICE, -1, 0, bdf);
	snprintf(parameters, sizeof(parameters), "rom=%s", bdf);
	hardware_load(parameters);
	CHECK_OK(vfio_space_open(&space, api));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	rom = vfio_region(dev.fd, VFIO_PCI_ROM_REGION_INDEX);
	CHECK(rom);
	CHECK_EQ(rom->size, 4096);
	CHECK_EQ(rom->flags, VFIO_REGION_INFO_FLAG_READ);
	free(rom);
	set_memory(&dev, false);
	CHECK_EQ(rom_read(&dev, 0, bytes, sizeof(bytes)), 4096);
	/* beyond the copy, nothing of the host's memory is shown */
	for (i = 0; i < 4096; i++)
		CHECK_EQ(bytes[i], i < ROM_BYTES ? (uint8_t)(i * 7 + 1) : 0xff);
	CHECK_EQ(rom_read(&dev, ROM_BYTES - 3, bytes, 9), 9);
	CHECK_EQ(bytes[2], (uint8_t)((ROM_BYTES - 1) * 7 + 1));
	CHECK_EQ(bytes[3], 0xff);
	CHECK_ERR(EINVAL, rom_read(&dev, 4096, bytes, 1));
	set_memory(&dev, true);
	vfio_close(&dev);
	vfio_space_close(&space);
	hardware_unload();
}

/*
 * Devices that are known to be unsafe in the hands of a user are refused. The ids of edu are
 * changed to theirs, and it is found anew by the kernel.
 */
TEST(hardware, denied_devices)
{
	static const struct {
		unsigned int device;
		bool denied;
	} cases[] = {
		/* data streaming and analytics accelerators, and an id between them */
		{ 0x0b25, true }, { 0x0cfe, true }, { 0x0b26, false },
		/* QuickAssist */
		{ 0x0435, true }, { 0x0443, true }, { 0x19e2, true }, { 0x19e3, true },
		{ 0x37c8, true }, { 0x37c9, true },
		/* its fourth generation */
		{ 0x4940, false },
	};
	char bdf[PCI_BDF_SIZE], parameters[128], text[16], node[64];
	size_t i;

	e2e_need_api(VFIO_API_NODE);
	if (pci_find(EDU_VENDOR, EDU_DEVICE, -1, 0, bdf))
		tap_skip("this machine has no edu");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(parameters, sizeof(parameters), "registers=%s+0=%x/ffffffff", bdf,
			 cases[i].device << 16 | 0x8086);
		/* the driver would restore the ids that it knows */
		pci_unbind(bdf);
		hardware_load(parameters);
		CHECK_OK(pci_remove(bdf));
		CHECK_OK(pci_rescan());
		CHECK_OK(pci_attr(bdf, "device", text, sizeof(text)));
		CHECK_EQ(strtoul(text, NULL, 16), cases[i].device);
		CHECK_EQ(pci_bind(bdf, "vfio-pci"), cases[i].denied ? -ENODEV : 0);
		CHECK_EQ(pci_vfio_node(bdf, node, sizeof(node)), cases[i].denied ? -ENOENT : 0);
		hardware_unload();
	}
	pci_unbind(bdf);
	CHECK_OK(pci_remove(bdf));
	CHECK_OK(pci_rescan());
	CHECK_OK(pci_attr(bdf, "device", text, sizeof(text)));
	CHECK_EQ(strtoul(text, NULL, 16), EDU_DEVICE);
}
