/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No lock of iommufd is held over a page fault or a user copy; lockdep knows.
 *
 * A fault is a lock to lockdep, one that is outside of every lock of iommufd.  Where a lock is
 * made it is told so, and where the module is about to fault it pretends to take that lock: with
 * another held it reports a circle, whether or not the page is there.
 */
#ifndef IOMMUSCOPE_IOMMUFD_FAULT_H
#define IOMMUSCOPE_IOMMUFD_FAULT_H

#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

#ifdef CONFIG_LOCKDEP
/* pin.c */
extern struct lockdep_map iommufd_fault_map;

/**
 * iommufd_may_fault() - user memory is about to be touched: no lock of iommufd may be held
 */
static inline void iommufd_may_fault(void)
{
	lock_map_acquire(&iommufd_fault_map);
	lock_map_release(&iommufd_fault_map);
}

/**
 * iommufd_mutex_no_fault() - nothing faults while a mutex is held
 * @mutex: the mutex, just initialised
 */
static inline void iommufd_mutex_no_fault(struct mutex *mutex)
{
	lock_map_acquire(&iommufd_fault_map);
	mutex_lock(mutex);
	mutex_unlock(mutex);
	lock_map_release(&iommufd_fault_map);
}

/**
 * iommufd_rwsem_no_fault() - nothing faults while a semaphore is held
 * @sem: the semaphore, just initialised
 */
static inline void iommufd_rwsem_no_fault(struct rw_semaphore *sem)
{
	lock_map_acquire(&iommufd_fault_map);
	down_write(sem);
	up_write(sem);
	lock_map_release(&iommufd_fault_map);
}
#else
static inline void iommufd_may_fault(void)
{
}

static inline void iommufd_mutex_no_fault(struct mutex *mutex)
{
}

static inline void iommufd_rwsem_no_fault(struct rw_semaphore *sem)
{
}
#endif

#endif
