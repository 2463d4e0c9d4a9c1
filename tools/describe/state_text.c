// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mark before a line shows what happened to it since the previous copy: '+' new, '*' changed,
 * '-' gone.  The kernel's record and that of the IOAS behind it are compared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "describe/fields.h"
#include "describe/names.h"
#include "describe/state_text.h"
#include "machine/pci_ids.h"
#include "machine/pid_namespace.h"
#include "observe/state.h"
#include "text/difference.h"
#include "text/format.h"
#include "text/output.h"

static const void *line_device(const void *record, size_t number)
{
	return number ? NULL : ((const struct device_line *)record)->device;
}

static const void *line_ioas(const void *record, size_t number)
{
	return number ? NULL : ((const struct device_line *)record)->ioas;
}

static const void *line_ctx(const void *record, size_t number)
{
	return number ? NULL : ((const struct device_line *)record)->ctx;
}

/* If several records have a key, the first one counts. */
static const struct field line[] = {
	INCLUDE(device_fields, line_device),
	INCLUDE(ioas_fields, line_ioas),
	INCLUDE(ctx_fields, line_ctx),
};

const struct field_table device_line_fields = FIELD_TABLE("line of a device", line);

static const struct column columns[] = {
	{ "DEVICE", "device" }, { "DRIVER", "driver" },	      { "GROUP", "group" },
	{ "CTX", "ctx" },	{ "PROCESS", "process" },     { "HWPT", "hwpt" },
	{ "IOAS", "ioas" },	{ "MAPPED", "mapped_bytes" }, { "PINNED", "pinned_bytes" },
	/* only if there are several */
	{ "SOURCE", "source" },
};

#define COLUMN_DEVICE 0
#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Number of columns: the last one is shown if devices are from more than one source. */
static unsigned int nr_columns(const struct state *state)
{
	size_t i;

	for (i = 1; i < state->nr_devices; i++)
		if (state->devices[i].source != state->devices[0].source)
			return NR_COLUMNS;
	return NR_COLUMNS - 1;
}

static bool same_ioas(const struct iommufd_state_ioas *a, const struct iommufd_state_ioas *b)
{
	return a == b || (a && b && !memcmp(a, b, sizeof(*a)));
}

/* Return the mark, or 0 for none. */
static char device_mark(const struct state *now, const struct state *before,
			const struct iommufd_state_device *device)
{
	const struct iommufd_state_device *was;

	if (!before)
		return '\0';
	was = state_device(before, device->device);
	if (!was)
		return '+';
	if (memcmp(was, device, sizeof(*was)) ||
	    !same_ioas(state_ioas(now, device->ctx_id, device->ioas_id),
		       state_ioas(before, was->ctx_id, was->ioas_id)))
		return '*';
	return ' ';
}

static enum colour mark_colour(char mark)
{
	return mark == '+' ? COLOUR_GREEN :
	       mark == '-' ? COLOUR_RED :
	       mark == '*' ? COLOUR_YELLOW :
			     COLOUR_NONE;
}

/* "4 KiB, 2 MiB, 1 GiB"; a long row of sizes becomes "4 KiB to 1 GiB". */
static void page_sizes(uint64_t bitmap, char *text, size_t size)
{
	unsigned int nr = (unsigned int)__builtin_popcountll(bitmap);
	size_t length = 0;

	if (!bitmap) {
		snprintf(text, size, "not yet known");
		return;
	}
	if (nr > 4) {
		snprintf(text, size, "%s to %s",
			 format_size_as(bitmap & -bitmap, bitmap & -bitmap).s,
			 format_size(1ULL << (63 - __builtin_clzll(bitmap))).s);
		return;
	}
	for (*text = '\0'; bitmap && length < size; bitmap &= bitmap - 1) {
		uint64_t bytes = bitmap & -bitmap;

		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "",
					   format_size_as(bytes, bytes).s);
	}
}

/* "12 areas, 2048 extents of 2.0 MiB, 98 % huge" */
static void memory_text(const struct iommufd_state_ioas *ioas, char *text, size_t size)
{
	int length = snprintf(text, size, "%" PRIu64 " area%s", (uint64_t)ioas->areas,
			      ioas->areas == 1 ? "" : "s");

	if (!ioas->areas)
		return;
	if (ioas->flags & IOMMUFD_STATE_IOAS_AREAS_LIMITED)
		length += snprintf(text + length, size - (size_t)length, " of %" PRIu64,
				   (uint64_t)(ioas->areas + ioas->areas_left));
	if (ioas->flags & IOMMUFD_STATE_IOAS_ABOUT)
		snprintf(text + length, size - (size_t)length,
			 "; sums are approximate, they keep changing");
	else if (ioas->source != IOMMUFD_STATE_SOURCE_OWN)
		snprintf(text + length, size - (size_t)length, "%s",
			 ioas->hwpts ? "" : ", not pinned: no HWPT");
	else if (!ioas->extents)
		snprintf(text + length, size - (size_t)length, ", not pinned: no HWPT");
	else
		snprintf(text + length, size - (size_t)length,
			 ", %" PRIu64 " extent%s of %s%s, %s in huge pages",
			 (uint64_t)ioas->extents, ioas->extents == 1 ? "" : "s",
			 format_size(ioas->pinned_bytes / ioas->extents).s,
			 ioas->extents == 1 ? "" : " on average",
			 format_percent(ioas->huge_bytes, ioas->pinned_bytes).s);
}

static void replacement_text(const struct state *now, const struct iommufd_state_device *device,
			     char *text, size_t size)
{
	uint64_t ago = difference(now->taken_ns, device->last_replace_ns);

	snprintf(text, size, "replaced %s time%s, last %s ago, in %s",
		 format_count(device->replacements).s, device->replacements == 1 ? "" : "s",
		 format_duration(ago).s, format_duration(device->last_replace_dur_ns).s);
}

/* The source of a context, unless it is our module: ", VFIO type1". */
static const char *source_text(unsigned int source)
{
	return source == IOMMUFD_STATE_SOURCE_TYPE1    ? ", VFIO type1" :
	       source == IOMMUFD_STATE_SOURCE_UPSTREAM ? ", the kernel's iommufd" :
							 "";
}

/* The lines below a device: details that did not fit and rarely change. */
static void details(struct table *table, const struct state *now,
		    const struct iommufd_state_device *device)
{
	const struct iommufd_state_hwpt *hwpt = state_hwpt(now, device->ctx_id, device->hwpt_id);
	const struct iommufd_state_ioas *ioas = state_ioas(now, device->ctx_id, device->ioas_id);
	const struct iommufd_state_ctx *ctx = state_ctx(now, device->ctx_id);
	const char *name = pci_device_name(device->device);
	char text[160];

#define DETAIL(...)                                                  \
	do {                                                         \
		table_row(table, COLOUR_DIM);                        \
		table_set(table, COLUMN_DEVICE, "    " __VA_ARGS__); \
	} while (0)

	if (*name)
		DETAIL("%s", name);
	if (ctx)
		DETAIL("process %s%s of uid %u, memory counts by %s%s", pid_text(ctx->pid).s,
		       ctx->flags & IOMMUFD_STATE_CTX_PROCESS_GONE ? " (ended)" : "", ctx->uid,
		       rlimit_mode_name(ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS),
		       source_text(ctx->source));
	if (hwpt) {
		page_sizes(hwpt->pgsize_bitmap, text, sizeof(text));
		DETAIL("%s%s%s; %s%s HWPT, pages %s", device->iommu, *device->iommu ? ", " : "",
		       device->iommu_driver,
		       hwpt->flags & IOMMUFD_STATE_HWPT_AUTO ? "automatic " : "",
		       domain_type_name(hwpt->domain_type), text);
	} else if (device->flags & IOMMUFD_STATE_DEVICE_EMULATED) {
		DETAIL("mediated: its driver pins the memory it uses");
	} else {
		DETAIL("%s%s%s; not attached: its DMA is blocked", device->iommu,
		       *device->iommu ? ", " : "", device->iommu_driver);
	}
	if (ioas) {
		memory_text(ioas, text, sizeof(text));
		DETAIL("%s", text);
	}
	if (device->replacements) {
		replacement_text(now, device, text, sizeof(text));
		DETAIL("%s", text);
	}
#undef DETAIL
}

static void device_row(struct table *table, const struct state *state,
		       const struct iommufd_state_device *device, unsigned int nr, char mark)
{
	const struct device_line line = {
		.device = device,
		.ioas = state_ioas(state, device->ctx_id, device->ioas_id),
		.ctx = state_ctx(state, device->ctx_id),
	};

	fields_row(table, mark_colour(mark), &device_line_fields, columns, nr, &line);
	if (mark)
		table_set(table, COLUMN_DEVICE, "%c %s", mark, device->device);
}

void state_view_table(const struct state *now, const struct state *before, bool brief)
{
	unsigned int nr = nr_columns(now);
	struct table table;
	size_t i;

	fields_columns(&table, &device_line_fields, columns, nr);
	if (before)
		table.heads[COLUMN_DEVICE] = "  DEVICE";
	for (i = 0; i < now->nr_devices; i++) {
		device_row(&table, now, &now->devices[i], nr,
			   device_mark(now, before, &now->devices[i]));
		if (!brief)
			details(&table, now, &now->devices[i]);
	}
	for (i = 0; before && i < before->nr_devices; i++)
		if (!state_device(now, before->devices[i].device))
			device_row(&table, before, &before->devices[i], nr, '-');
	if (table.nr_rows)
		table_print(&table);
	else
		printf("no device is bound to an iommufd or in a container\n");
}

/**
 * struct branch - the position of a walk of the tree
 * @depth: levels above
 * @open: a bit for each level at which more follows
 */
struct branch {
	unsigned int depth;
	unsigned int open;
};

static void begin_line(char mark)
{
	fputs(colour_on(mark_colour(mark)), stdout);
	if (mark)
		printf("%c ", mark);
}

/* Start a line at a branch.  @last: nothing follows at this level.  @below is the next level. */
static void limb(const struct branch *branch, bool last, char mark, struct branch *below)
{
	unsigned int i;

	begin_line(mark);
	for (i = 0; i < branch->depth; i++)
		fputs(branch->open & 1U << i ? "│  " : "   ", stdout);
	fputs(last ? "└─ " : "├─ ", stdout);
	below->depth = branch->depth + 1;
	below->open = branch->open | (last ? 0 : 1U << branch->depth);
}

static void end_line(void)
{
	printf("%s\n", colour_off());
}

#define MARK(before, was, is) \
	(!(before) ? '\0' : !(was) ? '+' : memcmp(was, is, sizeof(*(is))) ? '*' : ' ')

static void tree_device(const struct state *now, const struct state *before,
			const struct iommufd_state_device *device, const struct branch *branch,
			bool last)
{
	const struct iommufd_state_device *was =
		before ? state_device(before, device->device) : NULL;
	struct branch below;
	char text[128];

	limb(branch, last, MARK(before, was, device), &below);
	printf("%s  group %u, %s", device->device, device->group_id,
	       *device->driver ? device->driver : "no driver");
	if (device->flags & IOMMUFD_STATE_DEVICE_EMULATED)
		printf(", mediated");
	else if (!(device->flags & IOMMUFD_STATE_DEVICE_ATTACHED))
		printf(", not attached");
	if (device->replacements) {
		replacement_text(now, device, text, sizeof(text));
		printf("; %s", text);
	}
	end_line();
}

static void tree_hwpt(const struct state *now, const struct state *before,
		      const struct iommufd_state_hwpt *hwpt, const struct branch *branch, bool last)
{
	const struct iommufd_state_hwpt *was =
		before ? state_hwpt(before, hwpt->ctx_id, hwpt->hwpt_id) : NULL;
	const struct iommufd_state_device *device;
	size_t i, left = 0;
	struct branch below;
	char text[128];

	page_sizes(hwpt->pgsize_bitmap, text, sizeof(text));
	limb(branch, last, MARK(before, was, hwpt), &below);
	printf("hwpt %u  %s%s, %s, pages %s%s", hwpt->hwpt_id,
	       hwpt->flags & IOMMUFD_STATE_HWPT_AUTO ? "automatic " : "",
	       domain_type_name(hwpt->domain_type), hwpt->iommu_driver, text,
	       hwpt->devices ? "" : "; no device");
	end_line();
#define BELONGS(device) ((device)->ctx_id == hwpt->ctx_id && (device)->hwpt_id == hwpt->hwpt_id)
	for (i = 0; i < now->nr_devices; i++)
		left += BELONGS(&now->devices[i]);
	for (i = 0; i < now->nr_devices; i++) {
		device = &now->devices[i];
		if (BELONGS(device))
			tree_device(now, before, device, &below, !--left);
	}
#undef BELONGS
}

static void tree_ioas(const struct state *now, const struct state *before,
		      const struct iommufd_state_ioas *ioas, const struct branch *branch, bool last)
{
	const struct iommufd_state_ioas *was =
		before ? state_ioas(before, ioas->ctx_id, ioas->ioas_id) : NULL;
	size_t i, left = 0;
	struct branch below;
	char text[128];

	memory_text(ioas, text, sizeof(text));
	limb(branch, last, MARK(before, was, ioas), &below);
	printf("ioas %u  %s mapped: %s", ioas->ioas_id, format_size(ioas->mapped_bytes).s, text);
	end_line();
#define BELONGS(object) ((object)->ctx_id == ioas->ctx_id && (object)->ioas_id == ioas->ioas_id)
	for (i = 0; i < now->nr_hwpts; i++)
		left += BELONGS(&now->hwpts[i]);
	for (i = 0; i < now->nr_accesses; i++)
		left += BELONGS(&now->accesses[i]);
	for (i = 0; i < now->nr_hwpts; i++)
		if (BELONGS(&now->hwpts[i]))
			tree_hwpt(now, before, &now->hwpts[i], &below, !--left);
	for (i = 0; i < now->nr_accesses; i++) {
		struct branch none;

		if (!BELONGS(&now->accesses[i]))
			continue;
		limb(&below, !--left, before ? ' ' : '\0', &none);
		printf("access %u", now->accesses[i].access_id);
		if (now->accesses[i].source == IOMMUFD_STATE_SOURCE_OWN)
			printf("  %s pinned", format_size(now->accesses[i].pinned_bytes).s);
		end_line();
	}
#undef BELONGS
}

static void tree_ctx(const struct state *now, const struct state *before,
		     const struct iommufd_state_ctx *ctx)
{
	const struct iommufd_state_ctx *was = before ? state_ctx(before, ctx->ctx_id) : NULL;
	const struct branch branch = {};
	size_t i, left = 0;
	char mark = MARK(before, was, ctx);

#define LOOSE(device) ((device)->ctx_id == ctx->ctx_id && !(device)->hwpt_id)
	begin_line(mark);
	printf("ctx %u  %s [%s%s] uid %u, %s%s pinned%s", ctx->ctx_id, ctx->comm,
	       pid_text(ctx->pid).s,
	       ctx->flags & IOMMUFD_STATE_CTX_PROCESS_GONE ? ", ended" : "", ctx->uid,
	       ctx->flags & IOMMUFD_STATE_CTX_ABOUT ? "about " : "",
	       format_size(ctx->pinned_bytes).s, source_text(ctx->source));
	end_line();
	for (i = 0; i < now->nr_ioases; i++)
		left += now->ioases[i].ctx_id == ctx->ctx_id;
	for (i = 0; i < now->nr_devices; i++)
		left += LOOSE(&now->devices[i]);
	for (i = 0; i < now->nr_ioases; i++)
		if (now->ioases[i].ctx_id == ctx->ctx_id)
			tree_ioas(now, before, &now->ioases[i], &branch, !--left);
	for (i = 0; i < now->nr_devices; i++)
		if (LOOSE(&now->devices[i]))
			tree_device(now, before, &now->devices[i], &branch, !--left);
#undef LOOSE
}

void state_view_tree(const struct state *now, const struct state *before)
{
	size_t i;

	for (i = 0; i < now->nr_ctxs; i++)
		tree_ctx(now, before, &now->ctxs[i]);
	if (!now->nr_ctxs)
		printf("no iommufd or container is open\n");
}

static const struct column area_columns[] = {
	{ "IOVA", "iova" },	  { "LENGTH", "length_bytes" }, { "ACCESS", "readable" },
	{ "MEMORY", "memory" },	  { "PAGE", "page_bytes" },	{ "PINNED", "pinned" },
	{ "EXTENTS", "extents" }, { "HUGE", "huge_bytes" },
};

enum {
	AREA_LENGTH = 1,
	AREA_ACCESS = 2,
	AREA_MEMORY = 3,
	AREA_PINNED = 5,
	AREA_EXTENTS,
	AREA_HUGE,
	NR_AREA_COLUMNS,
};

void state_view_areas(struct table *table)
{
	fields_columns(table, &area_fields, area_columns, NR_AREA_COLUMNS);
	table->right |= 1U << AREA_PINNED;
}

void state_view_area(struct table *table, const struct iommufd_state_area *area)
{
	bool pinned = area->flags & IOMMUFD_STATE_AREA_PINNED;
	unsigned int i;

	fields_row(table, COLOUR_NONE, &area_fields, area_columns, NR_AREA_COLUMNS, area);
	if (area->flags & IOMMUFD_STATE_AREA_BUSY) {
		/* nothing is known from this address on */
		for (i = AREA_LENGTH; i < NR_AREA_COLUMNS; i++)
			table_set(table, i, "%s", i == AREA_MEMORY ? "busy" : "-");
		return;
	}
	table_set(table, AREA_ACCESS, "%s%s%s", area->flags & IOMMUFD_STATE_AREA_READ ? "r" : "-",
		  area->flags & IOMMUFD_STATE_AREA_WRITE ? "w" : "-",
		  area->accesses ? " pinned by access" : "");
	if (area->flags & IOMMUFD_STATE_AREA_CHANGING)
		table_set(table, AREA_PINNED, "changing");
	/* pinned memory has extents; only our modules report how many */
	if (!pinned || !area->extents)
		table_set(table, AREA_EXTENTS, "-");
	table_set(table, AREA_HUGE, "%s",
		  pinned && area->extents ? format_percent(area->huge_bytes, area->length).s :
					    "-");
}
