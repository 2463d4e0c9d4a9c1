/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of the mock IOMMU.
 *
 * One IOMMU (iommu.c) translates for any number of devices (device.c).  These are platform devices
 * without a driver, which exist as long as the test object that requested them (test_ioctl.c);
 * registry.c finds and groups them.  A device can do DMA (dma.c): it reads or writes memory through
 * its page table (pgtable.c) and counts successes and failures.  These counters are the ground
 * truth for tests that observe a replacement.  knobs.c shows the counters and controls how
 * translation is switched.
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
 * struct mock_profile - properties of a device and its IOMMU, fixed at creation
 * @pgsizes: page sizes
 * @aperture_start: first translatable IOVA
 * @aperture_last: last translatable IOVA
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
 * @can_enforce: the IOMMU of the device for which it was created can enforce cache coherency
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

/* Accesses that DMA makes. */
#define MOCK_DMA_READ	IOMMU_READ
#define MOCK_DMA_WRITE	IOMMU_WRITE

/**
 * struct mock_dma - the DMA engine of a device
 * @lock: held over each single access, so that taking it waits for the access in flight; guards all
 *	members below except @task and @mutex
 * @mutex: guards @task
 * @task: the thread, NULL while the engine is stopped
 * @domain: the domain that translates for the device, or NULL
 * @iova: first IOVA of the range
 * @length: length of the range
 * @mode: MOCK_DMA_READ, MOCK_DMA_WRITE or both
 * @interval_us: pause after an access, 0 for none
 * @pos: offset of the next access in the range
 * @accesses: accesses that reached memory
 * @faults: accesses that did not
 * @gap_faults: those of @faults without a domain
 * @last_ok_ns: time of the last access that reached memory; 0 if there was none
 * @longest_gap_ns: longest time between two accesses that reached memory, with a fault between
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
 * @index: number in its name, which is also its id at the IOMMU
 * @profile: its properties
 * @group: its IOMMU group
 * @domain_item: in mock_domain.devices
 * @dma: DMA engine
 * @replace_gap_us: time without translation when one domain replaces another
 * @attach_error: errno with which attaching to another domain fails, or 0
 * @attaches: number of attaches to a domain
 * @gaps: number of gaps of @replace_gap_us without translation
 * @gap_ns: sum of these gaps
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
 * struct mock_latency - simulated duration of IOMMU calls, in nanoseconds
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
 * struct mock_failure - simulated failures of the IOMMU
 * @map_error: errno with which map_pages() fails; 0: it succeeds
 * @map_after: number of map_pages() calls that succeed first
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
