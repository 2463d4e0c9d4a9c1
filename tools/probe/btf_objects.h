/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BTF objects of the running kernel: its own, and one of each module with BTF.
 */
#ifndef IOMMUSCOPE_PROBE_BTF_OBJECTS_H
#define IOMMUSCOPE_PROBE_BTF_OBJECTS_H

#include <stdint.h>

/**
 * typedef btf_function - function that looks at a BTF object of the kernel
 * @context: context of the caller
 * @fd: file descriptor of the object
 * @name: "vmlinux", or name of the module
 * @size: size of its BTF
 *
 * Return: positive to keep @fd open, 0 to have it closed, a negative errno to stop.
 */
typedef int (*btf_function)(void *context, int fd, const char *name, uint32_t size);

/**
 * struct btf_visitor - a function and its context
 * @look: the function
 * @context: its first argument
 */
struct btf_visitor {
	btf_function look;
	void *context;
};

/**
 * btf_object_visit() - have a BTF object looked at, if it belongs to the kernel
 * @visitor: struct btf_visitor
 * @fd: its descriptor, closed unless the visitor keeps it
 *
 * Return: 0 or a negative errno.
 */
int btf_object_visit(void *visitor, int fd);

/**
 * btf_objects_each() - have all BTF objects of the kernel looked at
 * @look: the function
 * @context: its first argument
 *
 * The kernel permits it only to processes with CAP_SYS_ADMIN.
 *
 * Return: 0 or a negative errno.
 */
int btf_objects_each(btf_function look, void *context);

#endif
