/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a full screen: taken over, and given back as it was found.
 *
 * Whatever ends the program, the terminal is put back: by screen_end() as it ends well, at exit(),
 * before a complaint is printed, and by a handler when it crashes.  The handler may not call
 * ncurses; it writes what screen_begin() has composed for it and sets the saved modes.
 */
#ifndef IOMMUSCOPE_TOP_SCREEN_H
#define IOMMUSCOPE_TOP_SCREEN_H

#include <stdbool.h>

/* Fewer columns or lines than these have room for nothing that could be read. */
#define SCREEN_MIN_COLUMNS 60
#define SCREEN_MIN_LINES 12

/* Pairs of colours, as screen_attribute() takes them. */
enum screen_colour {
	SCREEN_NORMAL,
	SCREEN_HEADING,
	SCREEN_SELECTED,
	SCREEN_DIM,
	SCREEN_FAILURE,
	SCREEN_CHANGE,
	SCREEN_NR_COLOURS,
};

/**
 * screen_check() - can the terminal be taken over?
 *
 * Return: 0, or -1 after it has said why not.
 */
int screen_check(void);

/**
 * screen_begin() - take the terminal over
 *
 * Return: 0, or -1 after it has said why that is not possible.
 */
int screen_begin(void);

/**
 * screen_end() - give the terminal back; may be called at any time
 */
void screen_end(void);

/**
 * screen_colour() - draw in a colour from now on; without colours, in what looks alike
 * @colour: which
 */
void screen_colour(enum screen_colour colour);

/**
 * screen_text() - write a text, cut or filled with blanks to a width
 * @line: where
 * @column: where
 * @width: columns to fill
 * @text: the text
 */
void screen_text(int line, int column, int width, const char *text);

/**
 * screen_key() - a key that was pressed
 *
 * Return: what getch() returns; -1 if there was none.
 */
int screen_key(void);

/**
 * screen_is_gone() - has the terminal gone away?
 *
 * Return: whether it has.
 */
bool screen_is_gone(void);

#endif
