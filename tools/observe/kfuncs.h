/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the iommufd module that BPF programs call: each call is resolved when a program is
 * loaded.  bpf/state_walk.h explains why.
 */
#ifndef IOMMUSCOPE_OBSERVE_KFUNCS_H
#define IOMMUSCOPE_OBSERVE_KFUNCS_H

#include <stdbool.h>

/**
 * kfuncs_are_there() - is the loaded module iommufd ours?
 *
 * Return: whether it has at least one of the functions.  Prints no message.
 */
bool kfuncs_are_there(void);

/**
 * kfuncs_init() - find the module's functions and take over programs of SCOPE_STATE_SECTION
 *
 * Call it before their skeleton is opened.  Further calls do nothing.
 *
 * Return: 0, or -1 after a message.
 */
int kfuncs_init(void);

#endif
