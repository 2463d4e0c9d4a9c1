// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/format.h"
#include "text/strbuf.h"

static const char *const size_units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
#define NR_SIZE_UNITS (sizeof(size_units) / sizeof(size_units[0]))

/* One decimal below ten, none above; a value that rounds up to ten has none. */
static void add_scaled(struct strbuf *buf, double value, const char *unit)
{
	long tenths;

	if (value < 9.95) {
		tenths = lrint(value * 10);
		strbuf_add_number(buf, tenths / 10);
		strbuf_add(buf, ".");
		strbuf_add_number(buf, tenths % 10);
	} else {
		strbuf_add_number(buf, lrint(value));
	}
	strbuf_add(buf, " ");
	strbuf_add(buf, unit);
}

static struct text scaled(double value, const char *unit)
{
	struct strbuf buf;
	struct text text = {};

	strbuf_begin(&buf, text.s, sizeof(text.s));
	add_scaled(&buf, value, unit);
	return text;
}

static struct text unscaled(uint64_t value, const char *unit)
{
	struct strbuf buf;
	struct text text = {};

	strbuf_begin(&buf, text.s, sizeof(text.s));
	strbuf_add_number(&buf, value);
	strbuf_add(&buf, " ");
	strbuf_add(&buf, unit);
	return text;
}

static unsigned int size_unit(uint64_t bytes)
{
	unsigned int unit = 0;

	/* 1023.6 KiB would read "1024 KiB", so use the next unit from there on */
	while (unit + 1 < NR_SIZE_UNITS && (double)bytes >= ldexp(1023.5, 10 * unit))
		unit++;
	return unit;
}

struct text format_size(uint64_t bytes)
{
	unsigned int unit = size_unit(bytes);

	return unit ? scaled(ldexp(bytes, -10 * (int)unit), size_units[unit]) :
		      unscaled(bytes, size_units[0]);
}

struct text format_size_as(uint64_t bytes, uint64_t as)
{
	unsigned int unit = size_unit(as);
	double value = ldexp(bytes, -10 * (int)unit);
	struct text text;

	if (value == floor(value))
		snprintf(text.s, sizeof(text.s), "%.0f %s", value, size_units[unit]);
	else
		snprintf(text.s, sizeof(text.s), value < 0.1 ? "%.3f %s" : "%.1f %s", value,
			 size_units[unit]);
	return text;
}

struct text format_duration(uint64_t ns)
{
	struct text text;
	uint64_t seconds;

	if (ns < 1000)
		return unscaled(ns, "ns");
	if (ns < 999500)
		return scaled(ns / 1e3, "µs");
	if (ns < 999500000)
		return scaled(ns / 1e6, "ms");
	if (ns < 99500000000)
		return scaled(ns / 1e9, "s");
	seconds = (ns + 500000000) / 1000000000;
	if (seconds < 3600)
		snprintf(text.s, sizeof(text.s), "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
			 seconds % 60);
	else
		snprintf(text.s, sizeof(text.s), "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
			 seconds / 60 % 60);
	return text;
}

struct text format_count(uint64_t count)
{
	static const char *const units[] = { "k", "M", "G", "T", "P", "E" };
	double value = count;
	unsigned int unit = 0;
	struct text text;

	if (count < 100000) {
		snprintf(text.s, sizeof(text.s), "%" PRIu64, count);
		return text;
	}
	for (value /= 1000; value >= 999.5; value /= 1000)
		unit++;
	return scaled(value, units[unit]);
}

struct text format_number(double value)
{
	struct text text;

	if (value >= 99999.5)
		return format_count(value < 1.8e19 ? (uint64_t)value : UINT64_MAX);
	if (value == 0)
		snprintf(text.s, sizeof(text.s), "0");
	else
		snprintf(text.s, sizeof(text.s),
			 value < 0.995 ? "%.2f" :
			 value < 9.95  ? "%.1f" :
					 "%.0f",
			 value);
	return text;
}

struct text format_percent(uint64_t part, uint64_t whole)
{
	struct text text;
	double percent;

	if (!whole) {
		snprintf(text.s, sizeof(text.s), "-");
		return text;
	}
	percent = 100.0 * part / whole;
	if (!part)
		return unscaled(0, "%");
	if (percent >= 0.1)
		return scaled(percent, "%");
	snprintf(text.s, sizeof(text.s), "<0.1 %%");
	return text;
}

struct text format_clock_second(uint64_t wall_ns)
{
	/* a stream of events formats the same second again and again */
	static time_t last = -1;
	static struct text text;
	time_t seconds = wall_ns / 1000000000;
	struct tm tm;

	if (seconds != last) {
		localtime_r(&seconds, &tm);
		strftime(text.s, sizeof(text.s), "%H:%M:%S", &tm);
		last = seconds;
	}
	return text;
}

struct text format_clock(uint64_t wall_ns)
{
	struct text text = format_clock_second(wall_ns);
	unsigned int micros = wall_ns % 1000000000 / 1000, i;
	char *fraction = text.s + strlen(text.s);

	*fraction = '.';
	for (i = 6; i; i--) {
		fraction[i] = '0' + micros % 10;
		micros /= 10;
	}
	fraction[7] = '\0';
	return text;
}

bool parse_duration(const char *string, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{ "", 1e9 }, { "s", 1e9 },  { "ms", 1e6 },   { "us", 1e3 },   { "µs", 1e3 },
		{ "ns", 1 }, { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 },
	};
	double value;
	char *end;
	size_t i;

	/* strtod() would accept "-1", " 1", "nan" and "0x1p3" */
	if (!isdigit((unsigned char)*string) && *string != '.')
		return false;
	if (string[0] == '0' && (string[1] == 'x' || string[1] == 'X'))
		return false;
	errno = 0;
	value = strtod(string, &end);
	if (errno || end == string)
		return false;
	if (*end == ' ')
		end++;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value *= units[i].ns;
		if (value > 1e18)
			return false;
		*ns = llround(value);
		return true;
	}
	return false;
}

bool parse_size(const char *string, uint64_t *bytes)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	double value;
	char *end;

	/* strtod() accepts more notations than we want */
	if (!isdigit((unsigned char)*string) || tolower((unsigned char)string[1]) == 'x')
		return false;
	value = strtod(string, &end);
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (unit) {
			value = ldexp(value, 10 * (int)(unit - units + 1));
			end++;
		}
		if (*end == 'i' && unit)
			end++;
		if (*end == 'B')
			end++;
	}
	if (*end || !(value < ldexp(1, 63)) || value != floor(value))
		return false;
	*bytes = (uint64_t)value;
	return true;
}

bool parse_number(const char *string, uint64_t max, uint64_t *number)
{
	unsigned long long value;
	char *end;
	bool hex;

	if (!isdigit((unsigned char)*string))
		return false;
	errno = 0;
	hex = string[0] == '0' && tolower((unsigned char)string[1]) == 'x';
	value = strtoull(string, &end, hex ? 16 : 10);
	if (errno || *end || value > max)
		return false;
	*number = value;
	return true;
}
