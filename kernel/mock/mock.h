/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock IOMMU: what its files share.
 *
 * One IOMMU (iommu.c) translates for any number of devices (device.c), platform devices without a
 * driver that exist for as long as the test object that asked for them (test_ioctl.c), found and
 * grouped by registry.c.  A device can be told to do DMA (dma.c): it then reads or writes memory
 * through its page table (pgtable.c) and counts what it could and could not reach: the ground truth
 * for whoever watches a replacement.  knobs.c shows the counters and sets how translation is
 * switched.
 *
 * Lock order: group mutex of the IOMMU core > mock_domain.lock > mock_device.dma.lock.
 */
#ifndef IOMMUSCOPE_MOCK_H
#define IOMMUSCOPE_MOCK_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "pgtable.h"

#define MOCK_NAME "iommufd-mock"
#define MOCK_DRIVEN_NAME "iommufd-mock-driven"

struct dentry;
struct iommufd_ctx;
struct iommufd_op;

/**
 * struct mock_profile - what a device and its IOMMU can do, fixed when it is made
 * @pgsizes: page sizes
 * @aperture_start: first IOVA translated
 * @aperture_last: last IOVA translated
 * @resv_start: first IOVA of a reserved region
 * @resv_length: its length, 0 if there is none
 * @flags: MOCK_DEVICE_* of iommufd_test.h
 */
struct mock_profile {
	unsigned long pgsizes;
	u64 aperture_start;
	u64 aperture_last;
	u64 resv_start;
	u64 resv_length;
	u32 flags;
};

/**
 * struct mock_domain - a domain of the mock IOMMU
 * @domain: its generic part
 * @pt: the page table
 * @lock: guards @devices
 * @devices: devices that translate through it, by mock_device.domain_item
 * @can_enforce: the IOMMU of the device it was made for can enforce cache coherency
 * @enforced: cache coherency is enforced
 */
struct mock_domain {
	struct iommu_domain domain;
	struct mock_pgtable pt;
	spinlock_t lock;
	struct list_head devices;
	bool can_enforce;
	bool enforced;
};

/* What DMA does with the memory it reaches. */
#define MOCK_DMA_READ	IOMMU_READ
#define MOCK_DMA_WRITE	IOMMU_WRITE

/**
 * struct mock_dma - the DMA engine of a device
 * @lock: held over each single access, so taking it waits for the access under way; guards all
 *	below but @task and @mutex
 * @mutex: guards @task
 * @task: the thread, NULL while the engine stands still
 * @domain: what translates for the device, NULL while nothing does
 * @iova: first IOVA of the range it goes through
 * @length: length of that range
 * @mode: MOCK_DMA_READ, MOCK_DMA_WRITE or both
 * @interval_us: pause after an access, 0 for none
 * @pos: offset in the range of the next access
 * @accesses: accesses that reached memory
 * @faults: accesses that did not
 * @gap_faults: those of @faults at which there was no domain
 * @last_ok_ns: when memory was last reached; 0 if not yet
 * @longest_gap_ns: longest time between two accesses that reached memory with a fault between
 * @faulted: there was a fault since @last_ok_ns
 */
struct mock_dma {
	spinlock_t lock;
	struct mutex mutex;
	struct task_struct *task;
	struct mock_domain *domain;
	u64 iova;
	u64 length;
	int mode;
	u32 interval_us;
	u64 pos;
	u64 accesses;
	u64 faults;
	u64 gap_faults;
	u64 last_ok_ns;
	u64 longest_gap_ns;
	bool faulted;
};

/**
 * struct mock_device - a device behind the mock IOMMU
 * @pdev: the platform device
 * @index: number in its name, and its id at the IOMMU
 * @profile: what it can do
 * @group: its IOMMU group
 * @domain_item: in mock_domain.devices
 * @dma: DMA engine
 * @replace_gap_us: time without translation when one domain takes over from another
 * @attach_error: errno to fail with when a domain takes over from another or from none, or 0
 * @attaches: domains it was attached to
 * @gaps: how often it translated nothing for @replace_gap_us
 * @gap_ns: for how long in sum
 * @debugfs: directory of its knobs
 */
struct mock_device {
	struct platform_device *pdev;
	u32 index;
	struct mock_profile profile;
	struct mock_group *group;
	struct list_head domain_item;
	struct mock_dma dma;
	u32 replace_gap_us;
	u32 attach_error;
	u64 attaches;
	u64 gaps;
	u64 gap_ns;
	struct dentry *debugfs;
};

/**
 * struct mock_latency - how slow the IOMMU pretends to be, by call, in nanoseconds
 * @map: map_pages()
 * @unmap: unmap_pages()
 * @sync: iotlb_sync()
 * @attach: attach_dev()
 */
struct mock_latency {
	u32 map;
	u32 unmap;
	u32 sync;
	u32 attach;
};

/**
 * struct mock_failure - how the IOMMU fails
 * @map_error: errno that map_pages() fails with; 0: it does not
 * @map_after: calls of map_pages() that succeed before it does
 */
struct mock_failure {
	u32 map_error;
	atomic_t map_after;
};

/* iommu.c */
extern struct mock_latency mock_latency;
extern struct mock_failure mock_failure;
int mock_iommu_init(void);
void mock_iommu_exit(void);
struct fwnode_handle *mock_iommu_fwnode(void);
struct irq_domain *mock_iommu_msi_domain(void);

/* registry.c */
struct mock_group *mock_group_get(u32 key);
void mock_group_put(struct mock_group *group);
int mock_device_list(struct mock_device *mdev);
void mock_device_unlist(struct mock_device *mdev);
struct mock_device *mock_device_by_index(u32 index);
struct iommu_group *mock_device_group(struct mock_device *mdev);

/* device.c */
struct mock_device *mock_device_create(const struct mock_profile *profile, u32 group_key);
void mock_device_destroy(struct mock_device *mdev);
int mock_driver_init(void);
void mock_driver_exit(void);

/* dma.c */
void mock_dma_init(struct mock_dma *dma);
int mock_dma_start(struct mock_device *mdev, u64 iova, u64 length, int mode, u32 interval_us);
void mock_dma_stop(struct mock_device *mdev);
void mock_dma_fault(struct mock_device *mdev, u64 iova);
void mock_dma_set_domain(struct mock_device *mdev, struct mock_domain *domain);
void mock_dma_wait(struct mock_domain *domain);

/* knobs.c */
void mock_knobs_init(void);
void mock_knobs_exit(void);
void mock_knobs_add(struct mock_device *mdev);
void mock_knobs_remove(struct mock_device *mdev);

/* test_ioctl.c */
int mock_test_init(void);
void mock_test_exit(void);

/* test_access.c */
struct iommu_test_cmd;
struct iommu_test_mock;
int mock_access_create(struct iommufd_ctx *ictx, u32 ioas_id, u32 flags, u32 *fd, u32 *id);
int mock_access_pages(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd);
int mock_access_destroy_pages(struct iommufd_ctx *ictx, int fd, u32 pages_id);
int mock_access_rw(struct iommufd_ctx *ictx, struct iommu_test_cmd *cmd);
int mock_access_attach(struct iommufd_ctx *ictx, int fd, u32 ioas_id);
int mock_access_replace(struct iommufd_ctx *ictx, int fd, u32 ioas_id);
int mock_access_detach(struct iommufd_ctx *ictx, int fd);

#endif
