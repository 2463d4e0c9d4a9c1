// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <time.h>

#include "text/format.h"
#include "text/utf8.h"
#include "unit.h"

TEST(format, sizes)
{
	CHECK_TEXT(format_size(0).s, "0 B");
	CHECK_TEXT(format_size(1023).s, "1023 B");
	CHECK_TEXT(format_size(1024).s, "1.0 KiB");
	CHECK_TEXT(format_size(4096).s, "4.0 KiB");
	CHECK_TEXT(format_size(10 << 10).s, "10 KiB");
	CHECK_TEXT(format_size((1 << 20) - 1).s, "1.0 MiB");
	CHECK_TEXT(format_size(64 << 20).s, "64 MiB");
	CHECK_TEXT(format_size(4ULL << 30).s, "4.0 GiB");
	CHECK_TEXT(format_size(UINT64_MAX).s, "16 EiB");
}

TEST(format, sizes_to_be_compared)
{
	CHECK_TEXT(format_size_as(4ULL << 30, 64 << 20).s, "4096 MiB");
	CHECK_TEXT(format_size_as(12 << 20, 64 << 20).s, "12 MiB");
	CHECK_TEXT(format_size_as((12 << 20) + (1 << 19), 64 << 20).s, "12.5 MiB");
	CHECK_TEXT(format_size_as(4096, 64 << 20).s, "0.004 MiB");
	CHECK_TEXT(format_size_as(0, 64 << 20).s, "0 MiB");
	CHECK_TEXT(format_size_as(8192, 0).s, "8192 B");
}

TEST(format, times_of_day)
{
	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_TEXT(format_clock(1700000000062126999ULL).s, "22:13:20.062126");
	CHECK_TEXT(format_clock(1700000000000000000ULL).s, "22:13:20.000000");
	CHECK_TEXT(format_clock_second(1700000000999999999ULL).s, "22:13:20");
	CHECK_TEXT(format_clock_second(1700000001000000000ULL).s, "22:13:21");
}

TEST(format, durations)
{
	CHECK_TEXT(format_duration(0).s, "0 ns");
	CHECK_TEXT(format_duration(999).s, "999 ns");
	CHECK_TEXT(format_duration(1000).s, "1.0 µs");
	CHECK_TEXT(format_duration(38000).s, "38 µs");
	CHECK_TEXT(format_duration(999499).s, "999 µs");
	CHECK_TEXT(format_duration(999500).s, "1.0 ms");
	CHECK_TEXT(format_duration(1234567).s, "1.2 ms");
	CHECK_TEXT(format_duration(9960000).s, "10 ms");
	CHECK_TEXT(format_duration(1500000000).s, "1.5 s");
	CHECK_TEXT(format_duration(99400000000).s, "99 s");
	CHECK_TEXT(format_duration(200000000000).s, "3 min 20 s");
	CHECK_TEXT(format_duration(7260000000000).s, "2 h 1 min");
}

TEST(format, counts_and_numbers)
{
	CHECK_TEXT(format_count(0).s, "0");
	CHECK_TEXT(format_count(99999).s, "99999");
	CHECK_TEXT(format_count(100000).s, "100 k");
	CHECK_TEXT(format_count(1234567).s, "1.2 M");
	CHECK_TEXT(format_count(999600).s, "1.0 M");
	CHECK_TEXT(format_count(UINT64_MAX).s, "18 E");
	CHECK_TEXT(format_number(0).s, "0");
	CHECK_TEXT(format_number(0.251).s, "0.25");
	CHECK_TEXT(format_number(9.5).s, "9.5");
	CHECK_TEXT(format_number(1234.4).s, "1234");
	CHECK_TEXT(format_number(1e7).s, "10 M");
	CHECK_TEXT(format_percent(93, 100).s, "93 %");
	CHECK_TEXT(format_percent(4, 100).s, "4.0 %");
	CHECK_TEXT(format_percent(1, 100000).s, "<0.1 %");
	CHECK_TEXT(format_percent(0, 10).s, "0 %");
	CHECK_TEXT(format_percent(0, 0).s, "-");
}

TEST(format, widths)
{
	CHECK_EQ(text_width(""), 0);
	CHECK_EQ(text_width("abc"), 3);
	CHECK_EQ(text_width("38 µs"), 5);
}

static uint64_t duration(const char *string)
{
	uint64_t ns = 0;

	if (!parse_duration(string, &ns))
		tap_fail(__FILE__, __LINE__, "\"%s\" is refused", string);
	return ns;
}

TEST(parse, durations)
{
	static const char *const wrong[] = {
		"", " ", "s", "-1", "+1", "1 parsec", "1e", "nan", "inf", "0x10", "1ss", "1e30", "1,5",
	};
	uint64_t ns;
	size_t i;

	CHECK_EQ(duration("2"), 2000000000);
	CHECK_EQ(duration("0"), 0);
	CHECK_EQ(duration("1.5s"), 1500000000);
	CHECK_EQ(duration(".5"), 500000000);
	CHECK_EQ(duration("250ms"), 250000000);
	CHECK_EQ(duration("40us"), 40000);
	CHECK_EQ(duration("40µs"), 40000);
	CHECK_EQ(duration("100 ns"), 100);
	CHECK_EQ(duration("2m"), 120000000000);
	CHECK_EQ(duration("1h"), 3600000000000);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parse_duration(wrong[i], &ns))
			tap_fail(__FILE__, __LINE__, "\"%s\" is accepted", wrong[i]);
}

TEST(parse, numbers)
{
	uint64_t number = 0;

	CHECK(parse_number("0", 10, &number) && number == 0);
	CHECK(parse_number("10", 10, &number) && number == 10);
	CHECK(parse_number("0x1f", 100, &number) && number == 31);
	CHECK(parse_number("18446744073709551615", UINT64_MAX, &number) && number == UINT64_MAX);
	CHECK(!parse_number("11", 10, &number));
	CHECK(!parse_number("18446744073709551616", UINT64_MAX, &number));
	CHECK(!parse_number("-1", UINT64_MAX, &number));
	CHECK(!parse_number("", 10, &number));
	CHECK(!parse_number("1x", 10, &number));
	CHECK(!parse_number(" 1", 10, &number));
	CHECK(!parse_number("0x", 10, &number));
	/* not octal: a bus number that starts with 0 is decimal */
	CHECK(parse_number("010", 10, &number) && number == 10);
}

TEST(format, lines_of_a_wrapped_text)
{
	/* "größe" has five columns and seven bytes */
	CHECK(text_line("one two three", 7) == 7);
	CHECK(text_line("one two three", 8) == 7);
	CHECK(text_line("one two three", 6) == 3);
	CHECK(text_line("größe zwei", 5) == 7);
	CHECK(text_line("a-very-long-word and more", 5) == 16);
	CHECK(text_line("all", 80) == 3);
	CHECK(text_line("", 80) == 0);
}

TEST(format, sizes_read)
{
	static const char *const wrong[] = { "", "G", "-1", "64Q", "1.5", "64 G", "64Gi ", "64GG",
					     "99999999E", "0x10" };
	uint64_t bytes;
	size_t i;

	CHECK(parse_size("4096", &bytes) && bytes == 4096);
	CHECK(parse_size("64K", &bytes) && bytes == 64 << 10);
	CHECK(parse_size("64k", &bytes) && bytes == 64 << 10);
	CHECK(parse_size("1.5G", &bytes) && bytes == 3ULL << 29);
	CHECK(parse_size("64GiB", &bytes) && bytes == 64ULL << 30);
	CHECK(parse_size("2TB", &bytes) && bytes == 2ULL << 40);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parse_size(wrong[i], &bytes))
			tap_fail(__FILE__, __LINE__, "%s is no size", wrong[i]);
}
