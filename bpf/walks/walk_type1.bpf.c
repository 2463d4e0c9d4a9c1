// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of VFIO's type1 containers.  walk.h describes how state is copied.
 *
 * A container is found through a file of /dev/vfio/vfio, through one of a group that joined it, or
 * through one of a device that was opened through such a group.  The first may be closed while the
 * container lives on.  The container becomes a context with one address space; each of its IOMMU
 * domains becomes an HWPT, and each device of its groups a device.  The number of areas is exact:
 * the container counts down what is left of its limit.
 */
#include "bpf/walks/walk.bpf.h"

#include "bpf/kernel/type1_types.bpf.h"
#include "bpf/kernel/vfio_types.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* The container's node, a misc device. */
#define CONTAINER_DEVICE (10 << MINOR_BITS | 196)
#define ANON_INODES 0x09041934

#define TYPE1_NAME "vfio-iommu-type1"
#define DEVICE_FILE "[vfio-device]"

#define IOAS 1

/* Maximum number of list members that are visited, so that a walk over a changing list ends. */
#define MOST_MEMBERS (1 << 12)

/* Domains whose devices are counted; a container has one for each kind of IOMMU. */
#define DOMAINS 32

/* Source that the records name. */
#define SOURCE IOMMUFD_STATE_SOURCE_TYPE1

/**
 * struct at - position of a walk in a container
 * @container: the container
 * @iommu: type1's state of it
 * @ctx: its number
 * @task: a thread that has it open
 * @groups: the container's list of groups
 * @group: current member of @groups
 * @devices: list of devices of that group
 * @device: current member of @devices; NULL: the group has not been started
 * @group_devices: number of devices of the group
 * @domain: number of the domain that translates the group, 0 if none does
 * @domain_devices: number of devices that each domain translates
 * @domains: number of domains
 * @changing: areas that are being mapped; at most one at a time
 * @areas_left: areas that can still be mapped
 * @flags: IOMMUFD_STATE_IOAS_*
 */
static struct at {
	const struct vfio_container___vfio *container;
	const struct vfio_iommu___type1 *iommu;
	__u32 ctx;
	const struct task_struct *task;
	const struct list_head *groups;
	const struct list_head *group;
	const struct list_head *devices;
	const struct list_head *device;
	__u32 group_devices;
	__u32 domain;
	__u32 domain_devices[DOMAINS];
	__u32 domains;
	__u32 changing;
	__u32 areas_left;
	__u32 flags;
} at __attribute__((used));

/* Whether a text starts with @size bytes of another. */
static __always_inline bool is_text(const void *text, const char *wanted, __u32 size)
{
	char found[32] = {};
	__u32 i;

	bpf_probe_read_kernel(found, size, text);
	for (i = 0; i < size; i++)
		if (found[i] != wanted[i])
			return false;
	return true;
}

/* The device of a file that the VFIO core created for it, NULL for any other file. */
static __always_inline const struct vfio_device___vfio *device_of_file(const struct file *file)
{
	struct vfio_device_file___vfio *df = READ(file, private_data);

	if (READ(file, f_inode, i_sb, s_magic) != ANON_INODES ||
	    !is_text(READ(file, f_path.dentry, d_name.name), DEVICE_FILE,
		     sizeof(DEVICE_FILE) - 1))
		return NULL;
	return bpf_core_type_exists(struct vfio_device_file___vfio) ? READ(df, device) :
								      (const void *)df;
}

/* The container that a file leads to, NULL if it leads to none. */
static __always_inline const struct vfio_container___vfio *container_of_file(const struct file *file)
{
	__u32 device = file->f_inode->i_rdev;
	struct vfio_group___vfio *group;

	/* read explicitly, because the verifier permits no arithmetic on a trusted pointer */
	if (device == CONTAINER_DEVICE)
		return READ(file, private_data);
	if (device && device >> MINOR_BITS == walk.group_major)
		group = READ(file, private_data);
	else if (!device)
		group = READ(device_of_file(file), group);
	else
		return NULL;
	return READ(group, container);
}

/* Areas */

static __always_inline const struct vfio_dma___type1 *area_of(const struct rb_node *node)
{
	return (const void *)node - bpf_core_field_offset(struct vfio_dma___type1, node);
}

static long area_step(__u32 i, void *context)
{
	const struct vfio_dma___type1 *area;
	const struct rb_node *node;
	__u64 size, pinned = 0;
	enum step step;

	step = step_tree(&node);
	if (step != STEP_VISIT)
		return step == STEP_END;
	area = area_of(node);
	size = READ(area, size);
	if (bpf_core_field_exists(area->locked_vm))
		pinned = READ(area, locked_vm) << 12;
	else if (READ(area, iommu_mapped))
		pinned = size;
	if (!READ(area, iommu_mapped))
		at.changing++;
	add_area(READ(area, iova), size, pinned);
	/* the verifier must see that it is 0 or 1 */
	return tree.torn ? 1 : 0;
}

static __always_inline void read_ranges(const struct vfio_iommu___type1 *iommu)
{
	const struct list_head *head =
		(const void *)iommu + bpf_core_field_offset(struct vfio_iommu___type1, iova_list);
	const struct list_head *item = READ(head, next);
	__u32 i;

	tree.nr_ranges = 0;
	for (i = 0; i < WALK_RANGES && item && item != head; i++) {
		const struct vfio_iova___type1 *range =
			(const void *)item - bpf_core_field_offset(struct vfio_iova___type1, list);

		tree.ranges[i].first = READ(range, start);
		tree.ranges[i].last = READ(range, end);
		tree.nr_ranges = i + 1;
		item = READ(item, next);
	}
	/* without a group everything can be mapped */
	if (!tree.nr_ranges) {
		tree.ranges[0].first = 0;
		tree.ranges[0].last = ~0ULL;
		tree.nr_ranges = 1;
	}
}

/*
 * Walks all areas, again if they changed during the walk.  The container's own count, from which
 * @at.areas_left is derived, reveals such a change.  If the count differs but nothing changed from
 * one try to the next, only the limit has changed since the container was opened.
 */
static __attribute__((noinline)) int walk_areas(void)
{
	const struct vfio_iommu___type1 *iommu = at.iommu;
	__u64 areas = 0;
	bool still = true, exact = false;
	__u32 try, left, before = 0;

	for (try = 0; try < WALK_TRIES && !exact; try++) {
		left = READ(iommu, dma_avail);
		at.changing = 0;
		begin_tree(READ(iommu, dma_list.rb_node));
		bpf_loop(WALK_STEPS, area_step, NULL, 0);
		end_tree();
		at.areas_left = READ(iommu, dma_avail);
		/*
		 * several areas were seen while being mapped, one after the other; without a domain
		 * this cannot happen
		 */
		if (at.changing > 1 && at.domains)
			tree.torn = 1;
		still = still && !tree.torn && left == at.areas_left &&
			(!try || (tree.areas == areas && left == before));
		areas = tree.areas;
		before = left;
		exact = !tree.torn && left == at.areas_left && areas + left == walk.area_limit;
	}
	at.flags = IOMMUFD_STATE_IOAS_AREAS_LIMITED;
	if (exact || still)
		return 0;
	at.flags |= IOMMUFD_STATE_IOAS_ABOUT;
	if (at.areas_left <= walk.area_limit) {
		tree.areas = walk.area_limit - at.areas_left;
		at.flags |= IOMMUFD_STATE_IOAS_AREAS_EXACT;
	}
	return 0;
}

static long emit_area(__u32 i, void *context)
{
	const struct rb_node *node = (void *)tree.node;
	const struct vfio_dma___type1 *area;
	struct iommufd_state_area *record;
	enum step step;
	bool full;

	/* skip everything below the start position */
	if (node && READ(area_of(node), iova) < walk.iova) {
		tree.node = (__u64)READ(node, rb_right);
		return 0;
	}
	step = step_tree(&node);
	if (step != STEP_VISIT)
		return step == STEP_END;
	area = area_of(node);
	record = next_area(at.ctx, IOAS, READ(area, iova), READ(area, size), &full);
	if (!record)
		return full;
	record->user_va = READ(area, vaddr);
	record->pid = READ(area, task, tgid);
	flag_area(record, READ(area, prot), READ(area, iommu_mapped));
	return 0;
}

/* Domains and devices */

/**
 * struct search - a walk over the groups of all domains
 * @head: the container's list of domains
 * @item: current member of @head
 * @number: number of that domain
 * @member: current member of the domain's list of groups; NULL: the domain has not been started
 * @group: the group to find
 */
static struct search {
	const struct list_head *head;
	const struct list_head *item;
	__u32 number;
	const struct list_head *member;
	const struct iommu_group *group;
} search __attribute__((used));

static __always_inline void begin_search(const struct iommu_group *group)
{
	search.head = (const void *)at.iommu +
		      bpf_core_field_offset(struct vfio_iommu___type1, domain_list);
	/* new domains are added at the front */
	search.item = READ(search.head, prev);
	search.number = 0;
	search.member = NULL;
	search.group = group;
}

static __always_inline const struct vfio_domain___type1 *domain_at(const struct list_head *item)
{
	return (const void *)item - bpf_core_field_offset(struct vfio_domain___type1, next);
}

static __always_inline const struct vfio_group___vfio *group_at(const struct list_head *item)
{
	return (const void *)item - bpf_core_field_offset(struct vfio_group___vfio, container_next);
}

static long search_step(__u32 i, void *context)
{
	const struct list_head *groups;

	if (!search.item || search.item == search.head)
		return 1;
	groups = (const void *)domain_at(search.item) +
		 bpf_core_field_offset(struct vfio_domain___type1, group_list);
	if (!search.member) {
		search.number++;
		search.member = READ(groups, next);
		return 0;
	}
	if (search.member != groups) {
		const struct vfio_iommu_group___type1 *its =
			(const void *)search.member -
			bpf_core_field_offset(struct vfio_iommu_group___type1, next);

		if (READ(its, iommu_group) == search.group)
			return 1;
		search.member = READ(search.member, next);
		return 0;
	}
	search.item = READ(search.item, prev);
	search.member = NULL;
	return 0;
}

/* Number of the domain that translates a group, 0 if none does. */
static __always_inline __u32 domain_of(const struct iommu_group *group)
{
	begin_search(group);
	bpf_loop(MOST_MEMBERS, search_step, NULL, 0);
	return search.item && search.item != search.head ? search.number : 0;
}

static long count_device(__u32 i, void *context)
{
	if (!at.device || at.device == at.devices)
		return 1;
	at.group_devices++;
	at.device = READ(at.device, next);
	return 0;
}

static __always_inline void emit_device(const struct vfio_group___vfio *group)
{
	const struct vfio_device___vfio *device =
		(const void *)at.device -
		bpf_core_field_offset(struct vfio_device___vfio, group_next);
	struct iommufd_state_device *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(device, slot);
	if (!record)
		return;
	record->group_id = READ(group, iommu_group, id);
	record->hwpt_id = at.domain;
	record->group_devices = at.group_devices;
	name_device(record, READ(device, dev), slot->symbol);
	if (!at.iommu)
		return;
	record->ioas_id = IOAS;
	record->flags = IOMMUFD_STATE_DEVICE_ATTACHED;
	if (!at.domain)
		record->flags |= IOMMUFD_STATE_DEVICE_EMULATED;
}

/* One step over the devices of all groups. */
static long device_step(__u32 i, void *context)
{
	const struct vfio_group___vfio *group = group_at(at.group);
	const struct list_head *head;
	__u32 domain;

	if (!at.group || at.group == at.groups || walk.full)
		return 1;
	head = (const void *)group + bpf_core_field_offset(struct vfio_group___vfio, device_list);
	if (!at.device) {
		at.group_devices = 0;
		at.devices = head;
		at.device = READ(head, next);
		bpf_loop(MOST_MEMBERS, count_device, NULL, 0);
		domain = at.iommu ? domain_of(READ(group, iommu_group)) : 0;
		if (domain < DOMAINS)
			at.domain_devices[domain] += at.group_devices;
		at.domain = domain;
		at.device = READ(head, next);
		return 0;
	}
	if (at.device != head) {
		emit_device(group);
		at.device = READ(at.device, next);
		return 0;
	}
	at.group = READ(at.group, next);
	at.device = NULL;
	return 0;
}

static __always_inline void emit_devices(void)
{
	at.groups = (const void *)at.container +
		    bpf_core_field_offset(struct vfio_container___vfio, group_list);
	at.group = READ(at.groups, next);
	at.device = NULL;
	bpf_loop(MOST_MEMBERS, device_step, NULL, 0);
}

static long domain_step(__u32 i, void *context)
{
	const struct vfio_domain___type1 *domain = domain_at(search.item);
	struct iommufd_state_hwpt *record;
	struct scope_walk_slot *slot;
	__u32 number;

	if (!search.item || search.item == search.head || walk.full)
		return 1;
	search.number++;
	at.domains++;
	search.item = READ(search.item, prev);
	record = NEXT_RECORD(hwpt, slot);
	if (!record)
		return 0;
	number = search.number;
	record->hwpt_id = number;
	record->ioas_id = IOAS;
	record->flags = IOMMUFD_STATE_HWPT_AUTO;
	if (BPF_CORE_READ_BITFIELD_PROBED(domain, enforce_cache_coherency))
		record->flags |= IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY;
	if (number < DOMAINS)
		record->devices = at.domain_devices[number];
	fill_domain(record, READ(domain, domain), slot->symbol);
	return 0;
}

static __always_inline void emit_domains(void)
{
	begin_search(NULL);
	bpf_loop(MOST_MEMBERS, domain_step, NULL, 0);
}

/* The container and its address space */

static __attribute__((noinline)) int emit_space(void)
{
	struct scope_walk_slot *slot;
	struct iommufd_state_ioas *record;

	record = NEXT_RECORD(ioas, slot);
	if (!record)
		return 0;
	record->ioas_id = IOAS;
	record->flags = at.flags | IOMMUFD_STATE_IOAS_HUGE_PAGES;
	record->hwpts = at.domains;
	record->areas = tree.areas;
	record->areas_left = at.areas_left;
	record->mapped_bytes = tree.mapped;
	record->pinned_bytes = tree.pinned;
	record->iova_alignment = READ(at.iommu, pgsize_bitmap);
	record->iova_alignment &= -record->iova_alignment;
	fill_space(record);
	return 0;
}

static __attribute__((noinline)) int emit_container(void)
{
	const struct task_struct *charged = NULL;
	const struct rb_node *root;
	struct iommufd_state_ctx *record;
	struct scope_walk_slot *slot;

	record = NEXT_RECORD(ctx, slot);
	if (!record)
		return 0;
	/* pinned memory is charged to the process, in its mm's locked_vm */
	record->flags = IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
	if (READ(at.container, noiommu))
		record->flags |= IOMMUFD_STATE_CTX_NO_IOMMU;
	if (at.iommu) {
		root = READ(at.iommu, dma_list.rb_node);
		if (root)
			charged = READ(area_of(root), task);
		if (at.flags & IOMMUFD_STATE_IOAS_ABOUT)
			record->flags |= IOMMUFD_STATE_CTX_ABOUT;
		record->pinned_bytes = tree.pinned;
	}
	name_process(record, charged ? charged : at.task);
	return 0;
}

static __always_inline void emit_objects(void)
{
	emit_devices();
	if (at.iommu) {
		emit_domains();
		/* no need to walk all areas if their records are skipped */
		if (walk.skip < 2 && !walk.full) {
			read_ranges(at.iommu);
			walk_areas();
		}
		emit_space();
	}
	emit_container();
}

static __always_inline void emit_areas(void)
{
	begin_tree(READ(at.iommu, dma_list.rb_node));
	bpf_loop(WALK_STEPS, emit_area, NULL, 0);
}

SEC("iter/task_file")
int ios_type1(struct bpf_iter__task_file *ctx)
{
	const struct vfio_container___vfio *container;
	const struct file *file = ctx->file;
	const void *object;

	if (!file || !ctx->task)
		return 0;
	container = container_of_file(file);
	if (!container)
		return 0;
	__builtin_memset(&at, 0, sizeof(at));
	at.container = container;
	at.task = ctx->task;
	/* /dev/vfio/vfio may belong to another driver than type1 */
	if (is_text(READ(container, iommu_driver, ops, name), TYPE1_NAME,
		    sizeof(TYPE1_NAME)))
		at.iommu = READ(container, iommu_data);
	if (!at.iommu && !READ(container, noiommu))
		return 0;
	/* without an IOMMU no operation uses another address for it */
	object = at.iommu ? (const void *)at.iommu : container;
	if (!is_first(object))
		return 0;
	at.ctx = space_number((__u64)object);
	if (walk.mode == SCOPE_WALK_OBJECTS)
		emit_objects();
	else if (at.ctx == walk.ctx && at.iommu)
		emit_areas();
	return 0;
}
