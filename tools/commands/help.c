// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommuscope help: the help of each command, and the documents made from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/manual.h"
#include "commands/options.h"
#include "text/exit_status.h"
#include "text/output.h"

enum {
	KEY_MAN = OPTION_KEY_OWN,
	KEY_COMPLETION,
	KEY_KEYS,
};

static const char *topic;
static void (*whole)(void);

static const struct argp_option own_options[] = {
	{ "man", KEY_MAN, NULL, 0, "write the manual page, as man(7) source", 1 },
	{ "completion", KEY_COMPLETION, NULL, 0, "write the completion for bash", 1 },
	{ "keys", KEY_KEYS, NULL, 0, "write the reference of the keys of JSON and CSV", 1 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_MAN:
		whole = manual_page;
		return 0;
	case KEY_COMPLETION:
		whole = manual_completion;
		return 0;
	case KEY_KEYS:
		whole = manual_keys;
		return 0;
	case ARGP_KEY_ARG:
		if (topic)
			argp_error(state, "one command at a time");
		topic = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void overview(void)
{
	const struct command *const *command;

	printf("Usage: iommuscope COMMAND [OPTION]...\n"
	       "Observe I/O address translation: iommufd and VFIO.\n\n");
	for (command = commands_all(); *command; command++)
		printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	printf("\nSee 'iommuscope help COMMAND' for a command, 'iommuscope --version' for the version.\n");
}

static int help_main(const struct options *options)
{
	const struct command *command;

	(void)options;
	if (whole) {
		whole();
		return 0;
	}
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
	.description = "Without a COMMAND, it lists all commands.",
	.arguments = "[COMMAND]",
	.options = own_options,
	.parse = parse,
	.run = help_main,
};
