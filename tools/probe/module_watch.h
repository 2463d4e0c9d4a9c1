/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules that are loaded or unloaded while a command runs.
 *
 * /sys/module is read once a second, rather than the kernel's events: those arrive only in the
 * host's network namespace, need a kind of socket that a sandbox forbids, and can be lost.  Reading
 * works in every container and costs some microseconds.
 */
#ifndef IOMMUSCOPE_PROBE_MODULE_WATCH_H
#define IOMMUSCOPE_PROBE_MODULE_WATCH_H

#include <stdbool.h>

/**
 * modules_note() - note which modules are loaded now
 *
 * Call it before their BTF is read.
 */
void modules_note(void);

/**
 * modules_changed() - have modules changed since modules_note()?
 *
 * One that was unloaded and loaded again has changed.
 *
 * Return: whether they have, and are now the same as at the last call: modules that depend on each
 *	other are loaded one after the other.
 */
bool modules_changed(void);

#endif
