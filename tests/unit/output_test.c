// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "text/output.h"
#include "unit.h"

/* Capture standard output in a file while a function runs; returns its text. */
static const char *printed(void (*print)(void))
{
	static char text[4096];
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	size_t length;

	CHECK(file && saved >= 0);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	output_init();
	print();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static void print_table(void)
{
	struct table table = { .columns = 3, .heads = { "NAME", "TIME", "N" }, .right = 6 };

	table_row(&table, COLOUR_BOLD);
	table_set(&table, 0, "a heading of its own that is long");
	table_row(&table, COLOUR_NONE);
	table_set(&table, 0, "map");
	table_set(&table, 1, "%d µs", 38);
	table_set(&table, 2, "1");
	table_row(&table, COLOUR_RED);
	table_set(&table, 0, "unmap");
	table_set(&table, 2, "100");
	table_print(&table);
}

TEST(output, tables)
{
	CHECK_TEXT(printed(print_table), "NAME    TIME    N\n"
					 "a heading of its own that is long\n"
					 "map    38 µs    1\n"
					 "unmap         100\n");
}

static void print_csv(void)
{
	csv_text(stdout, "plain");
	csv_text(stdout, "a,b");
	csv_text(stdout, "say \"x\"");
}

TEST(output, csv)
{
	CHECK_TEXT(printed(print_csv), "plain\"a,b\"\"say \"\"x\"\"\"");
}

static void print_colour(void)
{
	printf("%sx%s", colour_on(COLOUR_RED), colour_off());
}

TEST(output, no_colour_but_on_terminals)
{
	setenv("TERM", "xterm", 1);
	CHECK_TEXT(printed(print_colour), "x");
	CHECK_EQ(terminal_width(), 0);
}
