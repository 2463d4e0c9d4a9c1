// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the "edu" device, see edu.h.
 */
#include <errno.h>
#include <time.h>

#include "../../lib/patience.h"
#include "edu.h"

#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_START 0x1
#define EDU_DMA_TO_MEMORY 0x2
#define EDU_DMA_RAISE 0x4
/* the address of the device's memory for its DMA engine */
#define EDU_MEMORY 0x40000

#define TIMEOUT_MS patience_ms(10000)

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };

	nanosleep(&t, NULL);
}

uint32_t edu_read(const struct edu *edu, unsigned int offset)
{
	return *(volatile uint32_t *)(edu->regs + offset);
}

void edu_write(const struct edu *edu, unsigned int offset, uint32_t value)
{
	*(volatile uint32_t *)(edu->regs + offset) = value;
}

static void write64(const struct edu *edu, unsigned int offset, uint64_t value)
{
	*(volatile uint64_t *)(edu->regs + offset) = value;
}

int edu_dma_start(const struct edu *edu, uint64_t iova, unsigned int offset, unsigned int length,
		  bool to_device, bool irq)
{
	uint64_t command = EDU_DMA_START;

	/* QEMU exits on a request for bytes beyond the device's memory */
	if (offset > EDU_MEMORY_SIZE || length > EDU_MEMORY_SIZE - offset)
		return -EINVAL;
	if (edu_read(edu, EDU_DMA_COMMAND) & EDU_DMA_START)
		return -EBUSY;
	if (!to_device)
		command |= EDU_DMA_TO_MEMORY;
	if (irq)
		command |= EDU_DMA_RAISE;
	write64(edu, EDU_DMA_FROM, to_device ? iova : EDU_MEMORY + offset);
	write64(edu, EDU_DMA_TO, to_device ? EDU_MEMORY + offset : iova);
	write64(edu, EDU_DMA_COUNT, length);
	write64(edu, EDU_DMA_COMMAND, command);
	return 0;
}

int edu_dma_wait(const struct edu *edu)
{
	int left = TIMEOUT_MS / 5;

	/* it takes 100 ms by the device's own timer */
	while (edu_read(edu, EDU_DMA_COMMAND) & EDU_DMA_START) {
		if (!left--)
			return -ETIMEDOUT;
		sleep_ms(5);
	}
	return 0;
}

int edu_dma(const struct edu *edu, uint64_t iova, unsigned int offset, unsigned int length,
	    bool to_device)
{
	int rc = edu_dma_start(edu, iova, offset, length, to_device, false);

	return rc ? rc : edu_dma_wait(edu);
}

int edu_init(struct edu *edu, struct vfio_dev *dev)
{
	int rc;

	edu->dev = dev;
	edu->regs = vfio_bar(dev, 0);
	if (!edu->regs)
		return -errno;
	rc = vfio_bus_master(dev, true);
	if (rc)
		return rc;
	if ((edu_read(edu, EDU_ID) & 0xffff) != 0x00ed)
		return -ENXIO;
	/*
	 * nothing resets it: a previous user may have left a transfer in flight, or an interrupt
	 */
	rc = edu_dma_wait(edu);
	edu_write(edu, EDU_IRQ_ACK, edu_read(edu, EDU_IRQ_STATUS));
	return rc;
}
