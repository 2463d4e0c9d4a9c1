/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look-up of events and functions in BTF.
 *
 * libbpf would search the event of each program in the BTF of the whole kernel, type by type,
 * before it searches the modules: with a program for every event, that takes most of a second.  So
 * the types of the modules are read once, and programs get their event from the table.  Functions
 * for fentry and fexit, and the kernel's own events, are looked up one by one.  So it is known
 * before loading which of them exist.
 */
#ifndef IOMMUSCOPE_PROBE_BTF_EVENTS_H
#define IOMMUSCOPE_PROBE_BTF_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/btf_objects.h"

struct btf;
struct type_index;

/**
 * btf_each() - visit the BTF of the kernel and of its modules
 * @look: called with each
 * @context: its first argument
 *
 * Return: 0, or the negative errno that ended it.
 */
int btf_each(btf_function look, void *context);

/**
 * btf_events_init() - read the modules' BTF and take over programs of SEC("tp_btf/EVENT"),
 *	SEC("fentry/FUNCTION"), SEC("fexit/FUNCTION") and SEC("iter/NAME")
 * @wanted: names of the modules, ended by NULL; a module that is not loaded is skipped
 *
 * Call it before a skeleton is opened.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_init(const char *const *wanted);

/**
 * btf_events_renew() - read the modules' BTF again, after modules have been loaded or unloaded
 * @wanted: as for btf_events_init(), which came before
 *
 * All look-ups of functions must be made anew: see hooks_init().
 *
 * Return: 0, or a negative errno; then nothing has changed.
 */
int btf_events_renew(const char *const *wanted);

/**
 * btf_events_look() - read the modules' BTF only for look-ups
 * @wanted: names of the modules, ended by NULL; a module that is not loaded is skipped
 *
 * This needs no privilege, but no program can be loaded afterwards.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_look(const char *const *wanted);

/**
 * btf_events_add_plain() - add the tracepoints of a module that has no BTF
 * @module: the module; the names of its tracepoints start with its own
 *
 * Raw tracepoint programs can be attached to them; SEC("tp_btf/EVENT") programs cannot.
 *
 * Return: 0, or a negative errno; -ENOENT if it has no tracepoints, or tracefs is not mounted.
 */
int btf_events_add_plain(const char *module);

/**
 * btf_event_name() - enumerate the tracepoints of the modules
 * @index: from 0
 *
 * Return: the name of a tracepoint, NULL after the last one.
 */
const char *btf_event_name(size_t index);

/**
 * btf_event_exists() - does a tracepoint exist?
 * @event: its name
 *
 * Return: whether one of the modules or the kernel has it in its BTF.
 */
bool btf_event_exists(const char *event);

/**
 * btf_function_exists() - does a function exist?
 * @function: its name
 *
 * Return: whether one of the modules or the kernel has a function of this name that is not inlined.
 */
bool btf_function_exists(const char *function);

/**
 * btf_module_is_read() - is a module loaded, with BTF?
 * @module: its name
 *
 * Return: whether its BTF has been read.
 */
bool btf_module_is_read(const char *module);

/**
 * btf_module_is_renewed() - has the last btf_events_renew() found a module that is new?
 * @module: its name
 *
 * Return: whether it was loaded, or unloaded and loaded, since the BTF was read before.
 */
bool btf_module_is_renewed(const char *module);

/**
 * btf_events_types() - the BTF that is read, one after the other
 * @number: 0 for the kernel's, then the modules'
 * @index: filled in: its types by name
 *
 * Return: the types, good until btf_events_forget(); NULL behind the last one.
 */
const struct btf *btf_events_types(size_t number, const struct type_index **index);

/**
 * btf_function_stand_in() - attach programs of one function to another
 * @function: name of the function in the programs; the string must stay valid
 * @by: name of the function that replaces it on this kernel; the string must stay valid
 *
 * From now on all look-ups of @function return @by.
 */
void btf_function_stand_in(const char *function, const char *by);

/**
 * btf_function_module() - find the module of a function
 * @function: its name
 *
 * Return: name of the module, "vmlinux" for the kernel itself, NULL if there is no such function.
 */
const char *btf_function_module(const char *function);

/**
 * btf_function_parameter() - enumerate the parameters of a function
 * @function: its name
 * @index: from 0
 *
 * Return: name of the parameter, valid until btf_events_forget(); NULL after the last one.
 */
const char *btf_function_parameter(const char *function, unsigned int index);

/**
 * btf_member_exists() - does a structure have a member?
 * @structure: its name
 * @member: name of the member, which may be in an anonymous union
 *
 * Return: whether a module or the kernel has the structure, with the member.
 */
bool btf_member_exists(const char *structure, const char *member);

/**
 * btf_events_forget() - free the memory of the kernel's types
 *
 * They are read again on demand.
 */
void btf_events_forget(void);

#endif
