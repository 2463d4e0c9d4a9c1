// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's memory is either enabled or not: no order of calls from several threads may leave
 * a BAR reachable while the device does not answer, through any of the paths to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "e2e.h"
#include "lib/e1000e.h"
#include "lib/nvme.h"

/* NVMe's version register, and the 82574L's status */
#define NVME_VS 0x08
#define ROUNDS 60

static __thread sigjmp_buf bus_error;

static void on_bus_error(int number)
{
	(void)number;
	siglongjmp(bus_error, 1);
}

static void catch_bus_errors(void)
{
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };

	CHECK_OK(sigaction(SIGBUS, &action, NULL));
}

/* Read a register through a mapping: false for SIGBUS. */
static bool reach(const volatile void *at)
{
	if (sigsetjmp(bus_error, 1))
		return false;
	(void)*(const volatile uint32_t *)at;
	return true;
}

struct fixture {
	struct vfio_space space;
	struct vfio_dev dev;
	const volatile uint8_t *bar;
	uint32_t command;
	unsigned int pm;
	unsigned int exp;
	atomic_bool over;
};

static void setup(struct fixture *f, enum vfio_api api, unsigned int vendor, unsigned int device)
{
	memset(f, 0, sizeof(*f));
	e2e_open(&f->dev, &f->space, api, vendor, device);
	f->bar = vfio_bar(&f->dev, 0);
	CHECK(f->bar);
	f->command = vfio_config_read(&f->dev, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY;
	CHECK_OK(vfio_config_write(&f->dev, PCI_COMMAND, 2, f->command));
	f->pm = vfio_config_cap(&f->dev, PCI_CAP_ID_PM);
	f->exp = vfio_config_cap(&f->dev, PCI_CAP_ID_EXP);
	CHECK(f->pm && f->exp);
	catch_bus_errors();
}

static void set_command(struct fixture *f, bool memory)
{
	uint32_t command = memory ? f->command : f->command & ~PCI_COMMAND_MEMORY;

	CHECK_OK(vfio_config_write(&f->dev, PCI_COMMAND, 2, command));
}

static void set_power(struct fixture *f, unsigned int state)
{
	CHECK_OK(vfio_config_write(&f->dev, f->pm + PCI_PM_CTRL, 2, state));
}

/* What the host sees: a word of the device's own registers. */
static unsigned int host_word(const struct fixture *f, unsigned int at)
{
	char path[128];
	uint16_t word;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", f->dev.bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &word, sizeof(word), at), sizeof(word));
	close(fd);
	return word;
}

/* All paths to the memory agree, and so do the user's registers and the device's. */
static void check_agreement(struct fixture *f)
{
	uint32_t command = vfio_config_read(&f->dev, PCI_COMMAND, 2), value;
	unsigned int state = vfio_config_read(&f->dev, f->pm + PCI_PM_CTRL, 2) &
			     PCI_PM_CTRL_STATE_MASK;
	bool there = command & PCI_COMMAND_MEMORY && !state;

	CHECK_EQ(reach(f->bar + NVME_VS), there);
	CHECK_EQ(vfio_region_rw(f->dev.fd, 0, NVME_VS, &value, 4, false), there ? 4 : -EIO);
	CHECK_EQ(host_word(f, PCI_COMMAND) & PCI_COMMAND_MEMORY, command & PCI_COMMAND_MEMORY);
	CHECK_EQ(host_word(f, f->pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK, state);
}

static void *do_reset(void *arg)
{
	struct fixture *f = arg;

	vfio_reset(f->dev.fd);
	return NULL;
}

static void *do_on(void *arg)
{
	set_command(arg, true);
	return NULL;
}

static void *do_off(void *arg)
{
	set_command(arg, false);
	return NULL;
}

static void *do_reach(void *arg)
{
	struct fixture *f = arg;

	reach(f->bar + NVME_VS);
	return NULL;
}

/*
 * A reset holds the memory for a tenth of a second. In this order, memory on, an access, and
 * memory off queue up behind it. A decision made before the wait must be based on the state
 * before it.
 */
BOTH(memory, off_behind_a_fault)
{
	static void *(*const order[])(void *) = { do_reset, do_on, do_reach, do_off };
	pthread_t threads[4];
	struct fixture f;
	int i, n;

	setup(&f, api, NVME_VENDOR, NVME_DEVICE);
	for (i = 0; i < 8; i++) {
		set_command(&f, false);
		for (n = 0; n < 4; n++) {
			CHECK_OK(pthread_create(&threads[n], NULL, order[n], &f));
			e2e_sleep(15);
		}
		for (n = 0; n < 4; n++)
			CHECK_OK(pthread_join(threads[n], NULL));
		check_agreement(&f);
	}
}

static void *write_command(void *arg)
{
	struct fixture *f = arg;
	int i;

	for (i = 0; !f->over; i++)
		set_command(f, i & 1);
	return NULL;
}

/* Write the register byte by byte: the upper byte has the bit that disables INTx. */
static void *write_intx(void *arg)
{
	struct fixture *f = arg;
	int i;

	for (i = 0; !f->over; i++)
		CHECK_OK(vfio_config_write(&f->dev, PCI_COMMAND + 1, 1,
					   f->command >> 8 | (i & 1 ? PCI_COMMAND_INTX_DISABLE >> 8 : 0)));
	return NULL;
}

static void *write_power(void *arg)
{
	struct fixture *f = arg;
	int i;

	for (i = 0; !f->over; i++)
		set_power(f, i & 1 ? 3 : 0);
	return NULL;
}

static void *write_reset(void *arg)
{
	struct fixture *f = arg;

	while (!f->over) {
		CHECK_OK(vfio_config_write(&f->dev, f->exp + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR));
		e2e_sleep(20);
	}
	return NULL;
}

static void *write_bars(void *arg)
{
	struct fixture *f = arg;

	while (!f->over)
		CHECK_OK(vfio_config_write(&f->dev, PCI_BASE_ADDRESS_0, 4, ~0U));
	return NULL;
}

static void *reach_all_the_time(void *arg)
{
	struct fixture *f = arg;

	while (!f->over)
		reach(f->bar + NVME_VS);
	return NULL;
}

/* All writes to configuration space that have side effects, from many threads at once. */
BOTH(memory, concurrent_config_writes)
{
	static void *(*const writers[])(void *) = {
		write_command, write_intx, write_power, write_reset, write_bars, reach_all_the_time,
	};
	enum { N = sizeof(writers) / sizeof(writers[0]) };
	pthread_t threads[N];
	struct fixture f;
	int round, n;

	setup(&f, api, NVME_VENDOR, NVME_DEVICE);
	for (round = 0; round < 4; round++) {
		f.over = false;
		for (n = 0; n < N; n++)
			CHECK_OK(pthread_create(&threads[n], NULL, writers[n], &f));
		e2e_sleep(700);
		f.over = true;
		for (n = 0; n < N; n++)
			CHECK_OK(pthread_join(threads[n], NULL));
		check_agreement(&f);
		set_power(&f, 0);
		set_command(&f, round & 1);
		check_agreement(&f);
		/* the address register still returns the size of the BAR */
		CHECK_OK(vfio_config_write(&f.dev, PCI_BASE_ADDRESS_0, 4, ~0U));
		CHECK_EQ(vfio_config_read(&f.dev, PCI_BASE_ADDRESS_0, 4) & ~15U,
			 (uint32_t)-f.dev.bar_size[0]);
	}
	set_command(&f, true);
	CHECK(reach(f.bar + NVME_VS));
}

/*
 * The device's INTx disable bit combines what the user and VFIO want, in whichever order they
 * wrote it.
 */
BOTH(memory, intx_and_command)
{
	struct fixture f;
	pthread_t threads[2];
	int fd, i;

	setup(&f, api, E1000E_VENDOR, E1000E_DEVICE);
	fd = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_OK(pthread_create(&threads[0], NULL, write_command, &f));
	CHECK_OK(pthread_create(&threads[1], NULL, write_intx, &f));
	for (i = 0; i < ROUNDS; i++) {
		CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1,
				      i & 1 ? VFIO_IRQ_SET_ACTION_UNMASK : VFIO_IRQ_SET_ACTION_MASK));
		e2e_sleep(5);
	}
	f.over = true;
	for (i = 0; i < 2; i++)
		CHECK_OK(pthread_join(threads[i], NULL));
	check_agreement(&f);
	for (i = 0; i < 4; i++) {
		bool disabled = i & 1, masked = i & 2;

		CHECK_OK(vfio_config_write(&f.dev, PCI_COMMAND, 2,
					   f.command | (disabled ? PCI_COMMAND_INTX_DISABLE : 0)));
		CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1,
				      masked ? VFIO_IRQ_SET_ACTION_MASK : VFIO_IRQ_SET_ACTION_UNMASK));
		CHECK_EQ(!!(host_word(&f, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE), disabled || masked);
	}
}

/* A sleeping device answers on no path, and no reset leaves the register wrong. */
BOTH(memory, asleep)
{
	unsigned int state;
	struct fixture f;

	setup(&f, api, E1000E_VENDOR, E1000E_DEVICE);
	for (state = 1; state <= 3; state++) {
		set_power(&f, state);
		check_agreement(&f);
		set_power(&f, 0);
		check_agreement(&f);
		CHECK(reach(f.bar + NVME_VS));
	}
	set_power(&f, 3);
	/* setting up MSI-X writes to memory: the device is woken for that, and sleeps again */
	state = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, (int *)&state,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	CHECK_EQ(vfio_config_read(&f.dev, f.pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK, 3);
	check_agreement(&f);
	CHECK_OK(vfio_irq_set(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, VFIO_IRQ_SET_ACTION_TRIGGER));
	check_agreement(&f);
	/* a reset wakes the device */
	if (!vfio_reset(f.dev.fd))
		CHECK_EQ(vfio_config_read(&f.dev, f.pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK, 0);
	check_agreement(&f);
}

/* The ROM is part of the device's memory. */
BOTH(memory, rom)
{
	struct vfio_region_info *rom;
	uint8_t first[64], again[64], beyond;
	struct fixture f;

	setup(&f, api, E1000E_VENDOR, E1000E_DEVICE);
	rom = vfio_region(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX);
	CHECK(rom && rom->size);
	CHECK_EQ(rom->flags, VFIO_REGION_INFO_FLAG_READ);
	CHECK_EQ(vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, first, 64, false), 64);
	CHECK_EQ(first[0], 0x55);
	CHECK_EQ(first[1], 0xaa);
	CHECK_ERR(EINVAL, vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, first, 64, true));
	CHECK_ERR(EINVAL, vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, rom->size, &beyond, 1, false));

	set_command(&f, false);
	CHECK_ERR(EIO, vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, again, 64, false));
	/* its size can still be read */
	CHECK_EQ(host_word(&f, PCI_COMMAND) & PCI_COMMAND_MEMORY, 0);
	free(rom);
	rom = vfio_region(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX);
	CHECK(rom && rom->size);
	CHECK_EQ(host_word(&f, PCI_COMMAND) & PCI_COMMAND_MEMORY, 0);
	set_command(&f, true);
	set_power(&f, 3);
	CHECK_ERR(EIO, vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, again, 64, false));
	set_power(&f, 0);
	/* odd offsets and lengths */
	CHECK_EQ(vfio_region_rw(f.dev.fd, VFIO_PCI_ROM_REGION_INDEX, 3, again, 9, false), 9);
	CHECK(!memcmp(again, first + 3, 9));
	free(rom);
}

/*
 * A device left asleep by its user is woken before the close frees its MSI-X, which writes to
 * memory.
 */
TEST(memory, woken_before_its_interrupts_go)
{
	static const char *const calls[] = { "pci_set_power_state", "pci_free_irq_vectors", NULL };
	struct fixture f;
	int event;

	e2e_need_api(VFIO_API_NODE);
	setup(&f, VFIO_API_NODE, E1000E_VENDOR, E1000E_DEVICE);
	event = e2e_eventfd();
	CHECK_OK(vfio_irq_eventfds(f.dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &event,
				   VFIO_IRQ_SET_ACTION_TRIGGER));
	set_power(&f, 3);
	e2e_calls_start(calls);
	vfio_close(&f.dev);
	e2e_calls_check(calls);
}
