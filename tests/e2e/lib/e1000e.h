/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a driver for Intel's 82574L, QEMU's "e1000e", that resets need: its registers.
 */
#ifndef IOMMUSCOPE_E2E_E1000E_H
#define IOMMUSCOPE_E2E_E1000E_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio.h"

#define E1000E_VENDOR 0x8086
#define E1000E_DEVICE 0x10d3

#define E1000E_CTRL 0x00000
#define E1000E_CTRL_RST (1U << 26)
#define E1000E_STATUS 0x00008
#define E1000E_VET 0x00038
#define E1000E_VET_DEFAULT 0x8100
#define E1000E_RDBAL 0x02800
#define E1000E_RDLEN 0x02808
#define E1000E_RAL 0x05400
#define E1000E_RAH 0x05404
#define E1000E_RAH_VALID (1U << 31)

/**
 * struct e1000e - an 82574L
 * @dev: the device, open
 * @regs: its registers
 */
struct e1000e {
	struct vfio_dev *dev;
	volatile uint8_t *regs;
};

/**
 * e1000e_init() - make an open device ready
 * @e: is initialised
 * @dev: the device
 *
 * Return: 0 or a negative errno
 */
int e1000e_init(struct e1000e *e, struct vfio_dev *dev);

/**
 * e1000e_read() - read a register
 * @e: the device
 * @offset: E1000E_*
 */
uint32_t e1000e_read(const struct e1000e *e, unsigned int offset);

/**
 * e1000e_write() - write a register
 * @e: the device
 * @offset: E1000E_*
 * @value: what
 */
void e1000e_write(const struct e1000e *e, unsigned int offset, uint32_t value);

/**
 * e1000e_mark() - write a value to a register that a reset clears
 * @e: the device
 */
void e1000e_mark(const struct e1000e *e);

/**
 * e1000e_marked() - is what e1000e_mark() wrote still there?
 * @e: the device
 */
bool e1000e_marked(const struct e1000e *e);

#endif
