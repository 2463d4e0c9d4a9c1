// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/json.h"
#include "unit.h"

static char *text;
static size_t size;

static struct json begin(void)
{
	free(text);
	text = NULL;
	return (struct json){ .file = open_memstream(&text, &size) };
}

static const char *end(struct json *json)
{
	json_end(json);
	fclose(json->file);
	return text;
}

TEST(json, nesting)
{
	struct json json = begin();

	json_object(&json, NULL);
	json_u64(&json, "a", 1);
	json_array(&json, "list");
	json_object(&json, NULL);
	json_end_object(&json);
	json_i64(&json, NULL, -2);
	json_null(&json, NULL);
	json_end_array(&json);
	json_bool(&json, "b", true);
	json_object(&json, "c");
	json_bool(&json, "d", false);
	json_end_object(&json);
	json_end_object(&json);
	CHECK_TEXT(end(&json), "{\"a\":1,\"list\":[{},-2,null],\"b\":true,\"c\":{\"d\":false}}\n");
}

TEST(json, a_stream_needs_no_commas)
{
	struct json json = begin();
	int i;

	for (i = 0; i < 2; i++) {
		json_object(&json, NULL);
		json_u64(&json, "i", i);
		json_end_object(&json);
		json_end(&json);
	}
	fclose(json.file);
	CHECK_TEXT(text, "{\"i\":0}\n{\"i\":1}\n");
}

TEST(json, numbers)
{
	struct json json = begin();

	json_array(&json, NULL);
	json_u64(&json, NULL, 0);
	json_u64(&json, NULL, UINT64_MAX);
	json_i64(&json, NULL, INT64_MIN);
	json_double(&json, NULL, 0.25);
	json_double(&json, NULL, NAN);
	json_double(&json, NULL, INFINITY);
	json_end_array(&json);
	CHECK_TEXT(end(&json), "[0,18446744073709551615,-9223372036854775808,0.25,null,null]\n");
}

TEST(json, strings)
{
	struct json json = begin();

	json_array(&json, NULL);
	json_string(&json, NULL, "a \"b\" \\ c");
	json_string(&json, NULL, "tab\t, \x01, \x7f");
	json_string(&json, NULL, "µ 日 😀");
	json_end_array(&json);
	CHECK_TEXT(end(&json), "[\"a \\\"b\\\" \\\\ c\",\"tab\\u0009, \\u0001, \\u007f\",\"µ 日 😀\"]\n");
}

/* A process can have any name: invalid UTF-8 must not get through. */
TEST(json, strings_that_are_no_utf8)
{
	struct json json = begin();

	json_array(&json, NULL);
	json_string(&json, NULL, "\xff");
	json_string(&json, NULL, "\xc3");
	json_string(&json, NULL, "\xc0\x80");
	json_string(&json, NULL, "\xed\xa0\x80");
	json_string(&json, NULL, "\xf4\x90\x80\x80");
	json_end_array(&json);
	CHECK_TEXT(end(&json), "[\"\\ufffd\",\"\\ufffd\",\"\\ufffd\\ufffd\",\"\\ufffd\\ufffd\\ufffd\","
			       "\"\\ufffd\\ufffd\\ufffd\\ufffd\"]\n");
}

TEST(json, keys_made_ready)
{
	struct json_key a, longest, cut;
	struct json json = begin();

	json_key_make(&a, "a");
	json_key_make(&longest, "a_key_of_as_many_as_28_chars");
	json_key_make(&cut, "a_key_that_is_longer_than_there_is_room_for");
	CHECK(cut.length < sizeof(cut.text));
	json_object(&json, NULL);
	json_member_u64(&json, &a, UINT64_MAX);
	json_member_null(&json, &longest);
	json_key(&json, &a);
	json_array(&json, NULL);
	json_u64(&json, NULL, 1);
	json_u64(&json, NULL, 2);
	json_end_array(&json);
	json_key(&json, &longest);
	json_object(&json, NULL);
	json_member_null(&json, &a);
	json_end_object(&json);
	json_member_u64(&json, &a, 0);
	json_end_object(&json);
	CHECK_TEXT(end(&json), "{\"a\":18446744073709551615,\"a_key_of_as_many_as_28_chars\":null,"
			       "\"a\":[1,2],\"a_key_of_as_many_as_28_chars\":{\"a\":null},\"a\":0}\n");
}
