// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that do nothing, behind all that "iommuscope replace" hooks on VT-d: nobody who watches the same can
 * cost less.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/iommufd_replace_start")
int begins(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("fentry/device_block_translation")
int blocks(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("fexit/__iommu_device_set_domain")
int moved(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("tp_btf/iommufd_replace")
int ends(void *ctx)
{
	(void)ctx;
	return 0;
}
