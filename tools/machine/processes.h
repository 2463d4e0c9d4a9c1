/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of processes and cgroups.
 */
#ifndef IOMMUSCOPE_MACHINE_PROCESSES_H
#define IOMMUSCOPE_MACHINE_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * process_name() - name of a process
 * @pid: its id
 * @name: set to the name, "?" if the process has ended
 * @size: size of @name
 */
void process_name(pid_t pid, char *name, size_t size);

/**
 * process_exists() - is a process still there?
 * @pid: its id
 *
 * Return: false if it has ended and its parent has noticed.  True for a process outside of the
 * tool's PID namespace: its end is not visible.
 */
bool process_exists(pid_t pid);

/**
 * cgroup_exists() - is a cgroup still there?
 * @id: its id
 *
 * Return: false if it was removed.  If that cannot be determined, true.
 */
bool cgroup_exists(uint64_t id);

/**
 * cgroup_id_of() - id of a cgroup
 * @path: its path, absolute or below the cgroup file system
 *
 * Return: the id, 0 if there is none.
 */
uint64_t cgroup_id_of(const char *path);

/**
 * cgroup_path() - path of a cgroup below the cgroup file system: "/system.slice"
 * @id: its id
 * @path: set to the path, "cgroup ID" if it no longer exists
 * @size: size of @path
 */
void cgroup_path(uint64_t id, char *path, size_t size);

#endif
