// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "text/json.h"
#include "text/strbuf.h"
#include "text/utf8.h"

static void flush(struct json *json)
{
	fwrite_unlocked(json->text, 1, json->used, json->file);
	json->used = 0;
}

/* Get a place for @size bytes, fewer than the whole buffer. */
static char *room(struct json *json, size_t size)
{
	if (sizeof(json->text) - json->used < size)
		flush(json);
	return json->text + json->used;
}

static void put(struct json *json, char c)
{
	*room(json, 1) = c;
	json->used++;
}

static void put_text(struct json *json, const char *text, size_t length)
{
	if (length > sizeof(json->text)) {
		flush(json);
		fwrite_unlocked(text, 1, length, json->file);
		return;
	}
	memcpy(room(json, length), text, length);
	json->used += length;
}

/* A value is complete. */
static void done(struct json *json)
{
	if (!json->depth)
		flush(json);
}

/*
 * Characters that need no escape in a string: printable ones except for the quote, the backslash,
 * and characters that could end a script that contains the text.
 */
static const bool plain[256] = {
	[' '] = true,	      ['!'] = true,	    ['#' ... ';'] = true,
	['=' ... '['] = true, [']' ... '~'] = true,
};

static void quote(struct json *json, const char *string)
{
	const unsigned char *s = (const unsigned char *)string, *from;
	char code[8];
	size_t length;

	put(json, '"');
	for (;;) {
		for (from = s; plain[*s]; s++)
			;
		if (s != from)
			put_text(json, (const char *)from, s - from);
		if (!*s)
			break;
		if (*s == '"' || *s == '\\') {
			put(json, '\\');
			put(json, (char)*s++);
		} else if (*s < 0x20 || *s == 0x7f || *s == '<') {
			snprintf(code, sizeof(code), "\\u%04x", *s++);
			put_text(json, code, strlen(code));
		} else {
			length = utf8_character((const char *)s, NULL);
			if (length)
				put_text(json, (const char *)s, length);
			else
				put_text(json, "\\ufffd", 6);
			s += length ? length : 1;
		}
	}
	put(json, '"');
}

/* Room for a number. */
#define NUMBER_SIZE 24
/* Bound on the length of keys. */
#define KEY_SIZE 256

/* Write what precedes a value.  Return a place for a number, which @used does not include yet. */
static char *element(struct json *json, const char *key)
{
	size_t length = key ? strnlen(key, KEY_SIZE) : 0;
	char *p = room(json, 4 + length + NUMBER_SIZE), *start = p;

	if (json->comma)
		*p++ = ',';
	json->comma = true;
	if (key) {
		/* keys are ours and need no escapes */
		*p++ = '"';
		memcpy(p, key, length);
		p += length;
		*p++ = '"';
		*p++ = ':';
	}
	json->used += p - start;
	return p;
}

void json_key_make(struct json_key *made, const char *key)
{
	size_t length = snprintf(made->text, sizeof(made->text), "\"%s\":", key);

	made->length = length < sizeof(made->text) ? length : sizeof(made->text) - 1;
}

/* Return a place for a number, as element() does. */
static inline char *member(struct json *json, const struct json_key *key)
{
	char *start = room(json, 1 + sizeof(key->text) + NUMBER_SIZE), *p = start;

	*p = ',';
	p += json->comma;
	/* copy all of it: a copy of variable length is slower */
	memcpy(p, key->text, sizeof(key->text));
	p += key->length;
	json->used += p - start;
	json->comma = true;
	return p;
}

void json_key(struct json *json, const struct json_key *key)
{
	member(json, key);
	json->comma = false;
}

void json_member_u64(struct json *json, const struct json_key *key, uint64_t value)
{
	char *start = member(json, key);

	json->used += put_digits(start, value) - start;
}

void json_member_null(struct json *json, const struct json_key *key)
{
	memcpy(member(json, key), "null", 4);
	json->used += 4;
}

static void begin(struct json *json, const char *key, char bracket)
{
	element(json, key);
	put(json, bracket);
	json->comma = false;
	json->depth++;
}

static void end(struct json *json, char bracket)
{
	put(json, bracket);
	json->comma = true;
	json->depth--;
	done(json);
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
	put(json, '\n');
	json->comma = false;
	done(json);
}

void json_string(struct json *json, const char *key, const char *value)
{
	element(json, key);
	quote(json, value);
	done(json);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	char *start = element(json, key);

	json->used += put_digits(start, value) - start;
	done(json);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	char *start = element(json, key), *p = start;

	if (value < 0)
		*p++ = '-';
	json->used += put_digits(p, value < 0 ? -(uint64_t)value : (uint64_t)value) - start;
	done(json);
}

/* Write a value that is already formatted. */
static void put_value(struct json *json, const char *key, const char *value)
{
	element(json, key);
	put_text(json, value, strlen(value));
	done(json);
}

void json_micros(struct json *json, const char *key, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[32];

	snprintf(text, sizeof(text), "%s%" PRIu64 ".%03u", ns < 0 ? "-" : "", size / 1000,
		 (unsigned int)(size % 1000));
	put_value(json, key, text);
}

void json_double(struct json *json, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	snprintf(text, sizeof(text), "%.6g", value);
	put_value(json, key, text);
}

void json_bool(struct json *json, const char *key, bool value)
{
	put_value(json, key, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	put_value(json, key, "null");
}
