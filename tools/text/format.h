/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers in readable form: formatting and parsing.  Pure functions.
 */
#ifndef IOMMUSCOPE_TEXT_FORMAT_H
#define IOMMUSCOPE_TEXT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A short text by value: print it with format_size(n).s */
struct text {
	char s[32];
};

/**
 * format_size() - format a number of bytes: "512 B", "4.0 GiB", "64 MiB"
 * @bytes: the number
 *
 * Return: the text.
 */
struct text format_size(uint64_t bytes);

/**
 * format_size_as() - format a number of bytes in the unit of another number
 * @bytes: the number
 * @as: the other number
 *
 * Numbers to be compared have the same unit: "64 MiB allowed, 4096 MiB wanted".
 *
 * Return: the text.
 */
struct text format_size_as(uint64_t bytes, uint64_t as);

/**
 * format_duration() - format a duration: "850 ns", "38 µs", "1.2 ms", "3 min 20 s"
 * @ns: nanoseconds
 *
 * Return: the text.
 */
struct text format_duration(uint64_t ns);

/**
 * format_count() - format a number in at most five digits: "99999", "1.2 M"
 * @count: the number
 *
 * Return: the text.
 */
struct text format_count(uint64_t count);

/**
 * format_number() - format a number with a fraction in few digits: "0.25", "9.5", "1234", "1.2 M"
 * @value: the number
 *
 * Return: the text.
 */
struct text format_number(double value);

/**
 * format_percent() - format a share: "93 %", "0.4 %"
 * @part: the part
 * @whole: the whole
 *
 * Return: the text, "-" if there is no whole.
 */
struct text format_percent(uint64_t part, uint64_t whole);

/**
 * format_clock() - format a local time of the day: "20:13:02.062126"
 * @wall_ns: CLOCK_REALTIME
 *
 * Return: the text.
 */
struct text format_clock(uint64_t wall_ns);

/**
 * format_clock_second() - format a local time of the day to the second: "20:13:02"
 * @wall_ns: CLOCK_REALTIME
 *
 * Return: the text.
 */
struct text format_clock_second(uint64_t wall_ns);

/**
 * parse_duration() - parse a duration: "2", "1.5s", "250ms", "40us", "100ns", "2m", "1h"
 * @string: the text; a bare number is in seconds
 * @ns: set to the nanoseconds
 *
 * Return: whether @string is a duration.
 */
bool parse_duration(const char *string, uint64_t *ns);

/**
 * parse_size() - parse a number of bytes: "4096", "64K", "1.5G", "64GiB"
 * @string: the text; units are powers of 1024
 * @bytes: set to the bytes
 *
 * Return: whether @string is a size in whole bytes.
 */
bool parse_size(const char *string, uint64_t *bytes);

/**
 * parse_number() - parse a whole number, decimal or 0x...
 * @string: the text
 * @max: the largest number accepted
 * @number: set to the number
 *
 * Return: whether @string is such a number.
 */
bool parse_number(const char *string, uint64_t max, uint64_t *number);

#endif
