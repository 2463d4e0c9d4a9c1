// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions and resets of the 82574L.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "e2e.h"
#include "lib/e1000e.h"

#define ADDRESS_BITS ((uint32_t)PCI_BASE_ADDRESS_MEM_MASK)

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct e1000e nic;
};

static void setup(struct fixture *f, enum vfio_api api)
{
	e2e_open(&f->dev, &f->space, api, E1000E_VENDOR, E1000E_DEVICE);
	CHECK_OK(e1000e_init(&f->nic, &f->dev));
}

static uint32_t region_read(const struct fixture *f, unsigned int region, unsigned int offset)
{
	uint32_t value = ~0U;

	CHECK_EQ(vfio_region_rw(f->dev.fd, region, offset, &value, 4, false), 4);
	return value;
}

static void region_write(const struct fixture *f, unsigned int region, unsigned int offset,
			 uint32_t value)
{
	CHECK_EQ(vfio_region_rw(f->dev.fd, region, offset, &value, 4, true), 4);
}

BOTH(e1000e, bar_memory)
{
	struct fixture f;

	setup(&f, api);
	CHECK(e1000e_read(&f.nic, E1000E_RAH) & E1000E_RAH_VALID);
	CHECK_EQ(region_read(&f, 0, E1000E_RAL), e1000e_read(&f.nic, E1000E_RAL));
	e1000e_write(&f.nic, E1000E_RAL, 0x12345678);
	CHECK_EQ(region_read(&f, 0, E1000E_RAL), 0x12345678);
	region_write(&f, 0, E1000E_RAL, 0x9abcdef0);
	CHECK_EQ(e1000e_read(&f.nic, E1000E_RAL), 0x9abcdef0);
}

/* The second path to the registers: an address and a data port. */
BOTH(e1000e, bar_io)
{
	struct fixture f;
	uint32_t command;

	setup(&f, api);
	command = vfio_config_read(&f.dev, PCI_COMMAND, 2);
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, command | PCI_COMMAND_IO));
	CHECK(!vfio_bar(&f.dev, 2));
	region_write(&f, 2, 0, E1000E_STATUS);
	CHECK_EQ(region_read(&f, 2, 0), E1000E_STATUS);
	CHECK_EQ(region_read(&f, 2, 4), e1000e_read(&f.nic, E1000E_STATUS));
	e1000e_mark(&f.nic);
	region_write(&f, 2, 0, E1000E_RDBAL);
	CHECK_EQ(region_read(&f, 2, 4), e1000e_read(&f.nic, E1000E_RDBAL));
}

BOTH(e1000e, device_reset)
{
	struct fixture f;
	uint32_t address;

	setup(&f, api);
	/* a previous user may have left another address */
	e1000e_write(&f.nic, E1000E_CTRL, e1000e_read(&f.nic, E1000E_CTRL) | E1000E_CTRL_RST);
	e2e_sleep(10);
	address = e1000e_read(&f.nic, E1000E_RAL);
	e1000e_write(&f.nic, E1000E_RAL, ~address);
	CHECK_EQ(e1000e_read(&f.nic, E1000E_RAL), ~address);
	e1000e_write(&f.nic, E1000E_CTRL, e1000e_read(&f.nic, E1000E_CTRL) | E1000E_CTRL_RST);
	e2e_sleep(10);
	CHECK_EQ(e1000e_read(&f.nic, E1000E_RAL), address);
}

/* The registers of the configuration space and the mapped BAR survive a reset by VFIO. */
BOTH(e1000e, vfio_reset)
{
	struct vfio_device_info info;
	uint32_t bar, command;
	struct fixture f;

	setup(&f, api);
	CHECK_OK(vfio_info(f.dev.fd, &info));
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET))
		tap_skip("the device cannot be reset alone");
	bar = vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4);
	command = vfio_config_read(&f.dev, PCI_COMMAND, 2);
	CHECK_OK(vfio_reset(f.dev.fd));
	CHECK_EQ(vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4), bar);
	CHECK_EQ(vfio_config_read(&f.dev, PCI_COMMAND, 2), command);
	CHECK(e1000e_read(&f.nic, E1000E_RAH) & E1000E_RAH_VALID);
	e1000e_mark(&f.nic);
	CHECK(e1000e_marked(&f.nic));
}

/* BARs as a driver sizes them, and values that stay as written. */
BOTH(e1000e, bar_sizing)
{
	struct vfio_region_info *info;
	uint32_t bar, size;
	struct fixture f;

	setup(&f, api);
	info = vfio_region(f.dev.fd, 0);
	CHECK(info);
	bar = vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4);
	CHECK_OK(vfio_config_write(&f.dev, PCI_BASE_ADDRESS_0, 4, ~0U));
	size = vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4);
	CHECK_EQ(~(size & ADDRESS_BITS) + 1, info->size);
	CHECK_EQ(size & ~ADDRESS_BITS, bar & ~ADDRESS_BITS);
	CHECK_OK(vfio_config_write(&f.dev, PCI_BASE_ADDRESS_0, 4, 0xabc00000));
	CHECK_EQ(vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4) & ADDRESS_BITS,
		 0xabc00000);
	/* the real register is unchanged: the BAR still answers at its address */
	CHECK(e1000e_read(&f.nic, E1000E_RAH) & E1000E_RAH_VALID);
	CHECK_OK(vfio_config_write(&f.dev, PCI_BASE_ADDRESS_0, 4, bar));
	CHECK_EQ(vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4), bar);
}
