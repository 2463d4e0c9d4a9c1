// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names from outside; name.h describes how they are cleaned.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/name.h"
#include "text/utf8.h"

#define ESCAPE_LENGTH 4

/* Ranges of code points that are not printed, in order. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },		  /* C0 */
	{ 0x7f, 0x9f },		  /* DEL, C1 */
	{ 0xad, 0xad },		  /* soft hyphen */
	{ 0x61c, 0x61c },	  /* Arabic letter mark */
	{ 0x180e, 0x180e },	  /* a separator without width */
	{ 0x200b, 0x200f },	  /* no width, direction */
	{ 0x2028, 0x202e },	  /* separators, direction */
	{ 0x2060, 0x206f },	  /* no width, direction */
	{ 0xfe00, 0xfe0f },	  /* variants */
	{ 0xfeff, 0xfeff },	  /* byte order mark */
	{ 0xfff0, 0xfffb },	  /* annotations */
	{ 0xfffe, 0xffff },	  /* no characters */
	{ 0xe0000, 0x10ffff },	  /* tags, private use */
};

/* Number of bytes of the printable character at @text, 0 if there is none. */
static size_t printable(const char *text)
{
	size_t length, i;
	uint32_t code;

	length = utf8_character(text, &code);
	for (i = 0; length && i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return 0;
	return length;
}

void name_clean(char *name, size_t size)
{
	size_t length;

	name[size - 1] = '\0';
	while (*name) {
		length = printable(name);
		if (!length)
			*name = '?';
		name += length ? length : 1;
	}
}

/* Does it look like an escape that name_escape() writes? */
static bool looks_escaped(const char *text)
{
	unsigned int byte;
	char digits[3];

	if (text[0] != '\\' || text[1] != 'x' || !isxdigit((unsigned char)text[2]) ||
	    !isxdigit((unsigned char)text[3]))
		return false;
	snprintf(digits, sizeof(digits), "%.2s", text + 2);
	byte = strtoul(digits, NULL, 16);
	return byte < 0x20 || byte >= 0x7f || byte == '\\';
}

void name_escape(char *to, size_t size, const char *from)
{
	char *end = to + size - 1;
	size_t length;

	while (*from && end - to >= ESCAPE_LENGTH) {
		length = looks_escaped(from) ? 0 : printable(from);
		if (length)
			to = mempcpy(to, from, length);
		else
			to += snprintf(to, ESCAPE_LENGTH + 1, "\\x%02x", (unsigned char)*from);
		from += length ? length : 1;
	}
	*to = '\0';
}
