/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of processes on the host and in the tool's PID namespace.
 *
 * In the host's PID namespace nothing is loaded, and all numbers stay as they are.
 */
#ifndef IOMMUSCOPE_OBSERVE_PIDS_H
#define IOMMUSCOPE_OBSERVE_PIDS_H

#include <stdint.h>
#include <sys/types.h>

struct bpf_object;

/**
 * pids_init() - find the tool's PID namespace
 *
 * The first call in a PID namespace of its own loads a program, which stays loaded.
 *
 * Return: 0, or -1 after a message.
 */
int pids_init(void);

/**
 * pids_set() - set the knob of bpf/kernel/pids.bpf.h
 * @object: an object that is not loaded yet; it need not have the knob
 */
void pids_set(const struct bpf_object *object);

/**
 * pids_on_host() - the host's number of a process
 * @pid: its number in the tool's PID namespace
 *
 * Return: the number, or one that no process has if there is no such process.
 */
uint32_t pids_on_host(pid_t pid);

/**
 * pids_read() - list the processes again, for pids_here()
 */
void pids_read(void);

/**
 * pids_here() - the number of a process in the tool's PID namespace
 * @host: its number on the host
 *
 * Return: the number, or @host marked as outside of the namespace (pid_is_outside()).
 */
uint32_t pids_here(uint32_t host);

/**
 * pids_thread_outside() - the number of a thread that cannot be translated
 * @host: its number on the host
 *
 * Return: @host in the host's PID namespace, otherwise marked as outside of the tool's.
 */
uint32_t pids_thread_outside(uint32_t host);

/**
 * pids_note() - say once that files and threads of other PID namespaces are not seen
 *
 * For commands that look at open files or threads.  Says nothing in the host's PID namespace.
 */
void pids_note(void);

#endif
