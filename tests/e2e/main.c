// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end-to-end tests on real devices: one program, whose suites are in the *_test.c files.
 *
 * It needs a machine with the devices that tests/e2e/CMakeLists.txt lists, and VFIO drivers:
 * ours, or for the suites through groups the distribution's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"

/* Emulated IOMMUs other than Intel's do not isolate interrupts. */
static void allow_unsafe_interrupts(void)
{
	static const char *const owners[] = { "iommufd", "vfio_iommu_type1" };
	char path[128];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/allow_unsafe_interrupts",
			 owners[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "Y", 1) != 1)
			tap_note("%s cannot be written", path);
		close(fd);
	}
}

static const char *before(void)
{
	char bdf[PCI_BDF_SIZE];

	if (access("/sys/bus/pci/drivers/vfio-pci", F_OK))
		return "vfio-pci is not loaded";
	/* a virtio IOMMU shows up only once the device has a driver */
	if (pci_find(EDU_VENDOR, EDU_DEVICE, -1, 0, bdf) || strcmp(pci_iommu_kind(bdf), "intel"))
		allow_unsafe_interrupts();
	/* the distribution's modules have no events */
	return access("/sys/kernel/tracing/events/vfio", F_OK) ? NULL : events_open("vfio");
}

int main(int argc, char **argv)
{
	return tap_main(argc, argv, before, events_close);
}
