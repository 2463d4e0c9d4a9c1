// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetime of a context: references on its file, and the register of open contexts for observers.
 *
 * A user of a context holds a reference on its file.  An observer must not, because it would keep
 * the file open.  A context therefore has a second count, of observers (@lookers), which keeps the
 * memory of the context and the table of its objects, but not the objects.  The register holds one
 * such reference, from open to the end of release, and hands out more under its lock.
 *
 * An observer reaches the contents of a context only through its table.  It becomes a short-term
 * user of an object, as an ioctl does, copies the state, and releases the object.  A destroy waits
 * for that copy and for nothing else.  No pointer is kept from one record to the next: the position
 * of a walk is a context's number and an object's id, so that a walk continues correctly even if
 * objects have gone in the meantime.
 *
 * Lock order: nothing is taken under the lock of the register.  For a record, only the small
 * spinlocks of a group or HWPT are taken.  A lock under which tenants can sleep is not waited for:
 * an observer only tries to get iova_lock of an IOAS, and continues without it if that fails.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "ctx.h"

/* Contexts by number; a context that is being opened has its number reserved. */
static DEFINE_XARRAY_FLAGS(contexts, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static u32 next_ctx_id;

/**
 * iommufd_ctx_register() - give a new context its number
 * @ictx: the context, which cannot be looked up yet
 *
 * Return: 0 or -ENOMEM, -EBUSY.
 */
int iommufd_ctx_register(struct iommufd_ctx *ictx)
{
	int rc;

	ictx->sums = alloc_percpu_gfp(struct iommufd_ctx_sums, GFP_KERNEL_ACCOUNT);
	if (!ictx->sums)
		return -ENOMEM;
	rc = xa_alloc_cyclic(&contexts, &ictx->id, NULL, xa_limit_32b, &next_ctx_id,
			     GFP_KERNEL_ACCOUNT);
	if (rc < 0) {
		free_percpu(ictx->sums);
		return rc;
	}
	refcount_set(&ictx->lookers, 1);
	spin_lock_init(&ictx->user_lock);
	ictx->opened_ns = ktime_get_ns();
	iommufd_ctx_note_user(ictx);
	return 0;
}

/**
 * iommufd_ctx_publish() - make a complete context visible to lookups
 * @ictx: the context
 */
void iommufd_ctx_publish(struct iommufd_ctx *ictx)
{
	/* The slot was reserved, so the store needs no memory and cannot fail. */
	WARN_ON(xa_err(xa_store(&contexts, ictx->id, ictx, GFP_KERNEL)));
}

static void free_ctx(struct iommufd_ctx *ictx)
{
	xa_destroy(&ictx->objects);
	xa_destroy(&ictx->groups);
	free_percpu(ictx->sums);
	put_pid(ictx->user_pid);
	free_uid(ictx->user);
	kfree(ictx);
}

/**
 * iommufd_ctx_let_go() - release a context after iommufd_ctx_look_up()
 * @ictx: the context
 */
void iommufd_ctx_let_go(struct iommufd_ctx *ictx)
{
	if (refcount_dec_and_test(&ictx->lookers))
		free_ctx(ictx);
}

/**
 * iommufd_ctx_unregister() - remove a context, and free it once no observer uses it
 * @ictx: the context, without objects; the caller must not use it any more
 */
void iommufd_ctx_unregister(struct iommufd_ctx *ictx)
{
	xa_erase(&contexts, ictx->id);
	iommufd_ctx_let_go(ictx);
}

/**
 * iommufd_ctx_look_up() - take an observer's reference on a context
 * @id: number at which the search starts; out: number of the context
 *
 * Return: the first context with that number or a higher one, for iommufd_ctx_let_go(), or NULL.
 */
struct iommufd_ctx *iommufd_ctx_look_up(u32 *id)
{
	unsigned long index = *id;
	struct iommufd_ctx *ictx;

	xa_lock(&contexts);
	ictx = xa_find(&contexts, &index, U32_MAX, XA_PRESENT);
	/* The context is in the register, so the count is not 0. */
	if (ictx)
		refcount_inc(&ictx->lookers);
	xa_unlock(&contexts);
	*id = index;
	return ictx;
}

/**
 * iommufd_ctx_note_user() - note that the calling process sets a context up
 * @ictx: the context
 *
 * Files are passed on: libvirt opens what QEMU uses.  The owner shown for a context is therefore
 * the process that last set something up in it, not the one that opened it.
 */
void iommufd_ctx_note_user(struct iommufd_ctx *ictx)
{
	struct user_struct *user = get_uid(current_user());
	struct pid *pid = get_pid(task_tgid(current));
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, current->group_leader);
	spin_lock(&ictx->user_lock);
	swap(ictx->user_pid, pid);
	swap(ictx->user, user);
	memcpy(ictx->user_comm, comm, sizeof(comm));
	spin_unlock(&ictx->user_lock);
	put_pid(pid);
	if (user)
		free_uid(user);
}

/**
 * iommufd_ctx_get() - take a reference on a context
 * @ictx: the context, on which the caller already holds a reference
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, IOMMUFD);

/**
 * iommufd_ctx_put() - release a reference on a context
 * @ictx: the context
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, IOMMUFD);

/**
 * iommufd_ctx_sum() - add up the contents of all IOASes of a context
 * @ictx: the context
 * @sum: filled in; exact while nothing changes
 *
 * The cost depends on the number of CPUs, not on the number of objects.
 */
void iommufd_ctx_sum(struct iommufd_ctx *ictx, struct iommufd_ctx_sums *sum)
{
	unsigned int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct iommufd_ctx_sums *part = per_cpu_ptr(ictx->sums, cpu);

		sum->areas += READ_ONCE(part->areas);
		sum->mapped_bytes += READ_ONCE(part->mapped_bytes);
		sum->extents += READ_ONCE(part->extents);
		sum->huge_extents += READ_ONCE(part->huge_extents);
		sum->huge_bytes += READ_ONCE(part->huge_bytes);
	}
}
