/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming writer of JSON: no tree and no allocation, so that a stream of events costs little.
 *
 * The writer knows only its depth and whether a comma is due.  Keys are snake_case with the unit
 * in the name.  A value with a NULL key is an element of an array.
 */
#ifndef IOMMUSCOPE_TEXT_JSON_H
#define IOMMUSCOPE_TEXT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a JSON text in progress
 * @file: the output
 * @comma: the next element needs a comma before it
 * @depth: objects and arrays that are open
 * @used: bytes in @text
 * @text: not yet written to @file; written when it is full, or when nothing is open
 *
 * There can be hundreds of thousands of operations, each with twenty members.  Passing each member
 * to stdio would take longer than all the rest.
 */
struct json {
	FILE *file;
	bool comma;
	unsigned int depth;
	unsigned int used;
	char text[1024];
};

/* Room for a prepared key, in quotes. */
#define JSON_KEY_SIZE 32

/**
 * struct json_key - a prepared key, which is faster to write
 * @length: of @text
 * @text: the key in quotes, and a colon
 */
struct json_key {
	unsigned int length;
	char text[JSON_KEY_SIZE];
};

/**
 * json_key_make() - prepare a key
 * @made: filled in
 * @key: the key
 */
void json_key_make(struct json_key *made, const char *key);

/**
 * json_key() - write a key; its value follows, written with a NULL key
 * @json: the writer
 * @key: the key
 */
void json_key(struct json *json, const struct json_key *key);

/**
 * json_member_u64() - write a number into an object
 * @json: the writer
 * @key: its key
 * @value: the number
 */
void json_member_u64(struct json *json, const struct json_key *key, uint64_t value);

/**
 * json_member_null() - write null into an object
 * @json: the writer
 * @key: its key
 */
void json_member_null(struct json *json, const struct json_key *key);

/**
 * json_object() - start an object
 * @json: the writer
 * @key: its key in the object around it, or NULL
 */
void json_object(struct json *json, const char *key);

/**
 * json_end_object() - end the innermost object
 * @json: the writer
 */
void json_end_object(struct json *json);

/**
 * json_array() - start an array
 * @json: the writer
 * @key: its key in the object around it, or NULL
 */
void json_array(struct json *json, const char *key);

/**
 * json_end_array() - end the innermost array
 * @json: the writer
 */
void json_end_array(struct json *json);

/**
 * json_end() - end a document, or one object of a stream, with a newline
 * @json: the writer, then ready for the next one
 */
void json_end(struct json *json);

/**
 * json_string() - write a string
 * @json: the writer
 * @key: its key, or NULL
 * @value: the string, in UTF-8; other bytes are replaced
 */
void json_string(struct json *json, const char *key, const char *value);

/**
 * json_u64() - write a number that is not negative
 * @json: the writer
 * @key: its key, or NULL
 * @value: the number
 */
void json_u64(struct json *json, const char *key, uint64_t value);

/**
 * json_i64() - write a number
 * @json: the writer
 * @key: its key, or NULL
 * @value: the number
 */
void json_i64(struct json *json, const char *key, int64_t value);

/**
 * json_micros() - write a time in microseconds, exact to the nanosecond
 * @json: the writer
 * @key: its key, or NULL
 * @ns: the time in nanoseconds
 */
void json_micros(struct json *json, const char *key, int64_t ns);

/**
 * json_double() - write a number with a fraction
 * @json: the writer
 * @key: its key, or NULL
 * @value: the number; one that JSON cannot express becomes null
 */
void json_double(struct json *json, const char *key, double value);

/**
 * json_bool() - write true or false
 * @json: the writer
 * @key: its key, or NULL
 * @value: the value
 */
void json_bool(struct json *json, const char *key, bool value);

/**
 * json_null() - write null
 * @json: the writer
 * @key: its key, or NULL
 */
void json_null(struct json *json, const char *key);

#endif
