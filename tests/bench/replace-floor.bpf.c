// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that do nothing, behind all that "iommuscope replace" hooks on VT-d: nobody who watches the same can
 * cost less.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define NOTHING(section, name)                                                                     \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		(void)ctx;                                                                         \
		return 0;                                                                          \
	}

NOTHING("tp_btf/iommufd_replace_start", begins)
NOTHING("fentry/device_block_translation", blocks)
NOTHING("fexit/__iommu_device_set_domain", moved)
NOTHING("tp_btf/iommufd_replace", ends)
