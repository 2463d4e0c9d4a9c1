/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter of observations: by device, process, cgroup or context.
 */
#ifndef IOMMUSCOPE_OBSERVE_FILTER_H
#define IOMMUSCOPE_OBSERVE_FILTER_H

#include <stdint.h>
#include <sys/types.h>

/**
 * struct filter - what to observe; zero or NULL members do not restrict it
 * @device: name of a device, with its PCI domain
 * @pid: a process
 * @cgroup_id: id of a cgroup (v2), which stands for all below it too
 * @ctx: number of a context
 */
struct filter {
	const char *device;
	pid_t pid;
	uint64_t cgroup_id;
	uint32_t ctx;
};

#endif
