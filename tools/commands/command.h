/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A subcommand: what it is called, what it tells about itself, which options it takes, and how it
 * runs.  --help, the man page and the shell completion are all made from this one description.
 */
#ifndef IOMMUSCOPE_COMMANDS_COMMAND_H
#define IOMMUSCOPE_COMMANDS_COMMAND_H

#include <argp.h>
#include <stddef.h>

struct field_table;
struct options;

/* Common options a command may take; -h it always takes. */
enum {
	OPTION_DEVICE = 1 << 0,		/* -d, --device */
	OPTION_PID = 1 << 1,		/* -p, --pid */
	OPTION_CGROUP = 1 << 2,		/* --cgroup */
	OPTION_CTX = 1 << 3,		/* --ctx */
	OPTION_INTERVAL = 1 << 4,	/* -i, --interval */
	OPTION_COUNT = 1 << 5,		/* -n, --count */
	OPTION_DURATION = 1 << 6,	/* --duration */
	OPTION_JSON = 1 << 7,		/* --json */
	OPTION_CSV = 1 << 8,		/* --csv */
	OPTION_READY = 1 << 9,		/* --ready-file */
	OPTION_COMMAND = 1 << 10,	/* -- COMMAND [ARGUMENT]... */
	OPTION_FILTERS = OPTION_DEVICE | OPTION_PID | OPTION_CGROUP | OPTION_CTX,
	OPTION_RUN = OPTION_DURATION | OPTION_READY | OPTION_COMMAND,
};

/* Keys of long options that have no letter begin here; those of the commands at the second. */
enum {
	OPTION_KEY_COMMON = 0x100,
	OPTION_KEY_OWN = 0x200,
};

/**
 * struct command_example - an example for help and man page
 * @line: the arguments, after "iommuscope "
 * @does: what it does
 */
struct command_example {
	const char *line;
	const char *does;
};

/**
 * struct command - a subcommand
 * @name: what the user types
 * @summary: one line for the list of commands
 * @description: paragraphs, separated by empty lines
 * @examples: ended by a NULL line; may be NULL
 * @arguments: what follows the options in the usage, NULL if nothing
 * @common: OPTION_* bits of the common options that it takes
 * @options: its own options, ended by {}; may be NULL
 * @parse: called with each own option and, if @arguments is set, each argument (ARGP_KEY_ARG)
 *	and the end (ARGP_KEY_END), as argp does; may be NULL
 * @records: describe what it writes with --json and --csv, ended by NULL; NULL if nothing
 * @run: does the work; returns the exit status of the program
 */
struct command {
	const char *name;
	const char *summary;
	const char *description;
	const struct command_example *examples;
	const char *arguments;
	unsigned int common;
	const struct argp_option *options;
	error_t (*parse)(int key, char *arg, struct argp_state *state);
	const struct field_table *const *records;
	int (*run)(const struct options *options);
};

/**
 * commands_set() - say which commands there are, before any of them runs
 * @table: all of them in the order of the help, ended by NULL
 */
void commands_set(const struct command *const *table);

/**
 * commands_all() - the commands there are
 *
 * Return: all of them in the order of the help, ended by NULL.
 */
const struct command *const *commands_all(void);

/**
 * command_find() - the command with a name
 * @name: its name
 *
 * Return: the command or NULL.
 */
const struct command *command_find(const char *name);

#endif
