/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UTF-8: characters, the width of a text, and where it is wrapped.
 */
#ifndef IOMMUSCOPE_TEXT_UTF8_H
#define IOMMUSCOPE_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_character() - read a character
 * @text: start of the character, in a text that ends with a zero byte
 * @code: set to its code point; may be NULL
 *
 * Return: its length in bytes, 1 for a zero byte; 0 if it is not valid UTF-8.
 */
size_t utf8_character(const char *text, uint32_t *code);

/**
 * text_width() - width of a text on a terminal
 * @utf8: the text
 *
 * Return: number of characters; all characters that we print take one column.
 */
int text_width(const char *utf8);

/**
 * text_line() - find the first line of a wrapped text
 * @utf8: the text
 * @columns: width of the lines
 *
 * Lines end between words; a word that is too long gets a line of its own.
 *
 * Return: its length in bytes; 0 if nothing is left.
 */
size_t text_line(const char *utf8, int columns);

#endif
