/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities of processes.
 */
#ifndef IOMMUSCOPE_MACHINE_PRIVILEGE_H
#define IOMMUSCOPE_MACHINE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* From <linux/capability.h>; the headers of some systems lack the last two. */
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
 * may_observe() - do capabilities suffice to load the BPF programs?
 * @capabilities: a bit for each
 *
 * Return: whether they do.  Reading the BTF of modules needs CAP_SYS_ADMIN in addition.
 */
bool may_observe(uint64_t capabilities);

/**
 * privilege_keep() - permanently drop all capabilities but some
 * @keep: a bit for each to keep, if the process has it
 *
 * Neither this process nor its children can gain other capabilities afterwards.
 *
 * Return: 0, or -1 after a message.
 */
int privilege_keep(uint64_t keep);

/**
 * privilege_writes() - can the user create files in a directory without capabilities?
 * @folder: the directory
 *
 * Return: whether no capability is needed.
 */
bool privilege_writes(const char *folder);

#endif
