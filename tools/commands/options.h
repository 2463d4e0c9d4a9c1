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
 * @cgroup: path of the cgroup in @filter as given, or NULL
 * @interval_ns: how often to report, 0 if not given
 * @count: how many reports or lines, 0 for no limit
 * @duration_ns: how long to run, 0 for no limit
 * @json: write JSON
 * @csv: write CSV
 * @ready_file: file to make once everything is observed, or NULL
 * @argv: command to run and observe, ended by NULL, or NULL
 * @kill: end that command with the run
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
 * options_table() - all options of a command, its own ones first
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
 * Ends the program with EXIT_USAGE if a word is wrong, and with 0 after --help.
 */
void options_parse(const struct command *command, int argc, char **argv, struct options *options);

/**
 * options_resolve() - check that what the options name is there
 * @options: the parsed options; names become numbers
 *
 * Return: 0, or -1 after it has said what is missing.
 */
int options_resolve(struct options *options);

/**
 * operations_parse() - read a list of operations, the argument of an option
 * @list: names with commas between them; changed
 * @state: the parser, for complaints
 *
 * Ends the program with EXIT_USAGE if a name is wrong.
 *
 * Return: a bit for each enum scope_operation.
 */
uint64_t operations_parse(char *list, struct argp_state *state);

/**
 * dimension_parse() - read by what operations are told apart, the argument of an option
 * @name: its name
 * @state: the parser, for complaints
 *
 * Ends the program with EXIT_USAGE if the name is wrong.
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
