/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All commands.  Each is defined in its own file.
 */
#ifndef IOMMUSCOPE_COMMANDS_COMMANDS_H
#define IOMMUSCOPE_COMMANDS_COMMANDS_H

struct command;

extern const struct command command_lat;
extern const struct command command_ops;
extern const struct command command_stuck;
extern const struct command command_state;
extern const struct command command_replace;
extern const struct command command_capacity;
extern const struct command command_top;
extern const struct command command_export;
extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_doctor;
extern const struct command command_help;

#endif
