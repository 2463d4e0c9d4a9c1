// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "text/utf8.h"

size_t utf8_character(const char *text, uint32_t *code)
{
	/* by length: the form of the first byte, and the smallest code point of this length */
	static const struct {
		unsigned char mask, start;
		uint32_t least;
	} kinds[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };
	const unsigned char *at = (const unsigned char *)text;
	uint32_t value;
	size_t length = 0, i;

	while ((*at & kinds[length].mask) != kinds[length].start)
		if (++length == 4)
			return 0;
	length++;
	value = *at & ~kinds[length - 1].mask;
	for (i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	/* overlong, a surrogate, or too large */
	if (value < kinds[length - 1].least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	if (code)
		*code = value;
	return length;
}

int text_width(const char *utf8)
{
	int width = 0;

	for (; *utf8; utf8++)
		if ((*utf8 & 0xc0) != 0x80)
			width++;
	return width;
}

size_t text_line(const char *utf8, int columns)
{
	size_t fits = 0, end;
	int width = 0;
	const char *p;

	for (;;) {
		end = fits + strspn(utf8 + fits, " ");
		end += strcspn(utf8 + end, " ");
		for (p = utf8 + fits; p < utf8 + end; p++)
			width += (*p & 0xc0) != 0x80;
		if (end == fits || (fits && width > columns))
			return fits;
		fits = end;
	}
}
