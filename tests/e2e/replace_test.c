// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk is read while the translation below it is replaced.
 *
 * Two IOASes map the same memory at the same addresses, so a read must find its buffer whichever
 * one translates. One thread reads and checks every word; the other replaces. A word that is
 * neither the disk's nor the buffer's earlier fill is corruption, and fails the test.
 *
 * Some IOMMU drivers block the device briefly when they switch, and DMA in that gap is lost. Then
 * the buffer keeps its fill, or the command fails, or the controller stops because it could not
 * fetch a command, and is started again. Such reads are repeated, counted, and reported.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../lib/iommu.h"
#include "disk.h"
#include "../lib/patience.h"
#include "e2e.h"
#include "lib/e1000e.h"
#include "lib/nvme.h"

#define QUEUES MIB(64)
#define BUFFER MIB(128)
#define CHUNK KIB(64)
#define WORDS (CHUNK / 8)
#define DISK_SIZE MIB(4)
#define REPLACEMENTS 1000
#define TARGETS 5
/* how often in a row the controller may fail to start, or a read may fail */
#define ATTEMPTS 200

struct counts {
	uint64_t reads;
	uint64_t lost;
	uint64_t failed;
	uint64_t restarts;
};

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	struct nvme nvme;
	void *queues;
	uint64_t *buffer;
	uint32_t ioas[2];
	/* what is replaced with what */
	uint32_t target[TARGETS];
	unsigned int targets;
	struct counts counts;
	atomic_bool stop;
};

static void start_controller(struct fixture *f)
{
	int attempt, rc = 0;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		rc = nvme_start(&f->nvme);
		if (!rc)
			return;
	}
	tap_fail(__FILE__, __LINE__, "the controller does not start: %d", rc);
}

static void fill_disk(struct fixture *f)
{
	uint64_t at, i;

	for (at = 0; at < DISK_SIZE; at += CHUNK) {
		for (i = 0; i < WORDS; i++)
			f->buffer[i] = disk_word(at / 8 + i);
		CHECK_OK(nvme_rw(&f->nvme, at / 512, CHUNK / 512, BUFFER, true));
	}
}

/* Does each half of a word hold the data of the disk, or the data from before the read? */
static bool lost_or_right(uint64_t word, uint64_t right)
{
	bool low = (uint32_t)word == (uint32_t)right || (uint32_t)word == (uint32_t)DISK_POISON;
	bool high = word >> 32 == right >> 32 || word >> 32 == DISK_POISON >> 32;

	return low && high;
}

/*
 * Read a chunk into the buffer, repeating until it succeeds; every word of every attempt is
 * checked.
 */
static void read_chunk(struct fixture *f, uint64_t at)
{
	int attempt, rc;
	uint64_t i, lost;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		for (i = 0; i < WORDS; i++)
			f->buffer[i] = DISK_POISON;
		rc = nvme_rw(&f->nvme, at / 512, CHUNK / 512, BUFFER, false);
		f->counts.reads++;
		if (rc == -EIO || rc == -ETIMEDOUT) {
			/* stopped first, so that nothing writes to the buffer any more */
			f->counts.restarts++;
			start_controller(f);
		}
		for (i = 0, lost = 0; i < WORDS; i++) {
			if (f->buffer[i] == disk_word(at / 8 + i))
				continue;
			/* A device may write four bytes at a time, and lose these alone. */
			if (lost_or_right(f->buffer[i], disk_word(at / 8 + i)))
				lost++;
			else
				tap_fail(__FILE__, __LINE__,
					 "corrupt: byte %llu is 0x%llx, not 0x%llx",
					 (unsigned long long)(at + i * 8),
					 (unsigned long long)f->buffer[i],
					 (unsigned long long)disk_word(at / 8 + i));
		}
		if (!rc && !lost)
			return;
		if (rc)
			f->counts.failed++;
		else
			f->counts.lost++;
	}
	tap_fail(__FILE__, __LINE__, "no read of %u succeeded", ATTEMPTS);
}

static void *reader(void *arg)
{
	struct fixture *f = arg;
	uint64_t at = 0;

	while (!atomic_load(&f->stop)) {
		read_chunk(f, at);
		at = (at + CHUNK) % DISK_SIZE;
	}
	return NULL;
}

/* The content of the disk, read at rest, is what was written, by its checksum. */
static void check_disk(struct fixture *f)
{
	char wanted[DISK_SHA256_SIZE], got[DISK_SHA256_SIZE];
	uint64_t *all = malloc(DISK_SIZE);
	uint64_t at, i;

	CHECK(all);
	for (i = 0; i < DISK_SIZE / 8; i++)
		all[i] = disk_word(i);
	disk_sha256(all, DISK_SIZE, wanted);
	memset(all, 0, DISK_SIZE);
	for (at = 0; at < DISK_SIZE; at += CHUNK) {
		read_chunk(f, at);
		memcpy((uint8_t *)all + at, f->buffer, CHUNK);
	}
	disk_sha256(all, DISK_SIZE, got);
	tap_note("sha256 written %s", wanted);
	tap_note("sha256 read    %s", got);
	CHECK(!strcmp(wanted, got));
	free(all);
}

/* Keep an IOAS's page table alive through another device; returns its id. */
static uint32_t keep(const struct fixture *f, unsigned int n, unsigned int vendor, unsigned int device)
{
	uint32_t pt = f->ioas[n], devid;
	char bdf[PCI_BDF_SIZE];
	int fd;

	e2e_claim(vendor, device, 0, 0, bdf);
	/* open until the end of the test */
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	CHECK_OK(vfio_node_bind(fd, f->space.fd, &devid));
	CHECK_OK(vfio_node_attach(fd, &pt));
	return pt;
}

static void setup(struct fixture *f)
{
	uint32_t id;
	int i, rc;

	memset(f, 0, sizeof(*f));
	e2e_need_api(VFIO_API_NODE);
	e2e_open(&f->dev, &f->space, VFIO_API_NODE, NVME_VENDOR, NVME_DEVICE);
	f->queues = vfio_memory(&f->space, NVME_MEMORY_SIZE, QUEUES);
	f->buffer = vfio_memory(&f->space, CHUNK, BUFFER);
	CHECK(f->queues && f->buffer);
	f->ioas[0] = f->space.ioas;
	CHECK_OK(ioas_alloc(f->space.fd, &f->ioas[1]));
	CHECK_OK(ioas_map_at(f->space.fd, f->ioas[1], f->queues, NVME_MEMORY_SIZE, QUEUES));
	CHECK_OK(ioas_map_at(f->space.fd, f->ioas[1], f->buffer, CHUNK, BUFFER));

	rc = hwpt_alloc(f->space.fd, f->dev.devid, f->ioas[0], 0, &id);
	if (!rc) {
		f->target[f->targets++] = id;
		CHECK_OK(hwpt_alloc(f->space.fd, f->dev.devid, f->ioas[0], 0, &id));
		f->target[f->targets++] = id;
		CHECK_OK(hwpt_alloc(f->space.fd, f->dev.devid, f->ioas[1], 0, &id));
		f->target[f->targets++] = id;
	} else {
		/* page tables only come from attaching a device */
		tap_note("an HWPT cannot be allocated in advance: %d", rc);
		f->target[f->targets++] = keep(f, 0, EDU_VENDOR, EDU_DEVICE);
		f->target[f->targets++] = keep(f, 1, E1000E_VENDOR, E1000E_DEVICE);
	}
	for (i = 0; i < 2; i++)
		f->target[f->targets++] = f->ioas[i];

	CHECK_OK(nvme_init(&f->nvme, &f->dev, f->queues, QUEUES));
	CHECK_OK(nvme_start(&f->nvme));
	fill_disk(f);
	/* every answer that comes at all comes at once */
	f->nvme.timeout_ms = patience_ms(2000);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

TEST(replace, reads_go_on)
{
	unsigned int i, previous = ~0U, next;
	struct fixture f;
	uint64_t before;
	double begin;
	pthread_t thread;

	setup(&f);
	CHECK_OK(pthread_create(&thread, NULL, reader, &f));
	begin = seconds();
	for (i = 0; i < REPLACEMENTS; i++) {
		struct timespec nap = { .tv_nsec = rand() % 500000 };
		uint32_t pt;

		do
			next = rand() % f.targets;
		while (next == previous);
		previous = next;
		pt = f.target[next];
		CHECK_OK(vfio_node_attach(f.dev.fd, &pt));
		if (next < f.targets - 2)
			CHECK_EQ(pt, f.target[next]);
		nanosleep(&nap, NULL);
	}
	begin = seconds() - begin;
	atomic_store(&f.stop, true);
	CHECK_OK(pthread_join(thread, NULL));
	tap_note("%s: %u replacements in %.2f s between %u targets; %llu reads of %llu KiB, of these %llu failed, %llu lost data, %llu restarts of the controller; nothing corrupt",
		 pci_iommu_kind(f.dev.bdf), REPLACEMENTS, begin, f.targets,
		 (unsigned long long)f.counts.reads, (unsigned long long)(CHUNK >> 10),
		 (unsigned long long)f.counts.failed, (unsigned long long)f.counts.lost,
		 (unsigned long long)f.counts.restarts);
	/* the reads ran during replacements, and most of them succeeded */
	CHECK_GE(f.counts.reads, REPLACEMENTS / 20);

	/* at rest nothing is lost */
	before = f.counts.failed + f.counts.lost;
	check_disk(&f);
	CHECK_EQ(f.counts.failed + f.counts.lost, before);
	CHECK_OK(nvme_stop(&f.nvme));
}

/* A replacement that cannot be done leaves the device attached as before. */
TEST(replace, refused_leaves_the_old)
{
	uint32_t narrow, bad, pt;
	struct iommu_iova_range allow;
	struct fixture f;

	setup(&f);
	pt = f.target[0];
	CHECK_OK(vfio_node_attach(f.dev.fd, &pt));
	/* no such object; an object that is not a page table */
	bad = 0x7fffffff;
	CHECK_ERR(ENOENT, vfio_node_attach(f.dev.fd, &bad));
	bad = f.dev.devid;
	CHECK_ERR(EINVAL, vfio_node_attach(f.dev.fd, &bad));
	read_chunk(&f, 0);
	/* an IOAS whose allowed ranges conflict with the device's reserved ranges */
	CHECK_OK(ioas_alloc(f.space.fd, &narrow));
	allow.start = 0xfee00000;
	allow.last = 0xfeefffff;
	if (!strcmp(pci_iommu_kind(f.dev.bdf), "intel")) {
		CHECK_OK(ioas_allow(f.space.fd, narrow, &allow, 1));
		CHECK_ERR(EADDRINUSE, vfio_node_attach(f.dev.fd, &narrow));
	}
	read_chunk(&f, CHUNK);
	CHECK_EQ(f.counts.failed + f.counts.lost, 0);
	CHECK_OK(nvme_stop(&f.nvme));
}

/*
 * For tests that watch faults: after a replacement the device writes once to an address without a
 * mapping. The test itself only checks that nothing else happens.
 */
TEST(replace, fault_after)
{
	struct vfio_space space;
	struct vfio_dev dev;
	struct edu edu;
	uint32_t other, pt;
	uint8_t *memory;

	e2e_need_api(VFIO_API_NODE);
	e2e_open(&dev, &space, VFIO_API_NODE, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(edu_init(&edu, &dev));
	memory = vfio_memory(&space, PAGE_SIZE, BUFFER);
	CHECK(memory);
	CHECK_OK(ioas_alloc(space.fd, &other));
	CHECK_OK(ioas_map_at(space.fd, other, memory, PAGE_SIZE, BUFFER));
	/* to an HWPT that exists: allocated, or kept alive by another device */
	pt = other;
	if (hwpt_alloc(space.fd, dev.devid, other, 0, &pt)) {
		char bdf[PCI_BDF_SIZE];
		uint32_t devid;
		int fd;

		e2e_claim(E1000E_VENDOR, E1000E_DEVICE, 0, 0, bdf);
		fd = vfio_node_open(bdf);
		CHECK_GE(fd, 0);
		CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
		CHECK_OK(vfio_node_attach(fd, &pt));
	}
	CHECK_OK(vfio_node_attach(dev.fd, &pt));
	CHECK_OK(edu_dma(&edu, BUFFER, 0, EDU_MEMORY_SIZE, true));
	tap_note("%s writes to 0x%llx", dev.bdf, (unsigned long long)(BUFFER + MIB(1)));
	CHECK_OK(edu_dma(&edu, BUFFER + MIB(1), 0, 8, false));
}

/*
 * Replaces by HWPTs without an attached device: one that never had any, one that others have
 * left, and one that the replacement has to create. It prints what it does, for tests that watch
 * it.
 */
TEST(replace, unused_hwpt)
{
	uint32_t empty, fresh, kept, pt, devid;
	struct vfio_space space;
	struct vfio_dev dev;
	char bdf[PCI_BDF_SIZE];
	struct edu edu;
	uint8_t *memory;
	int fd, rc;

	e2e_need_api(VFIO_API_NODE);
	e2e_open(&dev, &space, VFIO_API_NODE, EDU_VENDOR, EDU_DEVICE);
	CHECK_OK(edu_init(&edu, &dev));
	memory = vfio_memory(&space, PAGE_SIZE, BUFFER);
	CHECK(memory);
	/* another device keeps the first HWPT alive */
	e2e_claim(E1000E_VENDOR, E1000E_DEVICE, 0, 0, bdf);
	fd = vfio_node_open(bdf);
	CHECK_GE(fd, 0);
	CHECK_OK(vfio_node_bind(fd, space.fd, &devid));
	kept = space.ioas;
	CHECK_OK(vfio_node_attach(fd, &kept));

	tap_note("%s: %s", dev.bdf, pci_iommu_kind(dev.bdf));
	CHECK_OK(ioas_alloc(space.fd, &empty));
	if (!strcmp(pci_iommu_kind(dev.bdf), "virtio")) {
		/*
		 * the sizes that its domain can map are known only once a device has been
		 * attached to it
		 */
		CHECK_ERR(EADDRINUSE, hwpt_alloc(space.fd, dev.devid, empty, 0, &fresh));
	} else {
		CHECK_OK(hwpt_alloc(space.fd, dev.devid, empty, 0, &fresh));
		pt = fresh;
		CHECK_OK(vfio_node_attach(dev.fd, &pt));
		CHECK_OK(ioas_map_at(space.fd, empty, memory, PAGE_SIZE, BUFFER));
		pt = kept;
		CHECK_OK(vfio_node_attach(dev.fd, &pt));
		pt = fresh;
		CHECK_OK(vfio_node_attach(dev.fd, &pt));
	}
	CHECK_OK(edu_dma(&edu, BUFFER, 0, EDU_MEMORY_SIZE, true));

	CHECK_OK(ioas_alloc(space.fd, &pt));
	CHECK_OK(ioas_map_at(space.fd, pt, memory, PAGE_SIZE, BUFFER));
	rc = vfio_node_attach(dev.fd, &pt);
	tap_note("replaced by an HWPT to be made: %d", rc);
	/* whichever it is attached to now, it reaches its memory */
	CHECK_OK(edu_dma(&edu, BUFFER, 0, EDU_MEMORY_SIZE, true));
}

/* Detached, the device reaches nothing; attached again, it continues. */
TEST(replace, detach_blocks)
{
	struct fixture f;
	uint32_t pt;
	int rc;

	setup(&f);
	CHECK_OK(vfio_node_detach(f.dev.fd));
	f.nvme.timeout_ms = 500;
	memset(f.buffer, 0x77, CHUNK);
	rc = nvme_rw(&f.nvme, 0, CHUNK / 512, BUFFER, false);
	tap_note("a read without translation ends with %d", rc);
	CHECK_NE(rc, 0);
	CHECK_EQ(f.buffer[0], 0x7777777777777777ULL);
	CHECK_EQ(f.buffer[WORDS - 1], 0x7777777777777777ULL);
	/* once more: nothing to detach */
	CHECK_OK(vfio_node_detach(f.dev.fd));
	pt = f.ioas[1];
	CHECK_OK(vfio_node_attach(f.dev.fd, &pt));
	f.nvme.timeout_ms = patience_ms(10000);
	CHECK_OK(nvme_start(&f.nvme));
	read_chunk(&f, 0);
	CHECK_OK(nvme_stop(&f.nvme));
}
