// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA, registers and interrupts of the edu device.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "../lib/patience.h"
#include "e2e.h"

#define IOVA MIB(16)
/* how long to wait for an interrupt that must not arrive */
#define QUIET_MS 150
#define WAIT_MS patience_ms(5000)

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct edu edu;
};

static void setup(struct fixture *f, enum vfio_api api)
{
	e2e_open(&f->dev, &f->space, api, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(edu_init(&f->edu, &f->dev));
}

BOTH(edu, dma)
{
	static const struct {
		unsigned int at, offset, length;
	} moves[] = {
		{ 0, 0, EDU_MEMORY_SIZE },
		{ 0, 0, 1 },
		{ 3, 5, 1234 },
		/* across a page of memory */
		{ PAGE_SIZE - 100, 0, 200 },
		{ PAGE_SIZE - 4, 8, EDU_MEMORY_SIZE - 8 },
	};
	struct fixture f;
	uint8_t *from, *to;
	size_t i, j;

	setup(&f, api);
	from = vfio_memory(&f.space, 2 * PAGE_SIZE, IOVA);
	to = vfio_memory(&f.space, 2 * PAGE_SIZE, IOVA + MIB(2));
	CHECK(from && to);
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		unsigned int at = moves[i].at, offset = moves[i].offset, n = moves[i].length;

		e2e_fill(from, 2 * PAGE_SIZE, i);
		memset(to, 0xee, 2 * PAGE_SIZE);
		CHECK_OK(edu_dma(&f.edu, IOVA + at, offset, n, true));
		CHECK_OK(edu_dma(&f.edu, IOVA + MIB(2) + at, offset, n, false));
		for (j = 0; j < 2 * PAGE_SIZE; j++) {
			uint8_t wanted = j < at || j >= at + n ? 0xee : from[j];

			if (to[j] != wanted)
				tap_fail(__FILE__, __LINE__,
					 "transfer %zu: byte %zu is 0x%02x, not 0x%02x", i, j,
					 to[j], wanted);
		}
	}
}

BOTH(edu, registers)
{
	struct fixture f;
	uint32_t value = 0x12345678;

	setup(&f, api);
	edu_write(&f.edu, EDU_LIVENESS, 0xdeadbeef);
	CHECK_EQ(edu_read(&f.edu, EDU_LIVENESS), ~0xdeadbeefU);
	/* the same registers through the file */
	CHECK_EQ(vfio_region_rw(f.dev.fd, 0, EDU_LIVENESS, &value, 4, true), 4);
	CHECK_EQ(edu_read(&f.edu, EDU_LIVENESS), ~0x12345678U);
	CHECK_EQ(vfio_region_rw(f.dev.fd, 0, EDU_LIVENESS, &value, 4, false), 4);
	CHECK_EQ(value, ~0x12345678U);

	edu_write(&f.edu, EDU_STATUS, 0);
	edu_write(&f.edu, EDU_FACTORIAL, 10);
	while (edu_read(&f.edu, EDU_STATUS) & EDU_STATUS_COMPUTING)
		e2e_sleep(1);
	CHECK_EQ(edu_read(&f.edu, EDU_FACTORIAL), 3628800);
}

BOTH(edu, msi)
{
	struct vfio_irq_info info;
	struct fixture f;
	uint8_t *memory;
	int fd;

	setup(&f, api);
	CHECK_OK(vfio_irq_info(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, &info));
	CHECK_GE(info.count, 1);
	CHECK(info.flags & VFIO_IRQ_INFO_EVENTFD);
	fd = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));

	edu_write(&f.edu, EDU_IRQ_RAISE, 0x10);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	CHECK_EQ(edu_read(&f.edu, EDU_IRQ_STATUS), 0x10);
	edu_write(&f.edu, EDU_IRQ_ACK, 0x10);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);

	/* the end of a computation, and of a transfer */
	edu_write(&f.edu, EDU_STATUS, EDU_STATUS_IRQ);
	edu_write(&f.edu, EDU_FACTORIAL, 5);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	CHECK_EQ(edu_read(&f.edu, EDU_IRQ_STATUS), EDU_IRQ_FACTORIAL);
	CHECK_EQ(edu_read(&f.edu, EDU_FACTORIAL), 120);
	edu_write(&f.edu, EDU_IRQ_ACK, EDU_IRQ_FACTORIAL);
	edu_write(&f.edu, EDU_STATUS, 0);

	memory = vfio_memory(&f.space, PAGE_SIZE, IOVA);
	CHECK(memory);
	CHECK_OK(edu_dma_start(&f.edu, IOVA, 0, 64, true, true));
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	CHECK_EQ(edu_read(&f.edu, EDU_IRQ_STATUS), EDU_IRQ_DMA);
	edu_write(&f.edu, EDU_IRQ_ACK, EDU_IRQ_DMA);

	/* a test of the eventfd by the driver, not an interrupt of the device */
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);

	/* freed: no further interrupt arrives */
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
	edu_write(&f.edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);
	edu_write(&f.edu, EDU_IRQ_ACK, 1);
}

BOTH(edu, intx)
{
	struct vfio_irq_info info;
	struct fixture f;
	int fd;

	setup(&f, api);
	CHECK_OK(vfio_irq_info(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, &info));
	CHECK_EQ(info.count, 1);
	CHECK(info.flags & VFIO_IRQ_INFO_AUTOMASKED);
	CHECK(info.flags & VFIO_IRQ_INFO_MASKABLE);
	fd = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);

	/* the line stays up, but is masked when it fires: once, not a storm */
	edu_write(&f.edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);

	/* unmasked while it is still up: it fires again */
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_UNMASK));
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);

	/* unmasked while it is down: it does not fire */
	edu_write(&f.edu, EDU_IRQ_ACK, 1);
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_UNMASK));
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);

	/* masked by the user: it waits for the unmask */
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_MASK));
	edu_write(&f.edu, EDU_IRQ_RAISE, 2);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VFIO_IRQ_SET_ACTION_UNMASK));
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	edu_write(&f.edu, EDU_IRQ_ACK, 2);

	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
}

BOTH(edu, intx_unmask_eventfd)
{
	uint64_t one = 1;
	struct fixture f;
	int fd, unmask;

	setup(&f, api);
	fd = e2e_eventfd();
	unmask = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &unmask,
				   VFIO_IRQ_SET_ACTION_UNMASK));
	edu_write(&f.edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	CHECK_EQ(write(unmask, &one, sizeof(one)), sizeof(one));
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	edu_write(&f.edu, EDU_IRQ_ACK, 1);
	CHECK_EQ(write(unmask, &one, sizeof(one)), sizeof(one));
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);
	/* it is really unmasked */
	edu_write(&f.edu, EDU_IRQ_RAISE, 4);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	edu_write(&f.edu, EDU_IRQ_ACK, 4);
}

static void unmask_by(const struct fixture *f, int fd)
{
	CHECK_OK(vfio_irq_eventfds(f->dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_UNMASK));
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

/* Eventfds that unmask and mask are added and removed at times that their processes choose. */
BOTH(edu, intx_eventfds_come_and_go)
{
	int fd, unmask, mask, none = -1;
	struct fixture f;

	setup(&f, api);
	fd = e2e_eventfd();
	unmask = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	edu_write(&f.edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);

	/* signalled before it was passed in: that counts */
	signal_event(unmask);
	unmask_by(&f, unmask);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);

	/* one at a time, until it is removed */
	mask = e2e_eventfd();
	FAILS(EBUSY, "eventfd_in_use",
	      vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &mask,
				VFIO_IRQ_SET_ACTION_UNMASK));
	unmask_by(&f, none);
	signal_event(unmask);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);
	/* or closed */
	unmask_by(&f, unmask);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	close(unmask);
	unmask = e2e_eventfd();
	unmask_by(&f, unmask);

	edu_write(&f.edu, EDU_IRQ_ACK, 1);
	signal_event(unmask);
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &mask,
				   VFIO_IRQ_SET_ACTION_MASK));
	signal_event(mask);
	edu_write(&f.edu, EDU_IRQ_RAISE, 2);
	CHECK_EQ(vfio_wait_event(fd, QUIET_MS), 0);
	signal_event(unmask);
	CHECK_EQ(vfio_wait_event(fd, WAIT_MS), 1);
	edu_write(&f.edu, EDU_IRQ_ACK, 2);

	/* the device is closed before they are */
	vfio_close(&f.dev);
	signal_event(mask);
	signal_event(unmask);
}

BOTH(edu, intx_to_msi)
{
	struct fixture f;
	int intx, msi;

	setup(&f, api);
	intx = e2e_eventfd();
	msi = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &intx,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	/* one kind at a time */
	FAILS(EINVAL, "irq_type_in_use",
	      vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &msi,
				VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &msi,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	edu_write(&f.edu, EDU_IRQ_RAISE, 1);
	CHECK_EQ(vfio_wait_event(msi, WAIT_MS), 1);
	CHECK_EQ(vfio_wait_event(intx, 0), 0);
	edu_write(&f.edu, EDU_IRQ_ACK, 1);
}

/*
 * What the IOMMU drivers log about a fault. The emulated AMD IOMMU reports none. VT-d drops those
 * of a device after the first few, so only the first of a machine is certain.
 */
static const char *fault_words(const struct fixture *f)
{
	const char *kind = pci_iommu_kind(f->dev.bdf);

	if (!strcmp(kind, "intel"))
		return "DMAR: DRHD: handling fault";
	return strcmp(kind, "virtio") ? NULL : "page fault from EP";
}

static bool fault_logged(const struct fixture *f, int log, int timeout_ms)
{
	const char *words = fault_words(f);

	return words && e2e_log_has(log, words, NULL, timeout_ms);
}

/* Neither the memory around a hole nor the device is affected by DMA to it. */
BOTH(edu, dma_to_hole)
{
	struct fixture f;
	uint8_t *memory, *copy;
	bool first;
	int log;

	setup(&f, api);
	first = fault_words(&f) && !fault_logged(&f, e2e_log_mark(false), 0);
	/* a mapped page, an unmapped one, a mapped one, adjacent in memory */
	memory = mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK_OK(vfio_map(&f.space, memory, PAGE_SIZE, IOVA, true));
	CHECK_OK(vfio_map(&f.space, memory + 2 * PAGE_SIZE, PAGE_SIZE, IOVA + 2 * PAGE_SIZE, true));
	e2e_fill(memory, 3 * PAGE_SIZE, 1);
	copy = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(copy != MAP_FAILED);
	CHECK_OK(edu_dma(&f.edu, IOVA + 2 * PAGE_SIZE, 0, EDU_MEMORY_SIZE, true));
	memcpy(copy, memory, 3 * PAGE_SIZE);

	log = e2e_log_mark(true);
	CHECK_OK(edu_dma(&f.edu, IOVA + PAGE_SIZE, 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, copy, 3 * PAGE_SIZE));
	if (first)
		CHECK(fault_logged(&f, log, patience_ms(3000)));

	/* far away, where nothing was ever mapped */
	CHECK_OK(edu_dma(&f.edu, MIB(1024), 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, copy, 3 * PAGE_SIZE));

	/* reading: bytes that are not mapped do not reach the device */
	CHECK_OK(edu_dma(&f.edu, IOVA + PAGE_SIZE, 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, false));
	CHECK(memcmp(memory, copy + PAGE_SIZE, EDU_MEMORY_SIZE));
	CHECK(!memcmp(memory + PAGE_SIZE, copy + PAGE_SIZE, 2 * PAGE_SIZE));

	/* and the device continues to work */
	e2e_fill(memory, PAGE_SIZE, 2);
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&f.edu, IOVA + 2 * PAGE_SIZE, 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, memory + 2 * PAGE_SIZE, EDU_MEMORY_SIZE));
}

BOTH(edu, dma_after_unmap)
{
	struct fixture f;
	uint8_t *memory, *other;
	uint8_t secret[PAGE_SIZE];

	setup(&f, api);
	memory = vfio_memory(&f.space, PAGE_SIZE, IOVA);
	other = vfio_memory(&f.space, PAGE_SIZE, IOVA + MIB(2));
	CHECK(memory && other);
	/* used, so that the IOMMU has it in its caches */
	memset(memory, 0x11, PAGE_SIZE);
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, false));
	CHECK_OK(vfio_unmap(&f.space, IOVA, PAGE_SIZE));

	e2e_fill(secret, PAGE_SIZE, 3);
	memcpy(memory, secret, PAGE_SIZE);
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, secret, PAGE_SIZE));
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&f.edu, IOVA + MIB(2), 0, EDU_MEMORY_SIZE, false));
	CHECK(memcmp(other, secret, EDU_MEMORY_SIZE));

	/* mapped again, to other memory */
	CHECK_OK(vfio_map(&f.space, other, PAGE_SIZE, IOVA, true));
	memset(other, 0x22, PAGE_SIZE);
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, true));
	memset(other, 0, PAGE_SIZE);
	CHECK_OK(edu_dma(&f.edu, IOVA + MIB(2), 0, EDU_MEMORY_SIZE, false));
	CHECK_EQ(other[0], 0x22);
	CHECK_EQ(other[EDU_MEMORY_SIZE - 1], 0x22);
	CHECK(!memcmp(memory, secret, PAGE_SIZE));
}

BOTH(edu, dma_to_read_only)
{
	struct fixture f;
	uint8_t *memory, *to;

	setup(&f, api);
	memory = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	to = vfio_memory(&f.space, PAGE_SIZE, IOVA + MIB(2));
	CHECK(to);
	e2e_fill(memory, PAGE_SIZE, 4);
	CHECK_OK(vfio_map(&f.space, memory, PAGE_SIZE, IOVA, false));
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, true));
	CHECK_OK(edu_dma(&f.edu, IOVA + MIB(2), 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, to, EDU_MEMORY_SIZE));

	e2e_fill(memory, PAGE_SIZE, 5);
	memcpy(to, memory, PAGE_SIZE);
	CHECK_OK(edu_dma(&f.edu, IOVA, 0, EDU_MEMORY_SIZE, false));
	CHECK(!memcmp(memory, to, EDU_MEMORY_SIZE));
}

/*
 * Memory access is switched off under a mapped BAR: after it is on again, the BAR works as
 * before.
 */
BOTH(edu, bar_and_command)
{
	uint32_t command, value = 0;
	struct fixture f;

	setup(&f, api);
	edu_write(&f.edu, EDU_LIVENESS, 1);
	command = vfio_config_read(&f.dev, PCI_COMMAND, 2);
	CHECK(command & PCI_COMMAND_MEMORY);
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, command & ~PCI_COMMAND_MEMORY));
	CHECK_ERR(EIO, vfio_region_rw(f.dev.fd, 0, EDU_LIVENESS, &value, 4, false));
	CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2, command));
	CHECK_EQ(edu_read(&f.edu, EDU_LIVENESS), ~1U);
	CHECK_EQ(vfio_region_rw(f.dev.fd, 0, EDU_LIVENESS, &value, 4, false), 4);
	CHECK_EQ(value, ~1U);
}
