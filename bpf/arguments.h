/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of probed functions by name: the contract between programs and tool (arguments.bpf.h).
 */
#ifndef IOMMUSCOPE_BPF_ARGUMENTS_H
#define IOMMUSCOPE_BPF_ARGUMENTS_H

/* Separates the name of the function from that of the parameter. */
#define SCOPE_ARGUMENT_SEPARATOR "__argument__"

/* The function has no such parameter. */
#define SCOPE_NO_ARGUMENT 255

#endif
