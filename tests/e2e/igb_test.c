// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual function of Intel's 82576 ("igb"), whose physical function the kernel's driver drives:
 * a network card as hosts share it among guests. QEMU has it since 8.0.
 *
 * The virtual function asks the driver for permission to work by a message, sends interrupts, and
 * does DMA of its own: it fetches a descriptor, and writes back that the packet was sent.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/patience.h"
#include "e2e.h"
#include "lib/sriov.h"

#define IGB_VENDOR 0x8086
#define IGB_DEVICE 0x10c9
#define IGBVF_DEVICE 0x10ca

/* registers of a virtual function */
#define VF_STATUS 0x0008
#define VF_MAIL 0x0c40
#define VF_MAIL_REQUEST (1U << 0)
#define VF_MAIL_TAKE (1U << 2)
#define VF_MAIL_ANSWERED (1U << 4)
#define VF_MESSAGE 0x0800
#define VF_MESSAGE_RESET 1U
#define VF_MESSAGE_ACK 0x80000000U
#define VF_EICS 0x1520
#define VF_EIMS 0x1524
#define VF_TDBAL 0x3800
#define VF_TDBAH 0x3804
#define VF_TDLEN 0x3808
#define VF_TDT 0x3818
#define VF_TXDCTL 0x3828
#define VF_TXDCTL_ENABLE (1U << 25)

/* an advanced transmit descriptor */
struct descriptor {
	uint64_t address;
	uint32_t command;
	uint32_t status;
};

#define SEND_EOP (1U << 24)
#define SEND_FCS (1U << 25)
#define SEND_REPORT (1U << 27)
#define SEND_ADVANCED (1U << 29 | 3U << 20)
#define SENT (1U << 0)

#define IOVA 0x40000000ULL
#define FRAME 64

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	volatile uint8_t *regs;
	char pf[PCI_BDF_SIZE];
	char vf[PCI_BDF_SIZE];
};

static uint32_t get(const struct fixture *f, unsigned int at)
{
	return *(volatile uint32_t *)(f->regs + at);
}

static void put(const struct fixture *f, unsigned int at, uint32_t value)
{
	*(volatile uint32_t *)(f->regs + at) = value;
}

static void run(const char *format, const char *argument)
{
	char command[256];

	snprintf(command, sizeof(command), format, argument);
	CHECK_EQ(system(command), 0);
}

/* The kernel's driver has the PF, with its interface up; a user has a VF. */
static void setup(struct fixture *f, enum vfio_api api)
{
	if (pci_find(IGB_VENDOR, IGB_DEVICE, -1, 0, f->pf))
		tap_skip("this machine has no igb");
	if (access("/sys/bus/pci/drivers/igb", F_OK))
		run("modprobe %s", "igb");
	CHECK_OK(pci_bind(f->pf, "igb"));
	CHECK_OK(sriov_enable(f->pf, 2));
	run("ip link set dev \"$(ls /sys/bus/pci/devices/%s/net)\" up", f->pf);
	/* without an address, the driver refuses the VF's reset */
	run("ip link set dev \"$(ls /sys/bus/pci/devices/%s/net)\" vf 0 mac 02:00:00:00:00:01", f->pf);
	CHECK_OK(sriov_vf(f->pf, 0, f->vf));
	CHECK_OK(pci_bind(f->vf, "vfio-pci"));
	CHECK_OK(vfio_space_open(&f->space, api));
	CHECK_OK(vfio_open(&f->dev, f->vf, &f->space));
	f->regs = vfio_bar(&f->dev, 0);
	CHECK(f->regs);
	CHECK_OK(vfio_bus_master(&f->dev, true));
}

static void teardown(struct fixture *f)
{
	vfio_close(&f->dev);
	CHECK_OK(sriov_enable(f->pf, 0));
	CHECK(!pci_present(f->vf));
	CHECK_OK(pci_unbind(f->pf));
}

/* Wait for bits of a register or of memory. */
static void wait_for_bits(const volatile uint32_t *at, uint32_t bits, const char *what)
{
	int left;

	for (left = patience_ms(20000); !(*at & bits); left -= 10) {
		if (left <= 0)
			tap_fail(__FILE__, __LINE__, "%s did not happen", what);
		e2e_sleep(10);
	}
}

/* The VF asks the PF's driver for a reset: it may work after the answer. */
static void ask_for_reset(const struct fixture *f)
{
	put(f, VF_MAIL, VF_MAIL_TAKE);
	put(f, VF_MESSAGE, VF_MESSAGE_RESET);
	put(f, VF_MAIL, VF_MAIL_REQUEST);
	wait_for_bits((volatile uint32_t *)(f->regs + VF_MAIL), VF_MAIL_ANSWERED,
		      "the answer of the PF's driver");
	CHECK_EQ(get(f, VF_MESSAGE), VF_MESSAGE_ACK | VF_MESSAGE_RESET);
}

BOTH(igb, vf_works)
{
	volatile struct descriptor *ring;
	struct pollfd wait;
	struct fixture f;
	uint64_t count;
	int fd;

	setup(&f, api);
	CHECK_EQ(vfio_config_read(&f.dev, 0, 4), IGBVF_DEVICE << 16 | IGB_VENDOR);
	CHECK_NE(get(&f, VF_STATUS), ~0U);
	ask_for_reset(&f);

	fd = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	put(&f, VF_EIMS, 1);
	put(&f, VF_EICS, 1);
	wait = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK_EQ(poll(&wait, 1, patience_ms(20000)), 1);
	CHECK_EQ(read(fd, &count, sizeof(count)), sizeof(count));

	/* the ring, and behind it a packet */
	ring = vfio_memory(&f.space, 2 * PAGE_SIZE, IOVA);
	CHECK(ring);
	put(&f, VF_TDBAL, IOVA);
	put(&f, VF_TDBAH, 0);
	put(&f, VF_TDLEN, 8 * sizeof(*ring));
	put(&f, VF_TXDCTL, VF_TXDCTL_ENABLE);
	ring[0].address = IOVA + PAGE_SIZE;
	ring[0].status = FRAME << 14;
	ring[0].command = FRAME | SEND_ADVANCED | SEND_REPORT | SEND_FCS | SEND_EOP;
	put(&f, VF_TDT, 1);
	wait_for_bits(&ring[0].status, SENT, "the transmission");

	/* a reset of the VF leaves the PF to its driver, and the VF to its user */
	CHECK_OK(vfio_reset(f.dev.fd));
	CHECK_EQ(vfio_config_read(&f.dev, 0, 4), IGBVF_DEVICE << 16 | IGB_VENDOR);
	ask_for_reset(&f);
	teardown(&f);
}
