// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of the state of iommufd: the kernel's records, and values derived from them.
 */
#include "describe/fields.h"
#include "describe/names.h"
#include "machine/pci_ids.h"
#include "machine/pid_namespace.h"
#include "observe/capacity.h"
#include "observe/state.h"
#include "text/json.h"

/* Fields of several records. */
#define CTX(structure) \
	MEMBER(ID, "ctx", structure, ctx_id, .doc = "number of the context, an open /dev/iommu")
#define PINNED(structure, words) \
	MEMBER(BYTES, "pinned_bytes", structure, pinned_bytes, .doc = words)
#define ABOUT_DOC .doc = "its areas changed while they were counted: sums are approximate"
#define BUSY_DOC .doc = "it could not be read completely: its process keeps changing it"
#define FLAG_BIT(key, structure, bit, ...) \
	MEMBER(FLAG, key, structure, flags, .mask = (bit), __VA_ARGS__)

/* The source of a record, and the fields that only our modules report. */
#define SOURCE(structure)                                                                       \
	FIELD(TEXT, "source", .get = get_source_##structure,                                    \
	      .doc = "where it exists: `own` (our modules), `upstream` (the kernel's own iommufd) or `type1` " \
		     "(a container of VFIO)")
#define GET_SOURCE(name)                                                                        \
	static void get_source_##name(const void *record, struct value *value)                  \
	{                                                                                       \
		value->text = state_source_name(((const struct iommufd_state_##name *)record)->source); \
	}
#define IS_OWN(name)                                                                            \
	static bool is_own_##name(const void *record)                                           \
	{                                                                                       \
		return ((const struct iommufd_state_##name *)record)->source ==                 \
		       IOMMUFD_STATE_SOURCE_OWN;                                                \
	}
#define OF_OWN(name) .known = is_own_##name, .unknown = "only our modules report it"

GET_SOURCE(ctx)
GET_SOURCE(device)
GET_SOURCE(hwpt)
GET_SOURCE(ioas)
GET_SOURCE(access)
IS_OWN(device)
IS_OWN(hwpt)
IS_OWN(ioas)
IS_OWN(access)

/* Contexts */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_ctx, member, __VA_ARGS__)
#define FLAG(key, bit, ...) \
	FLAG_BIT(key, struct iommufd_state_ctx, IOMMUFD_STATE_CTX_##bit, __VA_ARGS__)

static void get_rlimit_mode(const void *record, struct value *value)
{
	const struct iommufd_state_ctx *ctx = record;

	value->text = rlimit_mode_name(ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS);
}

/* A container counts memory by process only. */
static bool counts_for_user(const void *record)
{
	return ((const struct iommufd_state_ctx *)record)->source != IOMMUFD_STATE_SOURCE_TYPE1;
}

static bool ctx_pid_is_known(const void *record)
{
	return !pid_is_outside(((const struct iommufd_state_ctx *)record)->pid);
}

static const struct field ctx[] = {
	CTX(struct iommufd_state_ctx),
	SOURCE(ctx),
	RECORD(NUMBER, "pid", pid, .known = ctx_pid_is_known, .unknown = PID_UNKNOWN,
	       .doc = "its process id"),
	RECORD(TEXT, "process", comm, .doc = "name of the process, or of its thread"),
	FLAG("process_gone", PROCESS_GONE,
	     .doc = "the process has ended; other processes have the file open"),
	RECORD(NUMBER, "uid", uid, .doc = "user"),
	FIELD(TEXT, "rlimit_mode", .get = get_rlimit_mode,
	      .doc = "whose `RLIMIT_MEMLOCK` counts: `user` or `process`"),
	FLAG("no_iommu", NO_IOMMU, .doc = "VFIO compatibility without an IOMMU"),
	RECORD(ID, "vfio_ioas", vfio_ioas_id, .unknown = "there is none",
	       .doc = "the address space of VFIO compatibility"),
	RECORD(TIME, "opened_time_ns", opened_ns, .unknown = "only our modules report it",
	       .doc = "when it was opened"),
	PINNED(struct iommufd_state_ctx, "memory that is pinned"),
	FLAG("about", ABOUT, ABOUT_DOC),
	RECORD(BYTES, "user_locked_bytes", user_locked_bytes, .known = counts_for_user,
	       .unknown = "memory is counted by process only",
	       .doc = "total of the user that counts against `RLIMIT_MEMLOCK`"),
};
#undef RECORD
#undef FLAG

const struct field_table ctx_fields = FIELD_TABLE("context", ctx);

/* Devices */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_device, member, __VA_ARGS__)
#define FLAG(key, bit, ...) \
	FLAG_BIT(key, struct iommufd_state_device, IOMMUFD_STATE_DEVICE_##bit, __VA_ARGS__)

static void get_pci_name(const void *record, struct value *value)
{
	value->text = pci_device_name(((const struct iommufd_state_device *)record)->device);
	value->known = *value->text;
}

#define NOT_ATTACHED .unknown = "it is not attached"
#define NEVER_REPLACED .unknown = "it was never replaced"

static const struct field device[] = {
	CTX(struct iommufd_state_device),
	SOURCE(device),
	RECORD(ID, "device_id", device_id, .unknown = "a container has no ids",
	       .doc = "object id of the device or access"),
	RECORD(TEXT, "device", device, .doc = "name of the device"),
	FIELD(TEXT, "name", .get = get_pci_name,
	      .unknown = "it is not a PCI device, or pci.ids has no name for it",
	      .doc = "description of the device, from pci.ids"),
	RECORD(TEXT, "driver", driver, .unknown = "it has none", .doc = "driver of the device"),
	RECORD(NUMBER, "group", group_id, .doc = "number of the IOMMU group"),
	RECORD(TEXT, "iommu", iommu, .unknown = "it has no name", .doc = "name of the IOMMU"),
	RECORD(TEXT, "iommu_driver", iommu_driver, .unknown = "the event has none",
	       .doc = "driver of the IOMMU"),
	FLAG("attached", ATTACHED, .doc = "its DMA is translated; else it is blocked"),
	RECORD(ID, "hwpt", hwpt_id, NOT_ATTACHED, .doc = "id of the hardware page table"),
	RECORD(ID, "ioas", ioas_id, NOT_ATTACHED, .doc = "id of the I/O address space"),
	RECORD(NUMBER, "group_devices_attached", group_devices,
	       .doc = "devices of its group that are attached"),
	FLAG("mediated", EMULATED, .doc = "it has no DMA of its own; its driver pins the memory it uses"),
	FLAG("can_enforce_cache_coherency", ENFORCE_COHERENCY, OF_OWN(device),
	     .doc = "its IOMMU can make no-snoop DMA coherent"),
	RECORD(NUMBER, "replacements", replacements, OF_OWN(device),
	       .doc = "how often the translation was replaced"),
	RECORD(TIME, "last_replacement_time_ns", last_replace_ns, NEVER_REPLACED,
	       .doc = "when the last replacement ended"),
	RECORD(DURATION, "last_replacement_dur_ns", last_replace_dur_ns, NEVER_REPLACED,
	       .doc = "how long it took"),
};
#undef RECORD
#undef FLAG

const struct field_table device_fields = FIELD_TABLE("device", device);

/* Hardware page tables */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_hwpt, member, __VA_ARGS__)
#define FLAG(key, bit, ...) \
	FLAG_BIT(key, struct iommufd_state_hwpt, IOMMUFD_STATE_HWPT_##bit, __VA_ARGS__)

static void get_domain_type(const void *record, struct value *value)
{
	value->text = domain_type_name(((const struct iommufd_state_hwpt *)record)->domain_type);
}

static void write_page_sizes(const void *record, struct json *json)
{
	const struct iommufd_state_hwpt *hwpt = record;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		if (hwpt->pgsize_bitmap & 1ULL << bit)
			json_u64(json, NULL, 1ULL << bit);
}

static const struct field hwpt[] = {
	CTX(struct iommufd_state_hwpt),
	SOURCE(hwpt),
	RECORD(ID, "hwpt", hwpt_id, .doc = "id of the hardware page table"),
	RECORD(ID, "ioas", ioas_id, .unknown = "there is none",
	       .doc = "id of the I/O address space"),
	FIELD(TEXT, "domain_type", .get = get_domain_type,
	      .doc = "type of the IOMMU domain: `unmanaged`, `nested`, ..."),
	FLAG("automatic", AUTO, .doc = "an attach created it; it is destroyed with its last device"),
	FLAG("nest_parent", NEST_PARENT, .doc = "it was allocated as parent of nested page tables"),
	FLAG("enforces_cache_coherency", ENFORCE_COHERENCY, .doc = "no-snoop DMA is made coherent"),
	FLAG("msi_window", MSI_WINDOW, OF_OWN(hwpt), .doc = "it has a window for software-managed MSIs"),
	RECORD(NUMBER, "devices", devices, .doc = "devices that are attached, moved or reset"),
	RECORD(TEXT, "iommu_driver", iommu_driver, .unknown = "the event has none",
	       .doc = "driver of the IOMMU"),
	FIELD(VALUES, "page_sizes_bytes", .write = write_page_sizes,
	      .doc = "sizes of its pages; empty while they are not known"),
	RECORD(ADDRESS, "aperture_first", aperture_first,
	       .doc = "first usable I/O virtual address"),
	RECORD(ADDRESS, "aperture_last", aperture_last, .doc = "last usable I/O virtual address"),
};
#undef RECORD
#undef FLAG

static const struct field_table hwpt_fields = FIELD_TABLE("hardware page table", hwpt);

/* Address spaces */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_ioas, member, __VA_ARGS__)
#define FLAG(key, bit, ...) \
	FLAG_BIT(key, struct iommufd_state_ioas, IOMMUFD_STATE_IOAS_##bit, __VA_ARGS__)

/* Fields behind a lock that the kernel could not take are not known. */
static bool is_not_busy(const void *record)
{
	return !(((const struct iommufd_state_ioas *)record)->flags & IOMMUFD_STATE_IOAS_BUSY);
}

#define OF_SPACE .known = is_not_busy, .unknown = "it is busy"

static void get_free(const void *record, struct value *value)
{
	value->number = ioas_free_bytes(record);
}

static void get_fragmentation(const void *record, struct value *value)
{
	value->real = ioas_fragmentation(record);
}

static void get_page_tables(const void *record, struct value *value)
{
	const struct iommufd_state_ioas *ioas = record;

	/* this needs the share in huge pages, which only our modules report */
	value->known = ioas->hwpts && ioas->source == IOMMUFD_STATE_SOURCE_OWN;
	value->number = ioas_page_table_bytes(ioas);
}

/* For an area and for a whole address space. */
#define EXTENTS(structure, ...)                                                             \
	MEMBER(NUMBER, "extents", structure, extents, __VA_ARGS__,                          \
	       .doc = "contiguous runs of pinned memory; of an unmap, areas"),              \
		MEMBER(NUMBER, "huge_extents", structure, huge_extents, __VA_ARGS__,        \
		       .doc = "extents of 2 MiB or more"),                                    \
		MEMBER(BYTES, "huge_bytes", structure, huge_bytes, __VA_ARGS__,             \
		       .doc = "memory in whole 2 MiB that one page-table entry can translate")

static bool is_limited(const void *record)
{
	return ((const struct iommufd_state_ioas *)record)->flags &
	       IOMMUFD_STATE_IOAS_AREAS_LIMITED;
}

static bool is_space_own(const void *record)
{
	return is_own_ioas(record) && is_not_busy(record);
}

static const struct field ioas[] = {
	CTX(struct iommufd_state_ioas),
	SOURCE(ioas),
	RECORD(ID, "ioas", ioas_id, .doc = "id of the I/O address space"),
	RECORD(NUMBER, "hwpts", hwpts, .doc = "hardware page tables that translate it"),
	RECORD(NUMBER, "accesses", accesses, .doc = "accesses attached to it"),
	FLAG("huge_pages", HUGE_PAGES, .doc = "contiguous memory may be combined"),
	RECORD(NUMBER, "areas", areas, .doc = "areas mapped"),
	RECORD(NUMBER, "areas_left", areas_left, .known = is_limited,
	       .unknown = "there is no limit",
	       .doc = "areas that can still be mapped (`dma_entry_limit` of vfio_iommu_type1)"),
	RECORD(BYTES, "mapped_bytes", mapped_bytes, .doc = "sum of the lengths of areas"),
	PINNED(struct iommufd_state_ioas, "memory that is pinned"),
	EXTENTS(struct iommufd_state_ioas, OF_OWN(ioas)),
	FLAG("busy", BUSY, BUSY_DOC),
	FLAG("about", ABOUT, ABOUT_DOC),
	FLAG("areas_exact", AREAS_EXACT, .doc = "the number of areas is exact although sums are approximate"),
	RECORD(BYTES, "iova_alignment_bytes", iova_alignment,
	       .doc = "granule of I/O virtual addresses"),
	RECORD(NUMBER, "usable_ranges", usable_ranges, OF_SPACE, .doc = "ranges of usable addresses"),
	FLAG("allowed_ranges", ALLOWED_RANGES,
	     .doc = "allowed ranges restrict where the kernel places maps"),
	RECORD(ADDRESS, "aperture_first", aperture_first, OF_SPACE,
	       .doc = "first usable I/O virtual address"),
	RECORD(ADDRESS, "aperture_last", aperture_last, OF_SPACE, .doc = "last usable I/O virtual address"),
	RECORD(BYTES, "usable_bytes", usable_bytes, OF_SPACE, .doc = "total of usable addresses"),
	FIELD(BYTES, "free_bytes", .get = get_free, OF_SPACE,
	      .doc = "usable addresses where nothing is mapped"),
	RECORD(BYTES, "largest_hole_bytes", largest_hole_bytes, OF_SPACE,
	       .doc = "largest free range, for a map at a fixed address"),
	RECORD(BYTES, "alloc_hole_bytes", alloc_hole_bytes, .known = is_space_own,
	       .unknown = "it is busy, or another source",
	       .doc = "largest map for which the kernel can choose the address"),
	FIELD(SHARE, "fragmentation", .get = get_fragmentation, OF_SPACE, .doc = "1 - largest hole / free"),
	FIELD(BYTES, "page_table_at_least_bytes", .get = get_page_tables,
	      .unknown = "it has no page table, or another source",
	      .doc = "lower bound of the memory of its page tables"),
};
#undef RECORD
#undef FLAG

const struct field_table ioas_fields = FIELD_TABLE("I/O address space", ioas);

/* Accesses */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_access, member, __VA_ARGS__)

static const struct field access[] = {
	CTX(struct iommufd_state_access),
	SOURCE(access),
	RECORD(ID, "access", access_id, .doc = "id of the access, an in-kernel user"),
	RECORD(ID, "ioas", ioas_id, .unknown = "there is none",
	       .doc = "id of the I/O address space"),
	FLAG_BIT("pins", struct iommufd_state_access, IOMMUFD_STATE_ACCESS_PINS,
		 .doc = "it pins memory"),
	MEMBER(BYTES, "pinned_bytes", struct iommufd_state_access, pinned_bytes, OF_OWN(access),
	       .doc = "memory that is pinned"),
};
#undef RECORD

static const struct field_table access_fields = FIELD_TABLE("access", access);

/* Areas */

#define RECORD(type, key, member, ...) \
	MEMBER(type, key, struct iommufd_state_area, member, __VA_ARGS__)
#define FLAG(key, bit, ...) \
	FLAG_BIT(key, struct iommufd_state_area, IOMMUFD_STATE_AREA_##bit, __VA_ARGS__)

static void get_memory(const void *record, struct value *value)
{
	const struct iommufd_state_area *area = record;

	value->known = area->memory != IOMMUFD_STATE_MEMORY_UNKNOWN;
	value->text = memory_name(area->memory);
}

/* A pinned area has at least one extent. */
static bool has_extents(const void *record)
{
	const struct iommufd_state_area *area = record;

	return area->extents ||
	       !(area->flags & IOMMUFD_STATE_AREA_PINNED) ||
	       area->flags & IOMMUFD_STATE_AREA_CHANGING;
}

static bool area_pid_is_known(const void *record)
{
	return !pid_is_outside(((const struct iommufd_state_area *)record)->pid);
}

static const struct field area[] = {
	RECORD(ADDRESS, "iova", iova, .doc = "first I/O virtual address"),
	RECORD(BYTES, "length_bytes", length, .doc = "length of the range"),
	RECORD(ADDRESS, "user_va", user_va, .doc = "address of the memory in the process"),
	RECORD(NUMBER, "pid", pid, .known = area_pid_is_known, .unknown = PID_UNKNOWN,
	       .doc = "its process id"),
	FLAG("readable", READ, .doc = "devices may read it"),
	FLAG("writeable", WRITE, .doc = "devices may write it"),
	FLAG("pinned", PINNED, .doc = "its memory is pinned and in the page tables"),
	FLAG("changing", CHANGING, .doc = "it is being mapped or unmapped"),
	FLAG("busy", BUSY, BUSY_DOC),
	FIELD(TEXT, "memory", .get = get_memory, .unknown = "it is not pinned, or is changing",
	      .doc = "kind of memory: `anonymous`, `shared`, `file`, `hugetlb`"),
	RECORD(BYTES, "page_bytes", page_bytes, .unknown = "it is not known",
	       .doc = "size of the page at its start"),
	RECORD(NUMBER, "accesses", accesses, .doc = "accesses attached to it"),
	EXTENTS(struct iommufd_state_area, .known = has_extents,
		.unknown = "it is pinned, and only our modules report it"),
};

const struct field_table area_fields = FIELD_TABLE("area", area);

/* The whole state */

#define LIST(array)                                                               \
	static const void *nth_##array(const void *record, size_t number)         \
	{                                                                         \
		const struct state *state = record;                               \
                                                                                  \
		return number < state->nr_##array ? &state->array[number] : NULL; \
	}

LIST(ctxs)
LIST(devices)
LIST(hwpts)
LIST(ioases)
LIST(accesses)

static const struct field state[] = {
	FIELD(LIST, "contexts", .table = &ctx_fields, .element = nth_ctxs,
	      .doc = "open /dev/iommu"),
	FIELD(LIST, "devices", .table = &device_fields, .element = nth_devices,
	      .doc = "devices bound to a context"),
	FIELD(LIST, "hwpts", .table = &hwpt_fields, .element = nth_hwpts,
	      .doc = "hardware page tables"),
	FIELD(LIST, "ioases", .table = &ioas_fields, .element = nth_ioases,
	      .doc = "I/O address spaces"),
	FIELD(LIST, "accesses", .table = &access_fields, .element = nth_accesses,
	      .doc = "in-kernel users"),
};

const struct field_table state_fields = FIELD_TABLE("state", state);

static const struct field taken[] = {
	MEMBER(DATE, "time", struct state, taken_ns, .doc = OPERATION_TIME_DOC),
	MEMBER(TIME, "time_ns", struct state, taken_ns, .doc = "the same moment as `time`"),
};

const struct field_table taken_fields = FIELD_TABLE("moment", taken);
