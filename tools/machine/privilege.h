/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process may do.
 */
#ifndef IOMMUSCOPE_MACHINE_PRIVILEGE_H
#define IOMMUSCOPE_MACHINE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of <linux/capability.h>; the last two are younger than some systems' header. */
enum {
	SCOPE_CAP_DAC_OVERRIDE = 1,
	SCOPE_CAP_IPC_LOCK = 14,
	SCOPE_CAP_SYS_ADMIN = 21,
	SCOPE_CAP_PERFMON = 38,
	SCOPE_CAP_BPF = 39,
};

/**
 * process_capabilities() - the effective capabilities of a process
 * @pid: the process, 0 for this one
 * @capabilities: set to a bit for each
 *
 * Return: whether they could be read.
 */
bool process_capabilities(pid_t pid, uint64_t *capabilities);

/**
 * may_observe() - do capabilities suffice to load what observes?
 * @capabilities: a bit for each
 *
 * Return: whether they do.  To read the types of modules takes CAP_SYS_ADMIN besides.
 */
bool may_observe(uint64_t capabilities);

/**
 * privilege_keep() - give up all capabilities but some, for good
 * @keep: a bit for each to keep, if it is there
 *
 * Neither this process nor one that it starts can get others any more.
 *
 * Return: 0, or -1 after it has said what failed.
 */
int privilege_keep(uint64_t keep);

/**
 * privilege_writes() - can files be made in a folder by the rights of the user alone?
 * @folder: the folder
 *
 * Return: whether they can, without a capability.
 */
bool privilege_writes(const char *folder);

#endif
