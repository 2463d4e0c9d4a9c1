// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "unit.h"
#include "text/name.h"

static void cleaned(const char *from, const char *wanted)
{
	size_t length = strlen(from) + 1;
	char name[16];

	memset(name, 'x', sizeof(name));
	memcpy(name, from, length < sizeof(name) ? length : sizeof(name));
	NAME_CLEAN(name);
	CHECK_TEXT(name, wanted);
}

TEST(name, clean)
{
	cleaned("", "");
	cleaned("qemu-system-x86", "qemu-system-x86");
	cleaned("größe", "größe");
	cleaned("\033]0;t\a", "?]0;t?");
	cleaned("a\nb\tc\x7f", "a?b?c?");
	cleaned("\302\2331m", "??1m");
	cleaned("\342\200\256abc", "???abc");
	cleaned("\xff\xfe", "??");
	/*
	 * the kernel cuts a name in the middle of a character; no zero byte at the end of the
	 * room
	 */
	cleaned("12345678901234\xc3", "12345678901234?");
	cleaned("1234567890123456", "123456789012345");
}

static void escaped(const char *from, const char *wanted)
{
	char to[32];

	name_escape(to, sizeof(to), from);
	CHECK_TEXT(to, wanted);
}

TEST(name, escape)
{
	escaped("/machine.slice/a", "/machine.slice/a");
	escaped("qemu\\x2d1\\x2da", "qemu\\x2d1\\x2da");
	escaped("\033[1m", "\\x1b[1m");
	escaped("\\x1b[1m", "\\x5cx1b[1m");
	escaped("\\x5cx1b", "\\x5cx5cx1b");
	escaped("\\\\x", "\\\\x");
	escaped("\xe2\x80\xae", "\\xe2\\x80\\xae");
	/* text that does not fit is cut off, and never in the middle of a character */
	escaped("12345678901234567890123456789012345", "1234567890123456789012345678");
	escaped("1234567890123456789012345678\n", "1234567890123456789012345678");
}
