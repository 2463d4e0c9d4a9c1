/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that opens what a process without privileges cannot.
 *
 * The kernel gives the BTF of modules, and on some kernels kprobes, only to processes with
 * CAP_SYS_ADMIN.  A process that serves others must not keep that capability, but modules are
 * loaded later.  So it starts a second process first, which keeps this capability and nothing else:
 * no descriptor but a socket between the two.  On request it sends descriptors of the BTF of known
 * modules, and of kprobes at functions of the table of hooks.
 */
#ifndef IOMMUSCOPE_PROBE_OPENER_H
#define IOMMUSCOPE_PROBE_OPENER_H

#include <stdbool.h>

/**
 * opener_start() - start the process
 *
 * Call it before anything else is open.  The process ends with this one.
 *
 * Return: 0, or -1 after a message.
 */
int opener_start(void);

/**
 * opener_runs() - was the process started?
 *
 * Return: whether it was.
 */
bool opener_runs(void);

/**
 * opener_each_btf() - get the BTF of the kernel and of each of source_modules() that is loaded
 * @each: called with each; a negative errno ends the search.  The descriptor belongs to it.
 * @context: its first argument
 *
 * Return: 0, or the negative errno that ended it; -ESRCH if the process has ended.
 */
int opener_each_btf(int (*each)(void *context, int fd), void *context);

/**
 * opener_kprobe() - get a kprobe
 * @symbol: the function, one of the table of hooks
 * @at_return: where it returns, not where it starts
 *
 * Return: descriptor of a performance event, or a negative errno.
 */
int opener_kprobe(const char *symbol, bool at_return);

#endif
