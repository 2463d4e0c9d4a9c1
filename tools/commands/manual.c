// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manual page and the shell completion.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/lists.h"
#include "commands/command.h"
#include "commands/manual.h"
#include "commands/options.h"
#include "describe/names.h"

/* Write a text as man(7) source: hyphens become minus signs, an empty line starts a paragraph. */
static void roff(const char *text)
{
	bool line_begins = true;

	for (; *text; text++) {
		if (text[0] == '\n' && text[1] == '\n') {
			printf("\n.PP\n");
			text++;
			line_begins = true;
			continue;
		}
		if (line_begins && (*text == '.' || *text == '\''))
			printf("\\&");
		line_begins = *text == '\n';
		if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else
			putchar(*text);
	}
}

static void option_page(const struct argp_option *option)
{
	if (option->flags & OPTION_HIDDEN)
		return;
	printf(".TP\n");
	if (isalpha(option->key))
		printf("\\fB\\-%c\\fR, ", option->key);
	printf("\\fB\\-\\-");
	roff(option->name);
	printf("\\fR");
	if (option->arg && option->flags & OPTION_ARG_OPTIONAL)
		printf("[=\\fI%s\\fR]", option->arg);
	else if (option->arg)
		printf("=\\fI%s\\fR", option->arg);
	putchar('\n');
	roff(option->doc);
	putchar('\n');
}

static void command_page(const struct command *command)
{
	const struct command_example *example;
	struct argp_option *options = options_table(command), *option;

	printf(".SS \"%s\"\n", command->name);
	printf("\\fBiommuscope %s\\fR [\\fIOPTION\\fR]...", command->name);
	if (command->common & OPTION_COMMAND)
		printf(" [\\-\\- \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...]");
	else if (command->arguments)
		printf(" \\fI%s\\fR", command->arguments);
	printf("\n.PP\n%s.\n", command->summary);
	roff(command->description);
	printf("\n");
	for (option = options; option->name; option++)
		option_page(option);
	free(options);
	for (example = command->examples; example && example->line; example++) {
		if (example == command->examples)
			printf(".PP\nExamples:\n");
		printf(".TP\n\\fBiommuscope ");
		roff(example->line);
		printf("\\fR\n");
		roff(example->does);
		putchar('\n');
	}
}

void manual_page(void)
{
	const struct command *const *command;

	printf(".\\\" SPDX-License-Identifier: GPL-2.0-only\n"
	       ".\\\" Written by 'iommuscope help --man': change the texts in tools/ instead.\n"
	       ".TH IOMMUSCOPE 8 \"\" \"iommuscope\" \"System Administration\"\n"
	       ".SH NAME\n"
	       "iommuscope \\- observe I/O address translation\n"
	       ".SH SYNOPSIS\n"
	       "\\fBiommuscope\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
	       ".br\n"
	       "\\fBiommuscope help\\fR [\\fICOMMAND\\fR]\n"
	       ".br\n"
	       "\\fBiommuscope \\-\\-version\\fR\n"
	       ".SH DESCRIPTION\n"
	       "\\fBiommuscope\\fR shows what happens on the attach, replace, detach, map, unmap and "
	       "pin paths of iommufd and VFIO: where the time goes, what fails and why, what is "
	       "stuck.\n"
	       "It works on any kernel from 6.1 on, with or without the modules that come with it.  "
	       "BPF programs count and filter in the kernel.\n"
	       ".PP\n"
	       "Times on the command line are in seconds, or have a unit: \\fB250ms\\fR, "
	       "\\fB40us\\fR, \\fB2m\\fR.\n"
	       ".SH COMMANDS\n");
	for (command = commands_all(); *command; command++)
		command_page(*command);
	printf(".SH EXIT STATUS\n"
	       "0 on success, 1 if something failed (one line on standard error explains it), "
	       "2 if the command line is wrong.\n"
	       "Interrupting a run is not a failure: it ends with its totals.\n"
	       ".SH ENVIRONMENT\n"
	       ".TP\n\\fBNO_COLOR\\fR\nIf set, output has no colours.\n"
	       ".TP\n\\fBIOMMUSCOPE_DEBUG\\fR\nIf set, all messages of libbpf are shown.\n"
	       ".SH PRIVILEGES\n"
	       "Run it as root, or with CAP_BPF, CAP_PERFMON and, to read the BTF of modules, "
	       "CAP_SYS_ADMIN.\n"
	       ".SH SEE ALSO\n"
	       "\\fBbpftrace\\fR(8), \\fBperf\\-trace\\fR(1), \\fBtrace\\-cmd\\fR(1)\n");
}

static void option_words(const struct command *command)
{
	struct argp_option *options = options_table(command), *option;
	const char *space = "";

	for (option = options; option->name; option++) {
		if (option->flags & OPTION_HIDDEN)
			continue;
		printf("%s--%s", space, option->name);
		space = " ";
		if (isalpha(option->key))
			printf(" -%c", option->key);
	}
	free(options);
}

void manual_completion(void)
{
	const struct command *const *command;
	unsigned int i;

	printf("# SPDX-License-Identifier: GPL-2.0-only\n"
	       "# Completion of iommuscope for bash, written by 'iommuscope help --completion'.\n"
	       "#\n"
	       "# The words offered have no blanks in them.\n"
	       "# shellcheck shell=bash disable=SC2207\n\n"
	       "_iommuscope()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tlocal commands=\"");
	for (command = commands_all(); *command; command++)
		printf("%s%s", command == commands_all() ? "" : " ", (*command)->name);
	printf("\" words i\n\n"
	       "\tCOMPREPLY=()\n"
	       "\tif ((COMP_CWORD == 1)); then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$commands --version --help\" -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\t# a command of its own follows --\n"
	       "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	       "\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	       "\t\t\tCOMPREPLY=($(compgen -c -- \"$word\"))\n"
	       "\t\t\treturn\n"
	       "\t\tfi\n"
	       "\tdone\n"
	       "\tcase $previous in\n"
	       "\t-d | --device)\n"
	       "\t\twords=$(cd /sys/bus/pci/devices 2>/dev/null && echo *)\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\t-p | --pid)\n"
	       "\t\twords=$(cd /proc && echo [0-9]*)\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\t--ready-file | --cgroup)\n"
	       "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\t--by)\n"
	       "\t\tCOMPREPLY=($(compgen -W \"device ioas process cgroup\" -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\t-o | --operation)\n"
	       "\t\twords=\"");
	for (i = 0; i < SCOPE_NR_OPERATIONS; i++)
		printf("%s%s", i ? " " : "", operation_title(i));
	printf("\"\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\t\treturn\n"
	       "\t\t;;\n"
	       "\tesac\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (command = commands_all(); *command; command++) {
		printf("\t%s)\n\t\twords=\"", (*command)->name);
		option_words(*command);
		printf("%s\"\n\t\t;;\n", !strcmp((*command)->name, "help") ? " $commands" : "");
	}
	printf("\t*)\n\t\treturn\n\t\t;;\n"
	       "\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "}\n"
	       "complete -F _iommuscope iommuscope\n");
}
