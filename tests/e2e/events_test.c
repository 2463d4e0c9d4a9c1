// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a device from outside: errors that it reports, and that it is pulled out.
 *
 * events.py starts these one by one, waits for the line "# waiting" and has the machine do it. The
 * device that reports errors is a virtio one, which alone has the registers for that in QEMU; the one that
 * is pulled out is the network controller that has a port to itself.
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

/* QEMU's devices report errors only with this bit, which firmware sets. */
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

/* An error that a device reports is shown to its user, and to no other; the device stays theirs. */
TEST(events, error)
{
	struct vfio_space space;
	char bdf[PCI_BDF_SIZE];
	struct vfio_dev dev;
	struct fixture other;
	int event, others;

	setup(&other);
	others = watch(&other.dev, VFIO_PCI_ERR_IRQ_INDEX);
	if (pci_find(VIRTIO_VENDOR, VIRTIO_RNG, -1, 0, bdf))
		tap_skip("this machine has no device that reports errors");
	CHECK_OK(pci_bind(bdf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	event = watch(&dev, VFIO_PCI_ERR_IRQ_INDEX);
	host_sets_serr(bdf);
	say_waiting();
	CHECK_EQ(vfio_wait_event(event, LIMIT_MS), 1);
	CHECK_EQ(vfio_wait_event(others, 0), 0);
	CHECK_EQ(vfio_config_read(&dev, 0, 4), VIRTIO_RNG << 16 | VIRTIO_VENDOR);
	CHECK_OK(vfio_config_write(&dev, PCI_INTERRUPT_LINE, 1, 0x5a));
	CHECK_EQ(vfio_config_read(&dev, PCI_INTERRUPT_LINE, 1), 0x5a);
	vfio_close(&dev);
	vfio_space_close(&space);
	/* the next user finds a device as before */
	CHECK_OK(vfio_space_open(&space, VFIO_API_NODE));
	CHECK_OK(vfio_open(&dev, bdf, &space));
	CHECK_EQ(vfio_config_read(&dev, 0, 4), VIRTIO_RNG << 16 | VIRTIO_VENDOR);
}

/* The user is asked for a device that is pulled out, and lets go: it was theirs up to then. */
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
	/* what was mapped for it is still the user's to unmap */
	CHECK_OK(vfio_unmap(&f.space, IOVA, MIB(2)));
}

/* The kernel log names one that does not let go, and the device goes when they do. */
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
