// SPDX-License-Identifier: GPL-2.0-only
/*
 * A text that grows at its end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "words.h"

void words_begin(struct words *words, char *text, size_t size)
{
	words->at = text;
	words->room = size;
	*text = '\0';
}

static void add(struct words *words, const char *more, size_t length)
{
	if (length >= words->room)
		length = words->room - 1;
	memcpy(words->at, more, length);
	words->at += length;
	words->room -= length;
	*words->at = '\0';
}

void words_add(struct words *words, const char *more)
{
	add(words, more, strlen(more));
}

/* How many digits has a number? */
static unsigned int nr_digits(uint64_t value)
{
	unsigned int nr = 1;

	for (; value >= 10000; value /= 10000)
		nr += 4;
	return nr + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* "00" to "99" */
static char pairs[100][2];

__attribute__((constructor))
static void fill_pairs(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		pairs[i][0] = '0' + i / 10;
		pairs[i][1] = '0' + i % 10;
	}
}

char *put_digits(char *to, uint64_t value)
{
	char *end = to + nr_digits(value), *p = end;

	for (; value >= 100; value /= 100) {
		p -= 2;
		memcpy(p, pairs[value % 100], 2);
	}
	/* of what is left, all of it; so the compiler knows, and a checker */
	if (value >= 10)
		memcpy(to, pairs[value % 100], 2);
	else
		*to = '0' + value;
	return end;
}

void words_add_number(struct words *words, uint64_t value)
{
	char text[20], *end = put_digits(text, value);

	add(words, text, end - text);
}

void words_add_hex(struct words *words, uint64_t value)
{
	char text[18], *p = text + sizeof(text);

	do {
		*--p = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	*--p = 'x';
	*--p = '0';
	add(words, p, text + sizeof(text) - p);
}

void words_pad(struct words *words, const char *from, int columns)
{
	int missing = columns - text_width(from);

	while (missing-- > 0)
		add(words, " ", 1);
}

void words_say(struct words *words, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(words->at, words->room, format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	if ((size_t)length >= words->room)
		length = words->room - 1;
	words->at += length;
	words->room -= length;
}
