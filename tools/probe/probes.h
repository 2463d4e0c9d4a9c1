/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probes cannot observe.
 */
#ifndef IOMMUSCOPE_PROBE_PROBES_H
#define IOMMUSCOPE_PROBE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct bpf_program;

/**
 * probe_is_of_phases() - does a program only show phases of probed operations?
 * @program: the program
 *
 * Return: whether operations are reported without it.
 */
bool probe_is_of_phases(const struct bpf_program *program);

/**
 * probes_leave_out_phases() - disable the probes of phases
 * @object: the programs, not loaded yet
 */
void probes_leave_out_phases(const struct bpf_object *object);

/**
 * probes_missed() - count how often a probe at the start or end of an operation was not run
 * @object: the programs, loaded, or NULL
 *
 * The kernel does not run a program on a CPU where another thread was preempted in that program.
 *
 * Return: the count; at most this many operations are not reported.
 */
uint64_t probes_missed(const struct bpf_object *object);

/**
 * probes_unseen() - list the phases that no probe shows on this kernel, by source
 * @objects: the programs, loaded, ended by NULL
 * @text: set to "account (type1)", or to "" if there are none
 * @size: size of @text
 *
 * Their time counts as that of other phases, or of none.
 */
void probes_unseen(const struct bpf_object *const *objects, char *text, size_t size);

#endif
