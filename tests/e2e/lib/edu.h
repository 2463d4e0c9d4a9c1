/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driver of QEMU's "edu" device: a register that computes factorials, a DMA engine with 4 KiB of
 * memory of its own, and an interrupt line.  QEMU's docs/specs/edu.txt describes it.
 */
#ifndef IOMMUSCOPE_E2E_EDU_H
#define IOMMUSCOPE_E2E_EDU_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

#define EDU_ID 0x00
#define EDU_LIVENESS 0x04
#define EDU_FACTORIAL 0x08
#define EDU_STATUS 0x20
#define EDU_STATUS_COMPUTING 0x01
#define EDU_STATUS_IRQ 0x80
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACK 0x64

/* It has 4096 bytes, but QEMU up to 7.2 exits if a transfer touches the last one. */
#define EDU_MEMORY_SIZE 4088

/* What the device sets in EDU_IRQ_STATUS. */
#define EDU_IRQ_FACTORIAL 0x001
#define EDU_IRQ_DMA 0x100

/**
 * struct edu - an edu device
 * @dev: the device, open
 * @regs: its registers
 */
struct edu {
	struct vfio_dev *dev;
	volatile uint8_t *regs;
};

/**
 * edu_init() - make an open device ready
 * @edu: is initialised
 * @dev: the device
 *
 * Return: 0 or a negative errno; -ENXIO if it is no edu device
 */
int edu_init(struct edu *edu, struct vfio_dev *dev);

/**
 * edu_read() - read a register
 * @edu: the device
 * @offset: EDU_*
 */
uint32_t edu_read(const struct edu *edu, unsigned int offset);

/**
 * edu_write() - write a register
 * @edu: the device
 * @offset: EDU_*
 * @value: what
 */
void edu_write(const struct edu *edu, unsigned int offset, uint32_t value);

/**
 * edu_dma_start() - start to move bytes between memory and the device
 * @edu: the device
 * @iova: where in the address space
 * @offset: where in the device's memory
 * @length: how many; @offset + @length is at most EDU_MEMORY_SIZE
 * @to_device: from memory to the device
 * @irq: raise the interrupt at the end
 *
 * Return: 0, -EINVAL if the device cannot do it, -EBUSY during another transfer
 */
int edu_dma_start(const struct edu *edu, uint64_t iova, unsigned int offset, unsigned int length,
		  bool to_device, bool irq);

/**
 * edu_dma_wait() - wait until the bytes have been moved
 * @edu: the device
 *
 * The device does not report whether the IOMMU let them pass.
 *
 * Return: 0 or -ETIMEDOUT
 */
int edu_dma_wait(const struct edu *edu);

/**
 * edu_dma() - edu_dma_start() and edu_dma_wait()
 * @edu: the device
 * @iova: where in the address space
 * @offset: where in the device's memory
 * @length: how many
 * @to_device: from memory to the device
 *
 * Return: as those
 */
int edu_dma(const struct edu *edu, uint64_t iova, unsigned int offset, unsigned int length,
	    bool to_device);

#endif
