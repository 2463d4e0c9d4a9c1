/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of the modules' records if the modules have no BTF.
 *
 * CO-RE relocates each field access of a program to where the running kernel has the field, which
 * it looks up in the BTF of the kernel and of its modules.  A module built without pahole has no
 * BTF.  Its records still have the layout of the tool's build, because members are only ever added
 * at the end.  So libbpf gets the kernel's BTF with these types added.
 */
#ifndef IOMMUSCOPE_OBSERVE_OP_LAYOUT_H
#define IOMMUSCOPE_OBSERVE_OP_LAYOUT_H

/**
 * op_layout_path() - write the kernel's types and those of the modules' records to a file
 *
 * Return: its path for btf_custom_path, valid as long as the process runs, or NULL with errno set.
 */
const char *op_layout_path(void);

#endif
