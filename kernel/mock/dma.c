// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine of a mock device.
 *
 * A thread loops over a range of IOVAs, with one access of eight bytes in each granule, through the
 * page table of the domain that its device is attached to.  mock_dma.lock is held over each access,
 * including the lookup.  mock_dma_wait(), which takes and drops the lock, therefore has the effect
 * of an IOTLB invalidation in hardware: when it returns, no access that saw the old page table is
 * in flight.
 *
 * A read stores nothing; a write stores the number of accesses so far.  An access that cannot be
 * translated, or not in its direction, is a fault.  It is counted, and reported to the IOMMU core
 * as in any driver, which fires the event iommu:io_page_fault.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "iommufd_test.h"
#include "mock.h"

/* Accesses between two reschedule points */
#define MOCK_DMA_BATCH 64

/**
 * mock_dma_init() - initialise a stopped engine without a domain
 * @dma: the engine
 */
void mock_dma_init(struct mock_dma *dma)
{
	spin_lock_init(&dma->lock);
	mutex_init(&dma->mutex);
}

/* Accesses the memory at @phys; memory that the kernel does not map counts as accessed. */
static void mock_dma_touch(struct mock_dma *dma, phys_addr_t phys)
{
	u64 *p;

	if (!pfn_valid(PHYS_PFN(phys)))
		return;
	p = phys_to_virt(phys & ~(phys_addr_t)(sizeof(*p) - 1));
	if (dma->mode & MOCK_DMA_READ)
		READ_ONCE(*p);
	if (dma->mode & MOCK_DMA_WRITE)
		WRITE_ONCE(*p, dma->accesses);
}

static void mock_dma_reached(struct mock_dma *dma)
{
	u64 now = ktime_get_ns();

	if (dma->faulted && dma->last_ok_ns)
		dma->longest_gap_ns = max(dma->longest_gap_ns, now - dma->last_ok_ns);
	dma->faulted = false;
	dma->last_ok_ns = now;
	dma->accesses++;
}

/**
 * mock_dma_fault() - count and report that a device could not access memory
 * @mdev: the device; its DMA is locked
 * @iova: the address
 *
 * A separate function, so that programs can be attached to it.  They see every fault, including
 * those that are not reported because nothing is attached.
 */
noinline void mock_dma_fault(struct mock_device *mdev, u64 iova)
{
	struct mock_dma *dma = &mdev->dma;

	lockdep_assert_held(&dma->lock);
	dma->faults++;
	dma->faulted = true;
	if (!dma->domain) {
		dma->gap_faults++;
		return;
	}
	report_iommu_fault(&dma->domain->domain, &mdev->pdev->dev, iova,
			   dma->mode & MOCK_DMA_WRITE ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ);
}

/* Does one access; returns whether it reached memory. */
static bool mock_dma_access(struct mock_device *mdev)
{
	struct mock_dma *dma = &mdev->dma;
	phys_addr_t phys;
	bool ok = false;
	int prot = 0;
	u64 iova;

	spin_lock(&dma->lock);
	iova = dma->iova + dma->pos;
	dma->pos += MOCK_IO_PAGE_SIZE;
	if (dma->pos >= dma->length)
		dma->pos = 0;

	if (dma->domain && mock_pgtable_lookup(&dma->domain->pt, iova, &phys, &prot) &&
	    (prot & dma->mode) == dma->mode) {
		mock_dma_touch(dma, phys);
		mock_dma_reached(dma);
		ok = true;
	} else {
		mock_dma_fault(mdev, iova);
	}
	spin_unlock(&dma->lock);
	return ok;
}

static int mock_dma_thread(void *data)
{
	struct mock_device *mdev = data;
	u32 interval_us = mdev->dma.interval_us;
	unsigned int n = 0;

	while (!kthread_should_stop()) {
		bool ok = mock_dma_access(mdev);

		if (interval_us)
			usleep_range(interval_us, interval_us + interval_us / 8 + 1);
		else if (!ok)
			usleep_range(1, 5);
		else if (!(++n % MOCK_DMA_BATCH))
			cond_resched();
	}
	return 0;
}

/**
 * mock_dma_start() - start the DMA of a device
 * @mdev: the device
 * @iova: first IOVA
 * @length: bytes
 * @mode: MOCK_DMA_READ, MOCK_DMA_WRITE or both
 * @interval_us: pause after each access; with 0 the device pauses only after a fault
 *
 * The counters keep their values.
 *
 * Return: 0; -EBUSY if its DMA is already running; -EINVAL; -ENOMEM
 */
int mock_dma_start(struct mock_device *mdev, u64 iova, u64 length, int mode, u32 interval_us)
{
	struct mock_dma *dma = &mdev->dma;
	struct task_struct *task;
	int rc = 0;

	if (!length || iova + length - 1 < iova || !mode)
		return -EINVAL;

	mutex_lock(&dma->mutex);
	if (dma->task) {
		rc = -EBUSY;
		goto out;
	}
	spin_lock(&dma->lock);
	dma->iova = iova;
	dma->length = length;
	dma->mode = mode;
	dma->interval_us = interval_us;
	dma->pos = 0;
	dma->last_ok_ns = 0;
	dma->faulted = false;
	spin_unlock(&dma->lock);

	task = kthread_run(mock_dma_thread, mdev, "mock-dma/%u", mdev->index);
	if (IS_ERR(task))
		rc = PTR_ERR(task);
	else
		dma->task = task;
out:
	mutex_unlock(&dma->mutex);
	return rc;
}

/**
 * mock_dma_stop() - stop the DMA of a device
 * @mdev: the device
 */
void mock_dma_stop(struct mock_device *mdev)
{
	struct mock_dma *dma = &mdev->dma;

	mutex_lock(&dma->mutex);
	if (dma->task)
		kthread_stop(dma->task);
	dma->task = NULL;
	mutex_unlock(&dma->mutex);
}

/**
 * mock_dma_set_domain() - switch the domain that translates for a device
 * @mdev: the device
 * @domain: the domain, NULL to translate nothing
 *
 * When this returns, the device no longer uses its previous domain.  At every moment the device is
 * in the list of at least one of the two domains, so a caller that waits for DMA through either
 * domain waits for this device.
 */
void mock_dma_set_domain(struct mock_device *mdev, struct mock_domain *domain)
{
	struct mock_domain *old = mdev->dma.domain;
	struct mock_domain *first = min(old, domain);
	struct mock_domain *second = max(old, domain);

	if (old == domain)
		return;
	if (first)
		spin_lock(&first->lock);
	spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);

	spin_lock(&mdev->dma.lock);
	mdev->dma.domain = domain;
	spin_unlock(&mdev->dma.lock);
	if (old)
		list_del(&mdev->domain_item);
	if (domain)
		list_add_tail(&mdev->domain_item, &domain->devices);

	spin_unlock(&second->lock);
	if (first)
		spin_unlock(&first->lock);
}

/**
 * mock_dma_wait() - wait for all accesses in flight through a domain
 * @domain: the domain
 */
void mock_dma_wait(struct mock_domain *domain)
{
	struct mock_device *mdev;

	spin_lock(&domain->lock);
	list_for_each_entry(mdev, &domain->devices, domain_item) {
		spin_lock(&mdev->dma.lock);
		spin_unlock(&mdev->dma.lock);
	}
	spin_unlock(&domain->lock);
}
