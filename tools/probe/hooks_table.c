// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that are probed, with all the names that they have had.
 *
 * Two names belong to one hook only if the functions do the same.  If a kernel has two such
 * functions side by side (iommu_attach_group() and iommu_attach_group_handle()), each is a hook,
 * and both show the same.
 */
#include "probe/hooks.h"
#include "probe/sources.h"

#define UPSTREAM SOURCE_BIT(SOURCE_UPSTREAM)
#define TYPE1 SOURCE_BIT(SOURCE_TYPE1)
#define VFIO SOURCE_BIT(SOURCE_VFIO)
#define REPLACING (SOURCE_BIT(SOURCE_OWN) | UPSTREAM)

#define HOOK(of, is, what, ...) \
	{ .names = { __VA_ARGS__ }, .sources = (of), .kind = HOOK_##is, .shows = (what) }

/* Called only where the kernel has iommufd. */
#define WITH_IOMMUFD(is, what, name) \
	{ .names = { (name) }, .sources = VFIO, .kind = HOOK_##is, .shows = (what), .with = UPSTREAM }

static const struct hook hooks[] = {
	/* iommufd: each ioctl has its own function */
	HOOK(UPSTREAM, OPERATION, "map", "iommufd_ioas_map"),
	HOOK(UPSTREAM, OPERATION, "map", "iommufd_ioas_map_file"),
	HOOK(UPSTREAM, OPERATION, "unmap", "iommufd_ioas_unmap"),
	HOOK(UPSTREAM, OPERATION, "copy", "iommufd_ioas_copy"),
	HOOK(UPSTREAM, OPERATION, "hwpt_alloc", "iommufd_hwpt_alloc"),
	HOOK(UPSTREAM, OPERATION, "ioas_alloc", "iommufd_ioas_alloc_ioctl"),
	HOOK(UPSTREAM, OPERATION, "destroy", "iommufd_destroy"),
	HOOK(UPSTREAM, OPERATION, "bind", "iommufd_device_bind"),
	HOOK(UPSTREAM, OPERATION, "unbind", "iommufd_device_unbind"),
	HOOK(UPSTREAM, OPERATION, "attach", "iommufd_device_attach"),
	HOOK(UPSTREAM, OPERATION, "replace", "iommufd_device_replace"),
	HOOK(UPSTREAM, OPERATION, "detach", "iommufd_device_detach"),
	HOOK(UPSTREAM, OPERATION, "access_pin", "iommufd_access_pin_pages"),
	HOOK(UPSTREAM, OPERATION, "access_unpin", "iommufd_access_unpin_pages"),
	HOOK(UPSTREAM, OPERATION, "access_rw", "iommufd_access_rw"),
	HOOK(UPSTREAM, OPERATION, "access_attach", "iommufd_access_attach"),
	HOOK(UPSTREAM, OPERATION, "access_replace", "iommufd_access_replace"),
	HOOK(UPSTREAM, OPERATION, "access_detach", "iommufd_access_detach"),
	HOOK(UPSTREAM, DETAIL, "calls of the type1 interface", "iommufd_vfio_ioctl"),
	HOOK(UPSTREAM, PHASE, "account", "iopt_pages_update_pinned", "do_update_pinned"),
	HOOK(UPSTREAM, PHASE, "pin", "pfn_reader_user_pin"),
	HOOK(UPSTREAM, PHASE, "map", "batch_to_domain"),
	HOOK(UPSTREAM, PHASE, "unmap", "iopt_area_unmap_domain_range"),
	HOOK(UPSTREAM, PHASE, "unmap", "batch_from_domain"),
	HOOK(UPSTREAM, PHASE, "unpin", "batch_unpin"),
	HOOK(UPSTREAM, PHASE, "check", "iopt_table_enforce_dev_resv_regions"),
	HOOK(UPSTREAM, PHASE, "alloc", "intel_iommu_domain_alloc_paging_flags",
	     "intel_iommu_domain_alloc_user"),
	HOOK(UPSTREAM, PHASE, "alloc", "amd_iommu_domain_alloc_paging_flags",
	     "amd_iommu_domain_alloc_user"),
	HOOK(UPSTREAM, PHASE, "alloc", "iommu_paging_domain_alloc_flags",
	     "iommu_paging_domain_alloc", "iommu_domain_alloc"),
	HOOK(UPSTREAM, PHASE, "fill", "iopt_table_add_domain"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_replace_group_handle"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_group_replace_domain"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_attach_group_handle"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_attach_group"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_detach_group_handle"),
	HOOK(UPSTREAM, PHASE, "switch", "iommu_detach_group"),
	HOOK(UPSTREAM, PHASE, "drop", "iommufd_hwpt_paging_destroy",
	     "iommufd_hw_pagetable_destroy"),

	/* type1: one function for the ioctls; VFIO's core calls the others */
	HOOK(TYPE1, OPERATION, "map", "vfio_iommu_type1_ioctl"),
	HOOK(TYPE1, OPERATION, "unmap", "vfio_iommu_type1_ioctl"),
	HOOK(TYPE1, OPERATION, "attach", "vfio_iommu_type1_attach_group"),
	HOOK(TYPE1, OPERATION, "detach", "vfio_iommu_type1_detach_group"),
	HOOK(TYPE1, OPERATION, "open", "vfio_iommu_type1_open"),
	HOOK(TYPE1, OPERATION, "close", "vfio_iommu_type1_release"),
	HOOK(TYPE1, OPERATION, "access_pin", "vfio_iommu_type1_pin_pages"),
	HOOK(TYPE1, OPERATION, "access_unpin", "vfio_iommu_type1_unpin_pages"),
	HOOK(TYPE1, OPERATION, "access_rw", "vfio_iommu_type1_dma_rw"),
	HOOK(TYPE1, PHASE, "account", "mm_lock_acct"),
	HOOK(TYPE1, PHASE, "pin", "vaddr_get_pfns", "vfio_pin_pages_remote"),
	/* the time between the end of a pin and the start of the next */
	HOOK(TYPE1, PHASE, "map", "vaddr_get_pfns", "vfio_pin_pages_remote"),
	HOOK(TYPE1, PHASE, "unmap", "vfio_unmap_unpin"),
	{ .names = { "vfio_sync_unpin" }, .sources = TYPE1, .kind = HOOK_PHASE, .shows = "unpin",
	  .module = "vfio_iommu_type1" },
	HOOK(TYPE1, PHASE, "unpin", "vfio_unpin_pages_remote"),
	HOOK(TYPE1, DETAIL, "the number of extents", "vfio_pin_pages_remote"),
	HOOK(TYPE1, DETAIL, "areas that are removed", "vfio_remove_dma"),

	HOOK(TYPE1, PHASE, "sync", "intel_iommu_tlb_sync"),
	HOOK(TYPE1, PHASE, "sync", "amd_iommu_iotlb_sync"),
	/* functions after the unmap */
	HOOK(TYPE1, PHASE, "unpin", "intel_iommu_tlb_sync"),
	HOOK(TYPE1, PHASE, "unpin", "amd_iommu_iotlb_sync"),

	/* vfio and vfio-pci: the functions of the files' operations, and what drivers call */
	HOOK(VFIO, OPERATION, "open", "vfio_group_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "set_container", "vfio_group_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "unset_container", "vfio_group_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "group_open", "vfio_group_fops_open"),
	HOOK(VFIO, OPERATION, "close", "vfio_device_fops_release"),
	HOOK(VFIO, OPERATION, "reset", "vfio_device_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "hot_reset", "vfio_device_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "set_irqs", "vfio_device_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "feature", "vfio_device_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "ioctl", "vfio_device_fops_unl_ioctl"),
	HOOK(VFIO, OPERATION, "register", "vfio_register_group_dev"),
	HOOK(VFIO, OPERATION, "unregister", "vfio_unregister_group_dev"),
	HOOK(VFIO, OPERATION, "bar_fault", "vfio_pci_mmap_huge_fault", "vfio_pci_mmap_fault"),
	WITH_IOMMUFD(OPERATION, "bind", "vfio_device_fops_unl_ioctl"),
	WITH_IOMMUFD(OPERATION, "attach", "vfio_device_fops_unl_ioctl"),
	WITH_IOMMUFD(OPERATION, "replace", "iommufd_device_replace"),
	WITH_IOMMUFD(OPERATION, "detach", "vfio_device_fops_unl_ioctl"),
	WITH_IOMMUFD(OPERATION, "unbind", "vfio_df_unbind_iommufd"),
	WITH_IOMMUFD(DETAIL, "opens of device nodes", "vfio_device_fops_cdev_open"),
	HOOK(VFIO, DETAIL, "why a BAR could not be mapped", "__vfio_pci_memory_enabled"),
	HOOK(VFIO, DETAIL, "what the driver refused", "vfio_pci_core_ioctl"),
	WITH_IOMMUFD(PHASE, "iommufd", "iommufd_device_bind"),
	WITH_IOMMUFD(PHASE, "iommufd", "iommufd_device_attach"),
	WITH_IOMMUFD(PHASE, "iommufd", "iommufd_device_detach"),
	WITH_IOMMUFD(PHASE, "iommufd", "iommufd_device_unbind"),
	HOOK(VFIO, PHASE, "driver", "vfio_pci_core_enable"),
	HOOK(VFIO, PHASE, "driver", "vfio_pci_core_close_device"),
	HOOK(VFIO, PHASE, "reset", "pci_try_reset_function"),
	HOOK(VFIO, PHASE, "reset", "__pci_reset_function_locked"),
	HOOK(VFIO, PHASE, "reset", "pci_reset_bus"),

	/* the core and the IOMMU drivers while a translation is replaced */
	HOOK(REPLACING, DETAIL, "when a replacement moves a device", "__iommu_device_set_domain"),
	HOOK(REPLACING, DETAIL, "windows without translation", "device_block_translation"),
	HOOK(REPLACING, DETAIL, "windows without translation", "detach_device"),
	HOOK(REPLACING, DETAIL, "windows without translation", "viommu_attach_dev"),
	HOOK(REPLACING, DETAIL, "windows without translation", "mock_dma_set_domain"),
	HOOK(REPLACING, DETAIL, "faults of DMA", "dmar_fault"),
	HOOK(REPLACING, DETAIL, "faults of DMA", "iommu_poll_events"),
	HOOK(REPLACING, DETAIL, "faults of DMA", "mock_dma_fault"),
};

const struct hook *hook_at(size_t index)
{
	return index < sizeof(hooks) / sizeof(hooks[0]) ? &hooks[index] : NULL;
}

const char *const *source_modules(void)
{
	/* the sources, modules around them, and the IOMMU drivers whose functions are probed */
	static const char *const modules[] = { "iommufd", "vfio", "vfio_iommu_type1", "vfio_pci",
					       "vfio_pci_core", "iommufd_mock", "virtio_iommu",
					       NULL };

	return modules;
}
