// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of the kernel's own iommufd.  walk.h describes how state is copied.
 *
 * A context is found through a file of /dev/iommu, its objects in its xarray.  User space computes
 * what follows from other records, such as the number of HWPTs of an IOAS.  There is no count of
 * areas to check a walk with, so an IOAS is walked until two walks agree.
 */
#include "bpf/walks/walk.bpf.h"

#include "bpf/kernel/iommufd_types.bpf.h"
#include "bpf/kernel/xarray.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SLOTS (1 << XARRAY_BITS)
#define LEVELS 16
#define MOST_OBJECTS (1 << 20)

/* Source that the records name. */
#define SOURCE IOMMUFD_STATE_SOURCE_UPSTREAM

/* account_mode: by process, in its mm's pinned_vm */
#define ACCOUNT_MM 2

/**
 * struct at - position of a walk in a context
 * @ictx: the context
 * @ctx: its number
 * @task: a thread that has it open
 * @source: the process whose memory is mapped
 * @node: nodes of the xarray above
 * @slot: the next slot of each
 * @depth: number of nodes
 * @object: the object
 * @id: its number
 * @about: its sums are approximate
 * @first: this is the first walk over an address space
 * @pages: memory pinned through the context
 * @reserved: IOVA after the last reserved range
 * @end: the reserved ranges reach to the end
 */
static struct at {
	const struct iommufd_ctx___upstream *ictx;
	__u32 ctx;
	const struct task_struct *task;
	const struct task_struct *source;
	__u64 node[LEVELS];
	__u32 slot[LEVELS];
	__u32 depth;
	const struct iommufd_object___upstream *object;
	__u32 id;
	__u32 about;
	__u32 first;
	__u64 pages;
	__u64 reserved;
	__u32 end;
} at __attribute__((used));

/* Memory that several areas share, with the run that counted it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 14);
	__type(key, __u64);
	__type(value, __u32);
} ios_shared SEC(".maps");

/*
 * The number of a kind of objects in this kernel; if the kernel has no such kind, one that no
 * object has.
 */
#define KIND(name)                                                                                \
	(bpf_core_enum_value_exists(enum iommufd_object_type___upstream,                          \
				    IOMMUFD_OBJ_##name##___upstream) ?                            \
		 bpf_core_enum_value(enum iommufd_object_type___upstream,                         \
				     IOMMUFD_OBJ_##name##___upstream) :                           \
		 ~0U)

static __always_inline __u64 slot_of(__u64 entry, __u32 slot)
{
	const struct xa_node *node = (const void *)(entry & ~3ULL);
	__u64 found = 0;

	bpf_probe_read_kernel(&found, sizeof(found),
			      (const void *)node + bpf_core_field_offset(struct xa_node, slots) +
				      8 * (__u64)(slot & (SLOTS - 1)));
	return found;
}

/* Areas */

static __always_inline const struct iopt_area___upstream *area_of(const struct rb_node *node)
{
	return (const void *)node - bpf_core_field_offset(struct iopt_area___upstream, node.rb);
}

/*
 * Adds the pinned memory of one area to the context; memory that several areas share counts once.
 */
static __always_inline void add_pages(const struct iopt_pages___upstream *pages)
{
	const struct rb_node *root = READ(pages, domains_itree.rb_root.rb_node);
	__u64 key = (__u64)pages;
	__u32 run = walk.run, *seen;

	if (root && (READ(root, rb_left) || READ(root, rb_right))) {
		seen = bpf_map_lookup_elem(&ios_shared, &key);
		if (seen && *seen == run)
			return;
		bpf_map_update_elem(&ios_shared, &key, &run, BPF_ANY);
	}
	at.pages += READ(pages, npinned) << 12;
}

static long area_step(__u32 i, void *context)
{
	const struct iopt_area___upstream *area;
	const struct iopt_pages___upstream *pages;
	const struct rb_node *node;
	__u64 first, length;
	enum step step;

	step = step_tree(&node);
	if (step != STEP_VISIT)
		return step == STEP_END;
	area = area_of(node);
	first = READ(area, node.start);
	length = READ(area, node.last) - first + 1;
	add_area(first, length, READ(area, storage_domain) ? length : 0);
	if (tree.torn)
		return 1;
	pages = READ(area, pages);
	if (!at.source)
		at.source = READ(pages, source_task);
	if (at.first)
		add_pages(pages);
	return 0;
}

/* Computes what the reserved ranges leave. */
static long reserved_step(__u32 i, void *context)
{
	const struct interval_tree_node *range;
	const struct rb_node *node;
	__u32 nr = tree.nr_ranges;
	__u64 first, last;
	enum step step;

	if (at.end)
		return 1;
	step = step_tree(&node);
	if (step != STEP_VISIT)
		return step == STEP_END;
	range = (const void *)node - bpf_core_field_offset(struct interval_tree_node, rb);
	first = READ(range, start);
	last = READ(range, last);
	if (first > at.reserved && nr < WALK_RANGES) {
		tree.ranges[nr].first = at.reserved;
		tree.ranges[nr].last = first - 1;
		tree.nr_ranges = nr + 1;
	}
	if (last == ~0ULL)
		at.end = 1;
	else if (last >= at.reserved)
		at.reserved = last + 1;
	return 0;
}

static __always_inline void read_ranges(const struct iommufd_ioas___upstream *ioas)
{
	__u32 nr;

	begin_tree(READ(ioas, iopt.reserved_itree.rb_root.rb_node));
	tree.nr_ranges = 0;
	at.reserved = 0;
	at.end = 0;
	bpf_loop(WALK_STEPS, reserved_step, NULL, 0);
	nr = tree.nr_ranges;
	if (at.end || nr >= WALK_RANGES)
		return;
	tree.ranges[nr].first = at.reserved;
	tree.ranges[nr].last = ~0ULL;
	tree.nr_ranges = nr + 1;
}

static __always_inline const struct rb_node *root_of(const struct iommufd_ioas___upstream *ioas)
{
	return READ(ioas, iopt.area_itree.rb_root.rb_node);
}

/* Walks all areas until two walks agree.  Returns whether they did. */
static __attribute__((noinline)) int walk_areas(void)
{
	const struct iommufd_ioas___upstream *ioas = (const void *)at.object;
	__u64 areas = 0, mapped = 0, pinned = 0;
	const struct rb_node *root;
	__u32 try;

	for (try = 0; try <= WALK_TRIES; try++) {
		root = root_of(ioas);
		/* the memory of each context counts once */
		at.first = !try;
		begin_tree(root);
		bpf_loop(WALK_STEPS, area_step, NULL, 0);
		end_tree();
		/* a node that used to be the root covers only a part now */
		if (root_of(ioas) != root)
			tree.torn = 1;
		if (try && !tree.torn && areas == tree.areas && mapped == tree.mapped &&
		    pinned == tree.pinned)
			return 1;
		areas = tree.areas;
		mapped = tree.mapped;
		pinned = tree.pinned;
	}
	return 0;
}

static __attribute__((noinline)) int emit_ioas(void)
{
	const struct iommufd_ioas___upstream *ioas = (const void *)at.object;
	struct iommufd_state_ioas *record;
	struct scope_walk_slot *slot;
	int still;

	record = NEXT_RECORD(ioas, slot);
	/* the context's sum includes it as well */
	if (walk.full)
		return 0;
	read_ranges(ioas);
	still = walk_areas();
	if (!still)
		at.about = 1;
	if (!record)
		return 0;
	record->ioas_id = at.id;
	if (!still)
		record->flags |= IOMMUFD_STATE_IOAS_ABOUT;
	if (!READ(ioas, iopt.disable_large_pages))
		record->flags |= IOMMUFD_STATE_IOAS_HUGE_PAGES;
	if (READ(ioas, iopt.allowed_itree.rb_root.rb_node))
		record->flags |= IOMMUFD_STATE_IOAS_ALLOWED_RANGES;
	record->areas = tree.areas;
	record->mapped_bytes = tree.mapped;
	record->pinned_bytes = tree.pinned;
	record->iova_alignment = READ(ioas, iopt.iova_alignment);
	fill_space(record);
	return 0;
}

static long emit_area(__u32 i, void *context)
{
	const struct rb_node *node = (void *)tree.node;
	const struct iopt_area___upstream *area;
	const struct iopt_pages___upstream *pages;
	struct iommufd_state_area *record;
	enum step step;
	__u64 first;
	bool full;

	/* skip everything below the start position */
	if (node && READ(area_of(node), node.start) < walk.iova) {
		tree.node = (__u64)READ(node, rb_right);
		return 0;
	}
	step = step_tree(&node);
	if (step != STEP_VISIT)
		return step == STEP_END;
	area = area_of(node);
	first = READ(area, node.start);
	record = next_area(at.ctx, at.id, first, READ(area, node.last) - first + 1, &full);
	if (!record)
		return full;
	pages = READ(area, pages);
	record->pid = READ(pages, source_task, tgid);
	record->accesses = READ(area, num_accesses);
	if (!bpf_core_field_exists(pages->type) || !READ(pages, type))
		record->user_va = (__u64)READ(pages, uptr) + (READ(area, pages_node.start) << 12) +
				  READ(area, page_offset);
	flag_area(record, READ(area, iommu_prot), READ(area, storage_domain) != NULL);
	return 0;
}

/* Page tables, devices, accesses */

static __attribute__((noinline)) int emit_hwpt(void)
{
	const struct iommufd_hw_pagetable___upstream *hwpt = (const void *)at.object;
	const struct iommufd_hwpt_paging___upstream *paging = (const void *)at.object;
	const struct iommufd_hwpt_nested___upstream *nested = (const void *)at.object;
	struct iommufd_state_hwpt *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(hwpt, slot);
	if (!record)
		return 0;
	record->hwpt_id = at.id;
	fill_domain(record, READ(hwpt, domain), slot->symbol);
	if (bpf_core_type_exists(struct iommufd_hwpt_paging___upstream)) {
		if (READ(hwpt, obj.type) == KIND(HWPT_NESTED)) {
			record->ioas_id = READ(nested, parent, ioas, obj.id);
			return 0;
		}
		record->ioas_id = READ(paging, ioas, obj.id);
		if (BPF_CORE_READ_BITFIELD_PROBED(paging, auto_domain))
			record->flags |= IOMMUFD_STATE_HWPT_AUTO;
		if (BPF_CORE_READ_BITFIELD_PROBED(paging, enforce_cache_coherency))
			record->flags |= IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY;
		if (bpf_core_field_exists(paging->nest_parent) &&
		    BPF_CORE_READ_BITFIELD_PROBED(paging, nest_parent))
			record->flags |= IOMMUFD_STATE_HWPT_NEST_PARENT;
	} else if (bpf_core_field_exists(hwpt->ioas)) {
		record->ioas_id = READ(hwpt, ioas, obj.id);
		if (BPF_CORE_READ_BITFIELD_PROBED(hwpt, auto_domain))
			record->flags |= IOMMUFD_STATE_HWPT_AUTO;
		if (BPF_CORE_READ_BITFIELD_PROBED(hwpt, enforce_cache_coherency))
			record->flags |= IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY;
	}
	return 0;
}

/*
 * The page table that a device is attached to, NULL if none.  A group may be attached while the
 * device is not.
 */
static __always_inline const struct iommufd_hw_pagetable___upstream *
hwpt_of(const struct iommufd_device___upstream *device)
{
	const struct iommufd_group___upstream *group = READ(device, igroup);
	const struct iommufd_attach___upstream *attach;
	const struct list_head *item, *next;

	if (bpf_core_field_exists(group->hwpt)) {
		item = (const void *)device +
		       bpf_core_field_offset(struct iommufd_device___upstream, group_item);
		next = READ(item, next);
		/* it is in no list before, and its links are poisoned afterwards */
		if (!next || READ(next, prev) != item)
			return NULL;
		return READ(group, hwpt);
	}
	if (!bpf_core_field_exists(group->pasid_attach))
		return NULL;
	attach = (const void *)xarray_at((__u64)&group->pasid_attach, 0);
	if (!attach || !xarray_at((__u64)&attach->device_array, at.id))
		return NULL;
	return READ(attach, hwpt);
}

static __attribute__((noinline)) int emit_device(void)
{
	const struct iommufd_device___upstream *device = (const void *)at.object;
	const struct iommufd_hw_pagetable___upstream *hwpt;
	struct iommufd_state_device *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(device, slot);
	if (!record)
		return 0;
	record->device_id = at.id;
	record->group_id = READ(device, igroup, group, id);
	name_device(record, READ(device, dev), slot->symbol);
	hwpt = hwpt_of(device);
	if (!hwpt)
		return 0;
	record->hwpt_id = READ(hwpt, obj.id);
	record->flags = IOMMUFD_STATE_DEVICE_ATTACHED;
	return 0;
}

static __attribute__((noinline)) int emit_access(void)
{
	const struct iommufd_access___upstream *access = (const void *)at.object;
	const struct iommufd_access_ops___upstream *ops = READ(access, ops);
	struct iommufd_state_access *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(access, slot);
	if (!record)
		return 0;
	record->access_id = at.id;
	record->ioas_id = READ(access, ioas, obj.id);
	if (BPF_CORE_READ_BITFIELD_PROBED(ops, needs_pin_pages))
		record->flags |= IOMMUFD_STATE_ACCESS_PINS;
	return 0;
}

static __always_inline void look_at_object(void)
{
	const struct iommufd_object___upstream *object = at.object;
	__u32 type = READ(object, type);

	at.id = READ(object, id);
	if (walk.mode == SCOPE_WALK_AREAS) {
		if (type != KIND(IOAS) || at.id != walk.object)
			return;
		begin_tree(READ((const struct iommufd_ioas___upstream *)object,
				iopt.area_itree.rb_root.rb_node));
		bpf_loop(WALK_STEPS, emit_area, NULL, 0);
		return;
	}
	if (type == KIND(IOAS))
		emit_ioas();
	else if (type == KIND(HWPT_PAGING) || type == KIND(HWPT_NESTED) ||
		 type == KIND(HW_PAGETABLE))
		emit_hwpt();
	else if (type == KIND(DEVICE))
		emit_device();
	else if (type == KIND(ACCESS))
		emit_access();
}

/* One step over the xarray of objects. */
static long object_step(__u32 i, void *context)
{
	__u32 depth = at.depth, slot;
	__u64 entry;

	if (!depth || walk.full)
		return 1;
	depth = (depth - 1) & (LEVELS - 1);
	slot = at.slot[depth];
	if (slot >= SLOTS) {
		at.depth = depth;
		return 0;
	}
	at.slot[depth] = slot + 1;
	entry = slot_of(at.node[depth], slot);
	if (xarray_is_node(entry)) {
		depth = (depth + 1) & (LEVELS - 1);
		at.node[depth] = entry;
		at.slot[depth] = 0;
		at.depth = depth + 1;
	} else if (entry && !(entry & 3)) {
		at.object = (const void *)entry;
		look_at_object();
	}
	return 0;
}

static __attribute__((noinline)) int emit_context(void)
{
	const struct iommufd_ctx___upstream *ictx = at.ictx;
	const struct task_struct *task = at.source ? at.source : at.task;
	struct iommufd_state_ctx *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(ctx, slot);
	if (!record)
		return 0;
	if (READ(ictx, account_mode) == ACCOUNT_MM)
		record->flags |= IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
	if (bpf_core_field_exists(ictx->no_iommu_mode) && READ(ictx, no_iommu_mode))
		record->flags |= IOMMUFD_STATE_CTX_NO_IOMMU;
	if (at.about)
		record->flags |= IOMMUFD_STATE_CTX_ABOUT;
	record->vfio_ioas_id = READ(ictx, vfio_ioas, obj.id);
	record->pinned_bytes = at.pages;
	record->user_locked_bytes = READ(task, cred, user, locked_vm.counter) << 12;
	name_process(record, task);
	return 0;
}

SEC("iter/task_file")
int ios_upstream(struct bpf_iter__task_file *ctx)
{
	const struct file *file = ctx->file;
	__u64 entry;

	if (!file || !ctx->task || !walk.iommu_dev || file->f_inode->i_rdev != walk.iommu_dev)
		return 0;
	__builtin_memset(&at, 0, sizeof(at));
	at.ictx = READ(file, private_data);
	at.task = ctx->task;
	if (!at.ictx || !is_first(at.ictx))
		return 0;
	at.ctx = space_number((__u64)at.ictx);
	if (walk.mode == SCOPE_WALK_AREAS && at.ctx != walk.ctx)
		return 0;
	entry = (__u64)READ(at.ictx, objects.xa_head);
	/* ids start at 1, so an xarray that is not empty has a node */
	if (xarray_is_node(entry)) {
		at.node[0] = entry;
		at.depth = 1;
		bpf_loop(MOST_OBJECTS, object_step, NULL, 0);
	}
	if (walk.mode == SCOPE_WALK_OBJECTS)
		emit_context();
	return 0;
}
