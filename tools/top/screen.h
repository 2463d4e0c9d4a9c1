/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a full screen: taken over, and restored at the end.
 *
 * The terminal is restored however the program ends: by screen_end() on a normal end, at exit(),
 * before a complaint is printed, and by a handler on a crash.  The handler must not call ncurses;
 * it writes a sequence that screen_begin() has prepared, and sets the saved modes.
 */
#ifndef IOMMUSCOPE_TOP_SCREEN_H
#define IOMMUSCOPE_TOP_SCREEN_H

#include <stdbool.h>

/* With fewer columns or lines, nothing readable fits. */
#define SCREEN_MIN_COLUMNS 60
#define SCREEN_MIN_LINES 12

/* Colours, as screen_colour() takes them. */
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
 * Return: 0, or -1 after a message.
 */
int screen_check(void);

/**
 * screen_begin() - take over the terminal
 *
 * Return: 0, or -1 after a message.
 */
int screen_begin(void);

/**
 * screen_end() - restore the terminal; may be called at any time
 */
void screen_end(void);

/**
 * screen_colour() - draw in a colour from now on, or with a similar attribute if there are no
 * colours
 * @colour: the colour
 */
void screen_colour(enum screen_colour colour);

/**
 * screen_text() - write a text, cut or filled with blanks to a width
 * @line: the line
 * @column: the column
 * @width: columns to fill
 * @text: the text
 */
void screen_text(int line, int column, int width, const char *text);

/**
 * screen_key() - get a key that was pressed
 *
 * Return: what getch() returns; -1 if there was none.
 */
int screen_key(void);

/**
 * screen_is_gone() - is the terminal gone?
 *
 * Return: whether it has.
 */
bool screen_is_gone(void);

#endif
