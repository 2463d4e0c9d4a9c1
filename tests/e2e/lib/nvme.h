/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small driver of NVMe controllers: the admin queue and one I/O queue, in memory that the
 * caller's address space maps, one command at a time.
 *
 * It is made for DMA that fails: a command ends with the controller's status, with -EIO if the
 * controller reports a fatal error, or with -ETIMEDOUT if there is no answer. Only the last two
 * require a new nvme_start().
 */
#ifndef IOMMUSCOPE_E2E_NVME_H
#define IOMMUSCOPE_E2E_NVME_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio.h"

#define NVME_VENDOR 0x1b36
#define NVME_DEVICE 0x0010

#define NVME_QUEUE_DEPTH 16
/* the part of the address space that nvme_init() uses */
#define NVME_MEMORY_SIZE (8 * 4096)
/* largest transfer: one page of pointers, which is also the limit of QEMU's controller */
#define NVME_TRANSFER_MAX (512 * 1024)

/**
 * struct nvme_command - an entry of a submission queue
 *
 * As the NVMe specification has it, little endian.
 */
struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t nsid;
	uint32_t cdw2[2];
	uint64_t metadata;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t cdw10[6];
};

/**
 * struct nvme_completion - an entry of a completion queue
 *
 * As the NVMe specification has it, little endian.
 */
struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t id;
	uint16_t status;
};

/**
 * struct nvme_queue - a pair of queues
 * @sq: submissions
 * @cq: completions
 * @sq_iova: where the device finds @sq
 * @cq_iova: where the device finds @cq
 * @sq_tail: next free entry
 * @cq_head: next entry that the device writes
 * @phase: what its phase bit will be
 * @next_id: of the next command; never that of a command that may still complete late
 */
struct nvme_queue {
	struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	uint64_t sq_iova;
	uint64_t cq_iova;
	unsigned int sq_tail;
	unsigned int cq_head;
	unsigned int phase;
	uint16_t next_id;
};

/**
 * struct nvme - a controller
 * @dev: the device, open
 * @regs: its registers
 * @memory: queues and buffers of the driver
 * @iova: where the device finds @memory
 * @queue: the admin queues and the I/O queues
 * @eventfd: interrupt of the I/O queue, or -1 to poll
 * @timeout_ms: how long a command may take
 * @block_size: of the namespace, in bytes
 * @blocks: of the namespace
 * @serial: of the controller
 */
struct nvme {
	struct vfio_dev *dev;
	volatile uint8_t *regs;
	uint8_t *memory;
	uint64_t iova;
	struct nvme_queue queue[2];
	int eventfd;
	int timeout_ms;
	uint32_t block_size;
	uint64_t blocks;
	char serial[21];
};

/**
 * nvme_init() - make an open device ready
 * @nvme: is initialised
 * @dev: the device
 * @memory: NVME_MEMORY_SIZE bytes, aligned to a page
 * @iova: where the device finds them
 *
 * Return: 0 or a negative errno
 */
int nvme_init(struct nvme *nvme, struct vfio_dev *dev, void *memory, uint64_t iova);

/**
 * nvme_interrupt() - take interrupts of the I/O queue by MSI-X rather than poll
 * @nvme: the controller, before nvme_start()
 *
 * Return: 0 or a negative errno
 */
int nvme_interrupt(struct nvme *nvme);

/**
 * nvme_start() - reset the controller, create the queues, identify it
 * @nvme: the controller
 *
 * Return: 0, a negative errno, or the status of the command that failed
 */
int nvme_start(struct nvme *nvme);

/**
 * nvme_stop() - disable the controller, which ends its DMA
 * @nvme: the controller
 *
 * Return: 0 or -ETIMEDOUT
 */
int nvme_stop(struct nvme *nvme);

/**
 * nvme_running() - is the controller enabled?
 * @nvme: the controller
 */
bool nvme_running(struct nvme *nvme);

/**
 * nvme_rw() - read or write blocks, and wait for the end
 * @nvme: the controller, started
 * @block: the first
 * @count: how many; at most NVME_TRANSFER_MAX bytes
 * @iova: of the buffer, aligned to a page
 * @write: write rather than read
 *
 * Return: 0, a negative errno, or the status of the command
 */
int nvme_rw(struct nvme *nvme, uint64_t block, unsigned int count, uint64_t iova, bool write);

#endif
