/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOMMUSCOPE_MOCK_PGTABLE_H
#define IOMMUSCOPE_MOCK_PGTABLE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/types.h>

#define MOCK_PT_GRANULE_SHIFT	(PAGE_SHIFT - 1)
#define MOCK_PT_GRANULE		BIT_ULL(MOCK_PT_GRANULE_SHIFT)
#define MOCK_PT_INDEX_BITS	9
#define MOCK_PT_ENTRIES		BIT(MOCK_PT_INDEX_BITS)

/* The page size of upstream's mock, half a CPU page, and its huge page */
#define MOCK_IO_PAGE_SIZE	MOCK_PT_GRANULE
#define MOCK_HUGE_PAGE_SIZE	(512 * MOCK_IO_PAGE_SIZE)

/**
 * struct mock_pgtable - an I/O page table
 * @root: table of the highest level
 * @levels: number of levels, enough for the aperture
 * @tables: number of allocated tables, for the state files
 */
struct mock_pgtable {
	u64 *root;
	unsigned int levels;
	atomic_long_t tables;
};

int mock_pgtable_init(struct mock_pgtable *pt, u64 last_iova, gfp_t gfp);
void mock_pgtable_fini(struct mock_pgtable *pt);
int mock_pgtable_map(struct mock_pgtable *pt, u64 iova, phys_addr_t phys, size_t pgsize,
		     size_t pgcount, int prot, gfp_t gfp, size_t *mapped);
size_t mock_pgtable_unmap(struct mock_pgtable *pt, u64 iova, size_t size,
			  struct list_head *freelist);
bool mock_pgtable_lookup(const struct mock_pgtable *pt, u64 iova, phys_addr_t *phys, int *prot);

#endif
