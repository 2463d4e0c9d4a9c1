// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope: the table of commands and their dispatch.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "version.h"

static const struct command *const commands[] = {
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

/* The edit distance of two words: letters to insert, remove or change. */
static unsigned int distance(const char *a, const char *b)
{
	size_t length = strlen(b), i;
	unsigned int costs[32], before, diagonal;

	if (length >= sizeof(costs) / sizeof(costs[0]))
		return length;
	for (i = 0; i <= length; i++)
		costs[i] = i;
	for (; *a; a++) {
		diagonal = costs[0]++;
		for (i = 1; i <= length; i++) {
			before = costs[i];
			costs[i] = diagonal + (*a != b[i - 1]);
			if (costs[i] > before + 1)
				costs[i] = before + 1;
			if (costs[i] > costs[i - 1] + 1)
				costs[i] = costs[i - 1] + 1;
			diagonal = before;
		}
	}
	return costs[length];
}

/* Guess the command that the user meant; NULL if there is none. */
static const struct command *command_like(const char *name)
{
	const struct command *const *command, *best = NULL;
	unsigned int least = 3, letters;

	for (command = commands; *command; command++)
		if (name[0] && name[1] && !strncmp(name, (*command)->name, strlen(name)))
			return *command;
	for (command = commands; *command; command++) {
		letters = distance(name, (*command)->name);
		/* for a short name, so many changes would match any word */
		if (letters >= least || letters + 1 >= strlen((*command)->name))
			continue;
		least = letters;
		best = *command;
	}
	return best;
}

static int no_such_command(const char *name)
{
	const struct command *like = command_like(name);

	if (*name == '-')
		complain("no such option: %s (try 'iommuscope help')", name);
	else if (like)
		complain("no such command: %s (is it '%s'?)", name, like->name);
	else
		complain("no such command: %s (try 'iommuscope help')", name);
	return EXIT_USAGE;
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
	commands_set(commands);
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
	if (!command)
		return no_such_command(argv[1]);
	return run(command, argc - 1, argv + 1);
}
