/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel functions that are probed, and their locations in this kernel.
 *
 * Functions of the kernel are not stable: they are renamed, get other parameters, are inlined, or
 * are split into several functions.  So a program names its function by the newest name,
 * SEC("fentry/NAME"), and hooks_table.c lists the names that older kernels have for it.  The
 * program is attached to the first of them that this kernel has.  If a function exists only with a
 * suffix of the compiler (NAME.isra.0), a program of SEC("kprobe/NAME") or SEC("kretprobe/NAME")
 * can reach it.  Parameters are found by their names (bpf/arguments.bpf.h).
 *
 * Each hook lists what it shows, so that the tool can report what cannot be observed without it.
 */
#ifndef IOMMUSCOPE_PROBE_HOOKS_H
#define IOMMUSCOPE_PROBE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

#define HOOK_NAMES 4

/* What a hook shows. */
enum hook_kind {
	/* operations: their number, duration and result */
	HOOK_OPERATION,
	/* a phase of operations */
	HOOK_PHASE,
	/* something else, described in words */
	HOOK_DETAIL,
};

/**
 * struct hook - a function of the kernel that is probed
 * @names: its names, the newest first, ended by NULL if there is room
 * @sources: the set of sources for which it is probed
 * @kind: the kind of @shows
 * @shows: the operation ("map"), the phase ("pin"), or a description; several hooks may share it
 * @module: its module, if a kprobe can serve it as well; else NULL
 * @with: the set of sources that call it; 0 if it is called without them too
 */
struct hook {
	const char *names[HOOK_NAMES];
	unsigned int sources;
	enum hook_kind kind;
	const char *shows;
	const char *module;
	unsigned int with;
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
 * struct hook_place - location of a hook in this kernel
 * @way: how it can be probed
 * @symbol: the function, with the suffix of the compiler; "" if it does not exist
 * @module: name of the module, "vmlinux" for the kernel itself, NULL if it does not exist
 */
struct hook_place {
	enum hook_way way;
	char symbol[64];
	const char *module;
};

/**
 * hook_at() - enumerate the hooks
 * @index: from 0
 *
 * Return: a hook, NULL after the last one.
 */
const struct hook *hook_at(size_t index);

/**
 * source_modules() - the modules whose BTF is useful
 *
 * Return: their names, ended by NULL, for btf_events_init().
 */
const char *const *source_modules(void);

/**
 * hooks_init() - look up all hooks, and attach programs to the functions found
 *
 * Call it after btf_events_init(), btf_events_look() or btf_events_renew(), before a skeleton is
 * opened.
 */
void hooks_init(void);

/**
 * hook_place() - get the location of a hook
 * @hook: the hook
 *
 * Return: its location in this kernel.
 */
const struct hook_place *hook_place(const struct hook *hook);

/**
 * hook_matters() - does a source lose something on this host if a hook is absent?
 * @hook: the hook
 * @source: the source that is observed
 * @here: the sources of this host, a set
 *
 * Return: whether it belongs to the source and something on this host would call it.
 */
bool hook_matters(const struct hook *hook, unsigned int source, unsigned int here);

/**
 * hook_is_entry() - is a hook where operations of probed sources enter the kernel?
 * @hook: the hook
 * @here: the set of sources of this host
 *
 * Several hooks can be at one function; the first of them is its entry.
 *
 * Return: whether it is.
 */
bool hook_is_entry(const struct hook *hook, unsigned int here);

/**
 * hook_is_renewed() - was the module of a hook found first by the last btf_events_renew()?
 * @name: the hook, by its newest name
 *
 * Return: whether it was: then kprobes from before are gone.
 */
bool hook_is_renewed(const char *name);

/**
 * hook_symbol() - get the symbol for a kprobe
 * @name: the hook, by its newest name
 * @here: the set of sources of this host
 *
 * Where nothing calls a function it can be an empty inline one, and the kernel would log a warning.
 *
 * Return: the symbol; NULL if this kernel has none, or no source would call it.
 */
const char *hook_symbol(const char *name, unsigned int here);

/**
 * hook_is_seen() - can something be observed on this kernel?
 * @source: enum source
 * @kind: its kind
 * @shows: its name
 *
 * Return: whether one of the hooks that show it exists.
 */
bool hook_is_seen(unsigned int source, enum hook_kind kind, const char *shows);

/**
 * hooks_set_arguments() - set the positions of parameters in programs
 * @object: the programs, open and not yet loaded
 *
 * Sets the variables of ARGUMENT() in bpf/arguments.bpf.h.
 */
void hooks_set_arguments(const struct bpf_object *object);

#endif
