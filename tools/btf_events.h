/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the events of modules are in BTF.
 *
 * libbpf would look for the event of each program in the BTF of the whole kernel, type by type,
 * before it looks at the modules: with a program for every event that takes most of a second.
 * So the modules' own types are read once, and programs are told their event from the table.
 */
#ifndef IOMMUSCOPE_BTF_EVENTS_H
#define IOMMUSCOPE_BTF_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * btf_events_init() - read the modules' BTF and take over programs of SEC("tp_btf/EVENT")
 * @modules: names of the modules, ended by NULL; one that is not loaded is left out
 *
 * Call it before a skeleton is opened.
 *
 * Return: 0 or a negative errno.
 */
int btf_events_init(const char *const *modules);

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
 * Return: whether one of the modules has it.
 */
bool btf_event_exists(const char *event);

#endif
