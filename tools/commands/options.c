// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options that commands have in common.
 *
 * Each command gets an argp parser made of its own options and of the common ones that it takes,
 * so that --help shows what works and nothing else is accepted.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/options.h"
#include "describe/names.h"
#include "machine/devices.h"
#include "machine/pid_namespace.h"
#include "machine/processes.h"
#include "text/exit_status.h"
#include "text/format.h"
#include "text/output.h"

enum {
	KEY_CGROUP = OPTION_KEY_COMMON,
	KEY_CTX,
	KEY_DURATION,
	KEY_JSON,
	KEY_CSV,
	KEY_READY,
	KEY_KILL,
	KEY_USAGE,
};

#define OPTION_ALWAYS (1U << 31)

static const struct {
	unsigned int bit;
	struct argp_option option;
} common_options[] = {
	{ OPTION_DEVICE, { "device", 'd', "DEVICE", 0,
			   "select one device, e.g. 0000:03:00.0", 10 } },
	{ OPTION_PID, { "pid", 'p', "PID", 0, "select one process; stop when it exits", 10 } },
	{ OPTION_CGROUP, { "cgroup", KEY_CGROUP, "PATH", 0,
			   "select processes in this cgroup (v2) or below it", 10 } },
	{ OPTION_CTX, { "ctx", KEY_CTX, "NUMBER", 0,
			"select one context (an open /dev/iommu)", 10 } },
	{ OPTION_INTERVAL, { "interval", 'i', "SEC", 0, "report every SEC seconds", 11 } },
	{ OPTION_COUNT, { "count", 'n', "N", 0, "stop after N reports, lines or events", 11 } },
	{ OPTION_DURATION, { "duration", KEY_DURATION, "SEC", 0, "stop after SEC seconds", 11 } },
	{ OPTION_JSON, { "json", KEY_JSON, NULL, 0, "write JSON", 12 } },
	{ OPTION_CSV, { "csv", KEY_CSV, NULL, 0, "write comma-separated values", 12 } },
	{ OPTION_READY, { "ready-file", KEY_READY, "FILE", 0,
			  "create FILE once tracing is active", 13 } },
	{ OPTION_COMMAND, { "kill", KEY_KILL, NULL, 0,
			    "end COMMAND too when the run ends, e.g. by --duration or -n", 13 } },
	{ OPTION_ALWAYS, { "help", 'h', NULL, 0, "show this help", -1 } },
	{ OPTION_ALWAYS, { "usage", KEY_USAGE, NULL, OPTION_HIDDEN, "show the options", -1 } },
};
#define NR_COMMON (sizeof(common_options) / sizeof(common_options[0]))

/* The input of one parser run; argp passes it on as state->input. */
struct parsing {
	const struct command *command;
	struct options *options;
};

struct argp_option *options_table(const struct command *command)
{
	const struct argp_option *own;
	struct argp_option *table;
	size_t n = 0, i;

	for (own = command->options; own && (own->name || own->doc); own++)
		n++;
	table = calloc(n + NR_COMMON + 1, sizeof(*table));
	if (!table)
		out_of_memory();
	if (n)
		memcpy(table, command->options, n * sizeof(*table));
	for (i = 0; i < NR_COMMON; i++)
		if (common_options[i].bit & (command->common | OPTION_ALWAYS))
			table[n++] = common_options[i].option;
	return table;
}

static uint64_t need_number(struct argp_state *state, const char *what, const char *arg,
			    uint64_t max)
{
	uint64_t number = 0;

	if (!parse_number(arg, max, &number) || !number)
		argp_error(state, "%s is not a %s", arg, what);
	return number;
}

static uint64_t need_duration(struct argp_state *state, const char *what, const char *arg,
			      uint64_t min)
{
	uint64_t ns = 0;

	if (!parse_duration(arg, &ns))
		argp_error(state, "%s is not %s: give seconds, or 250ms, 2m", arg, what);
	if (ns < min)
		argp_error(state, "%s is too short for %s: at least %s", arg, what,
			   format_duration(min).s);
	return ns;
}

/* A common option that a command does not take may be an option of its own. */
static bool takes(const struct command *command, int key)
{
	size_t i;

	for (i = 0; i < NR_COMMON; i++)
		if (common_options[i].option.key == key)
			return common_options[i].bit & (command->common | OPTION_ALWAYS);
	return false;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct options *options = parsing->options;

	if (!takes(parsing->command, key))
		return ARGP_ERR_UNKNOWN;
	switch (key) {
	case 'd':
		options->filter.device = arg;
		return 0;
	case 'p':
		options->filter.pid = need_number(state, "process id", arg, INT_MAX);
		return 0;
	case KEY_CGROUP:
		options->cgroup = arg;
		return 0;
	case KEY_CTX:
		options->filter.ctx = need_number(state, "number of a context", arg, UINT32_MAX);
		return 0;
	case 'i':
		options->interval_ns = need_duration(state, "an interval", arg, 10000000);
		return 0;
	case 'n':
		options->count = need_number(state, "count", arg, UINT64_MAX);
		return 0;
	case KEY_DURATION:
		options->duration_ns = need_duration(state, "a duration", arg, 1000000);
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	case KEY_CSV:
		options->csv = true;
		return 0;
	case KEY_READY:
		options->ready_file = arg;
		return 0;
	case KEY_KILL:
		options->kill = true;
		return 0;
	case 'h':
		options_help(parsing->command, stdout);
		exit(finish_output() ? EXIT_FAILED : 0);
	case KEY_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE);
		exit(finish_output() ? EXIT_FAILED : 0);
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	const struct command *command = parsing->command;
	struct options *options = parsing->options;
	error_t err;

	err = parse_common(key, arg, state);
	if (err != ARGP_ERR_UNKNOWN)
		return err;
	if (key == ARGP_KEY_ARG && command->common & OPTION_COMMAND) {
		/* do not run a stray word as a command: a command must follow "--" */
		if (!state->quoted)
			argp_error(state, "unexpected argument: %s (put a command to run after --)", arg);
		options->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	}
	if (key == ARGP_KEY_ARG && !command->arguments)
		argp_error(state, "unexpected argument: %s", arg);
	if (key == ARGP_KEY_END && options->kill && !options->argv)
		argp_error(state, "--kill needs a command to run, after --");
	if (key == ARGP_KEY_END && options->json && options->csv)
		argp_error(state, "--json and --csv exclude each other");
	return command->parse ? command->parse(key, arg, state) : ARGP_ERR_UNKNOWN;
}

/* What argp shows around the options: the arguments in the usage, and the description. */
struct help_texts {
	struct argp argp;
	struct argp_option *options;
	char *doc;
};

static struct help_texts help_texts(const struct command *command)
{
	const struct command_example *example;
	struct help_texts texts = {};
	size_t size;
	FILE *doc;

	doc = open_memstream(&texts.doc, &size);
	if (!doc)
		out_of_memory();
	fprintf(doc, "%s\v%s\n", command->summary, command->description);
	if (command->examples) {
		fprintf(doc, "\nExamples:\n");
		for (example = command->examples; example->line; example++)
			fprintf(doc, "  iommuscope %s\n      %s\n", example->line, example->does);
	}
	fclose(doc);
	texts.options = options_table(command);
	texts.argp = (struct argp){
		.options = texts.options,
		.parser = parse,
		.args_doc = command->common & OPTION_COMMAND ? "[-- COMMAND [ARGUMENT]...]" :
							       command->arguments,
		.doc = texts.doc,
	};
	return texts;
}

static void free_help_texts(struct help_texts *texts)
{
	free(texts->options);
	free(texts->doc);
}

static void full_name(const struct command *command, char *name, size_t size)
{
	snprintf(name, size, "iommuscope %s", command->name);
}

void options_help(const struct command *command, FILE *stream)
{
	struct help_texts texts = help_texts(command);
	char name[64];

	full_name(command, name, sizeof(name));
	setenv("ARGP_HELP_FMT", "no-dup-args-note,header-col=1,long-opt-col=6,opt-doc-col=30", 0);
	argp_help(&texts.argp, stream, ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG |
		  ARGP_HELP_POST_DOC, name);
	free_help_texts(&texts);
}

void options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
	struct parsing parsing = { .command = command, .options = options };
	struct help_texts texts = help_texts(command);
	char name[64];

	full_name(command, name, sizeof(name));
	/* cppcheck-suppress autoVariables ; it is set back below */
	argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	memset(options, 0, sizeof(*options));
	/* in order: options after COMMAND belong to COMMAND */
	if (argp_parse(&texts.argp, argc, argv, ARGP_NO_HELP | ARGP_IN_ORDER, NULL, &parsing))
		exit(EXIT_USAGE);
	free_help_texts(&texts);
	argv[0] = (char *)command->name;
}

uint64_t operations_parse(char *list, struct argp_state *state)
{
	uint64_t wanted = 0, found;
	char *name, *rest;

	for (name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		found = operations_find(name);
		if (!found)
			argp_error(state, "no such operation: %s", name);
		wanted |= found;
	}
	if (!wanted)
		argp_error(state, "no operation given");
	return wanted;
}

unsigned int dimension_parse(const char *name, struct argp_state *state)
{
	unsigned int dimension;

	if (!strcmp(name, "none"))
		return 0;
	for (dimension = 1; dimension_name(dimension); dimension++)
		if (!strcmp(name, dimension_name(dimension)))
			return dimension;
	argp_error(state, "%s is not one of device, ioas, process, cgroup", name);
	return 0;
}

int options_resolve(struct options *options)
{
	static char device[DEVICE_NAME_SIZE];

	if (options->filter.device) {
		if (!find_device(options->filter.device, device)) {
			complain("no such device: %s (see /sys/bus/pci/devices)",
				 options->filter.device);
			return -1;
		}
		options->filter.device = device;
	}
	if (options->filter.pid && kill(options->filter.pid, 0) && errno == ESRCH) {
		complain("no such process%s: %d",
			 pid_namespace() == PID_NAMESPACE_HOST ? "" : " in this PID namespace",
			 options->filter.pid);
		return -1;
	}
	if (options->cgroup) {
		options->filter.cgroup_id = cgroup_id_of(options->cgroup);
		if (!options->filter.cgroup_id) {
			complain("no such cgroup: %s (give a folder of /sys/fs/cgroup)",
				 options->cgroup);
			return -1;
		}
	}
	return 0;
}
