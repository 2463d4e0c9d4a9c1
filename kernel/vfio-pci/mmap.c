// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping the device's memory into a user's page table.
 *
 * mmap() inserts nothing.  Faults insert pages, in the largest size that fits, and only while the
 * memory responds (memory.c).  The offset in the file encodes region and position, so mappings need
 * no record: all of them hang on the device's inode.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/pfn_t.h>

#include "core_private.h"

#define REGION_PGOFF_SHIFT	(VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)
#define REGION_PGOFF_MASK	((1UL << REGION_PGOFF_SHIFT) - 1)

/**
 * vfio_pci_bar_probe_mmap() - find the BARs that can be mapped
 * @vdev: the device, being opened
 *
 * Memory BARs that consist of whole pages can be mapped.  A BAR smaller than a page can be mapped
 * if nothing else uses the rest of its page; dummy_resources_list reserves that rest while the
 * device is open.
 */
void vfio_pci_bar_probe_mmap(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		struct resource *res = &pdev->resource[bar];
		struct resource_entry *rest;

		vdev->bar_mmap_supported[bar] = false;
		if (!(res->flags & IORESOURCE_MEM) || !vfio_pci_has_bar(vdev, bar))
			continue;
		if (resource_size(res) >= PAGE_SIZE) {
			vdev->bar_mmap_supported[bar] = true;
			continue;
		}
		if (!PAGE_ALIGNED(res->start))
			continue;

		rest = resource_list_create_entry(NULL, 0);
		if (!rest)
			continue;
		rest->res->name = "vfio sub-page reserved";
		rest->res->start = res->end + 1;
		rest->res->end = res->start + PAGE_SIZE - 1;
		rest->res->flags = res->flags;
		if (request_resource(res->parent, rest->res)) {
			resource_list_free_entry(rest);
			continue;
		}
		resource_list_add_tail(rest, &vdev->dummy_resources_list);
		vdev->bar_mmap_supported[bar] = true;
	}
}

/* Page frame of an address in a mapping. */
static unsigned long vma_pfn(struct vfio_pci_core_device *vdev, struct vm_area_struct *vma,
			     unsigned long addr)
{
	int bar = vma->vm_pgoff >> REGION_PGOFF_SHIFT;
	unsigned long pgoff = (vma->vm_pgoff & REGION_PGOFF_MASK) +
			      ((addr - vma->vm_start) >> PAGE_SHIFT);

	return (pci_resource_start(vdev->pdev, bar) >> PAGE_SHIFT) + pgoff;
}

static vm_fault_t insert_pages(struct vm_fault *vmf, unsigned long pfn, unsigned int order)
{
	switch (order) {
	case 0:
		return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn);
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	case PMD_ORDER:
		return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), false);
#endif
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	case PUD_ORDER:
		return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), false);
#endif
	default:
		return VM_FAULT_FALLBACK;
	}
}

static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vfio_pci_core_device *vdev = vma->vm_private_data;
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, size);
	unsigned long pfn = vma_pfn(vdev, vma, addr);
	vm_fault_t fault = VM_FAULT_SIGBUS;
	struct vfio_op op;
	int index = vma->vm_pgoff >> REGION_PGOFF_SHIFT;
	u64 offset = ((u64)(vma->vm_pgoff & REGION_PGOFF_MASK) << PAGE_SHIFT) +
		     addr - vma->vm_start;

	if (order && (addr < vma->vm_start || addr + size > vma->vm_end ||
		      !IS_ALIGNED(pfn, 1UL << order)))
		return VM_FAULT_FALLBACK;

	vfio_op_begin(&op, &vdev->vdev, VFIO_OPERATION_bar_fault);
	vfio_op_note(&op, index, index);
	vfio_op_note(&op, offset, offset);
	vfio_op_note(&op, length, size);

	vfio_op_phase(&op, VFIO_PHASE_wait);
	/* A process that was killed never gets to handle its SIGBUS. */
	if (down_read_killable(&vdev->memory_lock)) {
		vfio_op_fail(&op, -EINTR, VFIO_REASON_interrupted, index, offset);
		vfio_op_end(&op, -EINTR);
		return VM_FAULT_SIGBUS;
	}
	vfio_op_phase(&op, VFIO_PHASE_other);
	if (vfio_pci_space_enabled(vdev, VFIO_PCI_SPACE_MEMORY)) {
		fault = insert_pages(vmf, pfn, order);
		if (fault & VM_FAULT_ERROR)
			vfio_op_fail(&op, -EFAULT, VFIO_REASON_insert_failed, index, offset);
	} else {
		vfio_op_fail(&op, -EFAULT, VFIO_REASON_memory_disabled, index, offset);
	}
	up_read(&vdev->memory_lock);

	/* A fault that falls back is repeated with a smaller size, and then fires the event. */
	if (!(fault & VM_FAULT_FALLBACK))
		vfio_op_end(&op, fault & VM_FAULT_ERROR ? -EFAULT : 0);
	return fault;
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static const struct vm_operations_struct bar_vm_ops = {
	.fault = bar_fault,
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
	.huge_fault = bar_huge_fault,
#endif
};

/**
 * vfio_pci_core_mmap() - the mmap() callback of drivers
 * @core_vdev: the device
 * @vma: the mapping; its offset encodes region and position
 *
 * Return: 0, -EINVAL if the region cannot be mapped like that, or another error.
 */
int vfio_pci_core_mmap(struct vfio_device *core_vdev, struct vm_area_struct *vma)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);
	unsigned long index = vma->vm_pgoff >> REGION_PGOFF_SHIFT;
	unsigned long pgoff = vma->vm_pgoff & REGION_PGOFF_MASK;
	unsigned long pages;
	int ret;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (index >= VFIO_PCI_FIRST_DEV_REGION) {
		struct vfio_pci_region *region;

		index -= VFIO_PCI_FIRST_DEV_REGION;
		if (index >= vdev->num_regions)
			return -EINVAL;
		index = array_index_nospec(index, vdev->num_regions);
		region = &vdev->region[index];
		if (!region->ops->mmap || !(region->flags & VFIO_REGION_INFO_FLAG_MMAP))
			return -EINVAL;
		return region->ops->mmap(vdev, region, vma);
	}
	if (index >= VFIO_PCI_ROM_REGION_INDEX)
		return -EINVAL;
	index = array_index_nospec(index, VFIO_PCI_ROM_REGION_INDEX);
	if (!vdev->bar_mmap_supported[index])
		return -EINVAL;

	pages = PAGE_ALIGN(pci_resource_len(vdev->pdev, index)) >> PAGE_SHIFT;
	if (pgoff >= pages || vma_pages(vma) > pages - pgoff)
		return -EINVAL;

	/* Claims the BAR, so that no other part of the kernel maps it with other attributes. */
	ret = vfio_pci_core_setup_barmap(vdev, index);
	if (ret)
		return ret;

	vma->vm_private_data = vdev;
	vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED | VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &bar_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_mmap);
