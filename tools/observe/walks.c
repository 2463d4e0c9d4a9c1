// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks through the state of sources other than our module.
 *
 * A walker is the program of one source.  The control block that it shares with us is one of its
 * variables, which libbpf maps; the slots are an array that is mapped here.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bpf/walks/walk.h"
#include "bpf/walk_type1.skel.h"
#include "bpf/walk_upstream.skel.h"
#include "machine/sysfs.h"
#include "observe/pids/pids.h"
#include "observe/session.h"
#include "observe/walks.h"
#include "text/output.h"

#define NR_SOURCES IOMMUFD_STATE_NR_SOURCES
#define SLOTS_SIZE ((size_t)SCOPE_WALK_SLOTS * sizeof(struct scope_walk_slot))

/* Default of the limit of areas in a container. */
#define AREA_LIMIT 65535

_Static_assert(sizeof(struct iommufd_state_device) <= SCOPE_WALK_RECORD, "a record fits its slot");
_Static_assert(sizeof(struct iommufd_state_ioas) <= SCOPE_WALK_RECORD, "a record fits its slot");

/**
 * struct walker - the program of a source
 * @session: its session; without a skeleton if it is not loaded
 * @walk: the control block
 * @slots: the slots, mapped
 * @link: the iterator
 * @failed: it could not be loaded, which has been reported
 */
struct walker {
	struct session session;
	struct scope_walk *walk;
	const struct scope_walk_slot *slots;
	struct bpf_link *link;
	bool failed;
};

/**
 * struct walks - all walkers
 * @walkers: by source
 * @run: number of the last run
 */
struct walks {
	struct walker walkers[NR_SOURCES];
	uint32_t run;
};

/* Sources that need a walk. */
static const unsigned int other_sources = 1U << IOMMUFD_STATE_SOURCE_UPSTREAM |
					  1U << IOMMUFD_STATE_SOURCE_TYPE1;

unsigned int walks_sources(bool own)
{
	unsigned int sources = 0;

	if (!own && sysfs_exists("/sys/class/misc/iommu") && session_knows_module("iommufd"))
		sources |= 1U << IOMMUFD_STATE_SOURCE_UPSTREAM;
	if (sysfs_exists("/sys/module/vfio_iommu_type1") && session_knows_module("vfio_iommu_type1"))
		sources |= 1U << IOMMUFD_STATE_SOURCE_TYPE1;
	return sources;
}

struct walks *walks_open(void)
{
	struct walks *walks = calloc(1, sizeof(*walks));

	if (!walks)
		out_of_memory();
	return walks;
}

static void close_walker(struct walker *walker)
{
	bpf_link__destroy(walker->link);
	if (walker->slots)
		munmap((void *)walker->slots, SLOTS_SIZE);
	session_close(&walker->session);
	memset(walker, 0, sizeof(*walker));
}

void walks_close(struct walks *walks)
{
	unsigned int i;

	if (!walks)
		return;
	for (i = 0; i < NR_SOURCES; i++)
		close_walker(&walks->walkers[i]);
	free(walks);
}

/* The parts of any walker's skeleton. */
struct parts {
	struct bpf_map *slots;
	struct bpf_program *program;
};

#define PARTS(skeleton, name)                                                                \
	((struct parts){ (skeleton)->maps.ios_walk_slots, (skeleton)->progs.ios_##name })

/* Load an open program and create its iterator.  Return 0, or -1 after a message. */
static int load(struct walker *walker, const struct parts *parts)
{
	void *slots;

	if (session_load(&walker->session))
		return -1;
	slots = mmap(NULL, SLOTS_SIZE, PROT_READ, MAP_SHARED, bpf_map__fd(parts->slots), 0);
	if (slots == MAP_FAILED) {
		complain("cannot map the records of state: %s", strerror(errno));
		return -1;
	}
	walker->slots = slots;
	walker->link = bpf_program__attach_iter(parts->program, NULL);
	if (!walker->link) {
		complain("cannot iterate over the open files: %s", strerror(errno));
		return -1;
	}
	return 0;
}

#define OPEN(name)                                                                             \
	static int open_##name(struct walker *walker)                                          \
	{                                                                                      \
		struct ios_walk_##name *skeleton =                                             \
			SESSION_OPEN(&walker->session, walk_##name, SESSION_MODULES, NULL);    \
                                                                                               \
		if (!skeleton || load(walker, &PARTS(skeleton, name)))                         \
			return -1;                                                             \
		walker->walk = &skeleton->bss->walk;                                           \
		return 0;                                                                      \
	}
OPEN(type1)
OPEN(upstream)

/* Get the loaded walker of a source.  Return NULL after a message. */
static struct walker *ready(struct walks *walks, unsigned int source)
{
	struct walker *walker = &walks->walkers[source];

	if (walker->walk)
		return walker;
	if (!(source == IOMMUFD_STATE_SOURCE_TYPE1 ? open_type1(walker) : open_upstream(walker)))
		return walker;
	close_walker(walker);
	walker->failed = true;
	return NULL;
}

int walks_prepare(struct walks *walks, unsigned int sources)
{
	unsigned int source;

	for (source = 0; source < NR_SOURCES; source++)
		if (sources & other_sources & 1U << source && !ready(walks, source))
			return -1;
	return 0;
}

/* Device number of a member of a class, in the kernel's encoding; 0 if there is none. */
static uint32_t device_number(const char *class, const char *name)
{
	dev_t number = sysfs_device(class, name);

	return major(number) << 20 | minor(number);
}

static uint32_t group_major(void)
{
	struct sysfs_names names;
	uint32_t number = 0;
	size_t i;

	sysfs_list(&names, "/sys/class/vfio");
	for (i = 0; i < names.nr && !number; i++)
		number = device_number("vfio", names.names[i]);
	sysfs_list_free(&names);
	return number >> 20;
}

/* Run the program over all open files.  Return 0, or -1 after a message. */
static int run(struct walks *walks, struct walker *walker, const struct scope_walk *wanted)
{
	char nothing[64];
	ssize_t got;
	int fd;

	*walker->walk = *wanted;
	walker->walk->run = ++walks->run;
	walker->walk->group_major = group_major();
	walker->walk->iommu_dev = device_number("misc", "iommu");
	walker->walk->area_limit = type1_entry_limit() ?: AREA_LIMIT;
	fd = bpf_iter_create(bpf_link__fd(walker->link));
	if (fd < 0)
		goto out_complain;
	do
		got = read(fd, nothing, sizeof(nothing));
	while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
	close(fd);
	if (!got)
		return 0;
out_complain:
	complain("cannot iterate over the open files: %s", strerror(errno));
	return -1;
}

/* The driver of an IOMMU, from a function: "intel_iommu_probe_device", or "f [module]". */
static void name_driver(char driver[IOMMUFD_STATE_DRIVER], const char symbol[SCOPE_WALK_SYMBOL])
{
	char text[SCOPE_WALK_SYMBOL + 1], *name = text, *end;

	snprintf(text, sizeof(text), "%.*s", SCOPE_WALK_SYMBOL, symbol);
	end = strstr(text, " [");
	if (end) {
		name = end + 2;
		end = strchr(name, ']');
	} else {
		end = strstr(name, "_probe_device");
	}
	if (end)
		*end = '\0';
	snprintf(driver, IOMMUFD_STATE_DRIVER, "%.*s", IOMMUFD_STATE_DRIVER - 1, name);
}

static void hand_out(const struct scope_walk_slot *slot, walks_function add, void *context)
{
	union {
		char bytes[SCOPE_WALK_RECORD];
		struct iommufd_state_device device;
		struct iommufd_state_hwpt hwpt;
	} record;

	memcpy(&record, slot->record, sizeof(record));
	if (slot->kind == SCOPE_STATE_device)
		name_driver(record.device.iommu_driver, slot->symbol);
	else if (slot->kind == SCOPE_STATE_hwpt)
		name_driver(record.hwpt.iommu_driver, slot->symbol);
	add(context, slot->kind, &record);
}

int walks_read(struct walks *walks, unsigned int sources, walks_function add, void *context)
{
	struct scope_walk wanted = { .mode = SCOPE_WALK_OBJECTS };
	unsigned int source, i;
	struct walker *walker;

	for (source = 0; source < NR_SOURCES; source++) {
		if (!(sources & other_sources & 1U << source)) {
			walks->walkers[source].failed = false;
			continue;
		}
		walker = walks->walkers[source].failed ? NULL : ready(walks, source);
		if (!walker)
			continue;
		wanted.skip = 0;
		do {
			if (run(walks, walker, &wanted))
				return -1;
			for (i = 0; i < walker->walk->nr; i++)
				hand_out(&walker->slots[i], add, context);
			wanted.skip += walker->walk->nr;
		} while (walker->walk->full);
	}
	return 0;
}

int walks_read_areas(struct walks *walks, unsigned int source, uint32_t ctx, uint32_t ioas,
		     int (*each)(const struct iommufd_state_area *area, void *data), void *data)
{
	struct scope_walk wanted = { .mode = SCOPE_WALK_AREAS, .ctx = ctx, .object = ioas };
	struct walker *walker = &walks->walkers[source];
	struct iommufd_state_area area;
	unsigned int i;
	int err;

	if (!walker->walk)
		return 0;
	do {
		if (run(walks, walker, &wanted))
			return -1;
		for (i = 0; i < walker->walk->nr; i++) {
			memcpy(&area, walker->slots[i].record, sizeof(area));
			area.pid = pids_here(area.pid);
			err = each(&area, data);
			if (err)
				return err;
			wanted.iova = area.iova + area.length;
		}
	} while (walker->walk->full && wanted.iova);
	return 0;
}
