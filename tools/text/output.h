/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goes to standard output and standard error.
 *
 * Lines, tables and colour for people; complaints of one line; an end without noise when nobody
 * reads any more.
 */
#ifndef IOMMUSCOPE_TEXT_OUTPUT_H
#define IOMMUSCOPE_TEXT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_DIM,
	COLOUR_RED,
	COLOUR_YELLOW,
	COLOUR_GREEN,
};

/**
 * output_init() - look what standard output is
 *
 * Call it once, before anything is printed.
 */
void output_init(void);

/**
 * colour_on() - the sequence that begins a colour
 * @colour: which
 *
 * Return: the sequence, "" where standard output is no terminal or NO_COLOR is set.
 */
const char *colour_on(enum colour colour);

/**
 * colour_off() - the sequence that ends a colour
 *
 * Return: the sequence, or "".
 */
const char *colour_off(void);

/**
 * terminal_width() - columns of the terminal
 *
 * Return: its columns, or 0 where standard output is no terminal.
 */
int terminal_width(void);

/**
 * complain() - say on standard error what is wrong, in one line
 * @format: as for printf, without a newline
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * output_before_complaint() - what has to be done before standard error can be written to
 * @restore: gives the terminal back; called before each complaint
 */
void output_before_complaint(void (*restore)(void));

/**
 * out_of_memory() - end the program, there is no memory
 */
void out_of_memory(void) __attribute__((noreturn));

/**
 * flush_output() - hand over what has been printed
 *
 * Return: whether somebody still reads.  What else fails is told by finish_output().
 */
bool flush_output(void);

/**
 * finish_output() - hand over what has been printed, for the last time
 *
 * A closed pipe is no failure: the reader has what it wanted.
 *
 * Return: 0, or -1 after it has said what failed.
 */
int finish_output(void);

/**
 * write_all() - write to a file, past standard I/O
 * @fd: the file
 * @data: what to write
 * @size: bytes of it
 *
 * Return: 0, or a negative errno when only a part was written.
 */
int write_all(int fd, const void *data, size_t size);

/**
 * print_left() - print a text, and blanks behind it
 * @text: the text
 * @columns: how many columns to fill
 */
void print_left(const char *text, int columns);

/**
 * print_right() - print blanks, and a text behind them
 * @text: the text
 * @columns: how many columns to fill
 */
void print_right(const char *text, int columns);

#define TABLE_MAX_COLUMNS 16

/**
 * struct table - rows of texts in aligned columns
 * @columns: how many
 * @heads: their titles
 * @right: a bit for each column that is aligned to the right
 * @rows: the texts, @columns for each row
 * @colours: enum colour of each row
 * @nr_rows: how many rows there are
 * @room: how many rows have room
 */
struct table {
	unsigned int columns;
	const char *heads[TABLE_MAX_COLUMNS];
	unsigned int right;
	char **rows;
	enum colour *colours;
	size_t nr_rows;
	size_t room;
};

/**
 * table_row() - begin a row
 * @table: the table
 * @colour: colour of the row
 *
 * Its texts are empty until table_set() sets them.
 */
void table_row(struct table *table, enum colour colour);

/**
 * table_set() - set a text in the last row
 * @table: the table
 * @column: which column
 * @format: as for printf
 */
void table_set(struct table *table, unsigned int column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * table_print() - print a table and empty it
 * @table: the table
 *
 * On a terminal a line is cut where it would wrap: within a text, before a number.
 */
void table_print(struct table *table);

/**
 * csv_text() - write a field of comma-separated values, quoted where it must be
 * @file: where to
 * @text: the field
 */
void csv_text(FILE *file, const char *text);

#endif
