/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A drill: replacements on an unused device, to predict what they do to a device in use.
 */
#ifndef IOMMUSCOPE_COMMANDS_REPLACE_DRILL_H
#define IOMMUSCOPE_COMMANDS_REPLACE_DRILL_H

struct field_table;
struct options;

/**
 * drill() - switch a device between two identical HWPTs and show whether that was hitless
 * @options: the device; the number of switches, 0 for 100; whether to write JSON
 *
 * Refuses a device that is in use.
 *
 * Return: the exit status of the program.
 */
int drill(const struct options *options);

/* The keys that a drill writes with --json. */
extern const struct field_table drill_fields;

#endif
