// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope help: what the commands say of themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "options.h"
#include "output.h"

static const char *topic;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (topic)
		argp_error(state, "one command at a time");
	topic = arg;
	return 0;
}

static void overview(void)
{
	const struct command *const *command;

	printf("Usage: iommuscope COMMAND [OPTION]...\n"
	       "Observe I/O address translation: iommufd and VFIO.\n\n");
	for (command = commands; *command; command++)
		printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	printf("\n'iommuscope help COMMAND' tells more, 'iommuscope --version' the version.\n");
}

static int run(const struct options *options)
{
	const struct command *command;

	(void)options;
	if (!topic) {
		overview();
		return 0;
	}
	command = command_find(topic);
	if (!command) {
		complain("no such command: %s (try 'iommuscope help')", topic);
		return EXIT_USAGE;
	}
	options_help(command, stdout);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.summary = "Explain a command",
	.description = "Without a COMMAND it lists them.",
	.arguments = "[COMMAND]",
	.parse = parse,
	.run = run,
};
