// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text/exit_status.h"
#include "text/output.h"
#include "text/utf8.h"

static bool is_terminal;
static bool use_colour;
/* errno of the first failed write; stdio forgets it */
static int write_error;
static void (*before_complaint)(void);

void output_init(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	/* when the reader is gone, writes fail with EPIPE and we end quietly */
	signal(SIGPIPE, SIG_IGN);
	is_terminal = isatty(STDOUT_FILENO);
	use_colour = is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

const char *colour_on(enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "",	      [COLOUR_BOLD] = "\033[1m",
		[COLOUR_DIM] = "\033[2m",     [COLOUR_RED] = "\033[31m",
		[COLOUR_YELLOW] = "\033[33m", [COLOUR_GREEN] = "\033[32m",
	};

	return use_colour ? sequences[colour] : "";
}

const char *colour_off(void)
{
	return use_colour ? "\033[0m" : "";
}

int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!is_terminal)
		return 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return columns && atoi(columns) > 0 ? atoi(columns) : 80;
}

void output_before_complaint(void (*restore)(void))
{
	before_complaint = restore;
}

void complain(const char *format, ...)
{
	va_list args;

	if (before_complaint)
		before_complaint();
	flush_output();
	fputs("iommuscope: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void out_of_memory(void)
{
	complain("out of memory");
	exit(EXIT_FAILED);
}

bool flush_output(void)
{
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && !write_error)
		write_error = errno ? errno : EIO;
	return !write_error;
}

int finish_output(void)
{
	if (flush_output() || write_error == EPIPE)
		return 0;
	fprintf(stderr, "iommuscope: cannot write the output: %s\n", strerror(write_error));
	return -1;
}

int write_all(int fd, const void *data, size_t size)
{
	const char *from = data;
	ssize_t done;

	while (size) {
		done = write(fd, from, size);
		if (done < 0)
			return -errno;
		from += done;
		size -= done;
	}
	return 0;
}

static int missing(const char *text, int columns)
{
	return columns > text_width(text) ? columns - text_width(text) : 0;
}

void print_left(const char *text, int columns)
{
	printf("%s%*s", text, missing(text, columns), "");
}

void print_right(const char *text, int columns)
{
	printf("%*s%s", missing(text, columns), "", text);
}

void table_row(struct table *table, enum colour colour)
{
	size_t row = table->nr_rows;

	if (row == table->room) {
		table->room = row ? 2 * row : 16;
		table->rows = reallocarray(table->rows, table->room * table->columns,
					   sizeof(*table->rows));
		table->colours = reallocarray(table->colours, table->room, sizeof(*table->colours));
		if (!table->rows || !table->colours)
			out_of_memory();
	}
	memset(&table->rows[row * table->columns], 0, table->columns * sizeof(*table->rows));
	table->colours[row] = colour;
	table->nr_rows++;
}

void table_set(struct table *table, unsigned int column, const char *format, ...)
{
	char **cell = &table->rows[(table->nr_rows - 1) * table->columns + column];
	va_list args;

	free(*cell);
	va_start(args, format);
	if (vasprintf(cell, format, args) < 0)
		out_of_memory();
	va_end(args);
}

static void pad(int columns)
{
	if (columns > 0)
		printf("%*s", columns, "");
}

/* Number of bytes of @text that fit into @columns. */
static size_t cut(const char *text, int columns)
{
	const char *p = text;

	for (; *p; p++)
		if ((*p & 0xc0) != 0x80 && columns-- <= 0)
			break;
	return p - text;
}

static void print_row(const struct table *table, char *const *cells, const int *widths, int gap,
		      int room)
{
	unsigned int i, last = table->columns - 1;
	const char *text;
	size_t length;

	/* no trailing blanks */
	while (last && !(cells[last] && *cells[last]))
		last--;
	for (i = 0; i <= last; i++) {
		/* never cut a number, it would be wrong */
		if (room && i && table->right & 1U << i && widths[i] > room)
			return;
		text = cells[i] ? cells[i] : "";
		if (table->right & 1U << i)
			pad(widths[i] - text_width(text));
		length = room ? cut(text, room) : strlen(text);
		fwrite(text, 1, length, stdout);
		if (i == last || (room && room <= widths[i] + gap))
			return;
		if (!(table->right & 1U << i))
			pad(widths[i] - text_width(text));
		pad(gap);
		if (room)
			room -= widths[i] + gap;
	}
}

static void measure_row(const struct table *table, char *const *cells, int *widths)
{
	unsigned int i, filled = 0;

	for (i = 1; i < table->columns; i++)
		filled += cells[i] != NULL;
	/* a text alone in its row may extend over the next columns */
	if (!filled && table->columns > 1)
		return;
	for (i = 0; i < table->columns; i++)
		if (cells[i] && text_width(cells[i]) > widths[i])
			widths[i] = text_width(cells[i]);
}

void table_print(struct table *table)
{
	int widths[TABLE_MAX_COLUMNS] = { 0 }, room = terminal_width(), gap = 2, sum;
	unsigned int i;
	size_t row;

	for (i = 0; i < table->columns; i++)
		widths[i] = text_width(table->heads[i]);
	for (row = 0; row < table->nr_rows; row++)
		measure_row(table, &table->rows[row * table->columns], widths);
	for (sum = 0, i = 0; i < table->columns; i++)
		sum += widths[i] + gap;
	if (room && sum - gap > room)
		gap = 1;
	fputs(colour_on(COLOUR_BOLD), stdout);
	print_row(table, (char *const *)table->heads, widths, gap, room);
	printf("%s\n", colour_off());
	for (row = 0; row < table->nr_rows; row++) {
		if (table->colours[row])
			fputs(colour_on(table->colours[row]), stdout);
		print_row(table, &table->rows[row * table->columns], widths, gap, room);
		printf("%s\n", table->colours[row] ? colour_off() : "");
	}
	for (row = 0; row < table->nr_rows * table->columns; row++)
		free(table->rows[row]);
	free(table->rows);
	free(table->colours);
	table->rows = NULL;
	table->colours = NULL;
	table->nr_rows = 0;
	table->room = 0;
}

void csv_text(FILE *file, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		fputs(text, file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', file);
		putc(*text, file);
	}
	putc('"', file);
}
