/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that commands have in common, parsed once.
 */
#ifndef IOMMUSCOPE_COMMANDS_OPTIONS_H
#define IOMMUSCOPE_COMMANDS_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "observe/filter.h"

struct command;

/**
 * struct options - the common options
 * @filter: what to observe
 * @cgroup: path of the cgroup in @filter as the user gave it, or NULL
 * @interval_ns: how often to report, 0 if not given
 * @count: number of reports, lines or events, 0 for no limit
 * @duration_ns: how long to run, 0 for no limit
 * @json: write JSON
 * @csv: write CSV
 * @ready_file: file to create once tracing is active, or NULL
 * @argv: command to run and observe, ended by NULL, or NULL
 * @kill: end that command when the run ends
 */
struct options {
	struct filter filter;
	const char *cgroup;
	uint64_t interval_ns;
	uint64_t count;
	uint64_t duration_ns;
	bool json;
	bool csv;
	const char *ready_file;
	char **argv;
	bool kill;
};

/**
 * options_table() - get all options of a command, its own options first
 * @command: the command
 *
 * Return: an array that ends with an empty option; the caller frees it.
 */
struct argp_option *options_table(const struct command *command);

/**
 * options_parse() - parse the command line of a command
 * @command: the command
 * @argc: length of @argv
 * @argv: arguments, the command's name first
 * @options: filled in
 *
 * Exits with EXIT_USAGE if the command line is wrong, and with 0 after --help.
 */
void options_parse(const struct command *command, int argc, char **argv, struct options *options);

/**
 * options_resolve() - resolve the devices, processes and cgroups that the options name
 * @options: the parsed options; names become numbers
 *
 * Return: 0, or -1 after a message that names what does not exist.
 */
int options_resolve(struct options *options);

/**
 * operations_parse() - parse a list of operations, the argument of an option
 * @list: names separated by commas; modified
 * @state: the parser, for complaints
 *
 * Ends the program with EXIT_USAGE if a name is wrong.
 *
 * Return: a bit for each enum scope_operation.
 */
uint64_t operations_parse(char *list, struct argp_state *state);

/**
 * dimension_parse() - parse the dimension that splits operations, the argument of an option
 * @name: its name
 * @state: the parser, for complaints
 *
 * Exits with EXIT_USAGE if the name is wrong.
 *
 * Return: enum scope_dimension.
 */
unsigned int dimension_parse(const char *name, struct argp_state *state);

/**
 * options_help() - print a command's help
 * @command: the command
 * @stream: where to
 */
void options_help(const struct command *command, FILE *stream);

#endif
