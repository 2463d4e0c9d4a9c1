// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O page table of the mock IOMMU: a radix tree, as in hardware.
 *
 * A table is one page of 512 entries.  An entry of the lowest level, 0, maps a granule of half a
 * CPU page.  An entry of level n is a leaf that maps 512^n granules, or it points to a table of
 * level n - 1.  A page size between two levels is a run of leaves of the lower level.
 *
 * Tables have no lock.  The IOMMU API requires that callers map or unmap a range of IOVAs
 * exclusively.  Only tables, which neighbouring ranges share, can be contended, so they are linked
 * with cmpxchg().  A table leaves the tree only in an unmap that covers all of its IOVAs.  It then
 * goes to a list, which the caller frees once no DMA can be walking the table.  Lookups use
 * whatever they find.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "pgtable.h"

#define MOCK_PTE_VALID	BIT_ULL(0)
#define MOCK_PTE_TABLE	BIT_ULL(1)
#define MOCK_PTE_READ	BIT_ULL(2)
#define MOCK_PTE_WRITE	BIT_ULL(3)
#define MOCK_PTE_ADDR	(~(MOCK_PT_GRANULE - 1))

static unsigned int mock_shift(unsigned int level)
{
	return MOCK_PT_GRANULE_SHIFT + level * MOCK_PT_INDEX_BITS;
}

static unsigned int mock_index(u64 iova, unsigned int level)
{
	return (iova >> mock_shift(level)) & (MOCK_PT_ENTRIES - 1);
}

static bool mock_pte_is_table(u64 pte)
{
	return pte & MOCK_PTE_TABLE;
}

static u64 *mock_pte_table(u64 pte)
{
	return phys_to_virt(pte & MOCK_PTE_ADDR);
}

static u64 *mock_table_alloc(struct mock_pgtable *pt, gfp_t gfp)
{
	u64 *table = (u64 *)get_zeroed_page(gfp);

	if (table)
		atomic_long_inc(&pt->tables);
	return table;
}

/**
 * mock_pgtable_init() - create an empty page table
 * @pt: the page table
 * @last_iova: highest IOVA that it must be able to map
 * @gfp: allocation flags
 *
 * Return: 0 or -ENOMEM
 */
int mock_pgtable_init(struct mock_pgtable *pt, u64 last_iova, gfp_t gfp)
{
	BUILD_BUG_ON(MOCK_PT_ENTRIES * sizeof(u64) > PAGE_SIZE);

	pt->levels = 1;
	while (mock_shift(pt->levels) < 64 && last_iova >> mock_shift(pt->levels))
		pt->levels++;
	atomic_long_set(&pt->tables, 0);
	pt->root = mock_table_alloc(pt, gfp);
	return pt->root ? 0 : -ENOMEM;
}

static void mock_table_free(u64 *table, unsigned int level)
{
	unsigned int i;

	if (level)
		for (i = 0; i < MOCK_PT_ENTRIES; i++)
			if (mock_pte_is_table(table[i]))
				mock_table_free(mock_pte_table(table[i]), level - 1);
	free_page((unsigned long)table);
}

/**
 * mock_pgtable_fini() - free a page table that nothing walks any more
 * @pt: the page table
 */
void mock_pgtable_fini(struct mock_pgtable *pt)
{
	mock_table_free(pt->root, pt->levels - 1);
	pt->root = NULL;
}

/*
 * Returns the table of @level that contains @iova, creating it if necessary; ERR_PTR(-EEXIST) below
 * a leaf.
 */
static u64 *mock_table_get(struct mock_pgtable *pt, u64 iova, unsigned int level, gfp_t gfp)
{
	unsigned int at = pt->levels - 1;
	u64 *table = pt->root;

	for (; at > level; at--) {
		u64 *slot = &table[mock_index(iova, at)];
		u64 pte = READ_ONCE(*slot);

		if (!pte) {
			u64 *new = mock_table_alloc(pt, gfp);
			u64 old;

			if (!new)
				return ERR_PTR(-ENOMEM);
			pte = virt_to_phys(new) | MOCK_PTE_VALID | MOCK_PTE_TABLE;
			old = cmpxchg64(slot, 0, pte);
			if (old) {
				free_page((unsigned long)new);
				atomic_long_dec(&pt->tables);
				pte = old;
			}
		}
		if (!mock_pte_is_table(pte))
			return ERR_PTR(-EEXIST);
		table = mock_pte_table(pte);
	}
	return table;
}

/**
 * mock_pgtable_map() - map a physically contiguous range
 * @pt: the page table
 * @iova: IOVA to map at, a multiple of @pgsize
 * @phys: physical address, a multiple of @pgsize
 * @pgsize: size of a page, a power of two, at least a granule
 * @pgcount: number of pages
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @gfp: allocation flags for tables
 * @mapped: mapped bytes are added here, also on failure
 *
 * Return: 0, -ENOMEM, or -EEXIST if part of the range is already mapped
 */
int mock_pgtable_map(struct mock_pgtable *pt, u64 iova, phys_addr_t phys, size_t pgsize,
		     size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	unsigned int level = (ilog2(pgsize) - MOCK_PT_GRANULE_SHIFT) / MOCK_PT_INDEX_BITS;
	size_t step = BIT_ULL(mock_shift(level));
	u64 flags = MOCK_PTE_VALID;
	size_t left = pgsize * pgcount;
	int rc;

	if (prot & IOMMU_READ)
		flags |= MOCK_PTE_READ;
	if (prot & IOMMU_WRITE)
		flags |= MOCK_PTE_WRITE;

	while (left) {
		u64 *table = mock_table_get(pt, iova, level, gfp);
		unsigned int i;

		if (IS_ERR(table))
			return PTR_ERR(table);

		for (i = mock_index(iova, level); i < MOCK_PT_ENTRIES && left; i++) {
			u64 pte = READ_ONCE(table[i]);

			if (mock_pte_is_table(pte)) {
				/*
				 * Small pages were mapped here earlier.  A walk may be using their
				 * table at the moment, so reuse it and do not free it.
				 */
				rc = mock_pgtable_map(pt, iova, phys, step >> MOCK_PT_INDEX_BITS,
						      MOCK_PT_ENTRIES, prot, gfp, mapped);
				if (rc)
					return rc;
			} else if (WARN_ON_ONCE(pte)) {
				return -EEXIST;
			} else {
				WRITE_ONCE(table[i], phys | flags);
				*mapped += step;
			}
			iova += step;
			phys += step;
			left -= step;
		}
	}
	return 0;
}

/*
 * Unmaps from @iova to @last within @table, of @level; stops at the first IOVA that is not mapped.
 */
static size_t mock_table_clear(struct mock_pgtable *pt, u64 *table, unsigned int level, u64 iova,
			       u64 last, struct list_head *freelist)
{
	unsigned int shift = mock_shift(level);
	u64 span = BIT_ULL(shift);
	size_t done = 0;
	unsigned int i;

	for (i = mock_index(iova, level); i < MOCK_PT_ENTRIES; i++) {
		u64 entry_last = iova | (span - 1);
		u64 pte = READ_ONCE(table[i]);
		bool whole = !(iova & (span - 1)) && entry_last <= last;

		if (!pte)
			break;
		if (mock_pte_is_table(pte)) {
			u64 *below = mock_pte_table(pte);
			u64 stop = min(entry_last, last);
			size_t n = mock_table_clear(pt, below, level - 1, iova, stop, freelist);

			done += n;
			if (n != stop - iova + 1)
				break;
			if (whole) {
				WRITE_ONCE(table[i], 0);
				list_add_tail(&virt_to_page(below)->lru, freelist);
				atomic_long_dec(&pt->tables);
			}
		} else {
			/* A huge page must be unmapped as a whole. */
			if (WARN_ON_ONCE(!whole))
				break;
			WRITE_ONCE(table[i], 0);
			done += span;
		}
		if (entry_last >= last)
			break;
		iova = entry_last + 1;
	}
	return done;
}

/**
 * mock_pgtable_unmap() - unmap a range
 * @pt: the page table
 * @iova: first IOVA
 * @size: bytes
 * @freelist: tables that became unused are added here; free them once no DMA can walk them
 *
 * Return: bytes unmapped, less than @size if not all of it was mapped
 */
size_t mock_pgtable_unmap(struct mock_pgtable *pt, u64 iova, size_t size,
			  struct list_head *freelist)
{
	return mock_table_clear(pt, pt->root, pt->levels - 1, iova, iova + size - 1, freelist);
}

/**
 * mock_pgtable_lookup() - translate an address
 * @pt: the page table
 * @iova: the IOVA
 * @phys: out: physical address of that byte
 * @prot: out: IOMMU_READ, IOMMU_WRITE
 *
 * Return: true if it is mapped
 */
bool mock_pgtable_lookup(const struct mock_pgtable *pt, u64 iova, phys_addr_t *phys, int *prot)
{
	unsigned int level = pt->levels - 1;
	u64 *table = pt->root;
	u64 pte;

	if (mock_shift(pt->levels) < 64 && iova >> mock_shift(pt->levels))
		return false;

	for (;; level--) {
		pte = READ_ONCE(table[mock_index(iova, level)]);
		if (!mock_pte_is_table(pte))
			break;
		table = mock_pte_table(pte);
	}
	if (!pte)
		return false;

	*phys = (pte & MOCK_PTE_ADDR) | (iova & (BIT_ULL(mock_shift(level)) - 1));
	*prot = (pte & MOCK_PTE_READ ? IOMMU_READ : 0) | (pte & MOCK_PTE_WRITE ? IOMMU_WRITE : 0);
	return true;
}
