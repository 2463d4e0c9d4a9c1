// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope: the table of commands, and the way to one.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "version.h"

const struct command *const commands[] = {
	&command_lat,
	&command_ops,
	&command_stuck,
	&command_state,
	&command_replace,
	&command_capacity,
	&command_top,
	&command_export,
	&command_record,
	&command_report,
	&command_doctor,
	&command_help,
	NULL,
};

const struct command *command_find(const char *name)
{
	const struct command *const *command;

	for (command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options options;
	int status;

	options_parse(command, argc, argv, &options);
	if (options_resolve(&options))
		return EXIT_FAILED;
	status = command->run(&options);
	if (finish_output() && !status)
		status = EXIT_FAILED;
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char *const help[] = { "help", NULL };

	output_init();
	if (argc < 2) {
		fprintf(stderr, "Usage: iommuscope COMMAND [OPTION]...\n"
				"Try 'iommuscope help' for the commands.\n");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("iommuscope %s\n", IOMMUSCOPE_VERSION);
		return finish_output() ? EXIT_FAILED : 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run(&command_help, 1, (char **)help);
	command = command_find(argv[1]);
	if (!command) {
		complain("no such command: %s (try 'iommuscope help')", argv[1]);
		return EXIT_USAGE;
	}
	return run(command, argc - 1, argv + 1);
}
