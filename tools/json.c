// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON, written as it comes.
 */
#include <inttypes.h>
#include <math.h>

#include "json.h"

/* Length of the UTF-8 character at @s, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	unsigned int code, min;
	int length, i;

	if (s[0] < 0x80)
		return 1;
	if ((s[0] & 0xe0) == 0xc0) {
		length = 2;
		code = s[0] & 0x1f;
		min = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		length = 3;
		code = s[0] & 0x0f;
		min = 0x800;
	} else if ((s[0] & 0xf8) == 0xf0) {
		length = 4;
		code = s[0] & 0x07;
		min = 0x10000;
	} else {
		return 0;
	}
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < min || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

static void quote(FILE *file, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;
	int length;

	putc_unlocked('"', file);
	while (*s) {
		if (*s == '"' || *s == '\\') {
			putc_unlocked('\\', file);
			putc_unlocked(*s++, file);
		} else if (*s < 0x20 || *s == 0x7f || *s == '<') {
			/* what could end a script that the text stands in, too */
			fprintf(file, "\\u%04x", *s++);
		} else {
			length = utf8_length(s);
			if (!length) {
				fputs("\\ufffd", file);
				s++;
				continue;
			}
			while (length--)
				putc_unlocked(*s++, file);
		}
	}
	putc_unlocked('"', file);
}

static void element(struct json *json, const char *key)
{
	if (json->comma)
		putc_unlocked(',', json->file);
	json->comma = true;
	if (!key)
		return;
	/* keys are ours, and plain */
	putc_unlocked('"', json->file);
	fputs_unlocked(key, json->file);
	putc_unlocked('"', json->file);
	putc_unlocked(':', json->file);
}

static void begin(struct json *json, const char *key, char bracket)
{
	element(json, key);
	putc_unlocked(bracket, json->file);
	json->comma = false;
}

static void end(struct json *json, char bracket)
{
	putc_unlocked(bracket, json->file);
	json->comma = true;
}

void json_object(struct json *json, const char *key)
{
	begin(json, key, '{');
}

void json_end_object(struct json *json)
{
	end(json, '}');
}

void json_array(struct json *json, const char *key)
{
	begin(json, key, '[');
}

void json_end_array(struct json *json)
{
	end(json, ']');
}

void json_end(struct json *json)
{
	putc_unlocked('\n', json->file);
	json->comma = false;
}

void json_string(struct json *json, const char *key, const char *value)
{
	element(json, key);
	quote(json->file, value);
}

static void digits(FILE *file, uint64_t value)
{
	char text[20], *p = text + sizeof(text);

	do {
		*--p = '0' + value % 10;
		value /= 10;
	} while (value);
	fwrite_unlocked(p, 1, text + sizeof(text) - p, file);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	element(json, key);
	digits(json->file, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	element(json, key);
	if (value < 0)
		putc_unlocked('-', json->file);
	digits(json->file, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_micros(struct json *json, const char *key, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	element(json, key);
	fprintf(json->file, "%s%" PRIu64 ".%03u", ns < 0 ? "-" : "", size / 1000,
		(unsigned int)(size % 1000));
}

void json_double(struct json *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	element(json, key);
	fprintf(json->file, "%.6g", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	element(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json, const char *key)
{
	element(json, key);
	fputs("null", json->file);
}
