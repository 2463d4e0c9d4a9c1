/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Standard output and standard error.
 *
 * Lines, tables and colour on standard output; complaints of one line on standard error; a quiet
 * end when the reader is gone.
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
 * output_init() - find out what standard output is
 *
 * Call it once, before anything is printed.
 */
void output_init(void);

/**
 * colour_on() - the sequence that starts a colour
 * @colour: the colour
 *
 * Return: the sequence; "" if standard output is not a terminal or NO_COLOR is set.
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
 * Return: its columns, or 0 if standard output is not a terminal.
 */
int terminal_width(void);

/**
 * complain() - report a problem on standard error, in one line
 * @format: as for printf, without a newline
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * output_before_complaint() - set what must happen before a write to standard error
 * @restore: restores the terminal; called before each complaint
 */
void output_before_complaint(void (*restore)(void));

/**
 * out_of_memory() - report that there is no memory, and exit
 */
void out_of_memory(void) __attribute__((noreturn));

/**
 * flush_output() - flush standard output
 *
 * Return: whether the reader is still there.  finish_output() reports other failures.
 */
bool flush_output(void);

/**
 * finish_output() - flush standard output for the last time
 *
 * A closed pipe is not a failure: the reader has what it wanted.
 *
 * Return: 0, or -1 after a message.
 */
int finish_output(void);

/**
 * write_all() - write to a file without stdio
 * @fd: the file
 * @data: what to write
 * @size: number of bytes
 *
 * Return: 0, or a negative errno if only a part was written.
 */
int write_all(int fd, const void *data, size_t size);

/**
 * print_left() - print a text, then blanks
 * @text: the text
 * @columns: columns to fill
 */
void print_left(const char *text, int columns);

/**
 * print_right() - print blanks, then a text
 * @text: the text
 * @columns: columns to fill
 */
void print_right(const char *text, int columns);

#define TABLE_MAX_COLUMNS 16

/**
 * struct table - rows of texts in aligned columns
 * @columns: number of columns
 * @heads: their titles
 * @right: a bit for each column that is aligned to the right
 * @rows: the texts, @columns for each row
 * @colours: enum colour of each row
 * @nr_rows: number of rows
 * @room: rows that fit into the arrays
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
 * table_row() - start a row
 * @table: the table
 * @colour: colour of the row
 *
 * Its texts are empty until table_set() sets them.
 */
void table_row(struct table *table, enum colour colour);

/**
 * table_set() - set a text in the last row
 * @table: the table
 * @column: the column
 * @format: as for printf
 */
void table_set(struct table *table, unsigned int column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * table_print() - print a table and empty it
 * @table: the table
 *
 * On a terminal, a line that would wrap is cut: within a text, or before a number.
 */
void table_print(struct table *table);

/**
 * csv_text() - write a field of comma-separated values, quoted if necessary
 * @file: the file
 * @text: the field
 */
void csv_text(FILE *file, const char *text);

#endif
