/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows without translation: a probe on what each IOMMU driver whose way to switch is known does to take a
 * translation away, and one on the IOMMU core, whose call returns once there is a translation again.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H

#include "bpf/replace_slots.bpf.h"

/* The core has moved a device: to the new HWPT, or back. */
SEC("fexit/__iommu_device_set_domain")
int BPF_PROG(ios_core_moved, struct iommu_group *group, struct device *dev,
	     struct iommu_domain *new_domain, unsigned int flags, int ret)
{
	struct move *move = moving(dev);

	if (!move)
		return 0;
	move->moves++;
	move->ret = ret;
	/* a driver that failed has not put a translation in force */
	if (!move->open || ret)
		return 0;
	move->last_end_ns = bpf_ktime_get_ns();
	move->window_ns += move->last_end_ns - move->last_start_ns;
	if (!move->first_end_ns)
		move->first_end_ns = move->last_end_ns;
	move->open = 0;
	return 0;
}

static __always_inline int translation_goes(const struct device *dev)
{
	struct move *move = moving(dev);

	if (!move || move->open)
		return 0;
	move->open = 1;
	move->last_start_ns = bpf_ktime_get_ns();
	if (!move->windows++)
		move->window_start_ns = move->last_start_ns;
	return 0;
}

#define GONE_PROBE(driver, function)                            \
	SEC("fentry/" #function)                                \
	int BPF_PROG(ios_##driver##_blocks, struct device *dev) \
	{                                                       \
		return translation_goes(dev);                   \
	}

GONE_PROBE(intel, device_block_translation)
GONE_PROBE(amd, detach_device)

/*
 * virtio-iommu moves an endpoint in one request.  But a domain that no endpoint is in has its
 * mappings told to the device only after that: until then there is nothing behind it.
 */
struct viommu_domain___scope {
	struct iommu_domain domain;
	struct rb_root_cached mappings;
	unsigned int nr_endpoints;
} __attribute__((preserve_access_index));

SEC("fentry/viommu_attach_dev")
int BPF_PROG(ios_virtio_attaches, struct iommu_domain *domain, struct device *dev)
{
	struct viommu_domain___scope *to;

	if (!running())
		return 0;
	to = (void *)domain - bpf_core_field_offset(struct viommu_domain___scope, domain);
	if (!BPF_CORE_READ(to, nr_endpoints) && BPF_CORE_READ(to, mappings.rb_root.rb_node))
		translation_goes(dev);
	return 0;
}

/* What is used of the mock's types, which only builds with test support have in vmlinux.h. */
struct mock_dma___scope {
	int mode;
} __attribute__((preserve_access_index));

struct mock_device___scope {
	struct platform_device *pdev;
	struct mock_dma___scope dma;
} __attribute__((preserve_access_index));

SEC("fentry/mock_dma_set_domain")
int BPF_PROG(ios_mock_blocks, struct mock_device___scope *mdev, void *domain)
{
	return domain ? 0 : translation_goes(&mdev->pdev->dev);
}

#endif
