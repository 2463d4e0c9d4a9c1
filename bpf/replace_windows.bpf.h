/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows without translation: for each IOMMU driver whose switch procedure is known, a probe on
 * the function that removes a translation; and a probe on the IOMMU core's call, which returns once
 * there is a translation again.
 */
#ifndef IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H
#define IOMMUSCOPE_BPF_REPLACE_WINDOWS_BPF_H

#include "bpf/arguments.bpf.h"
#include "bpf/replace_slots.bpf.h"

ARGUMENT(__iommu_device_set_domain, dev);

/* The core has moved a device to the new HWPT, or back. */
SEC("fexit/__iommu_device_set_domain")
int ios_core_moved(void *ctx)
{
	struct move *move = moving(ARGUMENT_OF(ctx, __iommu_device_set_domain, dev));
	int ret = returned(ctx);

	if (!move)
		return 0;
	move->moves++;
	move->ret = ret;
	/* a driver that failed has not installed a translation */
	if (!move->open || ret)
		return 0;
	move->last_end_ns = bpf_ktime_get_ns();
	move->window_ns += move->last_end_ns - move->last_start_ns;
	if (!move->first_end_ns)
		move->first_end_ns = move->last_end_ns;
	move->open = 0;
	return 0;
}

static __always_inline int translation_goes(__u64 dev)
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

#define GONE_PROBE(driver, function)                                       \
	ARGUMENT(function, dev);                                           \
	SEC("fentry/" #function)                                           \
	int ios_##driver##_blocks(void *ctx)                               \
	{                                                                  \
		return translation_goes(ARGUMENT_OF(ctx, function, dev));  \
	}

GONE_PROBE(intel, device_block_translation)
GONE_PROBE(amd, detach_device)

/*
 * virtio-iommu moves an endpoint in one request.  But if a domain has no endpoint yet, its mappings
 * are sent to the device only after that request; until then the endpoint has no translation.
 */
struct viommu_domain___scope {
	struct iommu_domain domain;
	struct rb_root_cached mappings;
	unsigned int nr_endpoints;
} __attribute__((preserve_access_index));

ARGUMENT(viommu_attach_dev, domain);
ARGUMENT(viommu_attach_dev, dev);

SEC("fentry/viommu_attach_dev")
int ios_virtio_attaches(void *ctx)
{
	void *domain = (void *)ARGUMENT_OF(ctx, viommu_attach_dev, domain);
	struct viommu_domain___scope *to;

	if (!running())
		return 0;
	to = domain - bpf_core_field_offset(struct viommu_domain___scope, domain);
	if (!BPF_CORE_READ(to, nr_endpoints) && BPF_CORE_READ(to, mappings.rb_root.rb_node))
		translation_goes(ARGUMENT_OF(ctx, viommu_attach_dev, dev));
	return 0;
}

/*
 * The members that are used of the mock's types, which vmlinux.h has only in builds with test
 * support.
 */
struct mock_dma___scope {
	int mode;
} __attribute__((preserve_access_index));

struct mock_device___scope {
	struct platform_device *pdev;
	struct mock_dma___scope dma;
} __attribute__((preserve_access_index));

ARGUMENT(mock_dma_set_domain, mdev);
ARGUMENT(mock_dma_set_domain, domain);

/* The address of the device inside the platform device of a mock device. */
static __always_inline struct device *mock_device(__u64 mdev)
{
	struct platform_device *pdev = BPF_CORE_READ((struct mock_device___scope *)mdev, pdev);

	return pdev ? &pdev->dev : NULL;
}

SEC("fentry/mock_dma_set_domain")
int ios_mock_blocks(void *ctx)
{
	if (ARGUMENT_OF(ctx, mock_dma_set_domain, domain) || !running())
		return 0;
	return translation_goes((__u64)mock_device(ARGUMENT_OF(ctx, mock_dma_set_domain, mdev)));
}

#endif
