/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of the iommufd module.  docs/inside/iommufd.md describes the
 * whole model.
 *
 * Ownership: a ctx owns its objects by id.  An HWPT is a long-term user of its IOAS; a device or an
 * access is a long-term user of the HWPT or IOAS it is attached to.  Lock order, outermost first:
 *
 *	iommufd_ctx.vfio_lock > iommufd_group.lock > iommufd_ioas.attach_lock
 *	> iommufd_ioas.hwpt_lock > iommufd_access.ioas_rwsem > iommufd_ioas.iova_lock
 *	> iommufd_pages.mutex
 *
 * None of these locks is held over a page fault or a user copy, so mmap_lock is never taken inside
 * one.
 */
#ifndef IOMMUSCOPE_IOMMUFD_PRIVATE_H
#define IOMMUSCOPE_IOMMUFD_PRIVATE_H

#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>

#include "op.h"

/* The numbers are part of the events' ABI. */
enum iommufd_object_type {
	IOMMUFD_OBJECT_NONE = 0,
	IOMMUFD_OBJECT_ANY = IOMMUFD_OBJECT_NONE,
	IOMMUFD_OBJECT_DEVICE = 1,
	IOMMUFD_OBJECT_HWPT = 2,
	IOMMUFD_OBJECT_IOAS = 3,
	IOMMUFD_OBJECT_ACCESS = 4,
	IOMMUFD_OBJECT_TEST = 5,
	IOMMUFD_NR_OBJECT_TYPES,
};

/* How pinned memory is accounted, IOMMU_OPTION_RLIMIT_MODE. */
enum iommufd_account_mode {
	IOMMUFD_ACCOUNT_USER = 0,
	IOMMUFD_ACCOUNT_PROCESS = 1,
};

/**
 * struct iommufd_ctx_sums - totals over all IOASes of a context
 * @areas: number of areas
 * @mapped_bytes: sum of their lengths
 * @extents: contiguous runs of the memory of the areas that are mapped into HWPTs
 * @huge_extents: those of PMD_SIZE or more
 * @huge_bytes: memory in whole PMD_SIZE blocks that the IOMMU can translate with one entry each
 */
struct iommufd_ctx_sums {
	s64 areas;
	s64 mapped_bytes;
	s64 extents;
	s64 huge_extents;
	s64 huge_bytes;
};

/**
 * struct iommufd_ctx - an open /dev/iommu
 * @id: unique among all contexts since the module was loaded, for events and state
 * @lookers: 1 for the open file, and 1 for each observer; see ctx.c
 * @file: the open file, which owns the context
 * @objects: objects by id; xa_lock guards the table, not the objects
 * @next_id: where the search for a free id starts; guarded by xa_lock of @objects
 * @groups: struct iommufd_group by IOMMU group id
 * @destroy_wait: woken when the last short-term user of an object leaves
 * @account_mode: how pages mapped from now on are accounted
 * @no_iommu_mode: VFIO compatibility without an IOMMU; fixed once set
 * @container: opened as /dev/vfio/vfio, so errors and limits are those of VFIO's type1
 * @vfio_ioas: the IOAS of VFIO compatibility, or NULL; guarded by xa_lock of @objects
 * @vfio_lock: guards @vfio_groups and @vfio_iommu; held while groups are attached, never over a
 *	fault
 * @vfio_groups: the groups of a VFIO container; see vfio_group.c
 * @vfio_iommu: SET_IOMMU has been called, so these groups are attached to @vfio_ioas
 * @nr_objects: objects that can be looked up, by type; changed under xa_lock of @objects
 * @sums: per-CPU totals over all its IOASes, for observers; see iommufd_ctx_sum()
 * @opened_ns: CLOCK_MONOTONIC when it was opened
 * @pinned: pages pinned through it; each page counts once
 * @user_lock: guards all members below
 * @user_pid: process that set it up, see iommufd_ctx_note_user()
 * @user: user of that process
 * @user_comm: name of that process
 */
struct iommufd_ctx {
	u32 id;
	refcount_t lookers;
	struct file *file;
	struct xarray objects;
	u32 next_id;
	struct xarray groups;
	wait_queue_head_t destroy_wait;
	u8 account_mode;
	u8 no_iommu_mode;
	bool container;
	struct iommufd_ioas *vfio_ioas;
	struct mutex vfio_lock;
	struct list_head vfio_groups;
	bool vfio_iommu;
	unsigned int nr_objects[IOMMUFD_NR_OBJECT_TYPES];
	struct iommufd_ctx_sums __percpu *sums;

	u64 opened_ns;
	atomic_long_t pinned;
	spinlock_t user_lock;
	struct pid *user_pid;
	struct user_struct *user;
	char user_comm[TASK_COMM_LEN];
};

struct iommufd_object;

/**
 * struct iommufd_object_ops - what all objects of a type have in common
 * @type: enum iommufd_object_type
 * @destroy: releases what the object refers to; its id is gone and it has no user left.  The caller
 *	frees the memory of the object itself afterwards.
 */
struct iommufd_object_ops {
	enum iommufd_object_type type;
	void (*destroy)(struct iommufd_object *obj, struct iommufd_op *op);
};

/**
 * struct iommufd_object - a thing with an id
 * @short_users: 1 for the table, and 1 for each short-term user: a call that looked the object up
 *	by id and releases it before it returns.  Destroy waits for them.
 * @users: 1 for the table, and 1 for each long-term user: an attached device, the driver that bound
 *	a device.  Destroy fails while there are any.
 * @ops: operations of its type, constant
 * @type: enum iommufd_object_type, the same as in @ops
 * @id: its key in the context's table
 */
struct iommufd_object {
	refcount_t short_users;
	refcount_t users;
	const struct iommufd_object_ops *ops;
	enum iommufd_object_type type;
	u32 id;
};

/**
 * struct iommufd_memory_stats - physical layout of the memory of areas
 * @pinned_bytes: pinned bytes
 * @extents: contiguous runs of pinned memory
 * @huge_extents: those of PMD_SIZE or more
 * @huge_bytes: memory in whole PMD_SIZE blocks that the IOMMU can translate with one entry each
 */
struct iommufd_memory_stats {
	u64 pinned_bytes;
	u64 extents;
	u64 huge_extents;
	u64 huge_bytes;
};

/**
 * struct iommufd_ioas - an I/O address space
 * @obj: its object
 * @ictx: the context it belongs to
 * @attach_lock: held across every attach to the IOAS or to one of its HWPTs and across every change
 *	of @hwpts, so that its holder may walk @hwpts and sleep; taken outside @hwpt_lock
 * @hwpt_lock: guards @hwpts, @nr_pinners and the attached accesses.  Held for read while an area
 *	becomes ready or dying and is mapped into or unmapped from the HWPTs; held for write by a
 *	thread that adds or removes an HWPT.  Never held over a fault
 * @hwpts: the HWPTs that translate this address space, by iommufd_hwpt.ioas_item
 * @nr_hwpts: length of @hwpts
 * @nr_pinners: users that need all memory pinned: HWPTs, and attaches in flight; see pinned.c
 * @all_pinned: every ready area is pinned, because there is a pinner
 * @iova_lock: guards all members below.  Never held over a fault, nor over a call into the IOMMU
 *	driver
 * @areas: tree of struct iommufd_area by IOVA, augmented with the largest hole
 * @nr_areas: number of areas
 * @mapped_bytes: sum of their lengths
 * @reserved: ranges that devices, IOMMUs and tests have reserved
 * @allowed: ranges that user space wants to keep usable
 * @usable: all IOVAs minus @reserved, sorted and merged; rebuilt when @reserved changes
 * @iova_alignment: smallest IOVA granule that all HWPTs can map
 * @huge_pages: contiguous memory may be merged, IOMMU_OPTION_HUGE_PAGES
 * @cuts: unmaps may cut areas, as VFIO's type1 permits.  IOMMU_OPTION_HUGE_PAGES then reads 0,
 *	though contiguous memory is merged: a cut breaks the page of the IOMMU that it falls into
 * @pin_accesses: attached accesses that pin pages and therefore need whole pages
 * @accesses: struct iommufd_access by slot, changed under @hwpt_lock for write
 * @nr_accesses: number of attached accesses
 * @stats_lock: guards @stats
 * @stats: sums over the areas that are mapped into the HWPTs
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;

	struct mutex attach_lock;
	struct rw_semaphore hwpt_lock;
	struct list_head hwpts;
	unsigned int nr_hwpts;
	unsigned int nr_pinners;
	bool all_pinned;

	struct rw_semaphore iova_lock;
	struct rb_root areas;
	unsigned long nr_areas;
	u64 mapped_bytes;
	struct list_head reserved;
	struct list_head allowed;
	struct iommufd_iova_set *usable;
	unsigned long iova_alignment;
	bool huge_pages;
	bool cuts;
	unsigned int pin_accesses;
	struct xarray accesses;
	unsigned int nr_accesses;

	spinlock_t stats_lock;
	struct iommufd_memory_stats stats;
};

/**
 * struct iommufd_hwpt - a hardware page table: one iommu_domain filled from an IOAS
 * @obj: its object
 * @ioas: the IOAS it translates; of which the HWPT is a long-term user
 * @domain: the domain of the IOMMU driver
 * @ioas_item: in iommufd_ioas.hwpts while the HWPT is filled
 * @auto_domain: created by an attach to an IOAS; destroyed with its last device
 * @enforce_cache_coherency: no-snoop DMA is made coherent
 * @msi_cookie: the domain has a window for software-managed MSIs
 * @nest_parent: allocated with IOMMU_HWPT_ALLOC_NEST_PARENT
 * @nr_devices: attached devices; guarded by the IOAS's hwpt_lock for write or the group's lock
 * @iommu_driver: name of the IOMMU driver
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iommufd_ioas *ioas;
	struct iommu_domain *domain;
	struct list_head ioas_item;
	bool auto_domain;
	bool enforce_cache_coherency;
	bool msi_cookie;
	bool nest_parent;
	atomic_t nr_devices;
	char iommu_driver[16];
};

/**
 * struct iommufd_access - an in-kernel user of an IOAS
 * @obj: its object
 * @ictx: the context, referenced
 * @ops: the driver's functions, such as its unmap notification
 * @data: the driver's argument for @ops
 * @needs_pin_pages: the driver pins pages, so IOVAs and user memory must be aligned to pages
 * @lock: serialises attach, replace and detach.  It is held while the driver is notified, so
 *	pinning and unpinning never take it
 * @ioas_rwsem: guards @ioas.  Held for read while pins are handed out or bytes are copied, but not
 *	while memory is faulted in; taken outside iova_lock
 * @ioas: the IOAS it is attached to and a long-term user of, or NULL
 * @ioas_unpin: the IOAS that holds its pinned pages; stays set until the last page is unpinned
 * @ioas_id: id of @ioas or 0, for lockless readers
 * @slot: its slot in iommufd_ioas.accesses
 * @pinned: pages that it has pinned; each pin counts
 * @unpinned: woken when @pinned falls to 0
 */
struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	const struct iommufd_access_ops *ops;
	void *data;
	bool needs_pin_pages;
	struct mutex lock;
	struct rw_semaphore ioas_rwsem;
	struct iommufd_ioas *ioas;
	struct iommufd_ioas *ioas_unpin;
	u32 ioas_id;
	u32 slot;
	atomic_long_t pinned;
	wait_queue_head_t unpinned;
};

/* object.c */
struct iommufd_object *__iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
					      const struct iommufd_object_ops *ops);
void iommufd_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_finalize_locked(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj);
struct iommufd_object *__iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					    enum iommufd_object_type type);
int __cold iommufd_object_missing(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 id);
struct iommufd_object *iommufd_object_get_next(struct iommufd_ctx *ictx, u32 *id,
					       enum iommufd_object_type type);
bool iommufd_object_try_get(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj);
int iommufd_object_destroy_id(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 id);
void iommufd_object_keep(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_drop_users(struct iommufd_ctx *ictx, struct iommufd_op *op,
			       struct iommufd_object *obj, unsigned int nr, bool destroy);
void iommufd_object_destroy_all(struct iommufd_ctx *ictx, struct iommufd_op *op);

/* ioas.c: lifetime of an address space, and its HWPTs */
struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx, struct iommufd_op *op);
void iommufd_ioas_fini(struct iommufd_ioas *ioas);
int iommufd_ioas_add_hwpt(struct iommufd_ioas *ioas, struct iommufd_op *op,
			  struct iommufd_hwpt *hwpt);
void iommufd_ioas_remove_hwpt(struct iommufd_ioas *ioas, struct iommufd_hwpt *hwpt);
int iommufd_ioas_set_huge_pages(struct iommufd_ioas *ioas, struct iommufd_op *op, bool enable);
int iommufd_ioas_allow_cuts(struct iommufd_ioas *ioas, struct iommufd_op *op);

/* map.c */
int iommufd_ioas_map(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long user_va,
		     unsigned long length, unsigned long *iova, int iommu_prot, bool fixed);
int iommufd_ioas_copy(struct iommufd_ioas *dst, struct iommufd_op *op, struct iommufd_ioas *src,
		      unsigned long src_iova, unsigned long length, unsigned long *dst_iova,
		      int iommu_prot, bool fixed);
int iommufd_ioas_split(struct iommufd_ioas *ioas, struct iommufd_op *op,
		       const unsigned long *iovas, unsigned int nr);

/* unmap.c */
int iommufd_ioas_unmap(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long iova,
		       unsigned long length, unsigned long *unmapped);
int iommufd_ioas_unmap_all(struct iommufd_ioas *ioas, struct iommufd_op *op, bool killable,
			   unsigned long *unmapped);

/* iova.c: usable IOVAs */
int iommufd_ioas_reserve(struct iommufd_ioas *ioas, struct iommufd_op *op, unsigned long start,
			 unsigned long last, const void *owner);
void iommufd_ioas_unreserve(struct iommufd_ioas *ioas, const void *owner);
int iommufd_ioas_set_allowed(struct iommufd_ioas *ioas, struct iommufd_op *op,
			     const struct iommu_iova_range *ranges, unsigned int nr);
unsigned int iommufd_ioas_usable(struct iommufd_ioas *ioas, struct iommu_iova_range *ranges,
				 unsigned int nr, unsigned long *alignment);

/* ioas_access.c: in-kernel reads, writes and pins by IOVA */
int iommufd_ioas_add_access(struct iommufd_ioas *ioas, struct iommufd_op *op,
			    struct iommufd_access *access, bool pins_pages, u32 *slot);
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas, u32 slot, bool pins_pages);
int iommufd_ioas_pin_pages(struct iommufd_access *access, struct iommufd_op *op,
			   unsigned long iova, unsigned long length, struct page **out_pages,
			   bool write);
void iommufd_ioas_unpin_pages(struct iommufd_ioas *ioas, struct iommufd_op *op,
			      unsigned long iova, unsigned long length);
int iommufd_ioas_rw(struct iommufd_access *access, struct iommufd_op *op, unsigned long iova,
		    void *data, size_t length, unsigned int flags);

/* access.c */
void iommufd_ioas_notify_unmap(struct iommufd_ioas *ioas, unsigned long iova,
			       unsigned long length);

/* iommu_name.c */
void iommufd_iommu_driver_name(struct device *dev, char *name, size_t size);

/**
 * iommufd_domain_ready() - check that the mapping abilities of a domain are known
 * @domain: the domain
 *
 * Some IOMMU drivers set page sizes and aperture only when the first device is attached, and cannot
 * map before that.
 *
 * Return: true if they are known.
 */
static inline bool iommufd_domain_ready(const struct iommu_domain *domain)
{
	return domain->pgsize_bitmap && domain->geometry.aperture_end;
}

/**
 * iommufd_object_get() - look up an object and become a short-term user of it
 * @ictx: the context
 * @op: the operation; gets the reason bad_object_id or wrong_object_type
 * @id: the id
 * @type: the required type, or IOMMUFD_OBJECT_ANY
 *
 * Return: the object, which the caller releases with iommufd_object_put() or iommufd_object_keep();
 * or an error pointer: -ENOENT if there is no such object of that type.
 */
static inline struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx,
							struct iommufd_op *op, u32 id,
							enum iommufd_object_type type)
{
	struct iommufd_object *obj = __iommufd_object_get(ictx, id, type);

	return obj ? obj : ERR_PTR(iommufd_object_missing(ictx, op, id));
}

static inline struct iommufd_ioas *iommufd_get_ioas(struct iommufd_ctx *ictx,
						    struct iommufd_op *op, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, op, id, IOMMUFD_OBJECT_IOAS);

	return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, struct iommufd_ioas, obj);
}

#endif
