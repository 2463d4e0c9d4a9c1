// SPDX-License-Identifier: GPL-2.0-only
/*
 * An NVMe disk: queues in mapped memory, transfers both ways, interrupts, resets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk.h"
#include "../lib/patience.h"
#include "e2e.h"
#include "lib/nvme.h"

#define QUEUES MIB(64)
#define BUFFER MIB(128)
#define CHUNK KIB(128)
#define TEST_SIZE MIB(8)

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct nvme nvme;
	uint8_t *buffer;
};

static void setup(struct fixture *f, enum vfio_api api, bool interrupts)
{
	void *memory;

	e2e_open(&f->dev, &f->space, api, NVME_VENDOR, NVME_DEVICE);
	memory = vfio_memory(&f->space, NVME_MEMORY_SIZE, QUEUES);
	f->buffer = vfio_memory(&f->space, NVME_TRANSFER_MAX, BUFFER);
	CHECK(memory && f->buffer);
	CHECK_OK(nvme_init(&f->nvme, &f->dev, memory, QUEUES));
	if (interrupts)
		CHECK_OK(nvme_interrupt(&f->nvme));
	CHECK_OK(nvme_start(&f->nvme));
}

BOTH(nvme, identify)
{
	struct fixture f;

	setup(&f, api, false);
	CHECK(!strcmp(f.nvme.serial, "scratch"));
	CHECK_EQ(f.nvme.block_size, 512);
	CHECK_GE(f.nvme.blocks * f.nvme.block_size, TEST_SIZE);
	CHECK_OK(nvme_stop(&f.nvme));
}

/* Write a file to the disk, read it back, compare the output of sha256sum for both. */
static void write_and_read(struct fixture *f, uint64_t seed)
{
	uint8_t *out = malloc(TEST_SIZE), *in = calloc(1, TEST_SIZE);
	char sent[DISK_SHA256_SIZE], received[DISK_SHA256_SIZE];
	uint64_t at;

	CHECK(out && in);
	e2e_fill(out, TEST_SIZE, seed);
	for (at = 0; at < TEST_SIZE; at += CHUNK) {
		memcpy(f->buffer, out + at, CHUNK);
		CHECK_OK(nvme_rw(&f->nvme, at / 512, CHUNK / 512, BUFFER, true));
	}
	for (at = 0; at < TEST_SIZE; at += CHUNK) {
		memset(f->buffer, 0, CHUNK);
		CHECK_OK(nvme_rw(&f->nvme, at / 512, CHUNK / 512, BUFFER, false));
		memcpy(in + at, f->buffer, CHUNK);
	}
	CHECK(!memcmp(out, in, TEST_SIZE));
	disk_sha256(out, TEST_SIZE, sent);
	disk_sha256(in, TEST_SIZE, received);
	tap_note("sha256 written %s", sent);
	tap_note("sha256 read    %s", received);
	CHECK(!strcmp(sent, received));
	free(out);
	free(in);
}

BOTH(nvme, write_read)
{
	struct fixture f;

	setup(&f, api, false);
	write_and_read(&f, 100 + api);
	CHECK_OK(nvme_stop(&f.nvme));
}

BOTH(nvme, write_read_msix)
{
	struct fixture f;

	setup(&f, api, true);
	write_and_read(&f, 200 + api);
	CHECK_OK(nvme_stop(&f.nvme));
}

BOTH(nvme, transfer_sizes)
{
	static const unsigned int sizes[] = { 512, 1024, 4096, 4608, 8192, 12288, 65536, 524288 };
	struct fixture f;
	uint8_t *copy;
	size_t i;

	setup(&f, api, true);
	copy = malloc(NVME_TRANSFER_MAX);
	CHECK(copy);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		e2e_fill(f.buffer, NVME_TRANSFER_MAX, i);
		memcpy(copy, f.buffer, NVME_TRANSFER_MAX);
		CHECK_OK(nvme_rw(&f.nvme, 77, sizes[i] / 512, BUFFER, true));
		memset(f.buffer, 0xcc, NVME_TRANSFER_MAX);
		CHECK_OK(nvme_rw(&f.nvme, 77, sizes[i] / 512, BUFFER, false));
		CHECK(!memcmp(f.buffer, copy, sizes[i]));
		/* nothing beyond */
		if (sizes[i] < NVME_TRANSFER_MAX)
			CHECK_EQ(f.buffer[sizes[i]], 0xcc);
	}
	CHECK_OK(nvme_stop(&f.nvme));
}

/* Vectors are added and removed beside one that is in use. */
BOTH(nvme, msix_dynamic)
{
	struct vfio_irq_info info;
	struct fixture f;
	int fd, none = -1;

	setup(&f, api, true);
	CHECK_OK(vfio_irq_info(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, &info));
	CHECK_GE(info.count, 8);
	if (info.flags & VFIO_IRQ_INFO_NORESIZE)
		tap_skip("vectors cannot be allocated one by one");
	CHECK_OK(nvme_rw(&f.nvme, 0, 8, BUFFER, false));
	fd = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 6, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 6, 1, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_EQ(vfio_wait_event(fd, patience_ms(1000)), 1);
	CHECK_OK(nvme_rw(&f.nvme, 0, 8, BUFFER, false));
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 6, 1, &none,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(nvme_rw(&f.nvme, 0, 8, BUFFER, false));
	/* out of range, and without eventfds */
	CHECK_ERR(EINVAL, vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, info.count, 1, &fd,
					    VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_ERR(EINVAL, vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, info.count - 1, 2,
					    (int[]){ fd, fd }, VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(nvme_stop(&f.nvme));
}

/* A read into a hole: however the controller reacts, memory stays unchanged. */
BOTH(nvme, read_to_hole)
{
	struct fixture f;
	uint8_t *copy;
	int rc;

	setup(&f, api, false);
	f.nvme.timeout_ms = 1000;
	memset(f.buffer, 0x3c, CHUNK);
	CHECK_OK(nvme_rw(&f.nvme, 0, CHUNK / 512, BUFFER, true));

	e2e_fill(f.buffer, CHUNK, 9);
	copy = malloc(CHUNK);
	CHECK(copy);
	memcpy(copy, f.buffer, CHUNK);
	CHECK_OK(vfio_unmap(&f.space, BUFFER, NVME_TRANSFER_MAX));
	rc = nvme_rw(&f.nvme, 0, CHUNK / 512, BUFFER, false);
	tap_note("a read into a hole ends with %d", rc);
	CHECK(!memcmp(f.buffer, copy, CHUNK));

	CHECK_OK(nvme_start(&f.nvme));
	CHECK_OK(vfio_map(&f.space, f.buffer, NVME_TRANSFER_MAX, BUFFER, true));
	CHECK_OK(nvme_rw(&f.nvme, 0, CHUNK / 512, BUFFER, false));
	CHECK_EQ(f.buffer[0], 0x3c);
	CHECK_EQ(f.buffer[CHUNK - 1], 0x3c);
	CHECK_OK(nvme_stop(&f.nvme));
}

/* By function-level reset: on request, and when the device is opened again. */
BOTH(nvme, reset)
{
	struct vfio_device_info info;
	struct fixture f;
	char bdf[PCI_BDF_SIZE];

	setup(&f, api, false);
	CHECK_OK(vfio_info(f.dev.fd, &info));
	CHECK(info.flags & VFIO_DEVICE_FLAGS_RESET);
	CHECK(nvme_running(&f.nvme));
	CHECK_OK(vfio_reset(f.dev.fd));
	CHECK_OK(vfio_bus_master(&f.dev, true));
	CHECK(!nvme_running(&f.nvme));
	CHECK_OK(nvme_start(&f.nvme));
	CHECK_OK(nvme_rw(&f.nvme, 0, 8, BUFFER, false));

	strcpy(bdf, f.dev.bdf);
	vfio_close(&f.dev);
	vfio_space_close(&f.space);
	CHECK_OK(vfio_space_open(&f.space, api));
	CHECK_OK(vfio_open(&f.dev, bdf, &f.space));
	CHECK_OK(vfio_map(&f.space, f.nvme.memory, NVME_MEMORY_SIZE, QUEUES, true));
	CHECK_OK(vfio_map(&f.space, f.buffer, NVME_TRANSFER_MAX, BUFFER, true));
	CHECK_OK(nvme_init(&f.nvme, &f.dev, f.nvme.memory, QUEUES));
	CHECK(!nvme_running(&f.nvme));
	CHECK_OK(nvme_start(&f.nvme));
	CHECK_OK(nvme_rw(&f.nvme, 0, 8, BUFFER, false));
	CHECK_OK(nvme_stop(&f.nvme));
}
