/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probes did not see.
 */
#ifndef IOMMUSCOPE_PROBE_PROBES_H
#define IOMMUSCOPE_PROBE_PROBES_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

/**
 * probes_leave_out_phases() - have the probes show operations only
 * @object: the programs, not loaded yet
 */
void probes_leave_out_phases(const struct bpf_object *object);

/**
 * probes_missed() - how often a probe of an operation's begin or end was not run
 * @object: the programs, loaded, or NULL
 *
 * The kernel does not run a program on a processor where another thread was preempted in that very program.
 *
 * Return: how often; at most so many operations are not reported.
 */
uint64_t probes_missed(const struct bpf_object *object);

/**
 * probes_unseen() - the phases that no probe shows on this kernel, by source
 * @object: the programs, loaded, or NULL
 * @text: set to "account (type1)", or to "" if there are none
 * @size: size of @text
 *
 * Their time is that of other phases, or of none.
 */
void probes_unseen(const struct bpf_object *object, char *text, size_t size);

#endif
