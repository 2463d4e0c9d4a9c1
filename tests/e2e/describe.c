// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print all that VFIO reports of PCI devices: regions, interrupts, capabilities, features, the
 * configuration space, and which of its bits a user can change.
 *
 * It only depends on linux/vfio.h, so its output is the same for any implementation, unless
 * implementations differ. It omits what each driver decides for itself, such as the offsets of
 * regions.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "lib/vfio.h"

#define FEATURES 16

static const char *const region_names[] = { "BAR0", "BAR1", "BAR2", "BAR3", "BAR4",
					    "BAR5", "ROM",  "CONFIG", "VGA" };
static const char *const irq_names[] = { "INTX", "MSI", "MSIX", "ERR", "REQ" };

static const struct vfio_info_cap_header *cap_at(const void *info, uint32_t offset)
{
	return offset ? (const void *)((const uint8_t *)info + offset) : NULL;
}

static void print_region_cap(const struct vfio_info_cap_header *cap)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse = (const void *)cap;
	const struct vfio_region_info_cap_type *type = (const void *)cap;
	uint32_t i;

	printf("    capability %u version %u", cap->id, cap->version);
	if (cap->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
		printf(" sparse:");
		for (i = 0; i < sparse->nr_areas; i++)
			printf(" 0x%llx+0x%llx", (unsigned long long)sparse->areas[i].offset,
			       (unsigned long long)sparse->areas[i].size);
	} else if (cap->id == VFIO_REGION_INFO_CAP_TYPE) {
		printf(" type 0x%x subtype 0x%x", type->type, type->subtype);
	} else if (cap->id == VFIO_REGION_INFO_CAP_MSIX_MAPPABLE) {
		printf(" msix mappable");
	}
	printf("\n");
}

static void print_mmap(const struct vfio_dev *dev, const struct vfio_region_info *info)
{
	void *va;

	if (!info->size)
		return;
	va = mmap(NULL, info->size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, info->offset);
	if (va == MAP_FAILED) {
		printf("    mmap: %s\n", strerror(errno));
		return;
	}
	printf("    mmap: works\n");
	munmap(va, info->size);
}

static void print_region_data(const struct vfio_dev *dev, uint32_t index)
{
	uint8_t data[16] = { 0 };
	int rc = vfio_region_rw(dev->fd, index, 0, data, sizeof(data), false), i;

	printf("    read:");
	if (rc < 0)
		printf(" %s", strerror(-rc));
	for (i = 0; i < rc; i++)
		printf(" %02x", data[i]);
	printf("\n");
}

static void print_regions(const struct vfio_dev *dev, uint32_t count)
{
	const struct vfio_info_cap_header *cap;
	struct vfio_region_info *info;
	uint32_t i;

	for (i = 0; i < count; i++) {
		printf("  region %u %s: ", i, i < VFIO_PCI_NUM_REGIONS ? region_names[i] : "more");
		info = vfio_region(dev->fd, i);
		if (!info) {
			printf("%s\n", strerror(errno));
			continue;
		}
		printf("flags 0x%x size 0x%llx\n", info->flags, (unsigned long long)info->size);
		if (info->flags & VFIO_REGION_INFO_FLAG_CAPS)
			for (cap = cap_at(info, info->cap_offset); cap; cap = cap_at(info, cap->next))
				print_region_cap(cap);
		print_mmap(dev, info);
		/* registers change by themselves, a ROM does not */
		if (i == VFIO_PCI_ROM_REGION_INDEX)
			print_region_data(dev, i);
		free(info);
	}
}

static void print_irqs(const struct vfio_dev *dev, uint32_t count)
{
	struct vfio_irq_info info;
	uint32_t i;
	int rc;

	for (i = 0; i < count; i++) {
		rc = vfio_irq_info(dev->fd, i, &info);
		printf("  irq %u %s: ", i, i < VFIO_PCI_NUM_IRQS ? irq_names[i] : "more");
		if (rc)
			printf("%s\n", strerror(-rc));
		else
			printf("flags 0x%x count %u\n", info.flags, info.count);
	}
}

static void print_features(const struct vfio_dev *dev)
{
	static const uint32_t ways[] = { VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET };
	struct vfio_device_feature feature = { .argsz = sizeof(feature) };
	uint32_t i, way;
	int rc;

	for (i = 0; i < FEATURES; i++) {
		for (way = 0; way < 2; way++) {
			feature.flags = i | VFIO_DEVICE_FEATURE_PROBE | ways[way];
			rc = vfio_call(dev->fd, VFIO_DEVICE_FEATURE, &feature);
			if (rc != -ENOTTY)
				printf("  feature %u %s: %s\n", i, way ? "set" : "get",
				       rc ? strerror(-rc) : "yes");
		}
	}
}

/**
 * struct capability - where a capability starts
 * @at: its offset
 * @id: its id
 */
struct capability {
	unsigned int at;
	unsigned int id;
};

#define CAPABILITIES 96

/* Print and list the capabilities; returns how many there are. */
static unsigned int print_capabilities(const struct vfio_dev *dev, struct capability *list)
{
	unsigned int at, n = 0;
	uint32_t head;

	at = vfio_config_read(dev, PCI_CAPABILITY_LIST, 1);
	while (at >= 0x40 && n < CAPABILITIES / 2) {
		list[n].at = at;
		list[n].id = vfio_config_read(dev, at, 1);
		printf("  capability 0x%02x at 0x%02x\n", list[n].id, at);
		at = vfio_config_read(dev, at + 1, 1);
		n++;
	}
	at = 0x100;
	while (at >= 0x100 && n < CAPABILITIES) {
		head = vfio_config_read(dev, at, 4);
		if (!head || head == ~0U)
			break;
		list[n].at = at;
		list[n].id = PCI_EXT_CAP_ID(head);
		printf("  extended capability 0x%04x version %u at 0x%03x\n", list[n].id,
		       PCI_EXT_CAP_VER(head), at);
		at = PCI_EXT_CAP_NEXT(head);
		n++;
	}
	return n;
}

/* What a location of the configuration space belongs to; false if it is unknown. */
static bool name_place(const struct capability *list, unsigned int n, unsigned int at, char *name,
		       size_t size)
{
	const struct capability *cap = NULL;
	unsigned int i;

	if (at < 0x40) {
		snprintf(name, size, "header");
		return true;
	}
	for (i = 0; i < n; i++)
		if (list[i].at <= at && (!cap || list[i].at > cap->at))
			cap = &list[i];
	/* their lengths vary: 64 bytes are enough for most */
	if (!cap || at - cap->at >= 64 || (at >= 0x100 && cap->at < 0x100))
		return false;
	snprintf(name, size, "%s 0x%02x+0x%x", at < 0x100 ? "cap" : "extended", cap->id,
		 at - cap->at);
	return true;
}

/* Each word: its value, after writing ones, and after writing zeroes. */
static void print_config(const struct vfio_dev *dev, const struct capability *list, unsigned int n)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint32_t was, ones, zeroes;
	unsigned int at;
	char name[32];

	if (vfio_call(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return;
	for (at = 0; at < info.size; at += 4) {
		if (!name_place(list, n, at, name, sizeof(name)))
			continue;
		was = vfio_config_read(dev, at, 4);
		vfio_config_write(dev, at, 4, ~0U);
		ones = vfio_config_read(dev, at, 4);
		vfio_config_write(dev, at, 4, 0);
		zeroes = vfio_config_read(dev, at, 4);
		vfio_config_write(dev, at, 4, was);
		if (was || ones || zeroes)
			printf("  config 0x%03x %s: %08x ones %08x zeroes %08x\n", at, name, was,
			       ones, zeroes);
	}
}

/*
 * The hot reset also depends on the API: it decides how ownership of the other devices is proved.
 */
static void print_hot_reset(const struct vfio_dev *dev)
{
	struct vfio_pci_hot_reset_info *info = vfio_hot_reset_info(dev->fd);
	uint32_t i;

	if (!info) {
		printf("  hot reset: %s\n", strerror(errno));
		return;
	}
	printf("  hot reset: %u devices\n", info->count);
	for (i = 0; i < info->count; i++)
		printf("    %04x:%02x:%02x.%x\n", info->devices[i].segment, info->devices[i].bus,
		       info->devices[i].devfn >> 3, info->devices[i].devfn & 7);
	free(info);
}

static int describe(enum vfio_api api, const char *bdf)
{
	struct capability list[CAPABILITIES];
	struct vfio_device_info info;
	struct vfio_space space;
	struct vfio_dev dev;
	unsigned int count;
	int rc;

	rc = vfio_space_open(&space, api);
	if (!rc)
		rc = vfio_open(&dev, bdf, &space);
	if (!rc)
		/* cppcheck-suppress uninitStructMember ; vfio_open() has set it */
		rc = vfio_info(dev.fd, &info);
	if (rc) {
		fprintf(stderr, "%s: %s\n", bdf, strerror(-rc));
		return rc;
	}
	printf("%s\n", bdf);
	printf("  device: flags 0x%x regions %u irqs %u\n", info.flags, info.num_regions,
	       info.num_irqs);
	print_regions(&dev, info.num_regions);
	print_irqs(&dev, info.num_irqs);
	print_features(&dev);
	print_hot_reset(&dev);
	count = print_capabilities(&dev, list);
	print_config(&dev, list, count);
	vfio_close(&dev);
	vfio_space_close(&space);
	return 0;
}

int main(int argc, char **argv)
{
	enum vfio_api api = VFIO_API_GROUP;
	int opt, i;

	while ((opt = getopt(argc, argv, "n")) != -1) {
		if (opt != 'n')
			goto usage;
		api = VFIO_API_NODE;
	}
	if (optind == argc)
		goto usage;
	for (i = optind; i < argc; i++)
		if (describe(api, argv[i]))
			return 1;
	return 0;

usage:
	fprintf(stderr, "usage: %s [-n] BDF...\n"
		"Print what VFIO reports of devices, through their groups, or with -n their nodes.\n",
		argv[0]);
	return 2;
}
