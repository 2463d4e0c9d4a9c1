// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that do nothing, on all hooks of "iommuscope replace" on VT-d: the lowest cost of
 * watching the same.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define DO_NOTHING(name, hook)                                                                     \
	SEC(hook)                                                                                  \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		(void)ctx;                                                                         \
		return 0;                                                                          \
	}

DO_NOTHING(begins, "tp_btf/iommufd_replace_start")
DO_NOTHING(blocks, "fentry/device_block_translation")
DO_NOTHING(moved, "fexit/__iommu_device_set_domain")
DO_NOTHING(ends, "tp_btf/iommufd_replace")
