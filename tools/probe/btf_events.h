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
#ifndef IOMMUSCOPE_PROBE_BTF_EVENTS_H
#define IOMMUSCOPE_PROBE_BTF_EVENTS_H

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
 * @wanted: names of the modules, ended by NULL; one that is not loaded is left out
 *
 * Call it before a skeleton is opened.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_init(const char *const *wanted);

/**
 * btf_events_look() - read the modules' BTF only to ask about it
 * @wanted: names of the modules, ended by NULL; one that is not loaded is left out
 *
 * That takes no privilege; no program can be loaded after it.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_look(const char *const *wanted);

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
 * btf_module_is_read() - is a module here, with BTF?
 * @module: its name
 *
 * Return: whether it is among those that were read.
 */
bool btf_module_is_read(const char *module);

/**
 * btf_functions_find() - look for many functions at once
 * @names: their names
 * @nr: how many
 *
 * The kernel has a hundred thousand types: each look for a single name passes all of them.
 */
void btf_functions_find(const char *const *names, size_t nr);

/**
 * btf_function_stand_in() - have programs of one function attached to another
 * @function: name of the function that programs are for; it must stay
 * @by: name of the one that stands in for it on this kernel; it must stay
 *
 * From now on all that is asked about @function is answered for @by.
 */
void btf_function_stand_in(const char *function, const char *by);

/**
 * btf_function_module() - where is a function?
 * @function: its name
 *
 * Return: name of the module, "vmlinux" for the kernel itself, NULL if there is no such function.
 */
const char *btf_function_module(const char *function);

/**
 * btf_function_parameter() - a function's parameters, one after the other
 * @function: its name
 * @index: from 0
 *
 * Return: name of the parameter, good until btf_events_forget(); NULL behind the last one.
 */
const char *btf_function_parameter(const char *function, unsigned int index);

/**
 * btf_member_exists() - has a structure a member?
 * @structure: its name
 * @member: name of the member, which may be in a nameless union
 *
 * Return: whether a module or the kernel has the structure, with the member.
 */
bool btf_member_exists(const char *structure, const char *member);

/**
 * btf_events_forget() - give the memory of the kernel's types back
 *
 * They are read again when something is looked for in them.
 */
void btf_events_forget(void);

#endif
