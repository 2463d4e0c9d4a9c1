/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes on a host while a command runs: modules are loaded or unloaded, and ftrace is
 * switched off or on.
 *
 * /sys/module is read once a second, rather than the kernel's events: those arrive only in the
 * host's network namespace, need a kind of socket that a sandbox forbids, and can be lost.  Reading
 * works in every container and costs some microseconds.
 */
#ifndef IOMMUSCOPE_PROBE_HOST_WATCH_H
#define IOMMUSCOPE_PROBE_HOST_WATCH_H

#include <stdbool.h>

/**
 * host_note() - note which modules are loaded now, and whether ftrace is on
 *
 * Call it before the modules' BTF is read.
 */
void host_note(void);

/**
 * host_changed() - has the host changed since host_note()?
 *
 * A module that was unloaded and loaded again has changed.
 *
 * Return: whether it has, and is now the same as at the last call: modules that depend on each
 *	other are loaded one after the other.
 */
bool host_changed(void);

/**
 * functions_observable() - can functions of the kernel be observed?
 *
 * While ftrace is off, programs can be attached to functions but never run.  And doing that
 * corrupts the kernel's counters: when ftrace is on again, it warns and can switch itself off for
 * good.  So nothing is attached to a function then.
 *
 * Return: whether ftrace was on at host_note(); true before that.
 */
bool functions_observable(void);

/**
 * host_report() - report on stderr that ftrace was switched off or on
 * @was_observable: functions_observable() before the last host_note()
 */
void host_report(bool was_observable);

#endif
