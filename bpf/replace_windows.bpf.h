/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows without translation: probes on the IOMMU core, and on the drivers whose way to switch is known.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H

#include "replace_records.bpf.h"

static __always_inline void window_opens(struct scope_replacement *record)
{
	if (record->opened_ns)
		return;
	record->opened_ns = bpf_ktime_get_ns();
	if (!record->window_start_ns)
		record->window_start_ns = record->opened_ns;
	record->windows++;
}

static __always_inline void window_closes(struct scope_replacement *record)
{
	if (!record->opened_ns)
		return;
	record->window_ns += bpf_ktime_get_ns() - record->opened_ns;
	record->opened_ns = 0;
}

/* The IOMMU core moves a device: to the new HWPT, or back. */
SEC("fentry/__iommu_device_set_domain")
int BPF_PROG(core_moves, struct iommu_group *group, struct device *dev)
{
	struct scope_replacement *record = moving(dev);

	if (record) {
		record->flags |= SCOPE_REPLACEMENT_MOVED;
		record->moves++;
		/* made positive by the end */
		record->moved_ns -= bpf_ktime_get_ns();
	}
	return 0;
}

SEC("fexit/__iommu_device_set_domain")
int BPF_PROG(core_moved, struct iommu_group *group, struct device *dev,
	     struct iommu_domain *new_domain, unsigned int flags, int ret)
{
	struct scope_replacement *record = moving(dev);

	if (record && record->flags & SCOPE_REPLACEMENT_MOVED) {
		if (record->moves == 1)
			record->first_ret = ret;
		record->move_ret = ret;
		record->moved_ns += bpf_ktime_get_ns();
	}
	return 0;
}

/* A translation is in force again, unless the driver says that it failed. */
static __always_inline int attach_ends(struct device *dev, enum scope_switch driver, int ret)
{
	struct scope_replacement *record = moving(dev);

	if (!record)
		return 0;
	record->driver = driver;
	if (!ret)
		window_closes(record);
	return 0;
}

static __always_inline int translation_goes(struct device *dev)
{
	struct scope_replacement *record = moving(dev);

	if (record)
		window_opens(record);
	return 0;
}

#define ATTACH_PROBE(driver, function, which)                                                      \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(driver##_attached, struct iommu_domain *domain, struct device *dev, int ret)  \
	{                                                                                          \
		return attach_ends(dev, which, ret);                                               \
	}

#define GONE_PROBE(driver, function)                                                               \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(driver##_blocks, struct device *dev)                                          \
	{                                                                                          \
		return translation_goes(dev);                                                      \
	}

ATTACH_PROBE(intel, intel_iommu_attach_device, SCOPE_SWITCH_INTEL)
GONE_PROBE(intel, device_block_translation)
ATTACH_PROBE(amd, amd_iommu_attach_device, SCOPE_SWITCH_AMD)
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
int BPF_PROG(virtio_attaches, struct iommu_domain *domain, struct device *dev)
{
	struct scope_replacement *record = moving(dev);
	struct viommu_domain___scope *to;

	if (!record)
		return 0;
	to = (void *)domain - bpf_core_field_offset(struct viommu_domain___scope, domain);
	if (!BPF_CORE_READ(to, nr_endpoints) && BPF_CORE_READ(to, mappings.rb_root.rb_node))
		window_opens(record);
	return 0;
}

SEC("fexit/viommu_attach_dev")
int BPF_PROG(virtio_attached, struct iommu_domain *domain, struct device *dev, int ret)
{
	return attach_ends(dev, SCOPE_SWITCH_VIRTIO, ret);
}

ATTACH_PROBE(mock, mock_attach, SCOPE_SWITCH_MOCK)

/* What is used of the mock's types, which only builds with test support have in vmlinux.h. */
struct mock_dma___scope {
	int mode;
} __attribute__((preserve_access_index));

struct mock_device___scope {
	struct platform_device *pdev;
	struct mock_dma___scope dma;
} __attribute__((preserve_access_index));

SEC("fentry/mock_dma_set_domain")
int BPF_PROG(mock_blocks, struct mock_device___scope *mdev, void *domain)
{
	return domain ? 0 : translation_goes(&mdev->pdev->dev);
}

SEC("fexit/mock_dma_set_domain")
int BPF_PROG(mock_restores, struct mock_device___scope *mdev, void *domain)
{
	return domain ? attach_ends(&mdev->pdev->dev, SCOPE_SWITCH_MOCK, 0) : 0;
}

#endif
