/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A drill: replacements on a device that nobody uses, to see what they will do to one that is.
 */
#ifndef IOMMUSCOPE_COMMANDS_REPLACE_DRILL_H
#define IOMMUSCOPE_COMMANDS_REPLACE_DRILL_H

struct field_table;
struct options;

/**
 * drill() - take a device, switch it between two HWPTs alike, and tell whether that was hitless
 * @options: the device; how often, 100 times if that is 0; whether to write JSON
 *
 * Refuses a device that somebody uses.
 *
 * Return: the exit status of the program.
 */
int drill(const struct options *options);

/* Describes what it writes with --json. */
extern const struct field_table drill_fields;

#endif
