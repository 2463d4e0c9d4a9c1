// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a context: references on its file, and the register of open contexts for those who
 * look at them from outside.
 *
 * Whoever uses a context has its file; who looks at it does not, and must not, or a look would keep
 * it open.  So a context has a second count, of those who look: it keeps the memory of the context
 * and the table of its objects, not the objects.  The register holds one, from open to the end of
 * release, and hands out more under its lock.
 *
 * What is in a context is reached by its table alone: a look becomes a short-term user of an
 * object, as an ioctl does, copies what is to be told, and lets go.  A destroy waits for that copy
 * and for nothing else.  No pointer is kept from one record to the next; the place in a walk is a
 * context's number and an object's id, so that a walk goes on behind what has gone meanwhile.
 *
 * Lock order: nothing is taken under the lock of the register, and nothing of a group or HWPT
 * but its own small locks for a record.  A lock that can sleep belongs to tenants and is not waited
 * for: a look tries to get iova_lock of an IOAS, and does without if it cannot.
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

/* Contexts by number; one that is being opened has its number reserved. */
static DEFINE_XARRAY_FLAGS(contexts, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static u32 next_ctx_id;

/**
 * iommufd_ctx_register() - give a new context its number
 * @ictx: the context, not yet to be found
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
 * iommufd_ctx_publish() - the context is whole: let it be found
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
 * iommufd_ctx_let_go() - end the look that iommufd_ctx_look_up() began
 * @ictx: the context
 */
void iommufd_ctx_let_go(struct iommufd_ctx *ictx)
{
	if (refcount_dec_and_test(&ictx->lookers))
		free_ctx(ictx);
}

/**
 * iommufd_ctx_unregister() - a context goes, as soon as nobody looks at it
 * @ictx: the context, without objects; not the caller's any more
 */
void iommufd_ctx_unregister(struct iommufd_ctx *ictx)
{
	xa_erase(&contexts, ictx->id);
	iommufd_ctx_let_go(ictx);
}

/**
 * iommufd_ctx_look_up() - begin to look at a context
 * @id: number at which to begin; out: that of the context
 *
 * Return: the first context with that number or a higher one, for iommufd_ctx_let_go(), or NULL.
 */
struct iommufd_ctx *iommufd_ctx_look_up(u32 *id)
{
	unsigned long index = *id;
	struct iommufd_ctx *ictx;

	xa_lock(&contexts);
	ictx = xa_find(&contexts, &index, U32_MAX, XA_PRESENT);
	/* In the register, so the count is not 0. */
	if (ictx)
		refcount_inc(&ictx->lookers);
	xa_unlock(&contexts);
	*id = index;
	return ictx;
}

/**
 * iommufd_ctx_note_user() - the calling process sets a context up
 * @ictx: the context
 *
 * Files are passed on: libvirt opens what QEMU uses.  So whose context it is tells who last made
 * something in it, not who opened it.
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
 * @ictx: the context, of which the caller has a reference already
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
 * iommufd_ctx_sum() - what there is in all IOASes of a context
 * @ictx: the context
 * @sum: filled in; exact while nothing changes
 *
 * Takes as long as there are CPUs, however many objects there are.
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
