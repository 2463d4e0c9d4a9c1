// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of commands.
 *
 * main.c owns the table, because it knows all commands.  Help and the manual page are commands
 * themselves and only see that there is a table.
 */
#include <string.h>

#include "commands/command.h"

static const struct command *const *all;

void commands_set(const struct command *const *table)
{
	all = table;
}

const struct command *const *commands_all(void)
{
	return all;
}

const struct command *command_find(const char *name)
{
	const struct command *const *command;

	for (command = all; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}
