// SPDX-License-Identifier: GPL-2.0-only
/*
 * replace.bpf.c for sources that are probed; record.bpf.h describes how.
 */
#define SCOPE_PROBED
#include "bpf/replace.bpf.c"
