// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under libFuzzer: the readers of option arguments, and the writers of strange names in JSON and
 * CSV.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe/names.h"
#include "text/format.h"
#include "text/json.h"
#include "text/output.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
	if (!condition)
		abort();
}

/* A text that is read as a number is that number. */
static void read_number(const char *text)
{
	uint64_t number, again;
	char back[32];

	if (!parse_number(text, UINT64_MAX, &number))
		return;
	snprintf(back, sizeof(back), "%" PRIu64, number);
	need(parse_number(back, number, &again) && again == number);
	need(!number || !parse_number(back, number - 1, &again));
}

static void read_duration(const char *text)
{
	uint64_t ns;

	if (parse_duration(text, &ns))
		need(text_width(format_duration(ns).s) > 0);
}

/* A string in JSON has no byte that could end it, and no byte that JSON forbids. */
static void write_json(const char *text)
{
	char *written = NULL;
	size_t length, i;
	struct json json;

	json = (struct json){ .file = open_memstream(&written, &length) };
	need(json.file);
	json_string(&json, NULL, text);
	fclose(json.file);
	need(length >= 2 && written[0] == '"' && written[length - 1] == '"');
	for (i = 1; i < length - 1; i++) {
		need((unsigned char)written[i] >= 0x20 && written[i] != '"' && written[i] != '<');
		if (written[i] == '\\')
			i++;
	}
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	char *text;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	text = malloc(size + 1);
	if (!text || !nowhere)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	read_number(text);
	read_duration(text);
	write_json(text);
	csv_text(nowhere, text);
	operations_find(text);
	text_width(text);
	free(text);
	return 0;
}
