/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of probed functions by name, and their return values.
 *
 * Functions inside the kernel gain and lose parameters, and backports change old versions too.  A
 * parameter number that was once right may later read another parameter, and the verifier accepts
 * that.  A program therefore declares ARGUMENT(function, parameter) once, outside of itself, and
 * reads it with ARGUMENT_OF().  The tool finds the number in BTF before it loads the programs.
 *
 * The arguments of tracepoints have no names in BTF.  They are part of what the kernel exposes to
 * users, so they are read by number.
 */
#ifndef IOMMUSCOPE_BPF_ARGUMENTS_BPF_H
#define IOMMUSCOPE_BPF_ARGUMENTS_BPF_H

#include "bpf/arguments.h"

#define ARGUMENT(function, parameter) \
	const volatile __u8 function##__argument__##parameter = SCOPE_NO_ARGUMENT

/* Value of a parameter, as a __u64; 0 if the function has no parameter of this name. */
#define ARGUMENT_OF(ctx, function, parameter) \
	argument_at((ctx), function##__argument__##parameter)

static __always_inline __u64 argument_at(void *ctx, __u32 number)
{
	__u64 value = 0;

	if (number == SCOPE_NO_ARGUMENT || bpf_get_func_arg(ctx, number, &value))
		return 0;
	return value;
}

/* Return value of the function of an fexit program. */
static __always_inline __u64 returned(void *ctx)
{
	__u64 value = 0;

	bpf_get_func_ret(ctx, &value);
	return value;
}

#endif
