/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types that programs read, for CO-RE.
 *
 * libbpf reads the BTF of the whole kernel for each object that it loads, which takes longer than
 * to load it.  An object asks for some hundred of the kernel's hundred thousand types: those are
 * copied into a small BTF in memory, which libbpf takes in place of the kernel's.
 */
#ifndef IOMMUSCOPE_PROBE_CORE_TYPES_H
#define IOMMUSCOPE_PROBE_CORE_TYPES_H

struct bpf_object;

/**
 * core_types_path() - the file of the small BTF
 *
 * For &struct bpf_object_open_opts.btf_custom_path.  The file is empty until core_types_write().
 *
 * Return: its path; NULL with errno set if there can be none.
 */
const char *core_types_path(void);

/**
 * core_types_write() - write the types that an object asks for
 * @object: the object, opened with core_types_path() and about to be loaded
 *
 * Call it after btf_events_init().
 *
 * Return: 0 or a negative errno.
 */
int core_types_write(const struct bpf_object *object);

#endif
