/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A text that grows at its end.
 *
 * For what is written a hundred thousand times a second, where printf() would take most of the time. It
 * is always terminated, and cut at its room.
 */
#ifndef IOMMUSCOPE_WORDS_H
#define IOMMUSCOPE_WORDS_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct words - where such a text goes on
 * @at: its end, a zero byte
 * @room: bytes from @at on, at least 1
 */
struct words {
	char *at;
	size_t room;
};

/**
 * words_begin() - begin a text
 * @words: filled in
 * @text: where it goes
 * @size: bytes there, at least 1
 */
void words_begin(struct words *words, char *text, size_t size);

/**
 * words_add() - add a text
 * @words: the text
 * @more: what to add
 */
void words_add(struct words *words, const char *more);

/**
 * words_add_number() - add a number, in decimal
 * @words: the text
 * @value: the number
 */
void words_add_number(struct words *words, uint64_t value);

/**
 * words_add_hex() - add a number, in hexadecimal: "0x10000"
 * @words: the text
 * @value: the number
 */
void words_add_hex(struct words *words, uint64_t value);

/**
 * words_pad() - add spaces until a part is so wide
 * @words: the text
 * @from: where the part begins, an earlier @at
 * @columns: how wide
 */
void words_pad(struct words *words, const char *from, int columns);

/**
 * words_say() - add what printf() makes of it
 * @words: the text
 * @format: as for printf()
 */
__attribute__((format(printf, 2, 3)))
void words_say(struct words *words, const char *format, ...);

/**
 * put_digits() - write a number in decimal, without a zero byte
 * @to: 20 bytes at least
 * @value: the number
 *
 * Return: where it ends.
 */
char *put_digits(char *to, uint64_t value);

#endif
