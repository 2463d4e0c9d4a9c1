/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A subcommand: its name, its help texts, the options it takes, and the function that
 * runs it.  --help, the manual page and the shell completion are generated from it.
 */
#ifndef IOMMUSCOPE_COMMANDS_COMMAND_H
#define IOMMUSCOPE_COMMANDS_COMMAND_H

#include <argp.h>
#include <stddef.h>

struct field_table;
struct options;

/* Common options that a command may take; every command takes -h. */
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

/* First keys of long options without a letter: common options, and options of one command. */
enum {
	OPTION_KEY_COMMON = 0x100,
	OPTION_KEY_OWN = 0x200,
};

/**
 * struct command_example - an example for help and man page
 * @line: the arguments, after "iommuscope "
 * @does: what it shows or does
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
 * @arguments: arguments after the options in the usage, or NULL
 * @common: OPTION_* bits of the common options it takes
 * @options: its own options, ended by {}; may be NULL
 * @parse: called with each own option and, if @arguments is set, each argument (ARGP_KEY_ARG)
 *	and the end (ARGP_KEY_END), as argp does; may be NULL
 * @records: tables of what it writes with --json and --csv, ended by NULL; NULL if nothing
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
 * commands_set() - set the list of commands, before any of them runs
 * @table: all commands in the order of the help, ended by NULL
 */
void commands_set(const struct command *const *table);

/**
 * commands_all() - all commands
 *
 * Return: all commands in the order of the help, ended by NULL.
 */
const struct command *const *commands_all(void);

/**
 * command_find() - find a command by its name
 * @name: its name
 *
 * Return: the command or NULL.
 */
const struct command *command_find(const char *name);

#endif
