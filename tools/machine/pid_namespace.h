/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PID namespace of this process, and numbers of processes that are outside of it.
 */
#ifndef IOMMUSCOPE_MACHINE_PID_NAMESPACE_H
#define IOMMUSCOPE_MACHINE_PID_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

enum pid_namespace {
	PID_NAMESPACE_HOST, /* the initial one: numbers are those of the kernel */
	PID_NAMESPACE_OWN, /* another one, and /proc shows its processes */
	PID_NAMESPACE_FOREIGN_PROC, /* /proc shows those of another one, or is not mounted */
};

/* The remedy, where a command misses what is outside of its PID namespace. */
#define PID_NAMESPACE_REMEDY \
	"run it in the host's PID namespace (a pod: hostPID: true; a container: --pid=host)"

/**
 * pid_namespace() - find the PID namespace of this process
 *
 * Return: enum pid_namespace.
 */
enum pid_namespace pid_namespace(void);

/**
 * pid_is_outside() - is a process outside of the tool's PID namespace?
 * @pid: its number, as the programs report it (bpf/pids.h)
 *
 * Return: whether it is.
 */
bool pid_is_outside(uint32_t pid);

/**
 * struct pid_text - the number of a process as text
 * @s: the text
 */
struct pid_text {
	char s[24];
};

/**
 * pid_text() - format the number of a process
 * @pid: its number, as the programs report it
 *
 * Return: "4711", or "host 4711" if the process is outside of the tool's PID namespace.
 */
struct pid_text pid_text(uint32_t pid);

#endif
