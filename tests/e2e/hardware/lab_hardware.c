// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties of hardware and firmware that QEMU's devices do not have.
 *
 * registers=BDF+OFFSET=SET/WRITABLE,...  a dword in the configuration space of a device: it reads
 *                                        as the device's own with the bits SET; the bits WRITABLE
 *                                        are as in SET until written, and keep what is written
 * rom=BDF                                a copy of the device's ROM, as firmware (EFI) leaves one
 *
 * All of it lasts until the module is unloaded. The accesses to configuration space of the buses
 * concerned pass through this module; the kernel holds pci_lock during each, which also guards the
 * rules.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#define RULES 8
/* not a power of two: the region is larger than the copy */
#define ROM_BYTES 3000

static char *registers[RULES];
static int n_registers;
module_param_array(registers, charp, &n_registers, 0444);
static char *rom = "";
module_param(rom, charp, 0444);

static struct {
	struct pci_dev *pdev;
	unsigned int where;
	u32 set;
	u32 writable;
	u32 stored;
} rules[RULES];

static struct pci_dev *rom_dev;
static void *rom_copy;

/* The operations of the buses, which are the host bridge's and therefore the same for all. */
static struct pci_ops *original;
static struct pci_ops ours;

static int find_rule(struct pci_bus *bus, unsigned int devfn, int where)
{
	int i;

	for (i = 0; i < n_registers; i++) {
		if (rules[i].pdev->bus == bus && rules[i].pdev->devfn == devfn &&
		    rules[i].where == ALIGN_DOWN(where, 4))
			return i;
	}
	return -1;
}

static int hardware_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	int rc, i = find_rule(bus, devfn, where);
	u32 dword;

	if (i < 0)
		return original->read(bus, devfn, where, size, value);
	rc = original->read(bus, devfn, rules[i].where, 4, &dword);
	dword = ((dword | rules[i].set) & ~rules[i].writable) | rules[i].stored;
	*value = dword >> 8 * (where & 3) & GENMASK(size * 8 - 1, 0);
	return rc;
}

static int hardware_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	int i = find_rule(bus, devfn, where), shift = 8 * (where & 3);

	if (i >= 0) {
		u32 written = (u32)GENMASK(size * 8 - 1, 0) << shift & rules[i].writable;

		rules[i].stored = (rules[i].stored & ~written) | (value << shift & written);
	}
	return original->write(bus, devfn, where, size, value);
}

static struct pci_dev *find_device(const char *text)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
}

static int add_rule(int i)
{
	const char *rest = strchr(registers[i], '+');
	struct pci_dev *pdev = find_device(registers[i]);

	rules[i].pdev = pdev;
	if (!pdev || !rest ||
	    sscanf(rest, "+%x=%x/%x", &rules[i].where, &rules[i].set, &rules[i].writable) != 3)
		return -EINVAL;
	rules[i].stored = rules[i].set & rules[i].writable;
	if (!original) {
		original = pdev->bus->ops;
		ours = *original;
		ours.read = hardware_read;
		ours.write = hardware_write;
	}
	return pdev->bus->ops == original || pdev->bus->ops == &ours ? 0 : -EXDEV;
}

static int add_rom(void)
{
	u8 *bytes;
	int i;

	if (!*rom)
		return 0;
	rom_dev = find_device(rom);
	if (!rom_dev || rom_dev->rom)
		return -EINVAL;
	rom_copy = (void *)get_zeroed_page(GFP_KERNEL);
	if (!rom_copy)
		return -ENOMEM;
	bytes = rom_copy;
	for (i = 0; i < ROM_BYTES; i++)
		bytes[i] = i * 7 + 1;
	rom_dev->rom = virt_to_phys(rom_copy);
	rom_dev->romlen = ROM_BYTES;
	return 0;
}

static void put_all(void)
{
	int i;

	if (rom_copy) {
		rom_dev->rom = 0;
		rom_dev->romlen = 0;
		free_page((unsigned long)rom_copy);
	}
	pci_dev_put(rom_dev);
	for (i = 0; i < n_registers; i++) {
		if (rules[i].pdev && rules[i].pdev->bus->ops == &ours)
			pci_bus_set_ops(rules[i].pdev->bus, original);
	}
	for (i = 0; i < n_registers; i++)
		pci_dev_put(rules[i].pdev);
}

static int __init hardware_init(void)
{
	int i, ret = 0;

	for (i = 0; i < n_registers && !ret; i++)
		ret = add_rule(i);
	if (!ret)
		ret = add_rom();
	if (ret) {
		put_all();
		return ret;
	}
	for (i = 0; i < n_registers; i++)
		pci_bus_set_ops(rules[i].pdev->bus, &ours);
	return 0;
}

static void __exit hardware_exit(void)
{
	put_all();
}

module_init(hardware_init);
module_exit(hardware_exit);

MODULE_DESCRIPTION("Hardware that QEMU does not emulate, for tests");
MODULE_LICENSE("GPL");
