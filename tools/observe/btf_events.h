/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where events and functions are in BTF.
 *
 * libbpf would look for the event of each program in the BTF of the whole kernel, type by type,
 * before it looks at the modules: with a program for every event that takes most of a second.
 * So the modules' own types are read once, and programs are told their event from the table.  The
 * functions that programs of fentry and fexit ask for, and the kernel's own events, are looked for one by
 * one, and whether they are there is known before anything is loaded.
 */
#ifndef IOMMUSCOPE_OBSERVE_BTF_EVENTS_H
#define IOMMUSCOPE_OBSERVE_BTF_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Called with an object of BTF: its descriptor, its name ("vmlinux" or that of a module), its bytes.
 * Returns 1 to keep the descriptor open, 0, or a negative errno to end the search.
 */
typedef int (*btf_function)(void *context, int fd, const char *name, uint32_t size);

/**
 * btf_each() - look at the BTF of the kernel and of its modules
 * @look: called with each
 * @context: its first argument
 *
 * Return: 0, or the negative errno that ended it.
 */
int btf_each(btf_function look, void *context);

/**
 * btf_events_init() - read the modules' BTF and take over programs of SEC("tp_btf/EVENT"),
 *	SEC("fentry/FUNCTION") and SEC("fexit/FUNCTION")
 * @modules: names of the modules, ended by NULL; one that is not loaded is left out
 *
 * Call it before a skeleton is opened.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_init(const char *const *modules);

/**
 * btf_events_add_plain() - add the tracepoints of a module that has no BTF
 * @module: the module; the names of its tracepoints begin with its own
 *
 * Raw tracepoint programs can be attached to them, those of SEC("tp_btf/EVENT") cannot.
 *
 * Return: 0, or a negative errno; -ENOENT if it has no tracepoints, or tracefs is not mounted.
 */
int btf_events_add_plain(const char *module);

/**
 * btf_event_name() - the tracepoints of the modules, one after the other
 * @index: from 0
 *
 * Return: the name of a tracepoint, NULL behind the last one.
 */
const char *btf_event_name(size_t index);

/**
 * btf_event_exists() - is there a tracepoint?
 * @event: its name
 *
 * Return: whether one of the modules or the kernel has it in its BTF.
 */
bool btf_event_exists(const char *event);

/**
 * btf_function_exists() - is there a function?
 * @function: its name
 *
 * Return: whether one of the modules or the kernel has one of this name, not inlined.
 */
bool btf_function_exists(const char *function);

/**
 * btf_events_forget() - give the memory of the kernel's types back
 *
 * They are read again when something is looked for in them.
 */
void btf_events_forget(void);

#endif
