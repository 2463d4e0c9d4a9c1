/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of probed functions by name, and what they return.
 *
 * Functions inside the kernel get parameters and lose them, back-ported to old versions too: a number of a
 * parameter that was right once reads another one later, and the verifier accepts that.  So a program says
 * ARGUMENT(function, parameter) once, outside of it, and reads it with ARGUMENT_OF().  The tool finds the number
 * in BTF before it loads the programs.
 *
 * The arguments of tracepoints have no names in BTF; they are part of what the kernel shows to users, and are
 * taken by number.
 */
#ifndef IOMMUSCOPE_BPF_ARGUMENTS_BPF_H
#define IOMMUSCOPE_BPF_ARGUMENTS_BPF_H

#include "bpf/arguments.h"

#define ARGUMENT(function, parameter) \
	const volatile __u8 function##__argument__##parameter = SCOPE_NO_ARGUMENT

/* What was given for a parameter, as a __u64; 0 if the function has none of this name. */
#define ARGUMENT_OF(ctx, function, parameter) \
	argument_at((ctx), function##__argument__##parameter)

static __always_inline __u64 argument_at(void *ctx, __u32 number)
{
	__u64 value = 0;

	if (number == SCOPE_NO_ARGUMENT || bpf_get_func_arg(ctx, number, &value))
		return 0;
	return value;
}

/* What the function of a program of fexit returned. */
static __always_inline __u64 returned(void *ctx)
{
	__u64 value = 0;

	bpf_get_func_ret(ctx, &value);
	return value;
}

#endif
