/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * __u32 and similar types for headers that BPF programs and tools share.  BPF programs get them
 * from vmlinux.h, which excludes the kernel's own headers.
 */
#ifndef IOMMUSCOPE_BPF_TYPES_H
#define IOMMUSCOPE_BPF_TYPES_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#endif
