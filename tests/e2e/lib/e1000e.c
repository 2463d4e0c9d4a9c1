// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of Intel's 82574L, see e1000e.h.
 */
#include <errno.h>

#include "e1000e.h"

/* For the base address of the receive ring, which does not keep its lowest bits. */
#define MARK 0x5ca1ab00

int e1000e_init(struct e1000e *e, struct vfio_dev *dev)
{
	e->dev = dev;
	e->regs = vfio_bar(dev, 0);
	if (!e->regs)
		return -errno;
	return vfio_bus_master(dev, true);
}

uint32_t e1000e_read(const struct e1000e *e, unsigned int offset)
{
	return *(volatile uint32_t *)(e->regs + offset);
}

void e1000e_write(const struct e1000e *e, unsigned int offset, uint32_t value)
{
	*(volatile uint32_t *)(e->regs + offset) = value;
}

void e1000e_mark(const struct e1000e *e)
{
	e1000e_write(e, E1000E_RDBAL, MARK);
}

bool e1000e_marked(const struct e1000e *e)
{
	return e1000e_read(e, E1000E_RDBAL) == MARK;
}
