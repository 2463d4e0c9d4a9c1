// SPDX-License-Identifier: GPL-2.0-only
/*
 * External events of a device: errors that it reports, hot-unplug, surprise removal, and failure.
 *
 * events.py starts these one by one, waits for the line "# waiting" and triggers the event. The
 * device that reports errors is a virtio one, because only those have the registers for that in
 * QEMU; the hot-unplugged one is the network controller with a port of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../lib/patience.h"
#include "e2e.h"
#include "lib/e1000e.h"
#include "lib/edu.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_RNG 0x1044
#define IOVA MIB(16)

#define LIMIT_MS patience_ms(60000)

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct e1000e nic;
	char bdf[PCI_BDF_SIZE];
	uint8_t *memory;
};

static void setup(struct fixture *f)
{
	char second[PCI_BDF_SIZE];
	int bus;

	e2e_need_api(VFIO_API_NODE);
	for (bus = 1; bus < 16; bus++)
		if (!pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 0, f->bdf) &&
		    pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 1, second))
			break;
	if (bus == 16)
		tap_skip("this machine has no device alone behind a port");
	CHECK_OK(pci_bind(f->bdf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&f->space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&f->dev, f->bdf, &f->space));
	CHECK_OK(e1000e_init(&f->nic, &f->dev));
	f->memory = vfio_memory(&f->space, MIB(2), IOVA);
	CHECK(f->memory);
	CHECK_OK(vfio_bus_master(&f->dev, true));
}

static int watch(const struct vfio_dev *dev, uint32_t index)
{
	int event = e2e_eventfd();

	CHECK_OK(vfio_irq_eventfds(dev->fd, index, 0, 1, &event, VFIO_IRQ_SET_ACTION_TRIGGER));
	return event;
}

static void say_waiting(void)
{
	static const char line[] = "# waiting\n";

	CHECK_EQ(write(STDOUT_FILENO, line, sizeof(line) - 1), sizeof(line) - 1);
}

static void wait_until_gone(const char *bdf)
{
	int left = LIMIT_MS;

	while (pci_present(bdf) && left > 0) {
		e2e_sleep(50);
		left -= 50;
	}
	CHECK(!pci_present(bdf));
}

/* QEMU's devices report errors only with this bit, which the firmware sets. */
static void host_sets_serr(const char *bdf)
{
	char path[128];
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &command, 2, PCI_COMMAND), 2);
	command |= PCI_COMMAND_SERR;
	CHECK_EQ(pwrite(fd, &command, 2, PCI_COMMAND), 2);
	close(fd);
}

/* A device that reports errors with its user, and another device's user; both users listen. */
struct faulty {
	struct fixture other;
	struct vfio_space space;
	struct vfio_dev dev;
	char bdf[PCI_BDF_SIZE];
	int event;
	int others;
};

static void setup_faulty(struct faulty *f)
{
	setup(&f->other);
	f->others = watch(&f->other.dev, VFIO_PCI_ERR_IRQ_INDEX);
	if (pci_find(VIRTIO_VENDOR, VIRTIO_RNG, -1, 0, f->bdf))
		tap_skip("this machine has no device that reports errors");
	CHECK_OK(pci_bind(f->bdf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&f->space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&f->dev, f->bdf, &f->space));
	f->event = watch(&f->dev, VFIO_PCI_ERR_IRQ_INDEX);
}

static void wait_for_error(const struct faulty *f)
{
	host_sets_serr(f->bdf);
	say_waiting();
	CHECK_EQ(vfio_wait_event(f->event, LIMIT_MS), 1);
	CHECK_EQ(vfio_wait_event(f->others, 0), 0);
	CHECK_EQ(vfio_config_read(&f->dev, 0, 4), VIRTIO_RNG << 16 | VIRTIO_VENDOR);
}

/* The next user finds the device in its initial state. */
static void give_to_next_user(struct faulty *f)
{
	vfio_close(&f->dev);
	vfio_space_close(&f->space);
	CHECK_OK(vfio_space_open(&f->space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&f->dev, f->bdf, &f->space));
	CHECK_EQ(vfio_config_read(&f->dev, 0, 4), VIRTIO_RNG << 16 | VIRTIO_VENDOR);
}

/*
 * An error that a device reports is shown to its user and to no other; the user keeps the device.
 */
TEST(events, error)
{
	struct faulty f;

	setup_faulty(&f);
	wait_for_error(&f);
	CHECK_OK(vfio_config_write(&f.dev, PCI_INTERRUPT_LINE, 1, 0x5a));
	CHECK_EQ(vfio_config_read(&f.dev, PCI_INTERRUPT_LINE, 1), 0x5a);
	give_to_next_user(&f);
}

static uint16_t device_command(const char *bdf)
{
	uint16_t command;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &command, sizeof(command), PCI_COMMAND), sizeof(command));
	close(fd);
	return command;
}

/*
 * After a fatal error the kernel resets the devices behind the port; then the user can use the
 * device again.
 */
TEST(events, fatal_error)
{
	uint32_t before, after;
	struct faulty f;

	setup_faulty(&f);
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	CHECK_EQ(vfio_region_rw(f.dev.fd, VFIO_PCI_BAR4_REGION_INDEX, 0, &before, 4, false), 4);
	wait_for_error(&f);
	while (device_command(f.bdf) & PCI_COMMAND_MASTER)
		e2e_sleep(10);
	CHECK_OK(vfio_reset(f.dev.fd));
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, 0));
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	CHECK_EQ(vfio_region_rw(f.dev.fd, VFIO_PCI_BAR4_REGION_INDEX, 0, &after, 4, false), 4);
	CHECK_EQ(after, before);
	CHECK_NE(after, 0xffffffff);
	give_to_next_user(&f);
}

/*
 * On hot-unplug the user is asked for the device and releases it; until then it belongs to the
 * user.
 */
TEST(events, pulled)
{
	struct fixture f;
	int event;

	setup(&f);
	event = watch(&f.dev, VFIO_PCI_REQ_IRQ_INDEX);
	say_waiting();
	CHECK_GE(vfio_wait_event(event, LIMIT_MS), 1);
	CHECK(pci_present(f.bdf));
	CHECK(e1000e_read(&f.nic, E1000E_RAH) & E1000E_RAH_VALID);
	vfio_close(&f.dev);
	wait_until_gone(f.bdf);
	/* what was mapped for it can still be unmapped by the user */
	CHECK_OK(vfio_unmap(&f.space, IOVA, MIB(2)));
}

/*
 * The kernel log names a user that does not release the device; when it does, the device is
 * removed.
 */
TEST(events, pulled_from_one_who_stays)
{
	char who[64];
	struct fixture f;
	int log;

	setup(&f);
	log = e2e_log_mark(true);
	snprintf(who, sizeof(who), "[%d] has closed the device", getpid());
	say_waiting();
	CHECK(e2e_log_has(log, f.bdf, who, LIMIT_MS));
	CHECK(pci_present(f.bdf));
	CHECK(e1000e_read(&f.nic, E1000E_RAH) & E1000E_RAH_VALID);
	CHECK(!e2e_log_has(log, f.bdf, who, 0));
	vfio_close(&f.dev);
	wait_until_gone(f.bdf);
}

static uint8_t read_config(const char *bdf)
{
	char path[128];
	uint8_t byte;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &byte, 1, PCI_REVISION_ID), 1);
	close(fd);
	return byte;
}

/*
 * A device that no longer answers blocks no process: not its user, which closes it, not the next
 * user, and no process that reads its configuration in the meantime. VFIO does not wait for it to
 * come out of a reset. Once the device answers again, it is reset before any user gets it.
 */
TEST(events, dead)
{
	struct vfio_space space;
	struct vfio_dev dev;
	struct fixture f;
	int log;

	setup(&f);
	e1000e_mark(&f.nic);
	log = e2e_log_mark(true);
	CHECK_OK(pci_slot_power(f.bdf, false));
	CHECK_EQ(read_config(f.bdf), 0xff);
	CHECK_ERR(EIO, vfio_reset(f.dev.fd));
	vfio_close(&f.dev);
	vfio_space_close(&f.space);

	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_NE(vfio_open(&dev, f.bdf, &space), 0);
	CHECK_EQ(read_config(f.bdf), 0xff);
	CHECK_OK(pci_unbind(f.bdf));
	CHECK(!e2e_log_has(log, f.bdf, "not ready", 0));

	CHECK_OK(pci_slot_power(f.bdf, true));
	CHECK_OK(pci_bind(f.bdf, "vfio-pci"));
	CHECK_OK(vfio_open(&dev, f.bdf, &space));
	CHECK_OK(e1000e_init(&f.nic, &dev));
	CHECK(!e1000e_marked(&f.nic));
}

/* The bus of an edu that is alone there. */
static void find_lone_edu(char *bdf)
{
	char other[PCI_BDF_SIZE];
	int bus;

	for (bus = 1; bus < 16; bus++)
		if (!pci_find(EDU_VENDOR, EDU_DEVICE, bus, 0, bdf) &&
		    pci_find(E1000E_VENDOR, E1000E_DEVICE, bus, 0, other))
			return;
	tap_skip("this machine has no edu alone behind a port");
}

/*
 * A device is removed by surprise during DMA. The user is asked for it as for any other; until
 * then the user's calls on it fail or do nothing.
 */
TEST(events, torn_out)
{
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	struct vfio_dev dev;
	uint8_t *memory;
	struct edu edu;
	int event, log;

	e2e_need_api(VFIO_API_NODE);
	find_lone_edu(bdf);
	CHECK_OK(pci_bind(bdf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	CHECK_OK(edu_init(&edu, &dev));
	memory = vfio_memory(&space, MIB(2), IOVA);
	CHECK(memory);
	CHECK_OK(vfio_bus_master(&dev, true));
	event = watch(&dev, VFIO_PCI_REQ_IRQ_INDEX);
	log = e2e_log_mark(true);

	CHECK_OK(edu_dma_start(&edu, IOVA, 0, EDU_MEMORY_SIZE, false, true));
	say_waiting();
	CHECK_OK(pci_tear_out(bdf));
	CHECK_GE(vfio_wait_event(event, LIMIT_MS), 1);
	CHECK(pci_present(bdf));
	CHECK_NE(edu_read(&edu, EDU_ID), 0x010000ed);
	CHECK_NE(vfio_reset(dev.fd), 0);
	CHECK_ERR(ENODEV, vfio_config_write(&dev, PCI_COMMAND, 2, 0));
	CHECK_OK(vfio_unmap(&space, IOVA, MIB(2)));
	vfio_close(&dev);
	wait_until_gone(bdf);
	CHECK(!e2e_log_has(log, bdf, "not ready", 0));
}
