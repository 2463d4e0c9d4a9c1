// SPDX-License-Identifier: GPL-2.0-only
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "text/output.h"
#include "text/utf8.h"
#include "top/panel.h"

void *top_panel_rows(struct top_panel *panel, size_t nr)
{
	free(panel->rows);
	free(panel->order);
	panel->rows = calloc(nr + 1, panel->row_size);
	panel->order = calloc(nr + 1, sizeof(*panel->order));
	if (!panel->rows || !panel->order)
		out_of_memory();
	panel->nr = nr;
	panel->nr_active = nr;
	panel->nr_shown = 0;
	return panel->rows;
}

static const void *row_at(const struct top_panel *panel, size_t index)
{
	return (const char *)panel->rows + index * panel->row_size;
}

static bool matches(const struct top_panel *panel, const void *row, const char *filter)
{
	char text[TOP_CELL_SIZE];
	unsigned int i;

	for (i = 0; i < panel->nr_columns; i++) {
		panel->columns[i].text(row, text, sizeof(text));
		if (strcasestr(text, filter))
			return true;
	}
	return !*filter;
}

static int compare(const void *a, const void *b, void *data)
{
	const struct top_panel *panel = data;
	const struct top_column *column = &panel->columns[panel->sort];
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	const void *x = row_at(panel, left), *y = row_at(panel, right);
	char first[TOP_CELL_SIZE], second[TOP_CELL_SIZE];
	double difference;
	int order;

	if (column->number) {
		difference = column->number(y) - column->number(x);
		order = difference < 0 ? -1 : difference > 0;
	} else {
		column->text(x, first, sizeof(first));
		column->text(y, second, sizeof(second));
		order = strverscmp(first, second);
	}
	if (panel->reversed)
		order = -order;
	/* equal rows keep their order from one look to the next */
	return order ? order : left < right ? -1 : left > right;
}

void top_panel_arrange(struct top_panel *panel, const char *filter)
{
	size_t i;

	panel->nr_shown = 0;
	for (i = 0; i < panel->nr; i++)
		if (!*filter || matches(panel, row_at(panel, i), filter))
			panel->order[panel->nr_shown++] = i;
	if (panel->nr_shown)
		qsort_r(panel->order, panel->nr_shown, sizeof(*panel->order), compare, panel);
}

/* The width of a column on this screen, 0 if it does not fit from @at on. */
static int width_at(const struct top_panel *panel, unsigned int column, int at)
{
	int width = panel->columns[column].width, room = COLS - at;

	if (!width)
		return room > 0 ? room : 0;
	return width <= room ? width : 0;
}

static void draw_cell(int line, int column, int width, bool right, const char *text)
{
	int pad = right ? width - text_width(text) : 0;

	if (pad > 0)
		screen_text(line, column, pad, "");
	else
		pad = 0;
	screen_text(line, column + pad, width - pad, text);
}

static void draw_titles(const struct top_panel *panel, int line, bool focused)
{
	const struct top_column *column;
	unsigned int i;
	int at, width;

	screen_colour(focused ? SCREEN_SELECTED : SCREEN_HEADING);
	screen_text(line, 0, COLS, "");
	for (i = 0, at = 0; i < panel->nr_columns; i++, at += width + 1) {
		column = &panel->columns[i];
		width = width_at(panel, i, at);
		if (!width)
			break;
		draw_cell(line, at, width, column->right, column->title);
		if (i != panel->sort)
			continue;
		/* the mark of the sort column is in the gap beside the title */
		mvaddstr(line, column->right ? at + width - text_width(column->title) - 1 :
					       at + text_width(column->title),
			 panel->reversed ? "^" : "v");
	}
	screen_colour(SCREEN_NORMAL);
}

/* Draw a row on at most @lines lines.  Return the number of lines used. */
static int draw_row(const struct top_panel *panel, const void *row, int line, int lines)
{
	char text[TOP_CELL_SIZE];
	int at, width, used = 1;
	unsigned int i;
	size_t length;
	char *rest, *next, cut;

	if (panel->colour)
		screen_colour(panel->colour(row));
	for (i = 0, at = 0; i < panel->nr_columns; i++, at += width + 1) {
		width = width_at(panel, i, at);
		if (!width)
			break;
		panel->columns[i].text(row, text, sizeof(text));
		if (panel->columns[i].width) {
			draw_cell(line, at, width, panel->columns[i].right, text);
			continue;
		}
		rest = text;
		for (used = 0; used < lines && *rest; used++) {
			length = text_line(rest, width);
			next = rest + length;
			next += strspn(next, " ");
			/* keep the character: it may be the terminating zero */
			cut = rest[length];
			rest[length] = '\0';
			screen_text(line + used, at, width, rest);
			rest[length] = cut;
			rest = next;
		}
	}
	screen_colour(SCREEN_NORMAL);
	return used;
}

/* Draw, in the line of titles, how many rows are above and below the visible ones. */
static void draw_more(const struct top_panel *panel, int line, size_t shown, bool focused)
{
	size_t below = panel->nr_shown - panel->scroll - shown;
	char above_text[32] = "", below_text[32] = "", text[64];

	if (panel->scroll)
		snprintf(above_text, sizeof(above_text), " ↑%zu", panel->scroll);
	if (below)
		snprintf(below_text, sizeof(below_text), " ↓%zu", below);
	snprintf(text, sizeof(text), "%s%s", above_text, below_text);
	screen_colour(focused ? SCREEN_SELECTED : SCREEN_HEADING);
	screen_text(line, COLS - text_width(text), text_width(text), text);
	screen_colour(SCREEN_NORMAL);
}

void top_panel_draw(struct top_panel *panel, int line, int lines, bool focused)
{
	size_t least, i;
	int used = 1;

	if (lines < 1)
		return;
	/* keep the last row visible; if each row is one line, keep the screen full */
	least = panel->columns[panel->nr_columns - 1].width ? lines - 1 : 1;
	if (panel->scroll + least > panel->nr_shown)
		panel->scroll = panel->nr_shown > least ? panel->nr_shown - least : 0;
	draw_titles(panel, line, focused);
	for (i = panel->scroll; i < panel->nr_shown && used < lines; i++)
		used += draw_row(panel, row_at(panel, panel->order[i]), line + used, lines - used);
	if (!panel->nr_shown && lines > 1) {
		screen_colour(SCREEN_DIM);
		screen_text(line + 1, 0, COLS, panel->nr ? "nothing matches the filter" :
							   panel->empty);
		screen_colour(SCREEN_NORMAL);
	}
	draw_more(panel, line, i - panel->scroll, focused);
}

void top_panel_scroll(struct top_panel *panel, long by)
{
	/* drawing corrects a position past the end */
	if (by < 0 && panel->scroll < (size_t)-by)
		panel->scroll = 0;
	else
		panel->scroll += by;
	if (panel->scroll > panel->nr_shown)
		panel->scroll = panel->nr_shown;
}

void top_panel_sort_next(struct top_panel *panel)
{
	panel->sort = (panel->sort + 1) % panel->nr_columns;
	panel->reversed = false;
}

void top_panel_free(struct top_panel *panel)
{
	free(panel->rows);
	free(panel->order);
	panel->rows = NULL;
	panel->order = NULL;
	panel->nr = 0;
	panel->nr_shown = 0;
}
