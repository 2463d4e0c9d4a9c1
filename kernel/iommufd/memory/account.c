// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounting of pinned memory against RLIMIT_MEMLOCK.
 *
 * A whole segment is charged before its first page is pinned, so that a map that exceeds the limit
 * fails at once and not after a minute of page faults.  The charge is returned when the segment is
 * freed.  Accounting by user counts in user_struct.locked_vm, together with everything else that
 * locks memory for the user; accounting by process counts in mm_struct.locked_vm.  The limit is
 * that of the process that mapped.
 *
 * CAP_IPC_LOCK lifts the limit and, with accounting by user, the charge as well: memory pinned by a
 * privileged process does not reduce what io_uring, perf and other processes of that user may lock.
 * mm_struct.pinned_vm and the context's sum count all pinned memory.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "iommufd_private.h"
#include "memory/pages.h"

static int limit_reached(struct iommufd_op *op, unsigned long used, unsigned long limit)
{
	return iommufd_op_fail(op, -ENOMEM, IOMMUFD_REASON_memlock_limit, (u64)used << PAGE_SHIFT,
			       (u64)limit << PAGE_SHIFT);
}

static int charge_user(struct iommufd_pages *pages, struct iommufd_op *op, unsigned long nr_pages,
		       unsigned long limit)
{
	unsigned long old = atomic_long_read(&pages->user->locked_vm);
	unsigned long new;

	do {
		if (pages->unlimited)
			break;
		new = old + nr_pages;
		if (new < old || new > limit)
			return limit_reached(op, old, limit);
	} while (!atomic_long_try_cmpxchg(&pages->user->locked_vm, (long *)&old, new));

	atomic64_add(nr_pages, &pages->mm->pinned_vm);
	return 0;
}

static noinline int charge_process(struct iommufd_pages *pages, struct iommufd_op *op,
				   unsigned long nr_pages, unsigned long limit)
{
	unsigned long used;
	bool fits;

	iommufd_op_phase(op, IOMMUFD_PHASE_account);
	if (mmap_write_lock_killable(pages->mm))
		return iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
	used = pages->mm->locked_vm;
	fits = used + nr_pages >= used && used + nr_pages <= limit;
	if (fits)
		pages->mm->locked_vm += nr_pages;
	mmap_write_unlock(pages->mm);
	if (!fits)
		return limit_reached(op, used, limit);
	atomic64_add(nr_pages, &pages->mm->pinned_vm);
	return 0;
}

/**
 * iommufd_account_charge() - charge pages that are about to be pinned
 * @pages: the memory they belong to
 * @op: the operation; gets the reason memlock_limit.  Charging the user is one instruction and not
 *	timed; charging the process takes one of its locks and is the phase account.
 * @nr_pages: number of pages
 *
 * Return: 0; -ENOMEM if the limit would be exceeded; -EINTR if a fatal signal arrived.
 */
int iommufd_account_charge(struct iommufd_pages *pages, struct iommufd_op *op,
			   unsigned long nr_pages)
{
	unsigned long limit = ULONG_MAX;
	int rc;

	if (!pages->unlimited)
		limit = task_rlimit(pages->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	if (pages->account_mode == IOMMUFD_ACCOUNT_PROCESS)
		rc = charge_process(pages, op, nr_pages, limit);
	else
		rc = charge_user(pages, op, nr_pages, limit);
	if (!rc)
		atomic_long_add(nr_pages, &pages->ictx->pinned);
	return rc;
}

/**
 * iommufd_account_uncharge() - undo iommufd_account_charge()
 * @pages: the memory they belong to
 * @nr_pages: number of pages
 */
void iommufd_account_uncharge(struct iommufd_pages *pages, unsigned long nr_pages)
{
	if (pages->account_mode == IOMMUFD_ACCOUNT_PROCESS) {
		mmap_write_lock(pages->mm);
		pages->mm->locked_vm -= nr_pages;
		mmap_write_unlock(pages->mm);
	} else if (!pages->unlimited) {
		atomic_long_sub(nr_pages, &pages->user->locked_vm);
	}
	atomic64_sub(nr_pages, &pages->mm->pinned_vm);
	atomic_long_sub(nr_pages, &pages->ictx->pinned);
}
