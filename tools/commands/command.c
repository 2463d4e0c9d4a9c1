// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which commands there are.
 *
 * The table is main.c's, which knows them all; help and the manual page, commands themselves, only
 * know that there is one.
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
