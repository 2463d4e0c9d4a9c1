// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of NVMe controllers, see nvme.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/patience.h"
#include "nvme.h"

#define REG_CAP 0x00
#define REG_CC 0x14
#define REG_CSTS 0x1c
#define REG_AQA 0x24
#define REG_ASQ 0x28
#define REG_ACQ 0x30
#define REG_DOORBELL 0x1000

#define CC_ENABLE 1U
#define CC_ENTRY_SIZES (6U << 16 | 4U << 20)
#define CSTS_READY 1U
#define CSTS_FATAL 2U

#define ADMIN_CREATE_SQ 0x01
#define ADMIN_CREATE_CQ 0x05
#define ADMIN_IDENTIFY 0x06
#define ADMIN_SET_FEATURES 0x09
#define FEATURE_QUEUES 0x07
#define IO_WRITE 0x01
#define IO_READ 0x02

#define PAGE 4096U

/* Pages of the driver's memory. */
enum {
	ADMIN_SQ,
	ADMIN_CQ,
	IO_SQ,
	IO_CQ,
	PRP_LIST,
	DATA,
};

enum {
	ADMIN,
	IO,
};

static uint32_t read32(struct nvme *nvme, unsigned int offset)
{
	return *(volatile uint32_t *)(nvme->regs + offset);
}

static void write32(struct nvme *nvme, unsigned int offset, uint32_t value)
{
	*(volatile uint32_t *)(nvme->regs + offset) = value;
}

static void write64(struct nvme *nvme, unsigned int offset, uint64_t value)
{
	write32(nvme, offset, value);
	write32(nvme, offset + 4, value >> 32);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = 20000 };

	nanosleep(&t, NULL);
}

static void *page(struct nvme *nvme, unsigned int n)
{
	return nvme->memory + n * PAGE;
}

static uint64_t page_iova(struct nvme *nvme, unsigned int n)
{
	return nvme->iova + n * PAGE;
}

static void doorbell(struct nvme *nvme, unsigned int qid, bool completion, uint32_t value)
{
	unsigned int stride = 4U << (read32(nvme, REG_CAP + 4) & 0xf);

	write32(nvme, REG_DOORBELL + (2 * qid + completion) * stride, value);
}

static void queue_reset(struct nvme *nvme, unsigned int qid)
{
	struct nvme_queue *q = &nvme->queue[qid];

	q->sq = page(nvme, qid == ADMIN ? ADMIN_SQ : IO_SQ);
	q->cq = page(nvme, qid == ADMIN ? ADMIN_CQ : IO_CQ);
	q->sq_iova = page_iova(nvme, qid == ADMIN ? ADMIN_SQ : IO_SQ);
	q->cq_iova = page_iova(nvme, qid == ADMIN ? ADMIN_CQ : IO_CQ);
	q->sq_tail = 0;
	q->cq_head = 0;
	q->phase = 1;
	memset((void *)q->sq, 0, PAGE);
	memset((void *)q->cq, 0, PAGE);
}

/* Wait for CSTS.RDY to be @ready. */
static int wait_ready(struct nvme *nvme, bool ready)
{
	uint64_t end = now_ms() + nvme->timeout_ms;

	for (;;) {
		uint32_t csts = read32(nvme, REG_CSTS);

		if (!!(csts & CSTS_READY) == ready)
			return 0;
		if (ready && (csts & CSTS_FATAL))
			return -EIO;
		if (now_ms() > end)
			return -ETIMEDOUT;
		nap();
	}
}

/* Wait for the next completion of a queue: 0 once it is there. */
static int wait_completion(struct nvme *nvme, unsigned int qid)
{
	struct nvme_queue *q = &nvme->queue[qid];
	uint64_t end = now_ms() + nvme->timeout_ms;

	while ((q->cq[q->cq_head].status & 1) != q->phase) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		if (read32(nvme, REG_CSTS) & CSTS_FATAL)
			return -EIO;
		if (qid == IO && nvme->eventfd >= 0)
			vfio_wait_event(nvme->eventfd, 100);
		else
			nap();
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return 0;
}

static int execute(struct nvme *nvme, unsigned int qid, struct nvme_command *command,
		   uint32_t *result)
{
	struct nvme_queue *q = &nvme->queue[qid];
	volatile struct nvme_completion *done;
	int rc;

	command->id = q->next_id++;
	q->sq[q->sq_tail] = *command;
	q->sq_tail = (q->sq_tail + 1) % NVME_QUEUE_DEPTH;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	doorbell(nvme, qid, false, q->sq_tail);

	rc = wait_completion(nvme, qid);
	if (rc)
		return rc;
	done = &q->cq[q->cq_head];
	/* a completion of another command: the queues are out of step */
	rc = done->id == command->id ? done->status >> 1 : -EIO;
	if (result)
		*result = done->result;
	q->cq_head = (q->cq_head + 1) % NVME_QUEUE_DEPTH;
	if (!q->cq_head)
		q->phase ^= 1;
	doorbell(nvme, qid, true, q->cq_head);
	return rc;
}

static int identify(struct nvme *nvme, uint32_t nsid, uint32_t what)
{
	struct nvme_command command = {
		.opcode = ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = page_iova(nvme, DATA),
		.cdw10 = { what },
	};

	memset(page(nvme, DATA), 0, PAGE);
	return execute(nvme, ADMIN, &command, NULL);
}

static int ask(struct nvme *nvme)
{
	const uint8_t *data = page(nvme, DATA);
	int rc;

	rc = identify(nvme, 0, 1);
	if (rc)
		return rc;
	memcpy(nvme->serial, data + 4, 20);
	nvme->serial[20] = 0;
	nvme->serial[strcspn(nvme->serial, " ")] = 0;

	rc = identify(nvme, 1, 0);
	if (rc)
		return rc;
	memcpy(&nvme->blocks, data, 8);
	/* the format in use, from the list at byte 128 */
	nvme->block_size = 1U << data[128 + 4 * (data[26] & 0xf) + 2];
	/* the answer may have been lost in transit without an error */
	return nvme->serial[0] && nvme->blocks ? 0 : -EIO;
}

static int create_io_queues(struct nvme *nvme)
{
	struct nvme_command queues = {
		.opcode = ADMIN_SET_FEATURES,
		.cdw10 = { FEATURE_QUEUES, 0 },
	};
	struct nvme_command cq = {
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = page_iova(nvme, IO_CQ),
		/* physically contiguous; with interrupts, by vector 1 */
		.cdw10 = { (NVME_QUEUE_DEPTH - 1) << 16 | IO,
			   nvme->eventfd >= 0 ? 1 << 16 | 2 | 1 : 1 },
	};
	struct nvme_command sq = {
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = page_iova(nvme, IO_SQ),
		.cdw10 = { (NVME_QUEUE_DEPTH - 1) << 16 | IO, IO << 16 | 1 },
	};
	int rc;

	queue_reset(nvme, IO);
	rc = execute(nvme, ADMIN, &queues, NULL);
	if (!rc)
		rc = execute(nvme, ADMIN, &cq, NULL);
	if (!rc)
		rc = execute(nvme, ADMIN, &sq, NULL);
	return rc;
}

int nvme_init(struct nvme *nvme, struct vfio_dev *dev, void *memory, uint64_t iova)
{
	memset(nvme, 0, sizeof(*nvme));
	nvme->dev = dev;
	nvme->memory = memory;
	nvme->iova = iova;
	nvme->eventfd = -1;
	nvme->timeout_ms = patience_ms(10000);
	nvme->regs = vfio_bar(dev, 0);
	if (!nvme->regs)
		return -errno;
	return vfio_bus_master(dev, true);
}

int nvme_interrupt(struct nvme *nvme)
{
	int fds[2] = { -1, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	int rc;

	if (fds[1] < 0)
		return -errno;
	rc = vfio_irq_eventfds(nvme->dev->fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fds,
			       VFIO_IRQ_SET_ACTION_TRIGGER);
	if (rc) {
		close(fds[1]);
		return rc;
	}
	nvme->eventfd = fds[1];
	return 0;
}

bool nvme_running(struct nvme *nvme)
{
	return read32(nvme, REG_CSTS) & CSTS_READY;
}

int nvme_stop(struct nvme *nvme)
{
	write32(nvme, REG_CC, read32(nvme, REG_CC) & ~CC_ENABLE);
	return wait_ready(nvme, false);
}

int nvme_start(struct nvme *nvme)
{
	int rc = nvme_stop(nvme);

	if (rc)
		return rc;
	queue_reset(nvme, ADMIN);
	write32(nvme, REG_AQA, (NVME_QUEUE_DEPTH - 1) << 16 | (NVME_QUEUE_DEPTH - 1));
	write64(nvme, REG_ASQ, nvme->queue[ADMIN].sq_iova);
	write64(nvme, REG_ACQ, nvme->queue[ADMIN].cq_iova);
	write32(nvme, REG_CC, CC_ENTRY_SIZES | CC_ENABLE);
	rc = wait_ready(nvme, true);
	if (!rc)
		rc = ask(nvme);
	if (!rc)
		rc = create_io_queues(nvme);
	return rc;
}

int nvme_rw(struct nvme *nvme, uint64_t block, unsigned int count, uint64_t iova, bool write)
{
	struct nvme_command command = {
		.opcode = write ? IO_WRITE : IO_READ,
		.nsid = 1,
		.prp1 = iova,
		.cdw10 = { block, block >> 32, count - 1 },
	};
	unsigned int pages = (count * nvme->block_size + PAGE - 1) / PAGE, i;
	uint64_t *list = page(nvme, PRP_LIST);

	if (!count || count > NVME_TRANSFER_MAX / nvme->block_size)
		return -EINVAL;
	if (pages == 2)
		command.prp2 = iova + PAGE;
	if (pages > 2) {
		for (i = 1; i < pages; i++)
			list[i - 1] = iova + i * PAGE;
		command.prp2 = page_iova(nvme, PRP_LIST);
	}
	return execute(nvme, IO, &command, NULL);
}
