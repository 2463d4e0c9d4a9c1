// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns that a text takes.
 */
#include <string.h>

#include "text/utf8.h"

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
