// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "text/strbuf.h"

TEST(strbuf, grow)
{
	struct strbuf buf;
	const char *part;
	char text[128];

	strbuf_begin(&buf, text, sizeof(text));
	CHECK_TEXT(text, "");
	strbuf_add(&buf, "map of ");
	strbuf_add_number(&buf, 0);
	strbuf_add(&buf, " and ");
	strbuf_add_number(&buf, UINT64_MAX);
	strbuf_add(&buf, " at ");
	strbuf_add_hex(&buf, 0);
	strbuf_add(&buf, " and ");
	strbuf_add_hex(&buf, UINT64_MAX);
	strbuf_say(&buf, ", %d", -5);
	CHECK_TEXT(text, "map of 0 and 18446744073709551615 at 0x0 and 0xffffffffffffffff, -5");

	strbuf_begin(&buf, text, sizeof(text));
	strbuf_add(&buf, "38 µs");
	strbuf_pad(&buf, text, 8);
	part = buf.at;
	strbuf_add(&buf, "long");
	strbuf_pad(&buf, part, 2);
	strbuf_add(&buf, "|");
	CHECK_TEXT(text, "38 µs   long|");
}

TEST(strbuf, have_all_digits)
{
	uint64_t value, power = 1;
	struct strbuf buf;
	char text[32], got[32];
	unsigned int i;

	for (i = 0; i < 20; i++, power *= 10) {
		for (value = power - 1; value - (power - 1) < 3; value++) {
			snprintf(got, sizeof(got), "%" PRIu64, value);
			strbuf_begin(&buf, text, sizeof(text));
			strbuf_add_number(&buf, value);
			CHECK_TEXT(text, got);
		}
	}
	for (i = 0; i < 10000; i++) {
		snprintf(got, sizeof(got), "%u", i);
		strbuf_begin(&buf, text, sizeof(text));
		strbuf_add_number(&buf, i);
		CHECK_TEXT(text, got);
	}
}

TEST(strbuf, are_cut)
{
	struct strbuf buf;
	char text[8];

	memset(text, 'x', sizeof(text));
	strbuf_begin(&buf, text, 5);
	strbuf_add_number(&buf, 123);
	strbuf_add_number(&buf, 456);
	CHECK_TEXT(text, "1234");
	strbuf_add(&buf, "more");
	strbuf_say(&buf, "%s", "more");
	strbuf_pad(&buf, text, 100);
	CHECK_TEXT(text, "1234");
	CHECK(!memcmp(text + 5, "xxx", 3));

	strbuf_begin(&buf, text, 5);
	strbuf_say(&buf, "%s", "123456");
	CHECK_TEXT(text, "1234");
	CHECK(!memcmp(text + 5, "xxx", 3));
	strbuf_begin(&buf, text, 1);
	strbuf_add_hex(&buf, 5);
	CHECK_TEXT(text, "");
}
