/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The knobs of filter.bpf.h.
 */
#ifndef IOMMUSCOPE_BPF_FILTER_H
#define IOMMUSCOPE_BPF_FILTER_H

#include "bpf/lists.h"
/* a type of other variables of the programs, which the skeletons need as well */
#include "bpf/slots.h"

/**
 * struct scope_filter - restricts what the programs observe; a zero member does not restrict
 * @cgroup: cgroup v2 id of the task's cgroup, or of one above it
 * @tgid: process
 * @ctx: number of the open /dev/iommu
 * @by_device: only operations that concern @device
 * @device: its name
 */
struct scope_filter {
	__u64 cgroup;
	__u32 tgid;
	__u32 ctx;
	__u32 by_device;
	char device[SCOPE_DEVICE_LEN];
};

#endif
