/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BTF of a module, read without parsing that of the kernel.
 *
 * The types of a module are numbered on from those of the kernel, and its strings begin where the
 * kernel's end.  So all that is needed of the kernel's BTF is how many types and how many bytes of
 * strings it has.  libbpf would index its hundred thousand types, which takes longer than all else
 * that a tool does at its start.
 */
#ifndef IOMMUSCOPE_OBSERVE_MODULE_BTF_H
#define IOMMUSCOPE_OBSERVE_MODULE_BTF_H

#include <linux/btf.h>
#include <stdint.h>

/**
 * struct module_btf - BTF of a module
 * @fd: its descriptor, -1 if the module has none or is not there
 * @first_id: id of its first type
 * @data: all of it
 * @base_strings: bytes of strings in the kernel's
 */
struct module_btf {
	int fd;
	uint32_t first_id;
	void *data;
	uint32_t base_strings;
};

/**
 * module_btf_open() - read the BTF of modules
 * @modules: their names, ended by NULL
 * @btfs: one for each, filled in
 *
 * Return: 0, also if some are not there, or a negative errno; then nothing is open.
 */
int module_btf_open(const char *const *modules, struct module_btf *btfs);

/**
 * module_btf_close() - close what module_btf_open() opened
 * @btf: one of them; its descriptor stays open if it was set to -1
 */
void module_btf_close(struct module_btf *btf);

/**
 * module_btf_each() - go through the types of a module
 * @btf: the BTF
 * @each: called with the name ("" if it has none), kind and id of each type, and @data
 * @data: for @each
 */
void module_btf_each(const struct module_btf *btf,
		     void (*each)(const char *name, unsigned int kind, uint32_t id, void *data),
		     void *data);

#endif
