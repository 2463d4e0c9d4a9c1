/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's xarrays, read without their lock: an entry that is found may be going away, or
 * already be gone.
 */
#ifndef IOMMUSCOPE_BPF_XARRAY_BPF_H
#define IOMMUSCOPE_BPF_XARRAY_BPF_H

#define XARRAY_BITS 6
#define XARRAY_LEVELS 6

/* Entries that are not pointers are marked in the lowest bits: nodes, and marks below 4096. */
static __always_inline bool xarray_is_node(__u64 entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

/* The entry of an xarray at an index; 0 if there is none. */
static __noinline __u64 xarray_at(__u64 address, __u64 index)
{
	const struct xarray *array = (void *)address;
	__u64 entry = (__u64)BPF_CORE_READ(array, xa_head);
	const struct xa_node *node;
	__u8 shift;
	int i;

	/* without a node there is only the entry of index 0 */
	if (!xarray_is_node(entry))
		return index || entry & 3 ? 0 : entry;
	for (i = 0; i < XARRAY_LEVELS && xarray_is_node(entry); i++) {
		node = (void *)(entry - 2);
		shift = BPF_CORE_READ(node, shift);
		if (!i && shift < 58 && index >> shift >> XARRAY_BITS)
			return 0;
		entry = (__u64)BPF_CORE_READ(node, slots[(index >> (shift & 63)) & 63]);
	}
	return entry & 3 ? 0 : entry;
}

#endif
