/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the iommufd module that BPF programs call, put in place as a program is loaded.
 * bpf/state_walk.h tells why.
 */
#ifndef IOMMUSCOPE_OBSERVE_KFUNCS_H
#define IOMMUSCOPE_OBSERVE_KFUNCS_H

#include <stdbool.h>

/**
 * kfuncs_are_there() - is the module that is loaded as iommufd ours?
 *
 * Return: whether it has one of the functions at least; if not, it says nothing.
 */
bool kfuncs_are_there(void);

/**
 * kfuncs_init() - find the module's functions and take over programs of SCOPE_STATE_SECTION
 *
 * Call it before their skeleton is opened; calling it again does nothing.
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int kfuncs_init(void);

#endif
