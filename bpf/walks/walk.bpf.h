/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that walks of all sources share: slots, the walk over a tree of areas, names.
 *
 * A tree is walked in order, with one step for each node that is descended to or visited;
 * @tree.stack holds the nodes above.  A concurrent rotation can make the walk miss nodes or see
 * them twice.  IOVAs that do not ascend reveal the latter, the number of areas reveals both.
 */
#ifndef IOMMUSCOPE_BPF_WALKS_WALK_BPF_H
#define IOMMUSCOPE_BPF_WALKS_WALK_BPF_H

#include "bpf/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* Functions that are called in a loop have its parameters, whether they need them or not. */
#pragma clang diagnostic ignored "-Wunused-parameter"

#include "bpf/space.bpf.h"
#include "bpf/state_walk.h"
/* kernel.h has __u32 and similar types */
#define _LINUX_TYPES_H
#include "tracepoints/iommufd_state.h"
#include "bpf/walks/walk.h"

#define MINOR_BITS 20

/*
 * Maximum depth of a balanced tree of 2^32 nodes, and maximum number of usable ranges that are
 * read.
 */
#define WALK_DEPTH 64
#define WALK_RANGES 64
/* Nodes that one walk visits; with more than a quarter as many areas, a sum is approximate. */
#define WALK_STEPS (1 << 22)
#define WALK_TRIES 3

/*
 * BPF_CORE_READ() treats its first argument as a structure of the kernel; here it may be one of
 * ours.
 */
#define READ(from, ...)                             \
	({                                          \
		__typeof__(from) from_ = (from);    \
		BPF_CORE_READ(from_, __VA_ARGS__);  \
	})

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SCOPE_WALK_SLOTS);
	__type(key, __u32);
	__type(value, struct scope_walk_slot);
} ios_walk_slots SEC(".maps");

/* Contexts by their addresses, with the last run that saw them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SCOPE_WALK_CONTEXTS);
	__type(key, __u64);
	__type(value, __u32);
} ios_seen SEC(".maps");

struct scope_walk walk;

/**
 * struct tree - a walk over areas, and its result
 * @node: node to descend to next, 0: back up
 * @stack: nodes whose left side has been walked or is being walked
 * @depth: number of nodes in @stack
 * @torn: the tree changed during the walk
 * @next: IOVA after the last area
 * @began: there was an area
 * @areas: areas so far
 * @mapped: their length
 * @pinned: memory pinned for them
 * @largest: length of the largest hole, minus 1
 * @holes: there is one
 * @hole_first: first IOVA of a range without areas
 * @hole_last: its last IOVA
 * @usable: length of all usable ranges
 * @ranges: first and last IOVA of each usable range
 * @nr_ranges: number of usable ranges
 */
struct tree {
	__u64 node;
	__u64 stack[WALK_DEPTH];
	__u32 depth;
	__u32 torn;
	__u64 next;
	__u32 began;
	__u32 holes;
	__u64 areas;
	__u64 mapped;
	__u64 pinned;
	__u64 largest;
	__u64 hole_first;
	__u64 hole_last;
	__u64 usable;
	struct {
		__u64 first;
		__u64 last;
	} ranges[WALK_RANGES];
	__u32 nr_ranges;
};

/*
 * If it were not used, here and elsewhere, the compiler would split it up and leave its type wrong.
 */
static struct tree tree __attribute__((used));

/*
 * Returns an empty slot for a record.  NULL if the record is to be skipped, or if there is no slot.
 */
static __always_inline struct scope_walk_slot *next_slot(__u32 kind)
{
	struct scope_walk_slot *slot;
	__u32 index = walk.nr;

	if (walk.skip) {
		walk.skip--;
		return NULL;
	}
	slot = bpf_map_lookup_elem(&ios_walk_slots, &index);
	if (!slot) {
		walk.full = 1;
		return NULL;
	}
	walk.nr = index + 1;
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->kind = kind;
	return slot;
}

/*
 * Creates a record of a kind that has a source, with its common first members, and sets @slot.
 * NULL as with next_slot().  The file that includes this one defines SOURCE and @at.
 */
#define NEXT_RECORD(name, slot)                                                           \
	({                                                                                \
		struct iommufd_state_##name *record_ = NULL;                              \
                                                                                          \
		(slot) = next_slot(SCOPE_STATE_##name);                                   \
		if (slot) {                                                               \
			record_ = (void *)(slot)->record;                                 \
			record_->size = sizeof(*record_);                                 \
			record_->source = (SOURCE);                                       \
			record_->ctx_id = at.ctx;                                         \
		}                                                                         \
		record_;                                                                  \
	})

/* Whether this run sees the object for the first time. */
static __always_inline bool is_first(const void *object)
{
	__u64 address = (__u64)object;
	__u32 *seen = bpf_map_lookup_elem(&ios_seen, &address), run = walk.run;

	if (seen && *seen == run)
		return false;
	bpf_map_update_elem(&ios_seen, &address, &run, BPF_ANY);
	return true;
}

/*
 * Values that a loop compares are kept in @tree: for a local variable, the verifier would follow
 * every path for every result of every comparison.
 */
static long hole_step(__u32 i, void *context)
{
	__u64 from, to;

	if (i >= WALK_RANGES)
		return 1;
	from = tree.ranges[i].first > tree.hole_first ? tree.ranges[i].first : tree.hole_first;
	to = tree.ranges[i].last < tree.hole_last ? tree.ranges[i].last : tree.hole_last;
	if (from <= to && (!tree.holes || to - from > tree.largest)) {
		tree.largest = to - from;
		tree.holes = 1;
	}
	return 0;
}

/* There is no area between two IOVAs, inclusive: the usable part of that range is a hole. */
static __always_inline void look_at_hole(__u64 first, __u64 last)
{
	if (last < first || (tree.holes && last - first <= tree.largest))
		return;
	tree.hole_first = first;
	tree.hole_last = last;
	bpf_loop(tree.nr_ranges, hole_step, NULL, 0);
}

/* Adds an area: the hole before it, and its length. */
static __always_inline void add_area(__u64 iova, __u64 length, __u64 pinned)
{
	if (tree.began && iova < tree.next)
		tree.torn = 1;
	if (iova)
		look_at_hole(tree.began ? tree.next : 0, iova - 1);
	tree.began = 1;
	tree.next = iova + length;
	tree.areas++;
	tree.mapped += length;
	tree.pinned += pinned;
}

/* Starts at the root of a tree. */
static __always_inline void begin_tree(const struct rb_node *root)
{
	tree.node = (__u64)root;
	tree.depth = 0;
	tree.torn = 0;
	tree.next = 0;
	tree.began = 0;
	tree.holes = 0;
	tree.areas = 0;
	tree.mapped = 0;
	tree.pinned = 0;
	tree.largest = 0;
}

/* Result of a step of a walk. */
enum step {
	STEP_DOWN, /* further down the tree */
	STEP_VISIT, /* the next node in order */
	STEP_END, /* the end, or more levels than supported */
};

/* One step in order: down to the left, or back up to a node, @node, whose right side comes next. */
static __always_inline enum step step_tree(const struct rb_node **node)
{
	const struct rb_node *down = (void *)tree.node;

	if (down) {
		if (tree.depth >= WALK_DEPTH) {
			tree.torn = 1;
			return STEP_END;
		}
		tree.stack[tree.depth & (WALK_DEPTH - 1)] = (__u64)down;
		tree.depth++;
		tree.node = (__u64)READ(down, rb_left);
		return STEP_DOWN;
	}
	if (!tree.depth)
		return STEP_END;
	tree.depth--;
	*node = (const void *)tree.stack[tree.depth & (WALK_DEPTH - 1)];
	tree.node = (__u64)READ(*node, rb_right);
	return STEP_VISIT;
}

/* Ends a walk: adds the hole after the last area. */
static __always_inline void end_tree(void)
{
	if (tree.depth || tree.node)
		tree.torn = 1;
	if (!tree.began)
		look_at_hole(0, ~0ULL);
	else if (tree.next)
		look_at_hole(tree.next, ~0ULL);
}

/* IOMMU_READ and IOMMU_WRITE, the permissions of an area. */
#define PROT_READ 1
#define PROT_WRITE 2

/*
 * Creates a record of an area of the walk.  NULL if the tree was rotated and the area has already
 * been seen; NULL with @full set if there is no slot.
 */
static __always_inline struct iommufd_state_area *next_area(__u32 ctx, __u32 ioas, __u64 iova,
							    __u64 length, bool *full)
{
	struct iommufd_state_area *record;
	struct scope_walk_slot *slot;

	*full = false;
	if (tree.began && iova < tree.next)
		return NULL;
	slot = next_slot(SCOPE_STATE_area);
	if (!slot) {
		*full = true;
		return NULL;
	}
	record = (void *)slot->record;
	record->size = sizeof(*record);
	record->ctx_id = ctx;
	record->ioas_id = ioas;
	record->iova = iova;
	record->length = length;
	tree.began = 1;
	tree.next = iova + length;
	return record;
}

static __always_inline void flag_area(struct iommufd_state_area *record, int prot, bool pinned)
{
	if (prot & PROT_READ)
		record->flags |= IOMMUFD_STATE_AREA_READ;
	if (prot & PROT_WRITE)
		record->flags |= IOMMUFD_STATE_AREA_WRITE;
	if (pinned)
		record->flags |= IOMMUFD_STATE_AREA_PINNED;
}

/* Converts a length minus 1 to bytes; all 64 bits are the largest number. */
static __always_inline __u64 length_of(__u64 less_one)
{
	return less_one == ~0ULL ? less_one : less_one + 1;
}

static long range_step(__u32 i, void *context)
{
	__u64 length;

	if (i >= WALK_RANGES)
		return 1;
	length = length_of(tree.ranges[i].last - tree.ranges[i].first);
	tree.usable = tree.usable + length < length ? ~0ULL : tree.usable + length;
	tree.hole_last = tree.ranges[i].last;
	return 0;
}

/* Fills in the free space of an address space, from its ranges and holes. */
static __always_inline void fill_space(struct iommufd_state_ioas *ioas)
{
	tree.usable = 0;
	tree.hole_last = 0;
	bpf_loop(tree.nr_ranges, range_step, NULL, 0);
	ioas->usable_ranges = tree.nr_ranges;
	ioas->aperture_first = tree.ranges[0].first;
	ioas->aperture_last = tree.hole_last;
	ioas->usable_bytes = tree.usable;
	ioas->largest_hole_bytes = tree.holes ? length_of(tree.largest) : 0;
}

/* Fills in the properties of a page table, and a function of its driver. */
static __always_inline void fill_domain(struct iommufd_state_hwpt *record,
					const struct iommu_domain *domain,
					char symbol[SCOPE_WALK_SYMBOL])
{
	__u64 probe = 0;

	record->domain_type = READ(domain, type);
	record->pgsize_bitmap = READ(domain, pgsize_bitmap);
	record->aperture_first = READ(domain, geometry.aperture_start);
	record->aperture_last = READ(domain, geometry.aperture_end);
	/* since 6.8 */
	if (bpf_core_field_exists(domain->owner))
		probe = (__u64)READ(domain, owner, probe_device);
	if (probe)
		BPF_SNPRINTF(symbol, SCOPE_WALK_SYMBOL, "%ps", probe);
}

/* Fills in the names of a device, its driver and its IOMMU. */
static __always_inline void name_device(struct iommufd_state_device *record,
					const struct device *dev, char symbol[SCOPE_WALK_SYMBOL])
{
	const struct iommu_device *iommu = READ(dev, iommu, iommu_dev);
	__u64 probe = (__u64)READ(iommu, ops, probe_device);

	bpf_probe_read_kernel_str(record->device, sizeof(record->device),
				  READ(dev, kobj.name));
	bpf_probe_read_kernel_str(record->driver, sizeof(record->driver),
				  READ(dev, driver, name));
	bpf_probe_read_kernel_str(record->iommu, sizeof(record->iommu),
				  READ(iommu, dev, kobj.name));
	if (probe)
		BPF_SNPRINTF(symbol, SCOPE_WALK_SYMBOL, "%ps", probe);
}

/* Fills in the process of a thread, as the owner of a context. */
static __always_inline void name_process(struct iommufd_state_ctx *record,
					 const struct task_struct *task)
{
	const struct task_struct *leader = READ(task, group_leader);

	record->pid = READ(task, tgid);
	record->uid = READ(leader, cred, uid.val);
	if (!READ(leader, signal, live.counter))
		record->flags |= IOMMUFD_STATE_CTX_PROCESS_GONE;
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), &leader->comm);
}

#endif
