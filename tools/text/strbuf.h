/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A string buffer.
 *
 * For texts that are written a hundred thousand times a second, where printf() would take most of
 * the time.  The text is always terminated, and cut off at the size of the buffer.
 */
#ifndef IOMMUSCOPE_TEXT_STRBUF_H
#define IOMMUSCOPE_TEXT_STRBUF_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct strbuf - the end of a text in its buffer
 * @at: its end, a zero byte
 * @room: bytes from @at on, at least 1
 */
struct strbuf {
	char *at;
	size_t room;
};

/**
 * strbuf_begin() - start a text
 * @buf: filled in
 * @text: the buffer
 * @size: size of the buffer, at least 1
 */
void strbuf_begin(struct strbuf *buf, char *text, size_t size);

/**
 * strbuf_add() - add a text
 * @buf: the text
 * @more: what to add
 */
void strbuf_add(struct strbuf *buf, const char *more);

/**
 * strbuf_add_number() - add a number, in decimal
 * @buf: the text
 * @value: the number
 */
void strbuf_add_number(struct strbuf *buf, uint64_t value);

/**
 * strbuf_add_hex() - add a number, in hexadecimal: "0x10000"
 * @buf: the text
 * @value: the number
 */
void strbuf_add_hex(struct strbuf *buf, uint64_t value);

/**
 * strbuf_pad() - add spaces until a part has a width
 * @buf: the text
 * @from: start of the part, an earlier @at
 * @columns: the width
 */
void strbuf_pad(struct strbuf *buf, const char *from, int columns);

/**
 * strbuf_say() - add formatted text
 * @buf: the text
 * @format: as for printf()
 */
__attribute__((format(printf, 2, 3))) void strbuf_say(struct strbuf *buf, const char *format, ...);

/**
 * put_digits() - write a number in decimal, without a zero byte
 * @to: 20 bytes at least
 * @value: the number
 *
 * Return: the end of the number.
 */
char *put_digits(char *to, uint64_t value);

#endif
