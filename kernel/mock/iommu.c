// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU as a driver of the kernel's IOMMU core.
 *
 * It registers under a firmware node of its own, and its devices carry an iommu_fwspec with that
 * node, so it coexists with the IOMMU of the machine.  A device without a domain of iommufd
 * translates nothing: its default domain is the blocked one.
 *
 * A domain has the page sizes and the aperture of the device for which it was created.  A device
 * accepts a domain only if its own page sizes and aperture include those of the domain.  Otherwise
 * attach_dev() returns -EINVAL, which means an incompatible domain to the core.
 */
#include <linux/delay.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "iommufd_test.h"
#include "mock.h"

struct mock_latency mock_latency;
struct mock_failure mock_failure;

static struct platform_device *mock_hw;
static struct iommu_device mock_iommu;
static struct irq_domain *mock_msi_domain;
static struct fwnode_handle *mock_msi_fwnode;

static const struct software_node mock_node = {
	.name = MOCK_NAME,
};

static struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

/* Not udelay(): it counts cycles, whose rate an emulated machine may have measured wrongly. */
static void mock_delay(u32 ns)
{
	u64 end;

	if (!ns)
		return;
	end = ktime_get_ns() + ns;
	do {
		cpu_relax();
	} while (ktime_get_ns() < end);
}

/*
 * Domains
 */

static int mock_attach(struct iommu_domain *domain, struct device *dev)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);
	struct mock_domain *md = to_mock_domain(domain);
	u32 gap_us = READ_ONCE(mdev->replace_gap_us);
	u32 error = READ_ONCE(mdev->attach_error);
	u64 start_ns;

	if (md == mdev->dma.domain)
		return 0;
	if (md->domain.pgsize_bitmap & ~mdev->profile.pgsizes ||
	    md->domain.geometry.aperture_start < mdev->profile.aperture_start ||
	    md->domain.geometry.aperture_end > mdev->profile.aperture_last)
		return -EINVAL;
	if (md->enforced && mdev->profile.flags & MOCK_DEVICE_NO_ENFORCE)
		return -EINVAL;
	if (error)
		return -(int)error;

	mock_delay(READ_ONCE(mock_latency.attach));
	if (gap_us && mdev->dma.domain) {
		mock_dma_set_domain(mdev, NULL);
		start_ns = ktime_get_ns();
		usleep_range(gap_us, gap_us + gap_us / 16 + 1);
		mdev->gap_ns += ktime_get_ns() - start_ns;
		mdev->gaps++;
	}
	mock_dma_set_domain(mdev, md);
	mdev->attaches++;
	return 0;
}

static int mock_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	mock_dma_set_domain(dev_iommu_priv_get(dev), NULL);
	return 0;
}

static void mock_free(struct iommu_domain *domain)
{
	struct mock_domain *md = to_mock_domain(domain);

	WARN_ON(!list_empty(&md->devices));
	mock_pgtable_fini(&md->pt);
	kfree(md);
}

static int mock_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		    size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	struct mock_domain *md = to_mock_domain(domain);
	u32 error = READ_ONCE(mock_failure.map_error);

	if (error && atomic_dec_if_positive(&mock_failure.map_after) < 0)
		return -(int)error;
	if (iova < domain->geometry.aperture_start ||
	    iova + pgsize * pgcount - 1 > domain->geometry.aperture_end)
		return -ERANGE;
	mock_delay(READ_ONCE(mock_latency.map));
	return mock_pgtable_map(&md->pt, iova, phys, pgsize, pgcount, prot, gfp, mapped);
}

static size_t mock_unmap(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			 size_t pgcount, struct iommu_iotlb_gather *gather)
{
	size_t n;

	mock_delay(READ_ONCE(mock_latency.unmap));
	n = mock_pgtable_unmap(&to_mock_domain(domain)->pt, iova, pgsize * pgcount,
			       &gather->freelist);
	if (n)
		iommu_iotlb_gather_add_range(gather, iova, n);
	return n;
}

static void mock_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	mock_delay(READ_ONCE(mock_latency.sync));
	mock_dma_wait(to_mock_domain(domain));
	put_pages_list(&gather->freelist);
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	phys_addr_t phys;
	int prot;

	return mock_pgtable_lookup(&to_mock_domain(domain)->pt, iova, &phys, &prot) ? phys : 0;
}

static bool mock_enforce(struct iommu_domain *domain)
{
	struct mock_domain *md = to_mock_domain(domain);
	struct mock_device *mdev;
	bool can = md->can_enforce;

	spin_lock(&md->lock);
	list_for_each_entry(mdev, &md->devices, domain_item)
		if (mdev->profile.flags & MOCK_DEVICE_NO_ENFORCE)
			can = false;
	if (can)
		md->enforced = true;
	spin_unlock(&md->lock);
	return can;
}

static const struct iommu_domain_ops mock_domain_ops = {
	.attach_dev = mock_attach,
	.map_pages = mock_map,
	.unmap_pages = mock_unmap,
	.iotlb_sync = mock_sync,
	.iova_to_phys = mock_iova_to_phys,
	.enforce_cache_coherency = mock_enforce,
	.free = mock_free,
};

static const struct iommu_domain_ops mock_blocked_ops = {
	.attach_dev = mock_attach_blocked,
};

static struct iommu_domain mock_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &mock_blocked_ops,
};

static const struct iommu_ops mock_ops;

static struct iommu_domain *mock_alloc_paging(struct device *dev)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);
	struct mock_domain *md;
	int rc;

	md = kzalloc(sizeof(*md), GFP_KERNEL_ACCOUNT);
	if (!md)
		return ERR_PTR(-ENOMEM);
	rc = mock_pgtable_init(&md->pt, mdev->profile.aperture_last, GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(md);
		return ERR_PTR(rc);
	}
	spin_lock_init(&md->lock);
	INIT_LIST_HEAD(&md->devices);
	md->can_enforce = !(mdev->profile.flags & MOCK_DEVICE_NO_ENFORCE);
	md->domain.pgsize_bitmap = mdev->profile.pgsizes;
	md->domain.geometry.aperture_start = mdev->profile.aperture_start;
	md->domain.geometry.aperture_end = mdev->profile.aperture_last;
	md->domain.geometry.force_aperture = true;
	return &md->domain;
}

static struct iommu_domain *mock_alloc_user(struct device *dev, u32 flags,
					    struct iommu_domain *parent,
					    const struct iommu_user_data *user_data)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);
	struct iommu_domain *domain;

	if (parent || user_data || flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags && mdev->profile.flags & MOCK_DEVICE_NO_FLAGS)
		return ERR_PTR(-EOPNOTSUPP);

	domain = mock_alloc_paging(dev);
	if (!IS_ERR(domain)) {
		domain->type = IOMMU_DOMAIN_UNMANAGED;
		domain->ops = &mock_domain_ops;
		domain->owner = &mock_ops;
	}
	return domain;
}

/*
 * Devices
 */

static struct iommu_device *mock_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct mock_device *mdev;

	if (!fwspec || fwspec->num_ids != 1)
		return ERR_PTR(-ENODEV);
	mdev = mock_device_by_index(fwspec->ids[0]);
	if (!mdev || &mdev->pdev->dev != dev)
		return ERR_PTR(-ENODEV);
	dev_iommu_priv_set(dev, mdev);
	return &mock_iommu;
}

static void mock_release_device(struct device *dev)
{
	mock_dma_set_domain(dev_iommu_priv_get(dev), NULL);
}

static struct iommu_group *mock_group_of(struct device *dev)
{
	return mock_device_group(dev_iommu_priv_get(dev));
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);

	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return !(mdev->profile.flags & MOCK_DEVICE_NOT_COHERENT);
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return !(mdev->profile.flags & MOCK_DEVICE_NO_ENFORCE);
	default:
		return false;
	}
}

static void *mock_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);
	struct iommu_test_hw_info *info;

	if (mdev->profile.flags & MOCK_DEVICE_NO_HW_INFO)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	info->test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	return info;
}

static void mock_get_resv_regions(struct device *dev, struct list_head *list)
{
	struct mock_device *mdev = dev_iommu_priv_get(dev);
	const struct mock_profile *profile = &mdev->profile;
	struct iommu_resv_region *region;
	bool msi = profile->flags & MOCK_DEVICE_RESV_SW_MSI;

	if (!profile->resv_length)
		return;
	region = iommu_alloc_resv_region(profile->resv_start, profile->resv_length,
					 msi ? IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO : 0,
					 msi ? IOMMU_RESV_SW_MSI : IOMMU_RESV_RESERVED,
					 GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

static const struct iommu_ops mock_ops = {
	.owner = THIS_MODULE,
	.default_domain = &mock_blocked_domain,
	.blocked_domain = &mock_blocked_domain,
	.pgsize_bitmap = MOCK_IO_PAGE_SIZE,
	.domain_alloc_paging = mock_alloc_paging,
	.domain_alloc_user = mock_alloc_user,
	.probe_device = mock_probe_device,
	.release_device = mock_release_device,
	.device_group = mock_group_of,
	.capable = mock_capable,
	.hw_info = mock_hw_info,
	.get_resv_regions = mock_get_resv_regions,
	.default_domain_ops = &mock_domain_ops,
};

/**
 * mock_iommu_fwnode() - get the firmware node of the mock IOMMU's devices
 *
 * Return: the node, valid until mock_iommu_exit()
 */
struct fwnode_handle *mock_iommu_fwnode(void)
{
	return mock_iommu.fwnode;
}

/**
 * mock_iommu_msi_domain() - get the interrupt domain of devices with isolated MSIs
 *
 * It allocates no interrupts; it only has the property of isolating them.
 *
 * Return: the domain, valid until mock_iommu_exit()
 */
struct irq_domain *mock_iommu_msi_domain(void)
{
	return mock_msi_domain;
}

static const struct irq_domain_ops mock_msi_ops = {};

static int mock_msi_init(void)
{
	struct irq_domain_info info = {
		.ops = &mock_msi_ops,
		.domain_flags = IRQ_DOMAIN_FLAG_ISOLATED_MSI,
		.size = 1,
		.hwirq_max = 1,
	};

	mock_msi_fwnode = irq_domain_alloc_named_fwnode(MOCK_NAME);
	if (!mock_msi_fwnode)
		return -ENOMEM;
	info.fwnode = mock_msi_fwnode;
	mock_msi_domain = irq_domain_instantiate(&info);
	if (IS_ERR(mock_msi_domain)) {
		irq_domain_free_fwnode(mock_msi_fwnode);
		return PTR_ERR(mock_msi_domain);
	}
	return 0;
}

static void mock_msi_exit(void)
{
	irq_domain_remove(mock_msi_domain);
	irq_domain_free_fwnode(mock_msi_fwnode);
}

/**
 * mock_iommu_init() - register the mock IOMMU
 *
 * Return: 0 or a negative errno
 */
int mock_iommu_init(void)
{
	int rc;

	rc = mock_msi_init();
	if (rc)
		return rc;

	mock_hw = platform_device_alloc(MOCK_NAME "-hw", PLATFORM_DEVID_NONE);
	if (!mock_hw) {
		rc = -ENOMEM;
		goto err_msi;
	}
	rc = device_add_software_node(&mock_hw->dev, &mock_node);
	if (rc)
		goto err_put;
	rc = platform_device_add(mock_hw);
	if (rc)
		goto err_node;

	rc = iommu_device_sysfs_add(&mock_iommu, &mock_hw->dev, NULL, "mock");
	if (rc)
		goto err_del;
	rc = iommu_device_register(&mock_iommu, &mock_ops, &mock_hw->dev);
	if (rc)
		goto err_sysfs;
	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&mock_iommu);
err_del:
	platform_device_del(mock_hw);
err_node:
	device_remove_software_node(&mock_hw->dev);
err_put:
	platform_device_put(mock_hw);
err_msi:
	mock_msi_exit();
	return rc;
}

/**
 * mock_iommu_exit() - undo mock_iommu_init(), after all devices are gone
 */
void mock_iommu_exit(void)
{
	iommu_device_unregister(&mock_iommu);
	iommu_device_sysfs_remove(&mock_iommu);
	platform_device_del(mock_hw);
	device_remove_software_node(&mock_hw->dev);
	platform_device_put(mock_hw);
	mock_msi_exit();
}
