/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of probed functions by name: what programs and the tool agree on (arguments.bpf.h).
 */
#ifndef IOMMUSCOPE_BPF_ARGUMENTS_H
#define IOMMUSCOPE_BPF_ARGUMENTS_H

/* Between the names of the function and of the parameter. */
#define SCOPE_ARGUMENT_SEPARATOR "__argument__"

/* The function has no such parameter. */
#define SCOPE_NO_ARGUMENT 255

#endif
