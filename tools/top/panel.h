/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A panel of top: a table that can be sorted, filtered and scrolled.
 *
 * Whoever fills a panel owns its rows, which are made anew with each look at the kernel; a panel
 * knows them by the functions of its columns only.  What a row looks like is asked for what is
 * on the screen, so that a thousand devices cost no more than the few that are seen.
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
 * @width: its columns on the screen; 0 for what is left of the line, and for lines below if that is
 *	not enough
 * @right: align it to the right
 * @text: write a row's text
 * @number: what to sort by, the largest first; NULL to sort by the text
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
 * @columns: its columns, the most important ones first: the last ones are left out first
 * @nr_columns: how many
 * @empty: what it says when there is no row
 * @colour: colour of a row; NULL if all are alike
 * @sort: the column it is sorted by
 * @reversed: the other way round
 * @scroll: first row that is shown
 * @rows: the rows
 * @row_size: size of one
 * @nr: how many there are
 * @nr_active: how many of these have something to tell; they come first unless sorted otherwise
 * @order: indexes of those that the filter lets pass, as they are shown
 * @nr_shown: how many these are
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
 * top_panel_rows() - make room for new rows, the old ones go
 * @panel: the panel
 * @nr: how many there will be
 *
 * Return: the rows, all zero.
 */
void *top_panel_rows(struct top_panel *panel, size_t nr);

/**
 * top_panel_arrange() - filter and sort, once rows or wishes have changed
 * @panel: the panel
 * @filter: what a text of a row must contain; "" for all rows
 */
void top_panel_arrange(struct top_panel *panel, const char *filter);

/**
 * top_panel_draw() - draw it
 * @panel: the panel
 * @line: first line on the screen, the one of the titles
 * @lines: how many there are
 * @focused: keys work on it
 */
void top_panel_draw(struct top_panel *panel, int line, int lines, bool focused);

/**
 * top_panel_scroll() - show others
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
 * top_panel_free() - free what it has
 * @panel: the panel
 */
void top_panel_free(struct top_panel *panel);

#endif
