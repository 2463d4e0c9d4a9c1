// SPDX-License-Identifier: GPL-2.0-only
/* Names of PCI devices from a file like pci.ids. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/pci_ids.h"
#include "unit.h"

static const char text[] =
	"# a comment\n"
	"1b36  Red Hat, Inc.\n"
	"\t0001  QEMU PCI-PCI bridge\n"
	"# another one\n"
	"\t0010  QEMU NVM Express Controller\n"
	"\t\t1af4 0011  QEMU Virtual Machine\n"
	"8086  Intel Corporation\n"
	"\t0011  Something of Intel\n"
	"\t10d3  82574L Gigabit Network Connection\n";

static void expect(const char *path, uint16_t vendor, uint16_t device, const char *wanted)
{
	char name[PCI_NAME_SIZE];

	pci_ids_find(path, vendor, device, name);
	CHECK_TEXT(name, wanted);
}

TEST(pci_ids, names)
{
	char path[] = "/tmp/pci-ids-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
	close(fd);
	expect(path, 0x1b36, 0x0010, "Red Hat, Inc. QEMU NVM Express Controller");
	expect(path, 0x8086, 0x10d3, "Intel Corporation 82574L Gigabit Network Connection");
	/*
	 * a device of the next vendor does not belong to this one, and a subsystem is not a
	 * device
	 */
	expect(path, 0x1b36, 0x0011, "Red Hat, Inc.");
	expect(path, 0x1234, 0x0010, "");
	unlink(path);
	expect(path, 0x1b36, 0x0010, "");
}
