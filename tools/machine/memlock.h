/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locked memory and RLIMIT_MEMLOCK of an open /dev/iommu.
 */
#ifndef IOMMUSCOPE_MACHINE_MEMLOCK_H
#define IOMMUSCOPE_MACHINE_MEMLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/iommufd_state.h"

#define MEMLOCK_UNLIMITED UINT64_MAX

/**
 * struct memlock - locked memory against its limit
 * @by_process: memory is counted by process, else by user
 * @used_bytes: counted memory
 * @limit_bytes: RLIMIT_MEMLOCK of the process; MEMLOCK_UNLIMITED also if it has CAP_IPC_LOCK
 * @by_capability: the process has CAP_IPC_LOCK
 */
struct memlock {
	bool by_process;
	uint64_t used_bytes;
	uint64_t limit_bytes;
	bool by_capability;
};

/**
 * memlock_of_ctx() - read the counted memory of a context, and its limit
 * @ctx: the context
 * @memlock: filled in
 *
 * Return: whether its process still exists.
 */
bool memlock_of_ctx(const struct iommufd_state_ctx *ctx, struct memlock *memlock);

#endif
