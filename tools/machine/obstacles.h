/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of a host that keep BPF programs from working.
 *
 * Some of them let programs be loaded and attached that then never run, so commands look at the
 * settings first.  All can change while a command runs.
 */
#ifndef IOMMUSCOPE_MACHINE_OBSTACLES_H
#define IOMMUSCOPE_MACHINE_OBSTACLES_H

#include <stdbool.h>

enum obstacle {
	/* nothing of the kernel can be read */
	OBSTACLE_LOCKDOWN,
	/* programs that loop or call functions of the kernel cannot be loaded */
	OBSTACLE_JIT,
	/* programs on functions are attached, but never run */
	OBSTACLE_FTRACE,
	/* programs on functions that only kprobes reach are attached, but never run */
	OBSTACLE_KPROBES,
	NR_OBSTACLES,
};

/**
 * struct obstacle_words - description of an obstacle
 * @setting: its setting, e.g. "ftrace is off"
 * @effect: what it prevents
 * @remedy: how to remove it
 */
struct obstacle_words {
	const char *setting;
	const char *effect;
	const char *remedy;
};

/**
 * obstacle_here() - is an obstacle in the way now?
 * @obstacle: the obstacle
 *
 * Return: whether it is; false if this process cannot read the setting.
 */
bool obstacle_here(enum obstacle obstacle);

/**
 * obstacle_words() - describe an obstacle
 * @obstacle: the obstacle
 *
 * Return: the description.
 */
const struct obstacle_words *obstacle_words(enum obstacle obstacle);

/**
 * obstacle_complain() - report an obstacle on stderr, with its remedy
 * @obstacle: the obstacle
 */
void obstacle_complain(enum obstacle obstacle);

/**
 * obstacle_explains() - report the obstacle that explains why programs could not be loaded
 *
 * Return: whether there is one; it has been reported.
 */
bool obstacle_explains(void);

#endif
