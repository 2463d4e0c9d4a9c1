/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A text that grows at its end.
 *
 * For what is written a hundred thousand times a second, where printf() would take most of the time. It
 * is always terminated, and cut at its room.
 */
#ifndef IOMMUSCOPE_TEXT_STRBUF_H
#define IOMMUSCOPE_TEXT_STRBUF_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct strbuf - where such a text goes on
 * @at: its end, a zero byte
 * @room: bytes from @at on, at least 1
 */
struct strbuf {
	char *at;
	size_t room;
};

/**
 * strbuf_begin() - begin a text
 * @buf: filled in
 * @text: where it goes
 * @size: bytes there, at least 1
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
 * strbuf_pad() - add spaces until a part is so wide
 * @buf: the text
 * @from: where the part begins, an earlier @at
 * @columns: how wide
 */
void strbuf_pad(struct strbuf *buf, const char *from, int columns);

/**
 * strbuf_say() - add what printf() makes of it
 * @buf: the text
 * @format: as for printf()
 */
__attribute__((format(printf, 2, 3))) void strbuf_say(struct strbuf *buf, const char *format, ...);

/**
 * put_digits() - write a number in decimal, without a zero byte
 * @to: 20 bytes at least
 * @value: the number
 *
 * Return: where it ends.
 */
char *put_digits(char *to, uint64_t value);

#endif
