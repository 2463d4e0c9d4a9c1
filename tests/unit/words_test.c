// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "words.h"

TEST(words, grow)
{
	struct words words;
	const char *part;
	char text[128];

	words_begin(&words, text, sizeof(text));
	CHECK_TEXT(text, "");
	words_add(&words, "map of ");
	words_add_number(&words, 0);
	words_add(&words, " and ");
	words_add_number(&words, UINT64_MAX);
	words_add(&words, " at ");
	words_add_hex(&words, 0);
	words_add(&words, " and ");
	words_add_hex(&words, UINT64_MAX);
	words_say(&words, ", %d", -5);
	CHECK_TEXT(text, "map of 0 and 18446744073709551615 at 0x0 and 0xffffffffffffffff, -5");

	words_begin(&words, text, sizeof(text));
	words_add(&words, "38 µs");
	words_pad(&words, text, 8);
	part = words.at;
	words_add(&words, "long");
	words_pad(&words, part, 2);
	words_add(&words, "|");
	CHECK_TEXT(text, "38 µs   long|");
}

TEST(words, have_all_digits)
{
	uint64_t value, power = 1;
	struct words words;
	char text[32], told[32];
	unsigned int i;

	for (i = 0; i < 20; i++, power *= 10) {
		for (value = power - 1; value - (power - 1) < 3; value++) {
			snprintf(told, sizeof(told), "%" PRIu64, value);
			words_begin(&words, text, sizeof(text));
			words_add_number(&words, value);
			CHECK_TEXT(text, told);
		}
	}
	for (i = 0; i < 10000; i++) {
		snprintf(told, sizeof(told), "%u", i);
		words_begin(&words, text, sizeof(text));
		words_add_number(&words, i);
		CHECK_TEXT(text, told);
	}
}

TEST(words, are_cut)
{
	struct words words;
	char text[8];

	memset(text, 'x', sizeof(text));
	words_begin(&words, text, 5);
	words_add_number(&words, 123);
	words_add_number(&words, 456);
	CHECK_TEXT(text, "1234");
	words_add(&words, "more");
	words_say(&words, "%s", "more");
	words_pad(&words, text, 100);
	CHECK_TEXT(text, "1234");
	CHECK(!memcmp(text + 5, "xxx", 3));

	words_begin(&words, text, 5);
	words_say(&words, "%s", "123456");
	CHECK_TEXT(text, "1234");
	CHECK(!memcmp(text + 5, "xxx", 3));
	words_begin(&words, text, 1);
	words_add_hex(&words, 5);
	CHECK_TEXT(text, "");
}
