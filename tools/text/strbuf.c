// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text/strbuf.h"
#include "text/utf8.h"

void strbuf_begin(struct strbuf *buf, char *text, size_t size)
{
	buf->at = text;
	buf->room = size;
	*text = '\0';
}

static void add(struct strbuf *buf, const char *more, size_t length)
{
	if (length >= buf->room)
		length = buf->room - 1;
	memcpy(buf->at, more, length);
	buf->at += length;
	buf->room -= length;
	*buf->at = '\0';
}

void strbuf_add(struct strbuf *buf, const char *more)
{
	add(buf, more, strlen(more));
}

/* The number of decimal digits of a number. */
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
	/* value < 100 here; this form shows it to the compiler and to checkers */
	if (value >= 10)
		memcpy(to, pairs[value % 100], 2);
	else
		*to = '0' + value;
	return end;
}

void strbuf_add_number(struct strbuf *buf, uint64_t value)
{
	char text[20], *end = put_digits(text, value);

	add(buf, text, end - text);
}

void strbuf_add_hex(struct strbuf *buf, uint64_t value)
{
	char text[18], *p = text + sizeof(text);

	do {
		*--p = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	*--p = 'x';
	*--p = '0';
	add(buf, p, text + sizeof(text) - p);
}

void strbuf_pad(struct strbuf *buf, const char *from, int columns)
{
	int missing = columns - text_width(from);

	while (missing-- > 0)
		add(buf, " ", 1);
}

void strbuf_say(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(buf->at, buf->room, format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	if ((size_t)length >= buf->room)
		length = buf->room - 1;
	buf->at += length;
	buf->room -= length;
}
