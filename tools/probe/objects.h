/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Variables and maps of BPF objects.
 *
 * A consumer is compiled once for our modules and once for sources that are probed.  The second
 * object uses the maps and variables of the first, so the tool reads one set (bpf/record.bpf.h).
 */
#ifndef IOMMUSCOPE_PROBE_OBJECTS_H
#define IOMMUSCOPE_PROBE_OBJECTS_H

#include <stddef.h>

struct bpf_object;

/**
 * object_variable() - find a variable
 * @object: the programs, not loaded yet
 * @section_name: its section, ".rodata" for a knob
 * @name: its name
 * @size: filled in with its size
 *
 * Return: its initial value, NULL if there is none.
 */
void *object_variable(const struct bpf_object *object, const char *section_name, const char *name,
		      size_t *size);

/**
 * object_copy_knobs() - copy the knobs that two objects have under the same name
 * @from: one object
 * @to: the other, not loaded yet
 */
void object_copy_knobs(const struct bpf_object *from, const struct bpf_object *to);

/**
 * object_share_maps() - let an object use the maps of another; its knobs stay its own
 * @from: the other object, loaded
 * @to: the object, not loaded yet
 *
 * Return: 0; -EINVAL if variables of the two differ; another negative errno.
 */
int object_share_maps(const struct bpf_object *from, const struct bpf_object *to);

#endif
