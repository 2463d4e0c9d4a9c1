// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of PCI devices.
 *
 * The file has a line "VVVV  Vendor" for each vendor and below it, after a tab, "DDDD  Device" for
 * each of its devices.  It is read from the start for each device that is not cached yet.  That
 * takes a millisecond or two, and machines assign only a few devices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/devices.h"
#include "machine/pci_ids.h"
#include "machine/sysfs.h"
#include "text/output.h"

static const char *const files[] = { "/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids" };

/* The name in a line that starts with an id, or NULL. */
static const char *name_after(char *line, uint16_t id)
{
	char *end;

	if (strtoul(line, &end, 16) != id || end != line + 4 || strncmp(end, "  ", 2))
		return NULL;
	end[strcspn(end, "\n")] = '\0';
	return end + 2;
}

void pci_ids_find(const char *path, uint16_t vendor, uint16_t device, char name[PCI_NAME_SIZE])
{
	FILE *file = fopen(path, "re");
	const char *found;
	char line[512];
	size_t length;

	*name = '\0';
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (!*name) {
			found = name_after(line, vendor);
			if (found)
				snprintf(name, PCI_NAME_SIZE, "%s", found);
			continue;
		}
		if (*line != '\t' && *line != '#' && *line != '\n')
			break;
		/* two tabs: a subsystem of the previous device */
		found = *line == '\t' && line[1] != '\t' ? name_after(line + 1, device) : NULL;
		if (!found)
			continue;
		length = strlen(name);
		snprintf(name + length, PCI_NAME_SIZE - length, " %s", found);
		break;
	}
	fclose(file);
}

static void look_up(const char *bdf, char name[PCI_NAME_SIZE])
{
	char vendor[16], device[16];
	size_t i;

	*name = '\0';
	if (!sysfs_line(vendor, sizeof(vendor), "/sys/bus/pci/devices/%s/vendor", bdf) ||
	    !sysfs_line(device, sizeof(device), "/sys/bus/pci/devices/%s/device", bdf))
		return;
	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !*name; i++)
		pci_ids_find(files[i], strtoul(vendor, NULL, 16), strtoul(device, NULL, 16), name);
}

const char *pci_device_name(const char *bdf)
{
	static struct known {
		char bdf[DEVICE_NAME_SIZE];
		char name[PCI_NAME_SIZE];
		struct known *next;
	} * knowns;
	struct known *known;
	unsigned int domain, bus, slot, function;
	char end;

	if (sscanf(bdf, "%x:%x:%x.%x%c", &domain, &bus, &slot, &function, &end) != 4)
		return "";
	for (known = knowns; known; known = known->next)
		if (!strcmp(known->bdf, bdf))
			return known->name;
	known = calloc(1, sizeof(*known));
	if (!known)
		out_of_memory();
	snprintf(known->bdf, sizeof(known->bdf), "%s", bdf);
	look_up(bdf, known->name);
	known->next = knowns;
	knowns = known;
	return known->name;
}
