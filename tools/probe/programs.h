/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF programs, and the events and functions of this kernel that they are for.
 */
#ifndef IOMMUSCOPE_PROBE_PROGRAMS_H
#define IOMMUSCOPE_PROBE_PROGRAMS_H

#include <stdbool.h>

struct bpf_object;
struct bpf_program;

/**
 * program_event() - the event of a program: "tp_btf/iommufd_map" -> "iommufd_map"
 * @program: the program
 *
 * Return: name of the event, NULL if it is for none.
 */
const char *program_event(const struct bpf_program *program);

/**
 * program_function() - the function of a program: "fexit/dmar_fault" -> "dmar_fault"
 * @program: the program
 *
 * Return: name of the function, NULL if it is for none.
 */
const char *program_function(const struct bpf_program *program);

/**
 * program_hook() - the hook of a kprobe: "kprobe/vfio_sync_unpin" -> "vfio_sync_unpin"
 * @program: the program
 *
 * Return: name of the hook, NULL if it is not for a named one.
 */
const char *program_hook(const struct bpf_program *program);

/**
 * program_is_raw() - is a program for raw tracepoints?
 * @program: the program
 *
 * Return: whether it is.
 */
bool program_is_raw(const struct bpf_program *program);

/**
 * program_serves() - is a raw tracepoint program for an event?
 * @program: name of the program
 * @event: name of the event
 *
 * Return: whether it is.
 */
bool program_serves(const char *program, const char *event);

/**
 * programs_omit_useless() - do not load programs that this kernel has no event or function for
 * @object: the programs, not loaded yet
 * @here: the set of sources of this host
 */
void programs_omit_useless(struct bpf_object *object, unsigned int here);

#endif
