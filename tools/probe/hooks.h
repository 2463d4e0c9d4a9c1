/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's functions that are probed, and where they are in this kernel.
 *
 * A kernel keeps no promise about its functions: they are renamed, get other parameters, are inlined or lose a part
 * of themselves to a function of another name.  So a program names its function by the newest name,
 * SEC("fentry/NAME"), and hooks_table.c has with it the names that older kernels have for it; the program is
 * attached to the first of them that this kernel has.  A function that is there only with a suffix of the
 * compiler (NAME.isra.0) can be reached by a program of SEC("kprobe/NAME") or SEC("kretprobe/NAME").
 * Parameters are found by their names (bpf/arguments.bpf.h).
 *
 * With each hook stands what it shows, so that it can be said what is not seen on a kernel that lacks it.
 */
#ifndef IOMMUSCOPE_PROBE_HOOKS_H
#define IOMMUSCOPE_PROBE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

#define HOOK_NAMES 4

/* What a hook shows. */
enum hook_kind {
	/* operations: their number, how long they take, how they end */
	HOOK_OPERATION,
	/* a phase of operations */
	HOOK_PHASE,
	/* something else, which words say */
	HOOK_DETAIL,
};

/**
 * struct hook - a function of the kernel that is probed
 * @names: its names, the newest first, ended by NULL if there is room
 * @sources: for which sources it is probed, a set
 * @kind: what @shows is
 * @shows: the operation ("map"), the phase ("pin"), or the words; several hooks may show one thing
 * @module: the module that it is in, where a kprobe is as good; else NULL
 */
struct hook {
	const char *names[HOOK_NAMES];
	unsigned int sources;
	enum hook_kind kind;
	const char *shows;
	const char *module;
};

/* How a function can be probed. */
enum hook_way {
	HOOK_NOT_THERE,
	/* fentry, fexit */
	HOOK_BY_FUNCTION,
	/* kprobe, kretprobe */
	HOOK_BY_SYMBOL,
};

/**
 * struct hook_place - where a hook is in this kernel
 * @way: how it can be probed
 * @symbol: the function, with the suffix of the compiler; "" if it is not there
 * @module: name of the module, "vmlinux" for the kernel itself, NULL if it is not there
 */
struct hook_place {
	enum hook_way way;
	char symbol[64];
	const char *module;
};

/**
 * hook_at() - the hooks, one after the other
 * @index: from 0
 *
 * Return: a hook, NULL behind the last one.
 */
const struct hook *hook_at(size_t index);

/**
 * hooks_init() - look for all of them, and have programs attached to what stands in
 *
 * Call it after btf_events_init() or btf_events_look(), before a skeleton is opened.
 */
void hooks_init(void);

/**
 * hook_place() - where is a hook?
 * @hook: the hook
 *
 * Return: its place in this kernel.
 */
const struct hook_place *hook_place(const struct hook *hook);

/**
 * hook_symbol() - what to attach a kprobe to
 * @name: the hook, by its newest name
 *
 * Return: the symbol; NULL if this kernel has none.
 */
const char *hook_symbol(const char *name);

/**
 * hook_is_seen() - can something be seen on this kernel?
 * @source: enum source
 * @kind: what it is
 * @shows: its name
 *
 * Return: whether one of the hooks that show it is there.
 */
bool hook_is_seen(unsigned int source, enum hook_kind kind, const char *shows);

/**
 * hooks_set_arguments() - set in programs where their functions' parameters are
 * @object: the programs, open and not yet loaded
 *
 * Sets the variables of ARGUMENT() in bpf/arguments.bpf.h.
 */
void hooks_set_arguments(const struct bpf_object *object);

#endif
