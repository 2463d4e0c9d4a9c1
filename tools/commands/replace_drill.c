// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device is bound through its own node.  The kernel grants the node to one file at a time, so a
 * drill cannot disturb another user.  Both HWPTs come from one IOAS.  The IOAS is filled only after
 * the device has been attached to each of them once, because some IOMMUs do not know before an
 * attach what they can map.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands/options.h"
#include "commands/replace_drill.h"
#include "describe/fields.h"
#include "describe/replacement_text.h"
#include "machine/sysfs.h"
#include "observe/replacement.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"

#define SWITCHES 100
/* enough for a few mappings, too little to reach a limit */
#define MEMORY (1 << 20)
#define IOVA 0x10000000ULL
/* switches between two reads: the ring buffer has room for more */
#define READ_EVERY 256

/* A drill: the resources that it holds and what it has found out. */
struct drill {
	const char *device;
	uint64_t switches;
	int node;
	int iommufd;
	uint32_t hwpts[2];
	void *memory;
	char iommu_driver[SCOPE_DRIVER_LEN];
};

static int failed(const struct drill *drill, const char *what)
{
	complain("%s: cannot %s: %s", drill->device, what, strerror(errno));
	return -1;
}

static int open_node(struct drill *drill)
{
	struct sysfs_names nodes;
	char path[128], driver[64];

	sysfs_list(&nodes, "/sys/bus/pci/devices/%s/vfio-dev", drill->device);
	if (!nodes.nr) {
		sysfs_link(driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver", drill->device);
		sysfs_list_free(&nodes);
		if (*driver)
			complain("%s is in use: its driver is %s; a drill needs a device that is bound to vfio-pci",
				 drill->device, driver);
		else
			complain("%s has no device node: bind it to vfio-pci first", drill->device);
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", nodes.names[0]);
	sysfs_list_free(&nodes);
	drill->node = open(path, O_RDWR | O_CLOEXEC);
	if (drill->node < 0) {
		complain("%s is in use, or not accessible: cannot open %s: %s", drill->device, path,
			 strerror(errno));
		return -1;
	}
	drill->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return drill->iommufd < 0 ? failed(drill, "open /dev/iommu") : 0;
}

static int attach(struct drill *drill, uint32_t hwpt)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = hwpt,
	};

	return ioctl(drill->node, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static int map_memory(struct drill *drill, uint32_t ioas)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.iova = IOVA,
		.length = MEMORY,
	};

	drill->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	if (drill->memory == MAP_FAILED)
		out_of_memory();
	map.user_va = (uintptr_t)drill->memory;
	return ioctl(drill->iommufd, IOMMU_IOAS_MAP, &map) ? failed(drill, "map memory") : 0;
}

static int set_up(struct drill *drill)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt) };
	unsigned int i;

	if (open_node(drill))
		return -1;
	bind.iommufd = drill->iommufd;
	if (ioctl(drill->node, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		complain("%s or its group is in use: cannot bind it: %s", drill->device,
			 strerror(errno));
		return -1;
	}
	if (ioctl(drill->iommufd, IOMMU_IOAS_ALLOC, &ioas))
		return failed(drill, "create an IOAS");
	hwpt.dev_id = bind.out_devid;
	hwpt.pt_id = ioas.out_ioas_id;
	for (i = 0; i < 2; i++) {
		if (ioctl(drill->iommufd, IOMMU_HWPT_ALLOC, &hwpt)) {
			if (errno != EADDRINUSE)
				return failed(drill, "create an HWPT");
			complain("%s: its IOMMU creates HWPTs only when a device is attached, so one device cannot have two: watch replacements of devices in use instead",
				 drill->device);
			return -1;
		}
		drill->hwpts[i] = hwpt.out_hwpt_id;
	}
	/* each once, then back to the one that the drill starts from */
	if (attach(drill, drill->hwpts[0]) || attach(drill, drill->hwpts[1]) ||
	    attach(drill, drill->hwpts[0]))
		return failed(drill, "attach it");
	return map_memory(drill, ioas.out_ioas_id);
}

static void tear_down(struct drill *drill)
{
	if (drill->node >= 0)
		close(drill->node);
	if (drill->iommufd >= 0)
		close(drill->iommufd);
	if (drill->memory)
		munmap(drill->memory, MEMORY);
}

static void on_replacement(void *context, const struct replacement *replacement)
{
	struct drill *drill = context;

	memcpy(drill->iommu_driver, replacement->facts.iommu_driver, sizeof(drill->iommu_driver));
}

static int switch_to_and_fro(struct drill *drill, struct replacements *replacements)
{
	uint64_t i;

	for (i = 0; i < drill->switches; i++) {
		if (attach(drill, drill->hwpts[(i + 1) % 2]))
			return failed(drill, "switch it");
		if (i % READ_EVERY == READ_EVERY - 1)
			replacements_read(replacements, on_replacement, drill);
	}
	replacements_drain(replacements, on_replacement, drill);
	return 0;
}

static void print_percentiles(const char *what, const struct histogram *histogram)
{
	printf("  %-8s  p50 %s, p90 %s, p99 %s, max %s\n", what,
	       format_duration(histogram_percentile(histogram, 50)).s,
	       format_duration(histogram_percentile(histogram, 90)).s,
	       format_duration(histogram_percentile(histogram, 99)).s,
	       format_duration(histogram->max).s);
}

static void print_answer(const struct drill *drill, const struct replacement_total *total)
{
	uint64_t blocked = total->verdicts[VERDICT_blocked];

	printf("%s behind %s: switched %llu times between two identical HWPTs\n", drill->device,
	       drill->iommu_driver, (unsigned long long)total->count);
	print_percentiles("total", &total->duration);
	if (total->window.max)
		print_percentiles("window", &total->window);
	if (total->verdicts[VERDICT_hitless] == total->count)
		printf("hitless: %s had a translation at every instant\n", drill->device);
	else if (blocked)
		printf("not hitless: %s had no translation in %llu of %llu switches, for %s at the median\n",
		       drill->device, (unsigned long long)blocked,
		       (unsigned long long)total->count,
		       format_duration(histogram_percentile(&total->window, 50)).s);
	else
		printf("unknown: this IOMMU driver cannot be watched\n");
}

/* What a drill found out, for JSON. */
struct answer {
	const struct drill *drill;
	const struct replacements *replacements;
	const struct replacement_total *total;
};

static void get_device(const void *record, struct value *value)
{
	value->text = ((const struct answer *)record)->drill->device;
}

static void get_iommu_driver(const void *record, struct value *value)
{
	value->text = ((const struct answer *)record)->drill->iommu_driver;
	value->known = *value->text;
}

static void get_count(const void *record, struct value *value)
{
	value->number = ((const struct answer *)record)->total->count;
}

static void get_hitless(const void *record, struct value *value)
{
	const struct replacement_total *total = ((const struct answer *)record)->total;

	value->known = !total->verdicts[VERDICT_unknown];
	value->number = total->verdicts[VERDICT_hitless] == total->count;
}

static const void *answer_totals(const void *record, size_t number)
{
	return number ? NULL : ((const struct answer *)record)->replacements;
}

static const struct field answer[] = {
	FIELD(TEXT, "device", .get = get_device, .doc = "name of the device"),
	FIELD(TEXT, "iommu_driver", .get = get_iommu_driver, .unknown = "the event has none",
	      .doc = "driver of the IOMMU"),
	FIELD(NUMBER, "count", .get = get_count, .doc = "how many there were"),
	FIELD(FLAG, "all_hitless", .get = get_hitless,
	      .unknown = "the IOMMU driver cannot be watched",
	      .doc = "the device had a translation at every instant"),
	INCLUDE(device_totals_fields, answer_totals),
};

const struct field_table drill_fields = FIELD_TABLE("drill", answer);

static void print_answer_json(const struct drill *drill, const struct replacements *replacements,
			      const struct replacement_total *total)
{
	struct answer record = { drill, replacements, total };
	struct json json = { .file = stdout };

	fields_json_line(&json, &drill_fields, &record, 0);
}

int drill(const struct options *options)
{
	struct filter watched = { .device = options->filter.device, .pid = getpid() };
	struct drill drill = {
		.device = options->filter.device,
		.switches = options->count ? options->count : SWITCHES,
		.node = -1,
		.iommufd = -1,
	};
	const struct replacement_totals *totals;
	struct replacements *replacements = NULL;
	int status = EXIT_FAILED;

	if (set_up(&drill))
		goto out;
	replacements = replacements_open(&watched);
	if (!replacements || replacements_attach(replacements) ||
	    switch_to_and_fro(&drill, replacements))
		goto out;
	totals = replacements_by_device(replacements);
	if (totals->nr != 1) {
		complain("%s: the switches were not observed", drill.device);
		goto out;
	}
	if (options->json)
		print_answer_json(&drill, replacements, &totals->totals[0]);
	else
		print_answer(&drill, &totals->totals[0]);
	status = 0;
out:
	replacements_close(replacements);
	tear_down(&drill);
	return status;
}
