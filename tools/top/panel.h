/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A panel of top: a table that can be sorted, filtered and scrolled.
 *
 * The user of a panel fills in the rows, anew at each look at the kernel.  The panel accesses them
 * only through the functions of its columns.  Only visible cells are formatted, so a thousand
 * devices cost no more than the few on the screen.
 */
#ifndef IOMMUSCOPE_TOP_PANEL_H
#define IOMMUSCOPE_TOP_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "top/screen.h"

#define TOP_CELL_SIZE 512

/**
 * struct top_column - a column
 * @title: its title
 * @width: its columns on the screen; 0 for the rest of the line, which wraps to further lines
 * @right: align it to the right
 * @text: formats the cell of a row
 * @number: the number to sort by, largest first; NULL to sort by the text
 */
struct top_column {
	const char *title;
	int width;
	bool right;
	void (*text)(const void *row, char *text, size_t size);
	double (*number)(const void *row);
};

/**
 * struct top_panel - a panel
 * @columns: its columns, the most important first: the last ones are omitted first
 * @nr_columns: number of columns
 * @empty: text if there is no row
 * @colour: returns the colour of a row; NULL if all rows have the same
 * @sort: the column it is sorted by
 * @reversed: the order is reversed
 * @scroll: first visible row
 * @rows: the rows
 * @row_size: size of a row
 * @nr: number of rows
 * @nr_active: number of rows that are not idle; they come first unless sorted otherwise
 * @order: indexes of the rows that pass the filter, in display order
 * @nr_shown: number of rows in @order
 */
struct top_panel {
	const struct top_column *columns;
	unsigned int nr_columns;
	const char *empty;
	enum screen_colour (*colour)(const void *row);
	unsigned int sort;
	bool reversed;
	size_t scroll;
	void *rows;
	size_t row_size;
	size_t nr;
	size_t nr_active;
	size_t *order;
	size_t nr_shown;
};

/**
 * top_panel_rows() - allocate new rows, and free the old ones
 * @panel: the panel
 * @nr: number of rows
 *
 * Return: the rows, all zero.
 */
void *top_panel_rows(struct top_panel *panel, size_t nr);

/**
 * top_panel_arrange() - filter and sort, after rows or the user's choices have changed
 * @panel: the panel
 * @filter: text that a row must contain; "" for all rows
 */
void top_panel_arrange(struct top_panel *panel, const char *filter);

/**
 * top_panel_draw() - draw the panel
 * @panel: the panel
 * @line: first line on the screen, which has the titles
 * @lines: number of lines
 * @focused: keys apply to this panel
 */
void top_panel_draw(struct top_panel *panel, int line, int lines, bool focused);

/**
 * top_panel_scroll() - scroll the rows
 * @panel: the panel
 * @by: rows to go down; negative to go up
 */
void top_panel_scroll(struct top_panel *panel, long by);

/**
 * top_panel_sort_next() - sort by the next column
 * @panel: the panel
 */
void top_panel_sort_next(struct top_panel *panel);

/**
 * top_panel_free() - free the rows
 * @panel: the panel
 */
void top_panel_free(struct top_panel *panel);

#endif
