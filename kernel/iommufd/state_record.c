// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills the records of iommufd_state.h for a context, an object or an area, and prints the lines of
 * fdinfo, which are sums of them.
 *
 * The caller holds the context (as an observer or by its file) and is a short-term user of the
 * object.  A record is filled in from constants, from counters, and from members that spinlocks
 * guard.  A lock under which a tenant may sleep is not waited for: if it is taken, the record
 * leaves out what the lock guards, and a flag marks the IOAS as busy.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/seq_file.h>

#include "memory/area.h"
#include "ctx.h"
#include "device.h"
#include "iommufd_fdinfo.h"
#include "memory/iova.h"
#include "state.h"

/* The records are an ABI; they must not contain padding, which would become part of it. */
static_assert(sizeof(struct iommufd_state_ctx) == 72);
static_assert(sizeof(struct iommufd_state_device) == 176);
static_assert(sizeof(struct iommufd_state_hwpt) == 72);
static_assert(sizeof(struct iommufd_state_ioas) == 136);
static_assert(sizeof(struct iommufd_state_access) == 32);
static_assert(sizeof(struct iommufd_state_area) == 88);

/* Zeroes all of a record, whatever memory it is in, and sets its size. */
#define STATE_BEGIN(record)                                                                        \
	do {                                                                                       \
		memset(record, 0, sizeof(*(record)));                                              \
		(record)->size = sizeof(*(record));                                                \
	} while (0)

/**
 * iommufd_state_of_ctx() - fill in the record of a context
 * @ictx: the context
 * @record: filled in
 */
void iommufd_state_of_ctx(struct iommufd_ctx *ictx, struct iommufd_state_ctx *record)
{
	struct task_struct *task;

	STATE_BEGIN(record);
	record->ctx_id = ictx->id;
	record->opened_ns = ictx->opened_ns;
	record->pinned_bytes = (u64)atomic_long_read(&ictx->pinned) << PAGE_SHIFT;
	if (READ_ONCE(ictx->account_mode) == IOMMUFD_ACCOUNT_PROCESS)
		record->flags |= IOMMUFD_STATE_CTX_ACCOUNT_PROCESS;
	if (READ_ONCE(ictx->no_iommu_mode))
		record->flags |= IOMMUFD_STATE_CTX_NO_IOMMU;

	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas)
		record->vfio_ioas_id = ictx->vfio_ioas->obj.id;
	xa_unlock(&ictx->objects);

	spin_lock(&ictx->user_lock);
	record->pid = pid_nr(ictx->user_pid);
	record->uid = from_kuid(&init_user_ns, ictx->user->uid);
	record->user_locked_bytes = (u64)atomic_long_read(&ictx->user->locked_vm) << PAGE_SHIFT;
	memcpy(record->comm, ictx->user_comm, sizeof(record->comm));
	rcu_read_lock();
	task = pid_task(ictx->user_pid, PIDTYPE_TGID);
	if (!task || READ_ONCE(task->exit_state))
		record->flags |= IOMMUFD_STATE_CTX_PROCESS_GONE;
	rcu_read_unlock();
	spin_unlock(&ictx->user_lock);
}

static void state_of_device(struct iommufd_ctx *ictx, struct iommufd_device *idev,
			    struct iommufd_state_device *record)
{
	struct iommufd_group *igroup = idev->igroup;
	struct device *dev = idev->dev;
	const struct device_driver *driver = READ_ONCE(dev->driver);

	STATE_BEGIN(record);
	record->ctx_id = ictx->id;
	record->device_id = idev->obj.id;
	record->group_id = igroup->id;
	if (idev->enforce_cache_coherency)
		record->flags |= IOMMUFD_STATE_DEVICE_ENFORCE_COHERENCY;

	spin_lock(&igroup->published_lock);
	if (idev->attached) {
		record->flags |= IOMMUFD_STATE_DEVICE_ATTACHED;
		record->hwpt_id = igroup->published.hwpt_id;
		record->ioas_id = igroup->published.ioas_id;
	}
	record->group_devices = igroup->published.nr_devices;
	record->replacements = igroup->published.replacements;
	record->last_replace_ns = igroup->published.last_ns;
	record->last_replace_dur_ns = igroup->published.last_dur_ns;
	spin_unlock(&igroup->published_lock);

	strscpy(record->device, dev_name(dev), sizeof(record->device));
	/*
	 * The driver that bound the device unbinds it before it goes away, and the unbind waits for
	 * us.
	 */
	if (driver)
		strscpy(record->driver, driver->name, sizeof(record->driver));
	if (dev->iommu && dev->iommu->iommu_dev && dev->iommu->iommu_dev->dev)
		strscpy(record->iommu, dev_name(dev->iommu->iommu_dev->dev),
			sizeof(record->iommu));
	strscpy(record->iommu_driver, igroup->iommu_driver, sizeof(record->iommu_driver));
}

static void state_of_hwpt(struct iommufd_ctx *ictx, struct iommufd_hwpt *hwpt,
			  struct iommufd_state_hwpt *record)
{
	const struct iommu_domain *domain = hwpt->domain;

	STATE_BEGIN(record);
	record->ctx_id = ictx->id;
	record->hwpt_id = hwpt->obj.id;
	record->ioas_id = hwpt->ioas->obj.id;
	record->domain_type = domain->type;
	if (hwpt->auto_domain)
		record->flags |= IOMMUFD_STATE_HWPT_AUTO;
	if (READ_ONCE(hwpt->enforce_cache_coherency))
		record->flags |= IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY;
	if (hwpt->nest_parent)
		record->flags |= IOMMUFD_STATE_HWPT_NEST_PARENT;
	if (READ_ONCE(hwpt->msi_cookie))
		record->flags |= IOMMUFD_STATE_HWPT_MSI_WINDOW;
	record->devices = atomic_read(&hwpt->nr_devices);
	record->pgsize_bitmap = domain->pgsize_bitmap;
	record->aperture_first = domain->geometry.aperture_start;
	record->aperture_last = domain->geometry.aperture_end;
	strscpy(record->iommu_driver, hwpt->iommu_driver, sizeof(record->iommu_driver));
}

/* How often an observer tries to get a tenant's lock, and how long it sleeps between two tries. */
#define LOCK_TRIES	20
#define LOCK_SLEEP_US	50

/*
 * Maps and unmaps hold the lock for microseconds, so an observer keeps trying for a few
 * milliseconds.
 */
static bool try_iova_lock(struct iommufd_ioas *ioas)
{
	unsigned int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (down_read_trylock(&ioas->iova_lock))
			return true;
		if (fatal_signal_pending(current))
			return false;
		usleep_range(LOCK_SLEEP_US, 2 * LOCK_SLEEP_US);
	}
	return false;
}

static void state_of_ioas(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas,
			  struct iommufd_state_ioas *record)
{
	struct iommufd_memory_stats stats;
	struct iommufd_iova_space space = {};
	bool locked;

	STATE_BEGIN(record);
	record->ctx_id = ictx->id;
	record->ioas_id = ioas->obj.id;
	record->hwpts = READ_ONCE(ioas->nr_hwpts);
	record->accesses = READ_ONCE(ioas->nr_accesses);
	if (READ_ONCE(ioas->huge_pages))
		record->flags |= IOMMUFD_STATE_IOAS_HUGE_PAGES;

	locked = try_iova_lock(ioas);
	if (locked)
		iommufd_iova_measure(ioas, &space);
	else
		record->flags |= IOMMUFD_STATE_IOAS_BUSY;
	record->areas = READ_ONCE(ioas->nr_areas);
	record->mapped_bytes = READ_ONCE(ioas->mapped_bytes);
	record->iova_alignment = READ_ONCE(ioas->iova_alignment);
	spin_lock(&ioas->stats_lock);
	stats = ioas->stats;
	spin_unlock(&ioas->stats_lock);
	if (locked)
		up_read(&ioas->iova_lock);

	if (space.only_allowed)
		record->flags |= IOMMUFD_STATE_IOAS_ALLOWED_RANGES;
	record->usable_ranges = space.ranges;
	record->aperture_first = space.first;
	record->aperture_last = space.last;
	record->usable_bytes = space.bytes;
	record->largest_hole_bytes = space.largest_hole;
	record->alloc_hole_bytes = space.alloc_hole;
	record->pinned_bytes = stats.pinned_bytes;
	record->extents = stats.extents;
	record->huge_extents = stats.huge_extents;
	record->huge_bytes = stats.huge_bytes;
}

static void state_of_access(struct iommufd_ctx *ictx, struct iommufd_access *access,
			    struct iommufd_state_access *record)
{
	STATE_BEGIN(record);
	record->ctx_id = ictx->id;
	record->access_id = access->obj.id;
	record->ioas_id = READ_ONCE(access->ioas_id);
	if (access->needs_pin_pages)
		record->flags |= IOMMUFD_STATE_ACCESS_PINS;
	record->pinned_bytes = (u64)atomic_long_read(&access->pinned) << PAGE_SHIFT;
}

/**
 * iommufd_state_of_object() - fill in the record of an object
 * @ictx: its context
 * @obj: the object, in use
 * @record: the struct iommufd_state_* for its type; filled in
 */
void iommufd_state_of_object(struct iommufd_ctx *ictx, struct iommufd_object *obj, void *record)
{
	switch (obj->type) {
	case IOMMUFD_OBJECT_DEVICE:
		state_of_device(ictx, container_of(obj, struct iommufd_device, obj), record);
		break;
	case IOMMUFD_OBJECT_HWPT:
		state_of_hwpt(ictx, container_of(obj, struct iommufd_hwpt, obj), record);
		break;
	case IOMMUFD_OBJECT_IOAS:
		state_of_ioas(ictx, container_of(obj, struct iommufd_ioas, obj), record);
		break;
	case IOMMUFD_OBJECT_ACCESS:
		state_of_access(ictx, container_of(obj, struct iommufd_access, obj), record);
		break;
	default:
		break;
	}
}

/*
 * Describes the first page of a pinned area, unless another thread is pinning in it at the moment.
 */
static void state_of_memory(struct iommufd_area *area, struct iommufd_state_area *record)
{
	struct iommufd_pages *pages = area->pages;
	unsigned long pfn;
	struct folio *folio;

	/* Tenants take this lock, so do not wait for it. */
	if (!mutex_trylock(&pages->mutex))
		return;
	if (!iommufd_pages_pfn(pages, area_first_page(area), &pfn))
		goto out_unlock;
	folio = page_folio(pfn_to_page(pfn));
	record->page_bytes = folio_size(folio);
	if (folio_test_hugetlb(folio))
		record->memory = IOMMUFD_STATE_MEMORY_HUGETLB;
	else if (folio_test_anon(folio))
		record->memory = IOMMUFD_STATE_MEMORY_ANONYMOUS;
	else if (folio_test_swapbacked(folio))
		record->memory = IOMMUFD_STATE_MEMORY_SHARED;
	else
		record->memory = IOMMUFD_STATE_MEMORY_FILE;
out_unlock:
	mutex_unlock(&pages->mutex);
}

/**
 * iommufd_state_of_area() - fill in the record of an area
 * @ioas: the IOAS, in use
 * @iova: the first area at or after this IOVA is described
 * @record: filled in
 *
 * Return: 0; -ENOENT if there is no area at or after @iova.  If the flags contain
 * IOMMUFD_STATE_AREA_BUSY, the areas cannot be read at the moment, and the record describes none.
 */
int iommufd_state_of_area(struct iommufd_ioas *ioas, u64 iova, struct iommufd_state_area *record)
{
	struct iommufd_area *area;

	STATE_BEGIN(record);
	record->ctx_id = ioas->ictx->id;
	record->ioas_id = ioas->obj.id;

	if (!try_iova_lock(ioas)) {
		record->flags = IOMMUFD_STATE_AREA_BUSY;
		record->iova = iova;
		return 0;
	}
	area = iommufd_area_from(ioas, iova);
	if (!area) {
		up_read(&ioas->iova_lock);
		return -ENOENT;
	}
	if (area->prot & IOMMU_READ)
		record->flags |= IOMMUFD_STATE_AREA_READ;
	if (area->prot & IOMMU_WRITE)
		record->flags |= IOMMUFD_STATE_AREA_WRITE;
	if (area->pages->writeable)
		record->flags |= IOMMUFD_STATE_AREA_WRITEABLE_MEMORY;
	record->iova = area->iova;
	record->length = area_length(area);
	record->user_va = area->pages->user_va + area->offset;
	record->pid = task_pid_nr(area->pages->task);
	record->accesses = atomic_read(&area->accesses);
	if (smp_load_acquire(&area->state) != IOMMUFD_AREA_READY)
		record->flags |= IOMMUFD_STATE_AREA_CHANGING;
	spin_lock(&ioas->stats_lock);
	if (area->mapped) {
		record->flags |= IOMMUFD_STATE_AREA_PINNED;
		record->extents = area->extents;
		record->huge_extents = area->huge_extents;
		record->huge_bytes = (u64)area->huge_blocks * PMD_SIZE;
	}
	spin_unlock(&ioas->stats_lock);
	state_of_memory(area, record);
	up_read(&ioas->iova_lock);
	return 0;
}

/**
 * iommufd_state_show() - print the lines of a context in fdinfo
 * @file: the output
 * @ictx: the context, its file open
 *
 * Prints counters only: the cost does not depend on the number of objects, and nothing is waited
 * for.
 */
void iommufd_state_show(struct seq_file *file, struct iommufd_ctx *ictx)
{
	static const char *const names[IOMMUFD_NR_OBJECT_TYPES] = {
		[IOMMUFD_OBJECT_DEVICE] = "devices",
		[IOMMUFD_OBJECT_HWPT] = "hwpts",
		[IOMMUFD_OBJECT_IOAS] = "ioases",
		[IOMMUFD_OBJECT_ACCESS] = "accesses",
	};
	struct iommufd_state_ctx record;
	struct iommufd_ctx_sums sum;
	unsigned int type;

	iommufd_state_of_ctx(ictx, &record);
	iommufd_ctx_sum(ictx, &sum);
	seq_printf(file, "iommufd-ctx:\t%u\n", record.ctx_id);
	seq_printf(file, "iommufd-rlimit-mode:\t%s\n",
		   record.flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS ? "process" : "user");
	for (type = 0; type < IOMMUFD_NR_OBJECT_TYPES; type++) {
		if (names[type])
			seq_printf(file, "iommufd-%s:\t%u\n", names[type],
				   READ_ONCE(ictx->nr_objects[type]));
	}
	seq_printf(file, "iommufd-areas:\t%lld\n", sum.areas);
	seq_printf(file, "iommufd-mapped:\t%lld KiB\n", sum.mapped_bytes >> 10);
	seq_printf(file, "iommufd-pinned:\t%llu KiB\n", record.pinned_bytes >> 10);
	seq_printf(file, "iommufd-extents:\t%lld\n", sum.extents);
	seq_printf(file, "iommufd-huge-extents:\t%lld\n", sum.huge_extents);
	seq_printf(file, "iommufd-huge:\t%lld KiB\n", sum.huge_bytes >> 10);
}

/**
 * iommufd_device_show_state() - print the lines of a bound device in fdinfo
 * @idev: the device, which the caller keeps bound
 * @file: the output
 */
void iommufd_device_show_state(struct iommufd_device *idev, struct seq_file *file)
{
	struct iommufd_state_device record = {};

	state_of_device(idev->ictx, idev, &record);
	seq_printf(file, "iommufd-ctx:\t%u\n", record.ctx_id);
	seq_printf(file, "iommufd-iommu-driver:\t%s\n", record.iommu_driver);
	seq_printf(file, "iommufd-hwpt:\t%u\n", record.hwpt_id);
	seq_printf(file, "iommufd-ioas:\t%u\n", record.ioas_id);
	seq_printf(file, "iommufd-replacements:\t%llu\n", record.replacements);
	seq_printf(file, "iommufd-last-replacement:\t%llu ns\n", record.last_replace_ns);
	seq_printf(file, "iommufd-last-replacement-took:\t%llu ns\n", record.last_replace_dur_ns);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_show_state, IOMMUFD);
