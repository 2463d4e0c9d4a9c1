/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's xarrays, read without their lock: what is found may be going, or gone.
 */
#ifndef IOMMUSCOPE_BPF_XARRAY_BPF_H
#define IOMMUSCOPE_BPF_XARRAY_BPF_H

#define XARRAY_BITS 6
#define XARRAY_LEVELS 6

/* What an xarray keeps besides pointers is marked in the lowest bits: nodes, below 4096 marks. */
static __always_inline bool xarray_is_node(__u64 entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

/* What an xarray has at an index; 0 for nothing. */
static __noinline __u64 xarray_at(__u64 address, __u64 index)
{
	const struct xarray *array = (void *)address;
	__u64 entry = (__u64)BPF_CORE_READ(array, xa_head);
	const struct xa_node *node;
	__u8 shift;
	int i;

	/* without a node there is the entry of index 0 alone */
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
