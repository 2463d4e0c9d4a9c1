/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The modules' records where the modules have no BTF.
 *
 * CO-RE moves each access of a program to where the running kernel has the field, which it looks for in the
 * BTF of the kernel and of its modules.  A module built without pahole has none.  Its records are laid out
 * as when the tool was built all the same, as members are only ever added at their end; so libbpf is
 * given the kernel's BTF with these types added.
 */
#ifndef IOMMUSCOPE_OBSERVE_OP_LAYOUT_H
#define IOMMUSCOPE_OBSERVE_OP_LAYOUT_H

/**
 * op_layout_path() - the kernel's types, and those of the modules' records, in a file
 *
 * Return: its path for btf_custom_path, good as long as the process runs, or NULL with errno set.
 */
const char *op_layout_path(void);

#endif
