/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Columns that a text takes, and where it is wrapped.
 */
#ifndef IOMMUSCOPE_TEXT_UTF8_H
#define IOMMUSCOPE_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_character() - read a character
 * @text: where it starts, in a text that ends with a zero byte
 * @code: set to its code point; may be NULL
 *
 * Return: its bytes, 1 for a zero byte; 0 if there is no UTF-8 here.
 */
size_t utf8_character(const char *text, uint32_t *code);

/**
 * text_width() - columns that a text takes on a terminal
 * @utf8: the text
 *
 * Return: its characters; all that we print take one column each.
 */
int text_width(const char *utf8);

/**
 * text_line() - the first line of a text that is wrapped
 * @utf8: the text
 * @columns: width of the lines
 *
 * Lines end between words; a word that is too long has a line of its own.
 *
 * Return: its bytes; 0 if nothing is left.
 */
size_t text_line(const char *utf8, int columns);

#endif
