/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No lock of iommufd is held over a page fault or a user copy; lockdep checks this.
 *
 * For lockdep, a fault is a lock that is always taken outside every lock of iommufd.  That order is
 * declared when a lock is initialised.  Where the module may fault, it pretends to take the fault
 * lock.  If another lock is held at that point, lockdep reports a circular dependency, whether or
 * not the page is present.
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
 * iommufd_may_fault() - assert that no lock of iommufd is held, before user memory is touched
 */
static inline void iommufd_may_fault(void)
{
	lock_map_acquire(&iommufd_fault_map);
	lock_map_release(&iommufd_fault_map);
}

/**
 * iommufd_mutex_no_fault() - declare that no fault happens while a mutex is held
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
 * iommufd_rwsem_no_fault() - declare that no fault happens while a semaphore is held
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
